"""Optimization (the book's part 2, chapter 11): local minima, saddle points, a closed form, and machine precision.

python -m examples.part2.optimization_introduction
"""

import dopegraph
import dopegraph.numpy as np
from examples.chapter import options, pictures

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
    with pictures(folder / "optimization_minima.png") as axes:
        x = np.arange(-1.0, 2.0, 0.1)
        axes.plot(x, f(x))
        arrow = {"facecolor": "black", "shrink": 0.05}
        axes.annotate("local minimum", xy=(-0.3, -0.2), xytext=(-0.8, -1.0), arrowprops=arrow)
        axes.annotate("global minimum", xy=(1.1, -0.9), xytext=(0.7, 0.1), arrowprops=arrow)
        axes.set(xlabel="x", ylabel="f(x)")
    with pictures(folder / "optimization_saddle_point.png") as axes:
        x = np.arange(-2.0, 2.0, 0.1)
        axes.plot(x, cubed(x))
        axes.annotate("saddle point", xy=(0, -0.2), xytext=(-0.4, -5.0), arrowprops=arrow)
        axes.set(xlabel="x", ylabel="f(x)")


def main(arguments=None):
    chosen = options(__doc__, epochs=1, arguments=arguments, name="optimization_introduction")
    x, value, slope = descend(np.array([-0.8, 0.2, 0.7, 1.5]), 0.05)
    print(f"downhill from -0.8, 0.2, 0.7, 1.5 one comes to x = {x}\nwhere f = {value}, f' = {slope}")
    print("The book marks a local minimum at x = -0.3 and the global one at x = 1.1, where f = -0.9.")

    bends = [float(dopegraph.grad(dopegraph.grad(cubed))(np.array(x))) for x in (-0.5, 0.0, 0.5)]
    print(f"x ** 3 is flat at 0: slope {float(dopegraph.grad(cubed)(np.array(0.0)))}; it bends by {bends} around it")

    X = np.random.normal(size=(1000, 2))
    w = closed_form(X, X @ np.array([2.0, -3.4]))
    print(f"The closed form of linear regression finds {w}; the data were made with [2, -3.4].")

    for dtype, bits in (("float32", 24), ("float64", 53)):
        precision = float(np.finfo(dtype).eps) / 2
        near = precision**0.5
        flat = bool(np.cos(np.array(near / 2, dtype)) == 1)
        print(f"{dtype}: precision 2^-{bits} = {precision:.2g}; cos({near / 2:.1g}) == 1: {flat}, so its top is known so far")
        assert precision == 2.0**-bits
    if chosen.plots:
        draw(chosen.plots)
    return {"x": x, "f": value, "slope": slope, "w": w, "train_step": descend}


if __name__ == "__main__":
    main()
