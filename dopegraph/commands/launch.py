"""Run a script as several workers, with the servers and the scheduler that they train with, here or over ssh."""

from __future__ import annotations

from dopegraph.parallel.launching import add_arguments, run

__all__ = ["EXAMPLES", "HELP", "add_arguments", "run"]

HELP = "run a script as several workers"
EXAMPLES = """\
examples:
  dopegraph launch -n 2 -s 1 script.py
  dopegraph launch -n 4 -s 2 -H hosts.txt script.py --epochs 10
"""
