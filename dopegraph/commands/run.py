"""Run an example of the repository: a chapter of the book or a program of NumPy's that became one of dopegraph's."""

from __future__ import annotations

import argparse
import json
import textwrap
from pathlib import Path
from typing import Any

from dopegraph.commands.failures import DONE, UsageError
from dopegraph.commands.programs import Program, find_folder, named, programs, start
from dopegraph.commands.reports import add_json, report

HELP = "run an example"
EXAMPLES = """\
examples:
  dopegraph run --list
  dopegraph run multilayer_perceptrons_scratch --quick
  dopegraph run numpy_scripts.k_means
"""
KIND = "examples"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``dopegraph run``."""
    parser.add_argument("--list", action="store_true", help="list the examples")
    parser.add_argument("--folder", type=Path, metavar="PATH", help=f"the folder of {KIND}, or a checkout")
    add_json(parser)
    parser.add_argument("example", nargs="?", metavar="EXAMPLE", help="its name, or the end of it")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, metavar="...", help="arguments of the example")


def listed(found: list[Program], results: dict[str, dict[str, Any]]) -> str:
    """A line for each program, and one with what a chapter of the book gave when `make book` ran it last."""
    width = max((len(one.name) for one in found), default=0)
    lines = []
    for one in found:
        lines.append(f"{one.name.ljust(width)}  {one.summary}")
        if one.name in results:
            lines += [f"{' ' * width}  {line}" for line in described(results[one.name])]
    return "\n".join(lines)


def last_results(folder: Path) -> dict[str, dict[str, Any]]:
    """What `make book` left in ``results``, by the names of the programs."""
    files = sorted((folder / "results").glob("*/*.json"))
    return {f"{file.parent.name}.{file.stem}": json.loads(file.read_text(encoding="utf-8")) for file in files}


def described(result: dict[str, Any]) -> list[str]:
    """The book's figures, those found here, and what running it cost."""
    step = result["step_microseconds"]
    cost = [
        f"{result['graphs']} graphs",
        f"on NumPy: {', '.join(result['fallbacks']) or 'nothing'}",
        f"{result['compile_seconds']:.2f} s compiling",
        *([] if step is None else [f"{step:.0f} us a step"]),
    ]
    book, here = _figures(result["book"]), _figures(result["here"])
    shown = [textwrap.shorten(text, 100, placeholder=" ...") for text in (book, "the same" if here == book else here)]
    return [f"the book: {shown[0]}", f"here:     {shown[1]}", "; ".join(cost)]


def _figures(values: dict[str, Any]) -> str:
    return "; ".join(f"{name} {_text(value)}" for name, value in values.items())


def _text(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_text, value))}]"
    return f"{value:.5g}" if isinstance(value, float) else str(value)


def run(chosen: argparse.Namespace) -> int:
    """List the examples, or run one."""
    folder = find_folder(KIND, chosen.folder)
    found = programs(folder)
    if chosen.list:
        results = last_results(folder)
        rows = [{"name": one.name, "summary": one.summary, "result": results.get(one.name)} for one in found]
        report(chosen, {"folder": str(folder), KIND: rows}, listed(found, results))
        return DONE
    if chosen.example is None:
        raise UsageError("which example? --list shows them")
    return start(named(chosen.example, found, KIND), folder, chosen.arguments)
