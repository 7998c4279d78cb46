"""What commands print: text for people, or with ``--json`` one JSON document and nothing else."""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections.abc import Iterator
from typing import Any


def add_json(parser: argparse.ArgumentParser) -> None:
    """The option ``--json``."""
    parser.add_argument("--json", action="store_true", help="as JSON, for programs")


def report(chosen: argparse.Namespace, facts: Any, text: str) -> None:
    """Print facts as JSON where that was asked for, otherwise the text."""
    print(json.dumps(facts, indent=2, default=str) if chosen.json else text)


@contextlib.contextmanager
def only_reports(chosen: argparse.Namespace) -> Iterator[None]:
    """While code of others runs: what it prints does not get into the JSON."""
    if chosen.json:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    else:
        yield
