"""The perceptron (the book's chapter 7): it learns from its mistakes, as many as the margin of the data allows.

python -m examples.part1.perceptron
"""

import dopegraph
import dopegraph.numpy as np
from examples.chapter import compare, on_device, options, picture

# The four updates that the book prints, each with the weights after it.
UPDATES = [
    ([0.57595438, -0.95017916], -1.0, [-0.57595438, 0.95017916], [-1.0]),
    ([-0.3469252, 0.03751944], 1.0, [-0.92287958, 0.98769861], [0.0]),
    ([-1.80471897, -2.04010558], 1.0, [-2.72759867, -1.05240703], [1.0]),
    ([0.60334933, -1.08074296], -1.0, [-3.33094788, 0.02833593], [0.0]),
]
BOOK = {
    "w_after_4_updates": UPDATES[-1][2],
    "b_after_4_updates": UPDATES[-1][3],
    "updates": "fall with the margin (a plot)",
    "within_the_bound": True,
}

np.random.seed(1)


@dopegraph.compile(static_argnames=("samples", "dimensions"))
def getfake(samples, dimensions, epsilon):
    """Points of two classes that a random hyperplane separates, none nearer to it than epsilon, none beyond 3."""
    w = np.random.normal(size=dimensions)
    w /= np.linalg.norm(w)
    b = np.random.normal()
    # The book draws until a point fits; here are enough, and those that fit come first.
    X = np.random.normal(size=(4 * samples, dimensions))
    margin = np.dot(X, w) + b
    fits = (np.linalg.norm(X, axis=1) < 3) & (np.abs(margin) > epsilon)
    chosen = np.argsort(~fits, stable=True)[:samples]
    return X[chosen], np.where(margin[chosen] > 0, 1.0, -1.0), w, b


@dopegraph.compile
def perceptron(w, b, x, y):
    """One step: changes w and b if x is on the wrong side; whether it was."""
    if y * (np.dot(w, x) + b) <= 0:
        w += y * x
        b += y
        return 1
    return 0


def train(w, b, X, Y):
    """One pass over the data; the number of updates, and the data that led to them."""
    rows = zip(X.asnumpy(), Y.asnumpy())
    wrong = [(x, y) for x, y in rows if perceptron(w, b, on_device(x), on_device(y))]
    return len(wrong), wrong


def hinge(f):
    return np.maximum(0, f), np.maximum(0, -f)


def main(arguments=None):
    chosen = options(__doc__, arguments=arguments)
    w, b = np.zeros(2), np.zeros(1)
    for x, y, _, _ in UPDATES:
        assert perceptron(w, b, np.array(x), np.array(y))
        print(f"Encountered an error and updated w: data {x}, label {y}, weight {w}, bias {b}")
    found = {"w_after_4_updates": w, "b_after_4_updates": b}

    X, Y, _, _ = getfake(50, 2, 0.3)
    w, b = np.zeros(2), np.zeros(1)
    count, wrong = train(w, b, X, Y)
    print(f"50 points with a margin of 0.3: {count} updates")

    # The book never resets w and b, but its theorem starts from 0: with |b*| <= 1 it is 2 (R^2 + 1) / epsilon^2.
    repetitions = 1 if chosen.quick else 10
    margins, averages, within = np.arange(0.025, 0.45, 0.025).tolist(), [], True
    for epsilon in margins:
        updates = []
        for _ in range(repetitions):
            many, labels, _, offset = getfake(1000, 2, epsilon)
            updates.append(train(np.zeros(2), np.zeros(1), many, labels)[0])
            within = within and updates[-1] <= (1 + float(offset) ** 2) * (3**2 + 1) / epsilon**2
        averages.append(sum(updates) / repetitions)
    print("updates for margins from 0.025 to 0.425:", averages)
    found.update(updates=averages, within_the_bound=within, train_step=perceptron)
    compare(BOOK, found)
    if chosen.plots:
        draw(chosen.plots, X.asnumpy(), Y.asnumpy(), wrong, margins, averages)
    return found


def draw(folder, X, Y, wrong, margins, averages):
    xx, yy = np.meshgrid(np.arange(-3, 3, 0.02), np.arange(-3, 3, 0.02))
    w, b = np.zeros(2), np.zeros(1)
    for number, (x, y) in enumerate(wrong):
        perceptron(w, b, on_device(x), on_device(y))
        with picture(folder / f"perceptron_{number}.png", size=(6, 6)) as axes:
            axes.clabel(axes.contour(xx, yy, np.dot(np.stack([xx, yy], axis=2), w) + b), fontsize=10)
            axes.scatter(*X[Y > 0].T, color="r")
            axes.scatter(*X[Y < 0].T, color="b")
            axes.scatter(*x, color="g")
    with picture(folder / "perceptron_updates.png") as axes:
        axes.plot(margins, averages, label="average number of updates for training")
        axes.legend()
    f = np.arange(-5, 5, 0.1)
    with picture(folder / "hinge.png") as axes:
        for curve, label in zip(hinge(f), ("max(0, f(x))", "max(0, -f(x))")):
            axes.plot(f, curve, label=label)
        axes.legend()


if __name__ == "__main__":
    main()
