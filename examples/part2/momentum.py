"""Stochastic gradient descent with momentum (the book's part 2, chapter 13): linear regression, and the zigzag path.

python -m examples.part2.momentum
"""

import dopegraph
import dopegraph.numpy as np
from examples.chapter import options, pictures
from examples.part2.descent import compare

gamma = 0.5
batch_sizes, learning_rates = [1, 10, 100, 1000], [0.1, 0.1, 0.5, 0.5]
books = {
    1: ([2.00212836, -3.39304566], 4.20125),
    10: ([2.00067949, -3.40136981], 4.20053),
    100: ([2.00005388, -3.40086675], 4.19988),
    1000: ([2.00004411, -3.39969349], 4.20037),
}


def valley(x):
    """A quadratic function that is 30 times as steep in one direction as in the other."""
    return 0.5 * x[0] ** 2 + 15 * x[1] ** 2


@dopegraph.compile
def path(x, learning_rate, momentum):
    """The points that 30 steps from `x` come by: ``v := momentum v + learning_rate grad``, ``x := x - v``."""
    v, points = np.zeros_like(x), [x]
    for _ in range(30):
        v = momentum * v + learning_rate * dopegraph.grad(valley)(x)
        x = x - v
        points.append(x)
    return np.stack(points)


def draw(folder, paths):
    x, y = np.meshgrid(np.linspace(-10, 1, 60), np.linspace(-1.5, 1.5, 60))
    height = valley(np.stack([x, y]))
    for name, points in paths.items():
        with pictures(folder / f"{name}.png") as axes:
            axes.contour(x, y, height, levels=20)
            axes.plot(points[:, 0], points[:, 1], "o-", markersize=3)
            axes.plot(points[0, 0], points[0, 1], "r^", markersize=10)
            axes.set_title(name.replace("_", " "))


def main(arguments=None):
    chosen = options(__doc__, epochs=3, arguments=arguments, name="momentum")
    found = compare(chosen, dict(zip(batch_sizes, learning_rates)), books, momentum=gamma)

    start = np.array([-9.0, 1.0])
    curvature = np.linalg.eigvalsh(dopegraph.hessian(valley)(start))
    print(f"The valley's Hessian has the eigenvalues {curvature}: condition number {curvature[1] / curvature[0]:.0f}.")
    paths = {"sgd": path(start, 0.06, 0.0), "sgd_with_momentum": path(start, 0.06, gamma)}
    for name, points in paths.items():
        turns = int(np.sum(points[1:, 1] * points[:-1, 1] < 0))
        print(f"{name}: after 30 steps the height is {float(valley(points[-1])):.2g}; it crossed the valley {turns} times")
    speed = 0.0
    for _ in range(2000):
        speed = 0.99 * speed + 0.1 * 1.0
    print(f"A constant slope of 1 with rate 0.1 and momentum 0.99 ends at speed {speed:.2f}: 100 times the rate.")
    if chosen.plots:
        draw(chosen.plots, paths)
    return {**found, "paths": paths, "speed": speed}


if __name__ == "__main__":
    main()
