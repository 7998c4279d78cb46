"""Compare random programs with and without `compile`.

python -m tests.fuzz 20000 --seed 1       programs 0 to 19999; stops at the first difference, with a small program
python -m tests.fuzz --only 17 --seed 1   program 17
python -m tests.fuzz --file x.py          a program from a file
python -m tests.fuzz --codegen always     every graph that C can run becomes C, however small
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import dopegraph
from tests.fuzz.campaign import Campaign, report
from tests.fuzz.programs import draw


def main() -> int:
    """Exit status 1 when a difference was found."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("count", nargs="?", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--start", type=int, default=0, help="number of the first program")
    parser.add_argument("--only", type=int, help="print and check one program")
    parser.add_argument("--file", help="check the program in a file")
    parser.add_argument(
        "--keep-going", action="store_true", help="collect differences instead of stopping at the first"
    )
    parser.add_argument("--no-reduce", action="store_true", help="print programs as they are")
    parser.add_argument("--codegen", choices=("auto", "always", "never"), default="auto", help="which graphs become C")
    options = parser.parse_args()
    with dopegraph.codegen(options.codegen):
        return run(options)


def run(options: argparse.Namespace) -> int:
    """What the command line asks for."""
    if options.file:
        return report(Path(options.file).read_text(encoding="utf-8"), not options.no_reduce)
    if options.only is not None:
        text = draw(options.seed, options.only).text
        print(text)
        return report(text, not options.no_reduce)
    campaign = Campaign(options.seed, options.start, options.count, options.keep_going, not options.no_reduce)
    return campaign.run()


if __name__ == "__main__":
    sys.exit(main())
