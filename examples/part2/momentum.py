"""Stochastic gradient descent with momentum (the book's chapter 13): linear regression, and the way through a valley.

python -m examples.part2.momentum
"""

import dopegraph
import dopegraph.numpy as np
from examples.chapter import compare, options, picture
from examples.descent import descend

BOOK = {
    "batch_1": [2.00212836, -3.39304566, 4.20125],
    "batch_10": [2.00067949, -3.40136981, 4.20053],
    "batch_100": [2.00005388, -3.40086675, 4.19988],
    "batch_1000": [2.00004411, -3.39969349, 4.20037],
    "terminal_speed": 100,  # times the learning rate, where the slope and the momentum, 0.99, stay the same
}

np.random.seed(1)

gamma = 0.5
learning_rates = {1: 0.1, 10: 0.1, 100: 0.5, 1000: 0.5}


def valley(x):
    """A quadratic function that is 30 times as steep in one direction as in the other."""
    return 0.5 * x[0] ** 2 + 15 * x[1] ** 2


@dopegraph.compile
def path(x, learning_rate, momentum):
    """The points that 30 steps from `x` come by."""
    v, points = np.zeros_like(x), [x]
    for _ in range(30):
        v = momentum * v + learning_rate * dopegraph.grad(valley)(x)
        x = x - v
        points.append(x)
    return np.stack(points)


@dopegraph.compile
def terminal_speed(momentum):
    v = np.array(0.0)
    for _ in range(2000):
        v = momentum * v + 1
    return v


def draw(folder, paths):
    x, y = np.meshgrid(np.linspace(-10, 1, 60), np.linspace(-1.5, 1.5, 60))
    for name, points in paths.items():
        with picture(folder / f"{name}.png") as axes:
            axes.contour(x, y, valley(np.stack([x, y])), levels=20)
            axes.plot(points[:, 0], points[:, 1], "o-", markersize=3)
            axes.plot(points[0, 0], points[0, 1], "r^", markersize=10)
            axes.set_title(name.replace("_", " "))


def main(arguments=None):
    chosen = options(__doc__, epochs=3, arguments=arguments)
    found = {}
    for batch_size, learning_rate in learning_rates.items():
        weights, _, step = descend(chosen, batch_size, learning_rate, momentum=gamma)
        found[f"batch_{batch_size}"] = weights
        found.setdefault("train_step", step)

    start = np.array([-9.0, 1.0])
    curvatures = np.linalg.eigvalsh(dopegraph.hessian(valley)(start))
    print(f"The valley's Hessian has the eigenvalues {curvatures}, the condition {curvatures[1] / curvatures[0]:.0f}.")
    paths = {"sgd": path(start, 0.06, 0.0), "sgd_with_momentum": path(start, 0.06, gamma)}
    for name, points in paths.items():
        turns = int(np.sum(points[1:, 1] * points[:-1, 1] < 0))
        print(f"{name}: 30 steps cross the valley {turns} times and end at the height {float(valley(points[-1])):.2g}")
    found.update(paths=paths, terminal_speed=terminal_speed(0.99))
    compare(BOOK, found)
    if chosen.plots:
        draw(chosen.plots, paths)
    return found


if __name__ == "__main__":
    main()
