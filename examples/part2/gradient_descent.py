"""Gradient descent and stochastic gradient descent (the book's chapter 12): linear regression with five batch sizes.

python -m examples.part2.gradient_descent
"""

import dopegraph.numpy as np
from examples.chapter import compare, options, plot_curve
from examples.descent import descend

BOOK = {
    "batch_1": [2.00191855, -3.40352154, 4.19731],
    "batch_10": [1.99962676, -3.40070438, 4.20087],
    "batch_100": [1.99993229, -3.40007687, 4.20093],
    "batch_1000": [2.0000422, -3.40001583, 4.20009],
    "batch_10000": [2.00000167, -3.40008521, 4.20016],
}

np.random.seed(1)

# With the last one, a batch is all there is: gradient descent.
learning_rates = {1: 0.1, 10: 0.1, 100: 0.5, 1000: 0.5, 10000: 1.0}


def main(arguments=None):
    chosen = options(__doc__, epochs=3, arguments=arguments)
    found = {}
    for batch_size, learning_rate in learning_rates.items():
        weights, losses, step = descend(chosen, batch_size, learning_rate, momentum=0.0)
        found[f"batch_{batch_size}"] = weights
        found.setdefault("train_step", step)
        if chosen.plots:
            plot_curve(chosen.plots / f"gradient_descent_{batch_size}.png", losses, "loss", f"batch size {batch_size}")
    compare(BOOK, found)
    return found


if __name__ == "__main__":
    main()
