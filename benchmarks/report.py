"""Results as Markdown tables and as files, and a summary: the geometric mean of ours over the best peer."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.problem import OURS, OURS_TOO
from benchmarks.race import Result, Row, ratio

FOLDER = Path(__file__).parent / "results"


def table(result: Result) -> str:
    """A table of one problem, the fastest first; those that failed say why."""
    ours = next((row for row in result.rows if row.name == OURS), None)
    lines = [
        f"### {result.title}",
        "",
        "| | median | quartiles | times ours | first call | peak memory |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for row in sorted(result.rows, key=lambda row: (bool(row.failed), row.median)):
        if row.failed:
            lines.append(f"| {row.name} | failed: {row.failed.replace('|', '/')} | | | | |")
            continue
        times = ratio(row, ours) if ours is not None and not ours.failed else math.nan
        lines.append(
            f"| {row.name} | {duration(row.median)} | {duration(row.low)} to {duration(row.high)} | "
            f"{'-' if math.isnan(times) else f'{times:.2f}'} | {row.first:.2f} s | {row.peak / 2**20:.0f} MB |"
        )
    return "\n".join(lines)


def summary(results: Sequence[Result]) -> str:
    """One line a problem: ours, the best peer, and the ratio; under 1 ours is faster."""
    lines = ["| | ours | best peer | | ours / best peer |", "|---|---:|---:|---|---:|"]
    for result in results:
        ours = next((row for row in result.rows if row.name == OURS), Row(OURS, failed="took no part"))
        best = result.best_peer
        mine = f"failed: {ours.failed}" if ours.failed else duration(ours.median)
        theirs = duration(best.median) if best else "-"
        shown = "-" if math.isnan(result.ratio) else f"{result.ratio:.2f}"
        lines.append(f"| {result.title} | {mine} | {theirs} | {best.name if best else ''} | {shown} |")
    ratios = [result.ratio for result in results if not math.isnan(result.ratio)]
    if ratios:
        slower = sum(one > 1 for one in ratios)
        lines += [
            "",
            f"Geometric mean {geometric_mean(ratios):.2f}; {slower} of {len(ratios)} slower than the best peer.",
        ]
    return "\n".join(lines)


def geometric_mean(numbers: Iterable[float]) -> float:
    """The number whose logarithm is the mean of the logarithms."""
    logs = [math.log(number) for number in numbers]
    return math.exp(sum(logs) / len(logs))


def duration(microseconds: float) -> str:
    """Three figures with a unit."""
    if microseconds < 1e3:
        return f"{microseconds:.3g} us"
    return f"{microseconds / 1e3:.3g} ms" if microseconds < 999.5e3 else f"{microseconds / 1e6:.3g} s"


def write(result: Result, machine: dict[str, Any], options: dict[str, Any], folder: Path = FOLDER) -> Path:
    """The rows of a problem with everything needed to read them later."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{result.problem.replace('/', '-')}.json"
    best = result.best_peer
    content = {
        "problem": result.problem,
        "title": result.title,
        "ours_over_best_peer": _plain(result.ratio),
        "best_peer": best.name if best else None,
        "unit": "microseconds; first: seconds; peak: bytes",
        "rows": [{key: _plain(value) for key, value in asdict(row).items()} for row in result.rows],
        "options": options,
        "machine": machine,
    }
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return path


def read(folder: Path = FOLDER) -> list[Result]:
    """The results in a folder."""
    results = []
    for path in sorted(folder.glob("*.json")):
        content = json.loads(path.read_text(encoding="utf-8"))
        if "rows" in content:
            rows = [
                Row(**{key: math.nan if value is None else value for key, value in row.items()})
                for row in content["rows"]
            ]
            results.append(Result(content["problem"], content["title"], rows))
    return results


def _plain(value: Any) -> Any:
    """JSON has no NaN."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def names() -> tuple[str, ...]:
    """How our contestants are called."""
    return (OURS, *OURS_TOO)
