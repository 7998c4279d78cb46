"""Finds the examples and benchmarks: they live beside the package in a checkout of the repository, and are no part of
what pip installs.
"""

from __future__ import annotations

import ast
import difflib
import importlib
import runpy
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dopegraph.commands.failures import CommandError, UsageError

_WHERE = """\
no folder of {kind} was found: they are no part of the installed package. \
Clone the repository and run this in it, or name the folder: --folder PATH/{kind}"""


@dataclass(frozen=True)
class Program:
    """A program of a folder: its dotted name below the folder, the first sentence of its docstring, its file."""

    name: str
    summary: str
    file: Path


def find_folder(kind: str, given: Path | None) -> Path:
    """The folder of programs: the one that is given, that of the checkout that runs, or that of the working directory.

    Parameters
    ----------
    kind : {"examples", "benchmarks"}
    given : Path or None
        The folder itself, or one that it is in.
    """
    checkout = Path(__file__).resolve().parents[2]
    candidates = [checkout / kind, Path.cwd() / kind] if given is None else [given, given / kind]
    for folder in candidates:
        if folder.name == kind and (folder / "__init__.py").is_file():
            return folder.resolve()
    if given is not None:
        raise CommandError(f"{given} is no folder of {kind}: that is called {kind} and has an __init__.py")
    raise CommandError(_WHERE.format(kind=kind))


def programs(folder: Path) -> list[Program]:
    """The programs of a folder by name; nothing is imported."""
    found = []
    for file in sorted(folder.rglob("*.py")):
        parts = file.relative_to(folder).with_suffix("").parts
        try:
            tree = ast.parse(file.read_text(encoding="utf-8"))
        except (OSError, ValueError, SyntaxError):
            continue
        if any(_is_entry(statement) for statement in tree.body):
            text = (ast.get_docstring(tree) or "").partition("\n\n")[0]
            found.append(Program(".".join(parts), " ".join(text.split()), file))
    return found


def _is_entry(statement: ast.stmt) -> bool:
    """Whether a statement is ``if __name__ == "__main__":``."""
    return isinstance(statement, ast.If) and "__name__ == '__main__'" in ast.unparse(statement.test)


def named(name: str, among: Sequence[Program], kind: str) -> Program:
    """The program of a name, or of the end of one where no other ends like it."""
    wanted = name.replace("/", ".")
    wanted = wanted[: -len(".py")] if wanted.endswith(".py") else wanted
    wanted = wanted[len(kind) + 1 :] if wanted.startswith(f"{kind}.") else wanted
    exact = [one for one in among if one.name == wanted]
    ending = exact or [one for one in among if f".{one.name}".endswith(f".{wanted}")]
    if len(ending) == 1:
        return ending[0]
    if ending:
        raise UsageError(f"{name} may be {' or '.join(one.name for one in ending)}")
    short = {part: one.name for one in among for part in (one.name, one.name.rpartition(".")[2])}
    close = dict.fromkeys(short[part] for part in difflib.get_close_matches(wanted, short, n=3))
    hint = f"did you mean {' or '.join(close)}?" if close else "--list shows them."
    raise UsageError(f"there is no {name} among the {kind}; {hint}")


def start(program: Program, folder: Path, arguments: Sequence[str]) -> int:
    """Run a program in this process as ``python -m`` would; return its exit code."""
    sys.path.insert(0, str(folder.parent))
    sys.modules.pop(folder.name, None)  # another folder of that name
    importlib.invalidate_caches()
    kept = sys.argv
    sys.argv = [str(program.file), *arguments]
    try:
        runpy.run_module(f"{folder.name}.{program.name}", run_name="__main__", alter_sys=True)
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        raise CommandError(str(end.code)) from None
    finally:
        sys.argv = kept
        sys.path.remove(str(folder.parent))
    return 0
