"""What every chapter shares and the book does not show: options, the progress bar, plots."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tqdm import tqdm


def options(
    description: str, epochs: int, arguments: Sequence[str] | None = None, name: str = ""
) -> argparse.Namespace:
    """The options of every chapter, from the command line."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a few steps only, to see that it runs")
    parser.add_argument("--epochs", type=int, default=None, help=f"passes over the data (default {epochs})")
    parser.add_argument("--plots", type=Path, metavar="DIR", help="leave the book's plots in this folder")
    chosen = parser.parse_args(arguments)
    if chosen.epochs is None:
        chosen.epochs = 1 if chosen.quick else epochs
    chosen.name = name
    chosen.steps = 100 if chosen.quick else None
    return chosen


def progress(items: Any, epoch: int, steps: int | None = None) -> Iterable[Any]:
    """The items, at most `steps` of them, with a progress bar."""
    total = len(items) if steps is None else min(steps, len(items))
    bar = tqdm(items, desc=f"epoch {epoch}", total=total, leave=False, unit="batch", mininterval=0.5)
    for number, item in enumerate(bar):
        if number == total:
            break
        yield item


def plot_curve(path: Path, values: Sequence[float], ylabel: str, title: str) -> Path:
    """A curve over the training steps, logarithmic, as a picture."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    path.parent.mkdir(parents=True, exist_ok=True)
    figure, axes = pyplot.subplots(figsize=(8, 5))
    axes.semilogy(range(1, len(values) + 1), values)
    axes.set_xlabel("step")
    axes.set_ylabel(ylabel)
    axes.set_title(title)
    axes.grid(True, which="both")
    figure.savefig(path)
    pyplot.close(figure)
    return path


@contextmanager
def pictures(path: Path) -> Iterator[Any]:
    """Axes to draw into, saved as a picture at the end."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    path.parent.mkdir(parents=True, exist_ok=True)
    figure, axes = pyplot.subplots(figsize=(8, 5))
    yield axes
    figure.savefig(path)
    pyplot.close(figure)
