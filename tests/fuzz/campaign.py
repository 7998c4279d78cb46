"""Many programs, one after the other: how many, how fast, what they were made of, and what became of their calls."""

from __future__ import annotations

import time
from collections import Counter

from tests.fuzz.conditioning import hangs_on_rounding
from tests.fuzz.head import HEAD
from tests.fuzz.programs import CONSTRUCTS, draw
from tests.fuzz.reducing import reduce
from tests.fuzz.running import Difference, Invalid, check

EVERY = 20.0


class Campaign:
    """Programs `start` to `start + count` of a seed.

    Attributes
    ----------
    programs, invalid, unstable : int
        How many were compared, how many were none, and how many differ by what rounding decides.
    calls, reasons : Counter
        What became of the calls of compiled functions, and why they were not replayed.
    constructs, replayed : Counter
        In how many programs each construct was; and in how many of which calls were replayed.
    """

    def __init__(self, seed: int, start: int, count: int, keep_going: bool = False, small: bool = True) -> None:
        self.seed, self.start, self.count = seed, start, count
        self.keep_going, self.small = keep_going, small
        self.programs = self.invalid = self.different = self.unstable = 0
        self.calls: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        self.constructs: Counter[str] = Counter()
        self.replayed: Counter[str] = Counter()

    def run(self) -> int:
        """Compare; 1 when there was a difference."""
        began = told = time.perf_counter()
        for index in range(self.start, self.start + self.count):
            found = self.one(index)
            if found is not None and hangs_on_rounding(draw(self.seed, index).text):
                self.unstable += 1
            elif found is not None:
                self.different += 1
                print(f"\nProgram {index} of seed {self.seed} differs.", flush=True)
                report(draw(self.seed, index).text, self.small, found)
                if not self.keep_going:
                    break
            if time.perf_counter() - told > EVERY:
                told = time.perf_counter()
                print(self.line(told - began), flush=True)
        print(self.summary(time.perf_counter() - began))
        return int(self.different > 0)

    def one(self, index: int) -> Difference | None:
        """Compare one program."""
        program = draw(self.seed, index)
        try:
            found = check(program.text)
        except Invalid:
            self.invalid += 1
            return None
        self.programs += 1
        self.calls += found.calls
        self.reasons += found.reasons
        self.constructs.update(program.constructs)
        if found.calls["replayed"]:
            self.replayed.update(program.constructs)
            self.replayed["programs"] += 1
        return found.difference

    def line(self, seconds: float) -> str:
        done = self.programs + self.invalid
        calls = ", ".join(f"{count} {what}" for what, count in sorted(self.calls.items()))
        return (
            f"{done} programs of seed {self.seed} in {seconds:.0f} s, {done / seconds:.1f} a second; "
            f"{self.invalid} invalid, {self.different} different, {self.unstable} that hang on rounding; calls: {calls}"
        )

    def summary(self, seconds: float) -> str:
        """Everything that was counted."""
        lines = [self.line(seconds), f"programs of which calls were replayed: {self.replayed['programs']}"]
        lines.append("plans that run as Python: " + ", ".join(f"{name} {n}" for name, n in self.reasons.most_common()))
        counts = [f"{name} {self.constructs[name]}/{self.replayed[name]}" for name in sorted(CONSTRUCTS)]
        lines.append("constructs, in programs / in programs with replays: " + ", ".join(counts))
        return "\n".join(lines)


def report(text: str, small: bool = True, found: Difference | None = None) -> int:
    """Print a program that differs, as small as it can be made, and how it differs."""
    found = found or check(text).difference
    if found is None:
        print("no difference")
        return 0
    if small:
        text = reduce(text, found)
        found = check(text).difference or found
    print("The program, made small:" if small else "The program:")
    print(text.replace(HEAD, "# (the head: tests/fuzz/head.py)\n"))
    print(found)
    return 1
