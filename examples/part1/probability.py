"""Probability and statistics (the book's chapter 3): dice, Bayes' rule, sampling, the central limit theorem.

python -m examples.part1.probability
"""

import dopegraph
import dopegraph.numpy as np
from dopegraph import nn
from examples.chapter import compare, options, picture

BOOK = {
    "P(positive)": 0.011485,
    "P(ill | positive)": 0.131,
    # The book prints 0.936, as it takes 0.01 * 0.03 for 0.0001.
    "P(ill | two positive)": 0.8307,
    "F": [0.1, 0.3, 0.35, 0.65, 0.9, 1.0],
    "mean": 0.9,
    "variance": 0.49,
    "dice": [0.168, 0.158, 0.151, 0.155, 0.188, 0.18],
}

np.random.seed(1)


@dopegraph.compile
def throw(n):
    """So many throws of a die, and after each how often every face has come up so far."""
    rolls = np.random.choice(6, size=1000)
    return rolls, np.cumsum(nn.one_hot(rolls, 6), axis=0).T


@dopegraph.compile
def estimates(counts):
    return counts / (np.arange(counts.shape[1]).reshape((1, -1)) + 1)


@dopegraph.compile
def bayes(prior, likelihood):
    """The probability of an observation, and the posteriors of its causes."""
    joint = prior * likelihood
    return np.sum(joint), joint / np.sum(joint)


@dopegraph.compile
def inverse_cdf(p, y):
    """Categorical samples of uniform ones: where they fall in the distribution function."""
    F = np.cumsum(p)
    return F, np.searchsorted(F, y)


@dopegraph.compile
def share_below(y, p):
    x = np.arange(1, y.shape[0] + 1)
    return np.cumsum(y < p) / x, np.cumsum(y >= p) / x


def density(x):
    return np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)


@dopegraph.compile
def averages(tmp):
    """Averages of 1, 2, 3, ... draws of 0, 1, 2 with probabilities 0.3, 0.5, 0.2."""
    x = 1.0 * (tmp > 0.3) + 1.0 * (tmp > 0.8)
    y = np.arange(1, tmp.shape[0] + 1).reshape((-1, 1))
    return np.cumsum(x, axis=0) / y, y


def main(arguments=None):
    chosen = options(__doc__, arguments=arguments)
    n = 10000 if chosen.quick else 1000000
    print("one die:", np.random.choice(6), "ten:", np.random.choice(6, size=10))
    _, counts = throw(1000)
    dice = estimates(counts)
    print("first throws:", counts[:, 0], counts[:, 1], "after 101:", dice[:, 100], sep="\n")

    positive, posterior = bayes(np.array([1 - 0.0015, 0.0015]), np.array([0.01, 1.0]))
    _, second = bayes(np.array([1 - 0.0015, 0.0015]), np.array([0.01 * 0.03, 1.0 * 0.98]))

    print("uniform:", *[f"{np.random.uniform().item():.4f}" for _ in range(5)])
    print("integers:", np.random.randint(1, 100, size=10))
    F, samples = inverse_cdf(np.array([0.1, 0.2, 0.05, 0.3, 0.25, 0.1]), np.random.uniform(size=n))
    print("categorical samples, in shares:", np.bincount(samples, minlength=6) / n)
    values, p = np.array([0.0, 1.0, 2.0]), np.array([0.3, 0.5, 0.2])
    mean = np.sum(p * values)
    variance = np.sum(p * (values - mean) ** 2)
    found = {
        "P(positive)": positive.item(),
        "P(ill | positive)": posterior[1].item(),
        "P(ill | two positive)": second[1].item(),
        "F": F,
        "mean": mean.item(),
        "variance": variance.item(),
        "dice": dice[:, -1],
    }
    compare(BOOK, found)
    if chosen.plots:
        draw(chosen.plots, dice, n, mean.item(), variance.item())
    return found


def draw(folder, dice, n, mean, variance):
    with picture(folder / "dice.png") as axes:
        for k in range(6):
            axes.plot(dice[k], label=f"Estimated P(die={k + 1})")
        axes.axhline(y=1 / 6, color="black", linestyle="dashed")
        axes.legend()
    numbers = np.random.randint(0, 100, size=n)
    with picture(folder / "uniform.png", 2, 3, (15, 8), sharex=True) as axes:
        for power, one in enumerate(axes.ravel(), 1):
            one.bar(range(100), np.bincount(numbers[: 10**power], minlength=100))
    y = np.random.uniform(size=n)
    with picture(folder / "inverse_cdf.png", size=(15, 8)) as axes:
        for curve in share_below(y, 0.35):
            axes.semilogx(np.arange(1, n + 1), curve)
    x = np.arange(-10, 10, 0.01)
    with picture(folder / "gaussian.png", size=(10, 5)) as axes:
        axes.plot(x, density(x))
    z, y = averages(np.random.uniform(size=(10000, 10)))
    with picture(folder / "central_limit.png", size=(10, 5)) as axes:
        axes.semilogx(y, z)
        for sign in (-1, 1):
            axes.semilogx(y, mean + sign * variance**0.5 * y**-0.5, "r")


if __name__ == "__main__":
    main()
