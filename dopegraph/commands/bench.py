"""Time a function as it is and compiled, in turns; or run a benchmark of the repository by its name."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import dopegraph
from dopegraph.commands.failures import DONE, UsageError
from dopegraph.commands.programs import find_folder, named, programs, start
from dopegraph.commands.reports import add_json, only_reports, report
from dopegraph.commands.target import function_of
from dopegraph.commands.values import add_values
from dopegraph.state.values import unwrap

HELP = "time a function with and without compile, or run a benchmark"
EXAMPLES = """\
examples:
  dopegraph bench model.py:net --arg 'f32[64,784]'
  dopegraph bench --list
  dopegraph bench small_calls
"""
KIND = "benchmarks"

# A block of calls takes at least so many seconds; shorter ones are below what the clock tells.
_BLOCK = 0.002


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``dopegraph bench``."""
    _add_options(parser)
    parser.add_argument(
        "target", nargs="?", metavar="FILE|MODULE:FUNCTION|BENCHMARK", help="a function, a file with one, or a name"
    )
    parser.add_argument("arguments", nargs=argparse.REMAINDER, metavar="...", help="options, or those of the benchmark")


def _add_options(parser: argparse.ArgumentParser) -> None:
    add_values(parser)
    parser.add_argument("--rounds", type=int, default=20, metavar="N", help="blocks of calls of each (default 20)")
    parser.add_argument("--list", action="store_true", help="list the benchmarks of the repository")
    parser.add_argument("--folder", type=Path, metavar="PATH", help=f"the folder of {KIND}, or a checkout")
    add_json(parser)


def run(chosen: argparse.Namespace) -> int:
    """Time a function, or run or list benchmarks."""
    if chosen.list:
        found = programs(find_folder(KIND, chosen.folder))
        lines = [f"{one.name:12}  {one.summary}" for one in found]
        report(chosen, {KIND: [{"name": one.name, "summary": one.summary} for one in found]}, "\n".join(lines))
        return DONE
    if chosen.target is None:
        raise UsageError("which function or benchmark? --list shows the benchmarks")
    if ":" not in chosen.target and not Path(chosen.target).exists() and not Path(chosen.target).suffix:
        folder = find_folder(KIND, chosen.folder)
        return start(named(chosen.target, programs(folder), KIND), folder, chosen.arguments)
    # What stands behind a function are options of this command, behind a benchmark those of the benchmark.
    rest = argparse.ArgumentParser(prog="dopegraph bench")
    _add_options(rest)
    rest.parse_args(chosen.arguments, namespace=chosen)
    if chosen.rounds < 2:
        raise UsageError("--rounds: two are the fewest that have a median and quartiles")
    with only_reports(chosen):
        function, args, kwargs = function_of(chosen)
        facts = timed(chosen.target, function, args, kwargs, chosen.rounds)
    report(chosen, facts, _table(facts))
    return DONE


def timed(name: str, function: Callable[..., Any], args: Any, kwargs: Any, rounds: int) -> dict[str, Any]:
    """Times in microseconds of calls with and without `compile`, in blocks that take turns."""
    plain = unwrap(function)
    compiled = dopegraph.compile(plain)
    contestants = {"as Python": plain, "compiled": compiled}
    first = {}
    for key, one in contestants.items():
        first[key] = _seconds(one, args, kwargs, 1)
    for one in contestants.values():  # a second recording, if parameters were drawn in the first call
        _seconds(one, args, kwargs, 2)
    sizes = {
        key: max(1, min(10_000, int(_BLOCK / max(_seconds(one, args, kwargs, 1), 1e-9))))
        for key, one in contestants.items()
    }
    times: dict[str, list[float]] = {key: [] for key in contestants}
    for number in range(rounds):
        for key in sorted(contestants, reverse=bool(number % 2)):
            times[key].append(_seconds(contestants[key], args, kwargs, sizes[key]) / sizes[key] * 1e6)
    rows: list[dict[str, Any]] = []
    for key, found in times.items():
        low, _, high = quantiles(found, n=4)
        rows.append({"name": key, "median_us": median(found), "low_us": low, "high_us": high,
                     "first_call_us": first[key] * 1e6, "calls": rounds * sizes[key]})  # fmt: skip
    ratio = rows[0]["median_us"] / rows[1]["median_us"]
    return {"function": name, "rounds": rounds, "rows": rows, "times_faster": ratio}


def _seconds(function: Callable[..., Any], args: Any, kwargs: Any, count: int) -> float:
    start = time.perf_counter()
    for _ in range(count):
        function(*args, **kwargs)
    return time.perf_counter() - start


def _table(facts: dict[str, Any]) -> str:
    lines = [
        f"{facts['function']}, microseconds a call",
        f"{'':10} {'median':>10} {'quartiles':>23} {'first call':>12}",
    ]
    for row in facts["rows"]:
        between = f"{row['low_us']:.1f} to {row['high_us']:.1f}"
        lines.append(f"{row['name']:10} {row['median_us']:10.1f} {between:>23} {row['first_call_us']:12.0f}")
    return "\n".join([*lines, f"compiled: {facts['times_faster']:.2f} times as fast"])
