"""``make demo``: the book's multilayer perceptron on real digits, compiled, compared with the same code uncompiled.

Leaves in ``demo/``: the loss curve, a picture of the training step's graph, and the network as an MXNet symbol.
"""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median

import dopegraph
from dopegraph.data import digits_or_mnist
from examples.part1 import multilayer_perceptrons_scratch as mlp

FOLDER = Path("demo")
BARS = " ▁▂▃▄▅▆▇█"


def curve(values: list[float], width: int = 60) -> str:
    """Values as a line of bars, on a logarithmic scale."""
    import math

    picked = [math.log(values[i * len(values) // width]) for i in range(min(width, len(values)))]
    low, high = min(picked), max(picked)
    return "".join(BARS[1 + round((value - low) / ((high - low) or 1) * (len(BARS) - 2))] for value in picked)


def milliseconds_a_step(pairs: int = 40) -> tuple[float, float]:
    """Median times of a step, uncompiled and compiled, measured in turns; the parameters are put back."""
    digits = digits_or_mnist()
    data, label = digits.train_images[: mlp.batch_size], digits.train_labels[: mlp.batch_size]
    saved = [param.copy() for param in mlp.params]
    times: dict[object, list[float]] = {mlp.train_step: [], mlp.compiled_step: []}
    for step in list(times) * (pairs + 3):
        start = time.perf_counter()
        float(step(data, label, mlp.learning_rate))
        times[step].append((time.perf_counter() - start) * 1e3)
    for param, value in zip(mlp.params, saved):
        param[:] = value
    uncompiled, compiled = (median(list_[3:]) for list_ in times.values())
    return uncompiled, compiled


def main() -> None:
    print("Training the book's multilayer perceptron (784-256-256-10), each step one compiled graph.")
    digits = digits_or_mnist()
    # The bundled digits are few: as many steps need more passes over them.
    epochs = 10 if len(digits.train_images) > 10000 else 300
    result = mlp.main(["--plots", str(FOLDER), "--epochs", str(epochs)])
    print(f"\nLoss over {len(result['losses'])} steps: {curve(result['losses'])}")
    print(f"Test accuracy on {digits.name}: {result['test_accuracy']:.4f}\n")

    data, label = digits.train_images[: mlp.batch_size], digits.train_labels[: mlp.batch_size]
    print(dopegraph.explain(mlp.compiled_step)(data, label, mlp.learning_rate))
    uncompiled, compiled = milliseconds_a_step()
    ratio = uncompiled / compiled
    print(f"A step takes {compiled:.2f} ms compiled, {uncompiled:.2f} ms uncompiled ({ratio:.1f} times).\n")

    files = [FOLDER / "multilayer_perceptron.png"]
    files.append(dopegraph.visualize(mlp.net, FOLDER / "network.svg")(data))
    files.append(dopegraph.visualize(mlp.train_step, FOLDER / "training_step.svg")(data, label, mlp.learning_rate))
    try:
        files += dopegraph.export(mlp.net, data, path=FOLDER / "mlp")
    except ImportError as reason:
        print(f"The network was not exported: {reason}")
    print("Left behind: " + ", ".join(str(file) for file in files))


if __name__ == "__main__":
    main()
