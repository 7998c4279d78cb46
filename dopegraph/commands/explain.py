"""Explain what becomes of a call of a compiled function: which graphs, which backends, and why not one graph; or, given
the id of a reason, what it means and what to change.
"""

from __future__ import annotations

import argparse

import dopegraph
from dopegraph.commands.failures import DONE
from dopegraph.commands.reports import add_json, only_reports, report
from dopegraph.commands.target import add_target, function_of
from dopegraph.runtime.reasons import REASONS

HELP = "say how a function runs when it is compiled, and why"
EXAMPLES = """\
examples:
  dopegraph explain model.py:train_step --arg 'f32[64,784]' --arg 'i32[64]' --arg 0.1
  dopegraph explain value-escape
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``dopegraph explain``."""
    add_target(parser)
    parser.add_argument("--calls", type=int, default=1, metavar="N", help="explain the Nth call (default 1)")
    add_json(parser)


def run(chosen: argparse.Namespace) -> int:
    """Explain a call, or a reason."""
    if chosen.target in REASONS:
        reason = REASONS[chosen.target]
        facts = {"id": reason.id, "kind": reason.kind, "meaning": reason.meaning, "hint": reason.hint}
        report(chosen, facts, f"{reason.id} ({reason.kind})\n  {reason.meaning}\n  hint: {reason.hint}")
        return DONE
    with only_reports(chosen):
        function, args, kwargs = function_of(chosen)
        compiled = dopegraph.explain(function)
        for _ in range(max(chosen.calls, 1)):
            explanation = compiled(*args, **kwargs)
    report(chosen, explanation.to_dict(), str(explanation))
    return DONE
