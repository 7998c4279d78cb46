"""Finds the system's C compiler and runs it. ``CC`` in the environment chooses one, with options if it has any."""

from __future__ import annotations

import hashlib
import os
import platform
import shlex
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

# Strict floating arithmetic: no contraction, no reassociation but in the loops that say so. What is given up is errno
# and the exception flags, which nobody reads.
FLAGS = (
    "-O3", "-march=native", "-std=gnu11", "-fPIC", "-ffp-contract=off", "-fno-math-errno",
    "-fno-trapping-math", "-fwrapv", "-w",
)  # fmt: skip

# Stands between the parts of a file: what all need, functions that nothing but the last part calls, that last part.
PART = "\n/* ---- */\n"

# Files of so many bytes, about half a second, are compiled beside each other.
LONG = 1 << 16

# Functions of one file that another one calls.
_CALLED = '#undef KERNEL\n#define KERNEL __attribute__((noinline, visibility("hidden")))\n'

# A kernel that takes longer is no kernel; a compiler that hangs must not hang the program.
TIMEOUT = 120


class CompilerError(Exception):
    """There is no compiler, or it refused; the reason's id is the first argument, what happened the second."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


@dataclass(frozen=True)
class Compiler:
    """A compiler: the command, and what tells it from others and its older versions."""

    command: tuple[str, ...]
    identity: str

    def compile(self, source: str, folder: Path, name: str) -> Path:
        """Compile a C file into the shared library `name` of a folder; returns its path."""
        library, texts = folder / name, files_of(source, processors())
        paths = [folder / f"{name}.{number}.c" for number in range(len(texts))]
        objects = [path.with_suffix(".o") for path in paths]
        threads = "-fopenmp" if uses_threads(source) else "-fopenmp-simd"
        command = [*self.command, *FLAGS, threads]
        try:
            for path, text in zip(paths, texts):
                path.write_text(text, encoding="utf-8")
            if len(texts) == 1:
                _run([*command, "-shared", "-o", str(library), str(paths[0]), "-lm"])
            else:
                steps = [[*command, "-c", "-o", str(made), str(path)] for made, path in zip(objects, paths)]
                with ThreadPoolExecutor(len(steps)) as pool:
                    list(pool.map(_run, steps))
                _run([*command, "-shared", "-o", str(library), *map(str, objects), "-lm"])
        finally:
            for path in (*paths, *objects):
                path.unlink(missing_ok=True)
        if not library.exists():
            raise CompilerError("compiler-failed", f"{self.command[0]}: there is no {library}")
        return library


def files_of(source: str, most: int) -> list[str]:
    """One file or several that together are a source: a part of its functions each, the last one calls them all."""
    parts = source.split(PART)
    count = min(most, len(source) // LONG + 1, len(parts) - 2)
    if count < 2:
        return [source]
    head, *functions, tail = parts
    shares: list[list[str]] = [[] for _ in range(count)]
    for function in sorted(functions, key=len, reverse=True):
        min(shares, key=lambda share: sum(map(len, share))).append(function)
    called = [line[: -len(" {")] + ";" for line in "\n".join(functions).splitlines() if line.startswith("KERNEL ")]
    files = ["\n".join([head, _CALLED, *share]) for share in shares]
    return [*files, "\n".join([head, _CALLED, *called, tail])]


def processors() -> int:
    """How many compilers may run at one time."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _run(command: list[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.SubprocessError) as cause:
        raise CompilerError("compiler-failed", f"{command[0]}: {cause}") from cause
    if done.returncode != 0:
        raise CompilerError("compiler-failed", f"{command[0]}: {_complaint(done)}")


def _complaint(done: subprocess.CompletedProcess[str]) -> str:
    """The first error, without the name of the file, which is another every time."""
    lines = [line.strip() for line in (done.stderr or done.stdout).splitlines() if line.strip()]
    errors = [line[line.index("error: ") :] for line in lines if "error: " in line]
    return (errors or lines or [f"status {done.returncode}"])[0]


def uses_threads(source: str) -> bool:
    """Whether a C file has loops that threads share."""
    return "#pragma omp parallel" in source


def find_compiler() -> Compiler:
    """The compiler; `CompilerError` when there is none."""
    chosen = os.environ.get("CC")
    for words in [shlex.split(chosen)] if chosen else [["cc"], ["gcc"], ["clang"]]:
        path = shutil.which(words[0]) if words else None
        if path is not None:
            return Compiler((path, *words[1:]), _identity(path, words[1:]))
    raise CompilerError("no-compiler", f"there is no C compiler{f' {chosen}' if chosen else ''}")


def _identity(path: str, options: list[str]) -> str:
    """An upgrade of the compiler changes its file; asking each for its version would cost every process a start."""
    real = os.path.realpath(path)
    status = os.stat(real)
    return "\n".join([real, str(status.st_size), str(status.st_mtime_ns), *options, *FLAGS, processor()])


def processor() -> str:
    """What ``-march=native`` depends on."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").partition("\n\n")[0].splitlines()
    except OSError:
        lines = []
    told = [line for line in lines if line.split("\t")[0] in ("model name", "flags", "Features", "CPU part")]
    return hashlib.sha256("\n".join([platform.machine(), platform.processor(), *told]).encode()).hexdigest()
