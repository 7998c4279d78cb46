"""Run the benchmarks against the peers, print tables in Markdown and write `benchmarks/results/*.json`.

python -m benchmarks                    all of them
python -m benchmarks mlp lstm           some; `python -m benchmarks --list` names them
python -m benchmarks mlp --only "dopegraph,JAX jit" --blocks 3 --seconds 0.1
python -m benchmarks mlp --check        whether all compute the same, without times
python -m benchmarks --saved            the tables of the files that are there
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.machine import machine
from benchmarks.problem import problems
from benchmarks.race import race
from benchmarks.report import FOLDER, read, summary, table, write


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", help="problems, or groups of them (the part before the slash)")
    parser.add_argument("--list", action="store_true", help="name the problems and their contestants")
    parser.add_argument("--check", action="store_true", help="compare the first steps, time nothing")
    parser.add_argument("--saved", action="store_true", help="show what was measured before")
    parser.add_argument("--only", default="", help="contestants, separated by commas; optional ones, too")
    parser.add_argument("--optional", action="store_true", help="also those that compile for minutes")
    parser.add_argument("--blocks", type=int, default=7, help="blocks in alternation (7)")
    parser.add_argument("--seconds", type=float, default=0.3, help="about how long a block takes (0.3)")
    parser.add_argument(
        "--patience", type=float, default=300, help="seconds until one without an answer has failed (300)"
    )
    parser.add_argument("--threads", type=int, default=0, help="processors each may use (all)")
    parser.add_argument(
        "--results", type=Path, help="folder of the files (benchmarks/results); with --only none are written without it"
    )
    chosen = parser.parse_args(arguments)
    if chosen.list:
        for one in problems(chosen.names):
            print(f"{one.name}: {one.title}\n    {', '.join(one.contestants)}")
        return
    if chosen.saved:
        results = read(chosen.results or FOLDER)
        print("\n\n".join([*map(table, results), summary(results)]))
        return
    here = machine()
    print(f"{here['processor']}, {here['processors']} processors, Python {here['python']}, {here['date']}")
    print(", ".join(f"{name} {version}" for name, version in here["versions"].items()), end="\n\n")
    options = {"blocks": chosen.blocks, "seconds": chosen.seconds, "threads": chosen.threads}
    results = []
    for one in problems(chosen.names):
        if chosen.only:
            one = one.smaller(name.strip() for name in chosen.only.split(","))
        elif not chosen.optional:
            one = one.smaller(name for name in one.contestants if name not in one.optional)
        blocks = 0 if chosen.check else chosen.blocks
        result = race(one, blocks, chosen.seconds, chosen.patience, chosen.threads, tell=_tell)
        if chosen.check:
            for row in result.rows:
                print(f"{one.name}: {row.name}: {f'failed: {row.failed}' if row.failed else 'the same'}", flush=True)
            continue
        results.append(result)
        if chosen.results or not chosen.only:
            write(result, here, options, chosen.results or FOLDER)
        print(table(result), end="\n\n", flush=True)
    if results:
        print(summary(results))


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
