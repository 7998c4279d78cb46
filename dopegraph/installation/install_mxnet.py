"""Installs MXNet 1.9.1 for a Python with pip and checks that it works: `python -m dopegraph setup`.

pip alone cannot: MXNet's metadata demands a NumPy and a graphviz older than those that current Pythons have.
"""

from __future__ import annotations

import functools
import json
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass

from dopegraph.installation.wheels import COMPANIONS, CUDA_LIBRARIES, VERSION, distribution, why_no_wheel

DONE, FAILED, UNSUPPORTED = 0, 1, 3  # exit codes; 2 is argparse's

_SAY = functools.partial(print, flush=True)  # or else pip's own output comes first

ON_NUMPY = "dopegraph works without MXNet: everything then runs on NumPy, slower."

# Run by the Python that MXNet is for, which need not be this one and need not have dopegraph.
_PROBE = """
import importlib.metadata, json, platform
found = [(d.metadata["Name"] or "", d.version) for d in importlib.metadata.distributions()]
names = {name.lower().replace("_", "-"): version for name, version in found}
print(json.dumps({
    "system": platform.system(), "machine": platform.machine(), "libc": platform.libc_ver()[0],
    "version": platform.python_version(), "installed": names,
}))
"""
_CHECK = """
try:
    from dopegraph.backends.mxnet.library import MXNetMissing, load
except ImportError:
    print("dopegraph is not, so it was not tried")
else:
    try:
        load()
    except MXNetMissing as error:
        raise SystemExit(error.what)
    print("it works")
"""

# What pip's messages mean; the first that fits.
_PIP_ERRORS = (
    (("no module named pip",), "This Python has no pip. `python -m ensurepip` installs it."),
    (("externally-managed",), "This Python belongs to the system. Use a virtual environment (`python -m venv`)."),
    (
        ("connection broken", "newconnectionerror", "name resolution", "max retries", "network is unreachable"),
        "pip did not reach the package index. Without a network: `pip download --no-deps` the packages elsewhere and "
        "set PIP_FIND_LINKS to their folder.",
    ),
    (("no matching distribution", "could not find a version"), "The package index that pip uses has no such wheel."),
    (("no space left",), "The disk is full."),
    (("permission denied",), "The folder for packages is read-only. Use a virtual environment (`python -m venv`)."),
)


@dataclass(frozen=True)
class Target:
    """The Python that MXNet is installed for: `installed` maps the packages it has to their versions."""

    python: str
    version: str
    system: str
    machine: str
    libc: str
    installed: dict[str, str]


class SetupError(Exception):
    """The installation cannot go on; the message says why and what to do."""

    def __init__(self, message: str, code: int = FAILED) -> None:
        super().__init__(message)
        self.code = code


def install(
    cuda: str | None = None,
    python: str | None = None,
    dry_run: bool = False,
    say: Callable[[str], None] = _SAY,
) -> int:
    """Install MXNet and what it needs, unless they are there, and check that it can be imported.

    Parameters
    ----------
    cuda
        A CUDA version, such as "cu117", or None for the CPU.
    python
        The Python to install it for; the running one if None.
    dry_run
        Only say which commands would be run.
    say
        Called with each message.

    Returns
    -------
    int
        The exit code: 0 done or there already, 1 failed, 3 there is no wheel for this platform.
    """
    name = f"{distribution(cuda)} {VERSION}"
    try:
        target = probe(python or sys.executable)
        unsupported = why_no_wheel(target.system, target.machine, target.libc, cuda)
        if unsupported is not None:
            raise SetupError(f"{unsupported}. {ON_NUMPY}", UNSUPPORTED)
        commands = pip_commands(target, cuda)
        for command in commands:
            say(("would run: " if dry_run else "running: ") + shlex.join(command))
            if not dry_run:
                _run_pip(command)
        if not (dry_run and commands):
            verdict = _check(target)
            state = "is now installed" if commands else "is already installed"
            say(f"{name} {state} for {target.python} (Python {target.version}); {verdict}.")
            if commands:
                say("pip may say that it requires an older numpy and graphviz; dopegraph makes it work with these.")
    except SetupError as error:
        say(str(error))
        return error.code
    return DONE


def pip_commands(target: Target, cuda: str | None) -> list[list[str]]:
    """Return the pip commands that bring what is missing: another MXNet removed, what MXNet needs, MXNet.

    Parameters
    ----------
    target
        The Python to install it for.
    cuda
        A CUDA version, such as "cu117", or None for the CPU.
    """
    pip = [target.python, "-m", "pip"]
    installed, commands = dict(target.installed), []
    # Every MXNet is the same folder: removing one after installing another would remove both.
    mxnets = sorted(one for one in installed if re.fullmatch(r"mxnet(-(cu\d+|mkl|native)(mkl)?)?", one))
    if set(mxnets) - {distribution(cuda)}:
        commands.append([*pip, "uninstall", "--yes", *mxnets])
        installed = {one: version for one, version in installed.items() if one not in mxnets}
    bare = [f"{distribution(cuda)}=={VERSION}", *(CUDA_LIBRARIES if cuda else ())]
    bare = [one for one in bare if f"{one.partition('==')[0]}=={installed.get(one.partition('==')[0])}" != one]
    companions = [one for one in COMPANIONS if one not in installed]
    if companions:  # first: with MXNet there pip would complain of its metadata
        commands.append([*pip, "install", *companions])
    if bare:
        commands.append([*pip, "install", "--no-deps", *bare])
    return commands


def probe(python: str) -> Target:
    """Ask a Python which platform it is for and what it has."""
    try:
        answer = subprocess.run([python, "-c", _PROBE], capture_output=True, text=True, timeout=60, check=True)
        return Target(python=python, **json.loads(answer.stdout))
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        raise SetupError(f"{python} is not a Python that can be used: {error}") from error


def _run_pip(command: list[str]) -> None:
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, errors="replace") as pip:
        lines = []
        for line in pip.stderr or ():
            sys.stderr.write(line)
            lines.append(line.lower())
    if pip.returncode:
        said = "".join(lines)
        meanings = [text for signs, text in _PIP_ERRORS if any(sign in said for sign in signs)]
        raise SetupError(f"pip failed. {(meanings or ['Its messages are above.'])[0]} {ON_NUMPY}")


def _check(target: Target) -> str:
    checked = subprocess.run([target.python, "-c", _CHECK], capture_output=True, text=True)
    if checked.returncode:
        reason = (checked.stderr.strip().splitlines() or [f"exit code {checked.returncode}"])[-1]
        raise SetupError(f"MXNet is installed for {target.python} but does not work: {reason}. {ON_NUMPY}")
    return checked.stdout.strip()
