"""Say where the time of a compiled call goes: by kernel, operation and source line, against this machine's limits."""

from __future__ import annotations

import argparse
from pathlib import Path

import dopegraph
from dopegraph.commands.failures import DONE, UsageError
from dopegraph.commands.reports import add_json, only_reports, report
from dopegraph.commands.target import add_target, function_of

HELP = "say where the time of a compiled call goes"
EXAMPLES = """\
examples:
  dopegraph profile model.py:train_step --arg 'f32[64,784]' --arg 'i32[64]' --arg 0.1
  dopegraph profile model.py:net --arg 'f32[64,784]' -o trace.json
  dopegraph profile model.py:net --arg 'f32[64,784]' -o net.html
"""
PICTURES = (".html", ".svg", ".png", ".pdf", ".dot")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``dopegraph profile``."""
    add_target(parser)
    parser.add_argument("--repeats", type=int, default=5, metavar="N", help="how often parts are timed (default 5)")
    parser.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help=f".json for Perfetto, or a picture: {', '.join(PICTURES)}"
    )
    add_json(parser)


def run(chosen: argparse.Namespace) -> int:
    """Profile a call of the target; two calls before it record and compile it."""
    if chosen.output is not None and chosen.output.suffix not in (".json", *PICTURES):
        raise UsageError(f"--output {chosen.output}: its ending is none of .json, {', '.join(PICTURES)}")
    with only_reports(chosen):
        function, args, kwargs = function_of(chosen)
        compiled = dopegraph.compile(function)
        for _ in range(2):
            compiled(*args, **kwargs)
        profile = dopegraph.profile(compiled, max(chosen.repeats, 1))(*args, **kwargs)
        facts, text = profile.to_dict(), str(profile)
        if chosen.output is not None:
            save = profile.save if chosen.output.suffix == ".json" else profile.visualize
            facts["file"] = str(save(chosen.output))
            text += f"\n\nwritten: {facts['file']}"
    report(chosen, facts, text)
    return DONE
