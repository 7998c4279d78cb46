"""Run an example of the repository: a chapter of the book or a program of NumPy's that became one of dopegraph's."""

from __future__ import annotations

import argparse
from pathlib import Path

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


def listed(found: list[Program]) -> str:
    """A line for each program."""
    width = max((len(one.name) for one in found), default=0)
    return "\n".join(f"{one.name.ljust(width)}  {one.summary}" for one in found)


def run(chosen: argparse.Namespace) -> int:
    """List the examples, or run one."""
    folder = find_folder(KIND, chosen.folder)
    found = programs(folder)
    if chosen.list:
        facts = {"folder": str(folder), KIND: [{"name": one.name, "summary": one.summary} for one in found]}
        report(chosen, facts, listed(found))
        return DONE
    if chosen.example is None:
        raise UsageError("which example? --list shows them")
    return start(named(chosen.example, found, KIND), folder, chosen.arguments)
