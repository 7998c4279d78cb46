"""Compiled kernels on the disk: private, shared, safe when killed, bounded; and life without a compiler."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dopegraph.backends.codegen import cache as cache_module
from dopegraph.backends.codegen.cache import KernelCache, open_cache, refusal
from dopegraph.backends.codegen.compiler import Compiler, CompilerError, find_compiler
from tests.backends.codegen.programs import needs_compiler

SOURCE = "int run(void *const *a, char *w, int threads) { *(double *)a[0] = NUMBER; return 0; }\n"


def source(number: int) -> str:
    return SOURCE.replace("NUMBER", str(number))


def libraries(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.suffix == ".so")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "kernels"
    found.mkdir(mode=0o700)
    return found


@needs_compiler
def test_a_second_cache_finds_what_the_first_compiled(folder: Path) -> None:
    first, second = KernelCache(folder), KernelCache(folder)
    kept = first.get(source(1), find_compiler())
    assert first.get(source(1), find_compiler()) is kept
    second.get(source(1), find_compiler())
    assert (first.compiled, first.hits, second.compiled, second.hits) == (1, 0, 0, 1)
    assert [path.suffix for path in folder.iterdir()] == [".so"]


@needs_compiler
def test_another_compiler_is_another_library(folder: Path) -> None:
    cache, compiler = KernelCache(folder), find_compiler()
    kept = [cache.get(source(1), compiler), cache.get(source(1), Compiler(compiler.command, "of another version"))]
    assert cache.compiled == len(kept) == len(libraries(folder)) == 2


@needs_compiler
def test_a_damaged_library_is_compiled_again(folder: Path) -> None:
    KernelCache(folder).get(source(2), find_compiler())
    (path,) = folder.iterdir()
    path.write_bytes(b"")
    cache = KernelCache(folder)
    cache.get(source(2), find_compiler())
    assert (cache.compiled, cache.hits) == (1, 0)


@needs_compiler
def test_the_oldest_go_first(folder: Path) -> None:
    cache = KernelCache(folder)
    for number in range(3):
        cache.get(source(number), find_compiler())
        newest = max(folder.iterdir(), key=lambda path: path.stat().st_mtime_ns)
        os.utime(newest, (1000 + number, 1000 + number))
    oldest = min(folder.iterdir(), key=lambda path: path.stat().st_mtime_ns)
    size = oldest.stat().st_size
    killed, recent = folder / ".killed.so", folder / ".at work"
    killed.write_bytes(b"half")
    os.utime(killed, (1000, 1000))
    recent.write_bytes(b"half")
    KernelCache(folder, bound=3 * size + size // 2).get(source(3), find_compiler())
    assert not oldest.exists()
    assert len(libraries(folder)) == 3
    assert not killed.exists()
    assert recent.exists()


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_a_folder_that_others_can_write_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOPEGRAPH_CACHE", str(tmp_path))
    folder = tmp_path / "kernels"
    folder.mkdir()
    folder.chmod(0o777)
    reason = refusal(folder)
    assert reason is not None
    assert "open to others (mode 777" in reason
    with pytest.warns(RuntimeWarning, match="are not kept: .*open to others"):
        cache = open_cache()
    assert cache.folder != folder
    assert refusal(cache.folder) is None
    folder.chmod(0o700)
    assert open_cache().folder == folder
    (tmp_path / "link").symlink_to(folder)
    assert "is no folder" in str(refusal(tmp_path / "link"))


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="users are POSIX's")
def test_a_folder_of_another_user_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_module.os, "getuid", lambda: folder.stat().st_uid + 1)
    assert "belongs to another user" in str(refusal(folder))


COMPUTE = """
import sys, numpy
import dopegraph.ops
from dopegraph.backends.codegen.executable import CodegenExecutable, kernel_cache
from dopegraph.ir import parse
from dopegraph.runtime.buffer import Buffer
graph = parse("graph f(%x: f32[5]) { %0: f32[5] = exp(%x) %1: f32[5] = mul(%0, %x) return %1 }")
(found,) = CodegenExecutable(graph)([Buffer(numpy.arange(5, dtype="float32"))], [None])
print(found.array.tolist(), file=sys.stderr)
"""


def start(folder: Path, **environment: str) -> subprocess.Popen[str]:
    env = {**os.environ, "DOPEGRAPH_CACHE": str(folder), **environment}
    return subprocess.Popen([sys.executable, "-c", COMPUTE], stderr=subprocess.PIPE, text=True, env=env)


@needs_compiler
def test_processes_that_compile_the_same_at_one_time(tmp_path: Path) -> None:
    processes = [start(tmp_path) for _ in range(3)]
    said = {process.communicate()[1] for process in processes}
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert len(said) == 1
    assert len(libraries(tmp_path / "kernels")) == 1


@needs_compiler
@pytest.mark.skipif(os.name != "posix", reason="needs a shell")
def test_a_killed_compilation_leaves_nothing_that_is_loaded(tmp_path: Path) -> None:
    slow = tmp_path / "slow-cc"
    # Half a library is there when the compiler is killed together with the process.
    slow.write_text('#!/bin/sh\nwhile [ "$1" != -o ]; do shift; done\necho half > "$2"\nsleep 60\n')
    slow.chmod(0o700)
    process = start(tmp_path, CC=str(slow))
    kernels = tmp_path / "kernels"
    for _ in range(300):
        if kernels.is_dir() and any(path.suffix != ".c" for path in kernels.iterdir()):
            break
        time.sleep(0.1)
    process.kill()
    process.communicate()
    assert libraries(kernels) == []
    again = start(tmp_path)
    assert again.communicate()[1].startswith("[0.0, 2.718")
    assert len(libraries(kernels)) == 1


WITHOUT = """
import warnings
import dopegraph, dopegraph.numpy as np
f = dopegraph.compile(lambda x: np.exp(np.sin(x) * 2) + x)
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    results = [f(np.zeros(100_000)), dopegraph.compile(lambda x: np.exp(np.cos(x) * 2))(np.zeros(100_000))]
print([str(one.message) for one in caught if "operator by operator" in str(one.message)])
print([(one.id, one.kind) for one in dopegraph.explain(f)(np.zeros(100_000)).reasons])
print(float(results[0][0]))
"""


@pytest.mark.parametrize(
    ("compiler", "reason"), [("/bin/false", "compiler-failed"), ("/no/such/compiler", "no-compiler")]
)
def test_without_a_compiler_graphs_run_operator_by_operator(compiler: str, reason: str, tmp_path: Path) -> None:
    env = {**os.environ, "CC": compiler, "DOPEGRAPH_CACHE": str(tmp_path)}
    env |= {"DOPEGRAPH_POLICY": "prefer_mxnet", "DOPEGRAPH_CODEGEN": "auto"}
    done = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True, check=True, env=env)
    warned, reasons, number = done.stdout.splitlines()
    assert warned.count("operator by operator") == 1
    assert reasons == f"[('{reason}', 'operator by operator')]"
    assert float(number) == 1


def test_a_compiler_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "/no/such/compiler -x")
    with pytest.raises(CompilerError, match="there is no C compiler /no/such/compiler"):
        find_compiler()


@needs_compiler
def test_what_the_compiler_said(folder: Path) -> None:
    with pytest.raises(CompilerError, match="error"):
        KernelCache(folder).get("int run(", find_compiler())
    assert list(folder.iterdir()) == []
