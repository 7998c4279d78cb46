"""Times contestants in turns in one process, so that a noisy machine is equally unfair to all; medians and ratios."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from statistics import median, quantiles


@dataclass
class Contestant:
    """Something that does one step of work when called, or the reason why it cannot take part."""

    name: str
    step: Callable[[], object] | None
    absent: str = ""


@dataclass
class Row:
    """Median and quartiles in microseconds, and how many times the first contestant's median that is."""

    name: str
    median: float
    low: float
    high: float
    ratio: float


def race(contestants: list[Contestant], rounds: int, warm_up: int = 5) -> list[Row]:
    """Run each contestant once in every round, in an order that rotates."""
    running = [one for one in contestants if one.step is not None]
    times: dict[str, list[float]] = {one.name: [] for one in running}
    for number in range(rounds + warm_up):
        shift = number % len(running)
        for one in running[shift:] + running[:shift]:
            assert one.step is not None
            start = time.perf_counter()
            one.step()
            elapsed = (time.perf_counter() - start) * 1e6
            if number >= warm_up:
                times[one.name].append(elapsed)
    first = median(times[running[0].name])
    rows = []
    for one in running:
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


def table(title: str, rows: list[Row], absent: list[Contestant]) -> str:
    """The rows as Markdown."""
    lines = [
        f"{title}; {machine()}",
        "",
        "| | median us | quartiles | ratio |",
        "|---|---:|---:|---:|",
        *(f"| {row.name} | {row.median:.0f} | {row.low:.0f} to {row.high:.0f} | {row.ratio:.2f} |" for row in rows),
    ]
    if absent:
        lines += ["", *(f"{one.name} did not take part: {one.absent}" for one in absent)]
    return "\n".join(lines)
