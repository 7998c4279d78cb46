"""Times contestants in turns in one script, so that a noisy machine is equally unfair to all; medians and ratios."""

from __future__ import annotations

import multiprocessing
import os
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from multiprocessing.connection import Connection
from statistics import median, quantiles

# Steps of a block that are not counted: caches and thread pools come back to what they do.
SETTLE = 5


@dataclass
class Row:
    """Median and quartiles in microseconds, and how many times the first contestant's median that is."""

    name: str
    median: float
    low: float
    high: float
    ratio: float


class Contestant:
    """A process of its own that does blocks of steps when told: thread pools of libraries do not disturb each other.

    Attributes
    ----------
    losses : list of float
        What the first steps returned, for a comparison.
    absent : str
        Why it cannot take part; empty when it can.
    """

    def __init__(self, name: str, make: Callable[[], Callable[[], float]], check: int = 3) -> None:
        self.name = name
        context = multiprocessing.get_context("spawn")
        self._pipe, other = context.Pipe()
        self._process = context.Process(target=_serve, args=(make, other, check), daemon=True)
        self._process.start()
        self.losses, self.absent = self._pipe.recv()

    def block(self, steps: int) -> list[float]:
        """Times of some steps, in microseconds."""
        self._pipe.send(steps)
        return self._pipe.recv()

    def close(self) -> None:
        """End the process."""
        if self._process.is_alive():
            self._pipe.send(0)
        self._process.join()


def _serve(make: Callable[[], Callable[[], float]], pipe: Connection, check: int) -> None:
    try:
        step = make()
        pipe.send(([step() for _ in range(check)], ""))
    except Exception as reason:
        pipe.send(([], f"{type(reason).__name__}: {str(reason).splitlines()[0]}"))
        return
    while steps := pipe.recv():
        times = []
        for _ in range(steps + SETTLE):
            start = time.perf_counter()
            step()
            times.append((time.perf_counter() - start) * 1e6)
        pipe.send(times[SETTLE:])


def race(contestants: list[Contestant], rounds: int, steps: int = 10) -> list[Row]:
    """In every round each contestant, one after another and the first one in turn, does a block of steps."""
    times: dict[str, list[float]] = {one.name: [] for one in contestants}
    for number in range(rounds):
        shift = number % len(contestants)
        for one in contestants[shift:] + contestants[:shift]:
            times[one.name] += one.block(steps)
    first = median(times[contestants[0].name])
    rows = []
    for one in contestants:
        low, middle, high = quantiles(times[one.name], n=4)
        rows.append(Row(one.name, middle, low, high, middle / first))
    return rows


def machine() -> str:
    """The machine and the day, for the head of a table."""
    model = next(
        (line.split(":")[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")),
        platform.processor(),
    )
    return f"{date.today()}, {model}, {len(os.sched_getaffinity(0))} cores, Python {platform.python_version()}"


def _lines(path: str) -> list[str]:
    try:
        with open(path, encoding="utf-8") as file:
            return file.readlines()
    except OSError:
        return []


def table(title: str, rows: list[Row], absent: list[Contestant], digits: int = 0) -> str:
    """The rows as Markdown."""
    lines = [
        f"{title}; {machine()}",
        "",
        "| | median us | quartiles | ratio |",
        "|---|---:|---:|---:|",
        *(
            f"| {row.name} | {row.median:.{digits}f} | {row.low:.{digits}f} to {row.high:.{digits}f} | "
            f"{row.ratio:.2f} |"
            for row in rows
        ),
    ]
    if absent:
        lines += ["", *(f"{one.name} did not take part: {one.absent}" for one in absent)]
    return "\n".join(lines)
