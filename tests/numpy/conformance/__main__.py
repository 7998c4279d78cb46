"""Many examples of every function, and what differs from NumPy in groups: ``python -m tests.numpy.conformance``.

python -m tests.numpy.conformance [NAME ...] [--examples 300] [--mxnet] [--seed 0]
"""

from __future__ import annotations

import argparse
import re
import sys
import traceback
from collections import defaultdict

import numpy
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

import dopegraph
from tests.numpy.conformance.calling import Mismatch, draw_call
from tests.numpy.conformance.modes import MODES, check
from tests.numpy.conformance.specs import SPECS


def failures(name: str, examples: int, mode: str, start: int) -> tuple[int, dict[str, str]]:
    """How many calls were made, and for each sort of failure its shortest call."""
    found: dict[str, str] = {}
    count = 0

    @seed(start)
    @settings(
        max_examples=examples, database=None, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(st.data())
    def run(data: st.DataObject) -> None:
        nonlocal count
        call = draw_call(data.draw, name)
        count += 1
        try:
            check(call, mode)
        except Mismatch as mismatch:
            text = f"{call!r}\n        {mismatch}".replace("\n", "\n        ")
            sort = re.sub(r"[\d.\[\], ()-]+", " ", str(mismatch).split("\n")[0])[:90]
            if sort not in found or len(found[sort]) > len(text):
                found[sort] = text

    try:
        run()
    except Exception:
        found["error in the suite"] = traceback.format_exc(limit=-6)
    return count, found


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*")
    parser.add_argument("--examples", type=int, default=100)
    parser.add_argument("--mode", choices=MODES, action="append")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    dopegraph.set_default_dtype("float64")
    numpy.seterr(all="ignore")
    groups: dict[str, int] = defaultdict(int)
    total = 0
    for name in options.names or SPECS:
        for mode in options.mode or ["eager", "compiled"]:
            count, found = failures(name, options.examples, mode, options.seed)
            total += count
            for sort, text in found.items():
                groups[sort] += 1
                print(f"{name} [{mode}] {text}", flush=True)
    print(f"{total} calls, {sum(groups.values())} failures")
    return bool(groups)


if __name__ == "__main__":
    sys.exit(main())
