"""What every chapter shares and the book does not show: options, digits, the progress bar, figures, plots."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy
from tqdm import tqdm

import dopegraph
import dopegraph.numpy as np
from dopegraph.data import Digits, digits_or_mnist


def _enter_device(arguments: Sequence[str]) -> None:
    """A chapter makes its parameters when it is imported, before it looks at its options: on this device."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--device", type=dopegraph.device)
    device = parser.parse_known_args(arguments)[0].device
    if device is not None:
        device.__enter__()


_enter_device(sys.argv[1:])


def options(
    description: str, epochs: int = 1, arguments: Sequence[str] | None = None, quick: int = 1
) -> argparse.Namespace:
    """The options of every chapter, from the command line; `steps` is how many batches of an epoch are used.

    `epochs` are those of the book, `quick` those of ``--quick``.

    From Python, import and run a chapter inside ``with device(...)`` instead of giving it ``--device``.
    """
    here = dopegraph.current_device()
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a few steps only, to see that it runs")
    parser.add_argument("--epochs", type=int, default=None, help=f"passes over the data (default {epochs})")
    parser.add_argument("--device", type=dopegraph.device, default=here, help='"cpu(0)", "gpu(0)", ... (default cpu)')
    parser.add_argument("--plots", type=Path, metavar="DIR", help="leave the book's plots in this folder")
    chosen = parser.parse_args(arguments)
    if chosen.device != here:
        parser.error(f"the parameters are on {here} already; import the chapter inside `with device(...)`")
    if chosen.epochs is None:
        chosen.epochs = quick if chosen.quick else epochs
    if chosen.epochs < 1:
        parser.error("--epochs must be at least 1")
    chosen.steps = 100 if chosen.quick else None
    return chosen


def digits(train: int | None = None, test: int | None = None, flatten: bool = True) -> Digits:
    """MNIST, or the digits that stand in for it, or the first images of each set, on the device."""
    found = digits_or_mnist(flatten)
    lengths = {"train_images": train, "train_labels": train, "test_images": test, "test_labels": test}
    found = replace(found, **{name: on_device(getattr(found, name)[:length]) for name, length in lengths.items()})
    print(f"{len(found.train_images)} images of {found.name} to train with, {len(found.test_images)} to test with")
    return found


def on_device(array: numpy.ndarray[Any, Any]) -> Any:
    """NumPy's array as it is, which costs nothing, unless the chapter runs elsewhere than in NumPy's memory."""
    return array if dopegraph.current_device().is_host else np.array(array)


def each(items: Any) -> Iterator[Any]:
    """The batches, on the device."""
    if dopegraph.current_device().is_host:
        return iter(items)
    return (tuple(map(on_device, item)) for item in items)


def progress(items: Any, epoch: int, steps: int | None = None) -> Iterator[Any]:
    """The batches, at most `steps` of them, on the device, with a progress bar."""
    total = len(items) if steps is None else min(steps, len(items))
    bar = tqdm(
        each(items), desc=f"epoch {epoch}", total=total, leave=False, unit="batch", mininterval=0.5, disable=None
    )
    for number, item in enumerate(bar):
        if number == total:
            break
        yield item


def compare(book: Mapping[str, Any], found: Mapping[str, Any]) -> None:
    """Print the book's figures beside those found here."""
    rows = [(name.replace("_", " "), shown(value), shown(found.get(name, "-"))) for name, value in book.items()]
    rows.insert(0, ("", "the book", "here"))
    widths = [max(map(len, column)) for column in zip(*rows)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


def shown(value: Any) -> str:
    """A figure of a chapter as text: numbers with six digits, arrays as lists."""
    if isinstance(value, (dopegraph.ndarray, numpy.ndarray, numpy.generic)):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(shown, value)) + "]"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


@contextmanager
def picture(
    path: Path, rows: int = 1, columns: int = 1, size: tuple[float, float] = (8, 5), **how: Any
) -> Iterator[Any]:
    """Axes to draw on, of matplotlib; afterwards they are a file."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    path.parent.mkdir(parents=True, exist_ok=True)
    figure, axes = pyplot.subplots(rows, columns, figsize=size, **how)
    yield axes
    figure.savefig(path)
    pyplot.close(figure)


def plot_curve(path: Path, values: Sequence[float], ylabel: str, title: str) -> Path:
    """A curve over the training steps, logarithmic, as a picture."""
    with picture(path) as axes:
        axes.semilogy(range(1, len(values) + 1), values)
        axes.set_xlabel("step")
        axes.set_ylabel(ylabel)
        axes.set_title(title)
        axes.grid(True, which="both")
    return path


def plot_curves(
    path: Path, curves: Mapping[str, Sequence[float]], title: str, scale: str = "linear", over: str = "step"
) -> Path:
    """Several curves over the training steps, or something else, by their names."""
    with picture(path) as axes:
        for label, values in curves.items():
            axes.plot(range(1, len(values) + 1), values, label=label)
        axes.set_yscale(scale)
        axes.set_xlabel(over)
        axes.set_title(title)
        axes.grid(True)
        axes.legend()
    return path


def plot_digits(path: Path, images: Any) -> Path:
    """Digits side by side."""
    with picture(path, size=(len(images), 1.2)) as axes:
        axes.imshow(np.hstack(np.reshape(images, (-1, 28, 28))), cmap="gray")
        axes.axis("off")
    return path


def learning_curves(path: Path, history: Sequence[tuple[float, float, float, float]]) -> Path:
    """Losses to the left and accuracies to the right, of training and of testing, over the epochs."""
    with picture(path, 1, 2, (12, 6)) as both:
        columns, titles = list(zip(*history)), ("Comparing loss functions", "Comparing accuracy")
        for axes, curves, title in zip(both, (columns[:2], columns[2:]), titles):
            draw = axes.semilogy if axes is both[0] else axes.plot
            for values, label in zip(curves, ("train", "test")):
                draw(range(1, len(values) + 1), values, label=label)
            axes.set_xlabel("epoch")
            axes.set_title(title)
            axes.grid(True, which="both")
            axes.legend()
    return path
