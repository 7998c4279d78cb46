"""Bytes over the nodes of a graph as a plot where `matplotlib` is installed, as lines of text elsewhere."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dopegraph.passes.timeline import Timeline

# Eighths of a line's height, and how many of them stand beside each other.
_BARS = " ▁▂▃▄▅▆▇█"
_WIDTH = 72

_TITLES = {"imperative": "an array for every value", "live": "freed as soon as dead", "planned": "as planned"}


def sparkline(amounts: Sequence[int], most: int, width: int = _WIDTH) -> str:
    """Numbers as bars of text, `most` as the highest; of neighbours that do not fit the largest is shown.

    Examples
    --------
    >>> sparkline([0, 1, 4, 8], 8)
    ' ▁▄█'
    """
    count = min(len(amounts), width)
    parts = [amounts[place * len(amounts) // count : (place + 1) * len(amounts) // count] for place in range(count)]
    return "".join(_BARS[round(max(part) / most * (len(_BARS) - 1)) if most else 0] for part in parts)


def as_text(timeline: Timeline) -> str:
    """A line of bars for each way to hold what a graph computes, with the most bytes of each."""
    most = max([0, *timeline.imperative, *timeline.live, *timeline.planned])
    width = max(map(len, _TITLES.values()))
    lines = []
    for name, title in _TITLES.items():
        amounts = getattr(timeline, name)
        lines.append(f"{title:<{width}}  {sparkline(amounts, most)}  {max(amounts, default=0):,} bytes")
    return "\n".join(lines)


def plot(timeline: Timeline, title: str, path: str | Path | None = None) -> Any:
    """A figure of matplotlib's, written to `path` if that is given; the text, printed, where matplotlib is missing.

    Parameters
    ----------
    timeline : Timeline
    title : str
    path : path, optional
        The ending chooses the format: ``svg``, ``png`` or ``pdf``.

    Returns
    -------
    matplotlib.figure.Figure or str
    """
    try:
        figures = importlib.import_module("matplotlib.figure")
    except ImportError:
        text = as_text(timeline)
        if path is not None:
            Path(path).with_suffix(".txt").write_text(f"{title}\n{text}\n", encoding="utf-8")
        print(text)
        return text
    figure = figures.Figure(figsize=(9, 4), layout="constrained")  # not pyplot's: no window, and nothing to close
    axes = figure.subplots()
    unit, name = _unit(max([0, *timeline.imperative]))
    places = range(len(timeline.operations) + 1)
    for one, style in (("imperative", ":"), ("live", "--"), ("planned", "-")):
        amounts = [amount / unit for amount in getattr(timeline, one)]
        amounts += amounts[-1:] or [0.0]  # the last node, too, has a width
        axes.step(places, amounts, style, where="post", label=f"{_TITLES[one]}, {max(amounts):,.4g} {name} at most")
    axes.set(xlabel="node", ylabel=name, title=f"{title}: bytes while each node runs", ylim=(0, None))
    axes.legend(loc="upper left", fontsize="small")
    if path is not None:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path)
    return figure


def _unit(most: int) -> tuple[int, str]:
    sizes = ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"))
    return next((one for one in sizes if most >= 4 * one[0]), (1, "bytes"))
