"""Show versions, devices, and what each missing piece costs and how to get it."""

from __future__ import annotations

import argparse

from dopegraph.commands.failures import DONE
from dopegraph.commands.reports import add_json, report
from dopegraph.installation.report import collect, render

HELP = "show versions, devices and what is missing"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``dopegraph info``."""
    add_json(parser)


def run(chosen: argparse.Namespace) -> int:
    """Print what is found here."""
    facts = collect()
    report(chosen, facts, render(facts))
    return DONE
