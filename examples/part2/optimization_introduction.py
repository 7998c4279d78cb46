"""Optimization (the book's chapter 11): local minima, saddle points, a closed form, precision.

python -m examples.part2.optimization_introduction
"""

import dopegraph
import dopegraph.numpy as np
from examples.chapter import compare, options, picture

# Where the book's plot points: "local minimum", "global minimum".
BOOK = {"local_minimum": -0.3, "global_minimum": 1.1, "global_value": -0.9, "weights": [2.0, -3.4]}

np.random.seed(1)


def f(x):
    return x * np.cos(np.pi * x)


def cubed(x):
    return x**3


@dopegraph.compile
def descend(x, learning_rate):
    """A hundred steps downhill, from many places at once."""
    slope = dopegraph.grad(lambda x: np.sum(f(x)))
    for _ in range(100):
        x = x - learning_rate * slope(x)
    return x, f(x), slope(x)


@dopegraph.compile
def closed_form(X, y):
    """One matrix multiplication, one inversion, and two products of a matrix and a vector."""
    return np.linalg.inv(X.T @ X) @ (X.T @ y)


def draw(folder):
    with picture(folder / "optimization_minima.png") as axes:
        x = np.arange(-1.0, 2.0, 0.1)
        axes.plot(x, f(x))
        arrow = {"facecolor": "black", "shrink": 0.05}
        axes.annotate("local minimum", xy=(-0.3, -0.2), xytext=(-0.8, -1.0), arrowprops=arrow)
        axes.annotate("global minimum", xy=(1.1, -0.9), xytext=(0.7, 0.1), arrowprops=arrow)
        axes.set(xlabel="x", ylabel="f(x)")
    with picture(folder / "optimization_saddle_point.png") as axes:
        x = np.arange(-2.0, 2.0, 0.1)
        axes.plot(x, cubed(x))
        axes.annotate("saddle point", xy=(0, -0.2), xytext=(-0.4, -5.0), arrowprops=arrow)
        axes.set(xlabel="x", ylabel="f(x)")


def main(arguments=None):
    chosen = options(__doc__, arguments=arguments)
    x, value, slope = descend(np.array([-0.8, 0.2, 0.7, 1.5]), 0.05)
    print(f"downhill from -0.8, 0.2, 0.7, 1.5 one comes to x = {x}\nwhere f = {value}, f' = {slope}")
    bends = [float(dopegraph.grad(dopegraph.grad(cubed))(np.array(x))) for x in (-0.5, 0.0, 0.5)]
    print(f"x ** 3 has slope {float(dopegraph.grad(cubed)(np.array(0.0)))} at 0; at -0.5, 0, 0.5 it bends by {bends}")
    X = np.random.normal(size=(1000, 2))
    for dtype, bits in (("float32", 24), ("float64", 53)):
        # Near a minimum a function changes with the square of the distance: it looks flat up to the root of this.
        print(f"{dtype} has a precision of 2^-{bits}, so minima are known to about {2.0 ** (-bits / 2):.1g}")
        near = np.array(2.0 ** (-bits / 2) / 2, dtype)
        assert np.cos(near) == 1 and np.sin(near) == near
    found = {"local_minimum": x[0], "global_minimum": x[-1], "global_value": value[-1]}
    found.update(weights=closed_form(X, X @ np.array([2.0, -3.4])), slopes=slope)
    compare(BOOK, found)
    if chosen.plots:
        draw(chosen.plots)
    return found


if __name__ == "__main__":
    main()
