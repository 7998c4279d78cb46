"""Write a function into files that run elsewhere: an MXNet symbol, an ONNX model, or a graph with its arrays. A file in
one of these formats can be written in another.
"""

from __future__ import annotations

import argparse
import json

import dopegraph
from dopegraph.commands.failures import DONE, UsageError
from dopegraph.commands.reports import add_json, only_reports, report
from dopegraph.commands.target import add_target, function_of
from dopegraph.interchange.exporting import FORMATS

HELP = "write a function as MXNet symbol, ONNX model, or graph"
EXAMPLES = """\
examples:
  dopegraph export model.py:net --arg 'f32[64,784]' -o exported/net
  dopegraph export exported/net-symbol.json -o net --format onnx
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``dopegraph export``."""
    add_target(parser)
    parser.add_argument("-o", "--output", required=True, metavar="PATH", help="where, without the endings")
    parser.add_argument("--format", choices=FORMATS, default=FORMATS[0], help=f"(default {FORMATS[0]})")
    parser.add_argument("--fixed-batch", action="store_true", help="keep the length of axis 0 as it is in the example")
    parser.add_argument("--updates", action="store_true", help="with what the function writes: training steps")
    parser.add_argument("--no-check", action="store_true", help="do not run what was written")
    add_json(parser)


def run(chosen: argparse.Namespace) -> int:
    """Export the target."""
    with only_reports(chosen):
        function, args, kwargs = function_of(chosen)
        if kwargs:
            raise UsageError(f"exported functions take arguments in order; pass {', '.join(kwargs)} without the name")
        files = dopegraph.export(
            function,
            *args,
            path=chosen.output,
            format=chosen.format,
            free_batch=not chosen.fixed_batch,
            updates=chosen.updates,
            check=not chosen.no_check,
        )
    manifest = json.loads(files[-2].read_text(encoding="utf-8"))
    facts = {"written": [str(file) for file in files], "manifest": manifest}
    checked = f"checked by {manifest['checked']}" if manifest["checked"] else "not checked"
    batch = "any batch" if manifest["free_batch"] else "this batch only"
    rows = [*manifest["inputs"], *manifest["parameters"]]
    shapes = ", ".join(f"{row['name']}{['any' if one is None else one for one in row['shape']]}" for row in rows)
    text = "\n".join([*facts["written"], f"{manifest['name']}: {shapes.replace(chr(39), '')}", f"{checked}; {batch}"])
    report(chosen, facts, text)
    return DONE
