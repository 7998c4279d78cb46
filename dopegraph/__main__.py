"""`python -m dopegraph setup` installs MXNet; `python -m dopegraph info` says what is installed and what is missing."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence

from dopegraph.installation.install_mxnet import install
from dopegraph.installation.report import collect, render
from dopegraph.installation.wheels import CUDA_WHEELS, DEFAULT_CUDA


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code: 0 done, 1 failed, 2 wrong arguments, 3 no wheel for this system."""
    parser = _parser()
    chosen = parser.parse_args(arguments)
    if chosen.command == "setup":
        return install(chosen.cuda, chosen.python, chosen.dry_run)
    if chosen.command == "info":
        facts = collect()
        print(json.dumps(facts, indent=2) if chosen.json else render(facts))
        return 0
    parser.print_help()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m dopegraph", description="Write NumPy. Get a graph.")
    commands = parser.add_subparsers(dest="command", metavar="command")
    setup = commands.add_parser(
        "setup",
        help="install MXNet",
        description="Install MXNet 1.9.1. pip alone cannot: its metadata excludes current NumPys.",
    )
    setup.add_argument(
        "--cuda",
        nargs="?",
        const=DEFAULT_CUDA,
        choices=CUDA_WHEELS,
        help=f"install the build for NVIDIA GPUs, and the CUDA libraries (without a value: {DEFAULT_CUDA})",
    )
    setup.add_argument("--python", metavar="PATH", help="install for this Python (default: the one running)")
    setup.add_argument("--dry-run", action="store_true", help="only print the commands")
    info = commands.add_parser(
        "info", help="show versions, devices and what is missing", description="Show what dopegraph finds here."
    )
    info.add_argument("--json", action="store_true", help="as JSON")
    return parser


if __name__ == "__main__":
    sys.exit(main())
