"""Lets the contestants of a problem run in turns, so that a noisy machine is equally unfair to all of them."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from statistics import median, quantiles
from typing import Any

from benchmarks.contestant import Contestant, for_problem
from benchmarks.problem import OURS, OURS_TOO, Problem

# Threads that wait for work burn processor time for a while (OpenMP); the next contestant shall not pay for it.
PAUSE = 0.02


@dataclass
class Row:
    """What one contestant needed: median and quartiles of a step in microseconds, the first call in seconds."""

    name: str
    median: float = math.nan
    low: float = math.nan
    high: float = math.nan
    first: float = math.nan
    peak: int = 0
    blocks: list[float] = field(default_factory=list)  # medians of the blocks
    failed: str = ""


@dataclass
class Result:
    """The rows of a problem, ours first."""

    problem: str
    title: str
    rows: list[Row]

    @property
    def best_peer(self) -> Row | None:
        """The fastest that is not ours."""
        peers = [row for row in self.rows if row.name not in (OURS, *OURS_TOO) and not row.failed]
        return min(peers, key=lambda row: row.median, default=None)

    @property
    def ratio(self) -> float:
        """Our time over that of the best peer; the median over the blocks, which ran side by side."""
        ours, best = next((row for row in self.rows if row.name == OURS), None), self.best_peer
        return math.nan if ours is None or ours.failed or best is None else ratio(ours, best)


def ratio(one: Row, other: Row) -> float:
    """The median of the ratios of blocks of the same round."""
    return median(a / b for a, b in zip(one.blocks, other.blocks)) if one.blocks and other.blocks else math.nan


def race(
    problem: Problem,
    blocks: int = 7,
    seconds: float = 0.3,
    patience: float = 300.0,
    threads: int = 0,
    tell: Callable[[str], Any] = lambda text: None,
) -> Result:
    """Start everyone, compare what they compute, and time blocks in turns.

    Parameters
    ----------
    blocks : int
        How many blocks of steps everyone does; with 0 the first steps are compared and nothing is timed.
    seconds : float
        About how long a block takes.
    patience : float
        Seconds after which a contestant that gives no answer has failed.
    threads : int
        How many processors each may use; 0 for all.
    tell : callable
        Gets lines about the progress.
    """
    entered = []
    for name in problem.contestants:
        one = Contestant(name, for_problem(problem.name, name), patience, threads)
        tell(f"{problem.name}: {name}: {one.failed or f'first call {one.first:.2f} s'}")
        entered.append(one)
    try:
        _compare(entered, problem.tolerance)
        return Result(problem.name, problem.title, _alternate(entered, problem, blocks, seconds))
    finally:
        for one in entered:
            one.close()


def _compare(entered: Iterable[Contestant], tolerance: float) -> None:
    """Whoever computes something else than most takes no part."""
    able = [one for one in entered if not one.failed]
    if not able:
        return
    lengths = [[len(numbers) for numbers in one.results] for one in able]
    usual = max(lengths, key=lengths.count)
    for one, length in zip(able, lengths):
        if length != usual:
            one.fail(f"its results have another form: {one.results[0]}")
    able = [one for one in able if not one.failed]
    columns = list(zip(*([number for numbers in one.results for number in numbers] for one in able)))
    middle = [median(column) for column in columns]
    for number, one in enumerate(able):
        mine = [column[number] for column in columns]
        if not all(math.isclose(a, b, rel_tol=tolerance, abs_tol=tolerance * 1e-3) for a, b in zip(mine, middle)):
            one.fail(f"it computes {_short(mine)}, the median of all is {_short(middle)}")


def _short(numbers: Iterable[float]) -> str:
    return ", ".join(f"{number:.6g}" for number in numbers)


def _alternate(entered: list[Contestant], problem: Problem, blocks: int, seconds: float) -> list[Row]:
    if not blocks:
        return [Row(one.name, first=one.first, peak=one.peak, failed=one.failed) for one in entered]
    steps, times = {}, {one.name: [] for one in entered}  # type: ignore[var-annotated]
    for one in entered:
        trial = one.block(1)
        trial = one.block(3) if trial and trial[0] < seconds * 1e6 else trial
        steps[one.name] = max(1, min(10000, round(seconds * 1e6 / median(trial)))) if trial else 1
    for number in range(blocks):
        shift = number % max(1, len(entered))
        for one in entered[shift:] + entered[:shift]:
            if not one.failed:
                time.sleep(PAUSE)
                times[one.name].append(one.block(steps[one.name]))
    return [_row(one, [block for block in times[one.name] if block], problem.repeat) for one in entered]


def _row(one: Contestant, blocks: list[list[float]], repeat: int) -> Row:
    if one.failed or not blocks:
        return Row(one.name, first=one.first, failed=one.failed or "it did no block")
    medians = [median(block) / repeat for block in blocks]
    everything = [value / repeat for block in blocks for value in block]
    low, middle, high = quantiles(everything, n=4) if len(everything) > 1 else everything * 3
    return Row(one.name, middle, low, high, one.first, one.peak, medians)
