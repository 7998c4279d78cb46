"""Naive Bayes on MNIST (the book's chapter 3): a classifier that counts, and one bug of the book's mended.

python -m examples.part1.naive_bayes
"""

import dopegraph
import dopegraph.numpy as np
from dopegraph import nn
from dopegraph.data import batches
from examples.chapter import compare, digits, options, picture, progress

# The book's prior of each digit. It prints no accuracy, and calls the classifier "incompetent and overly confident".
BOOK = {
    "prior": [
        0.09871688, 0.11236461, 0.09930012, 0.10218297, 0.09736711, 0.09035161, 0.09863356, 0.10441593, 0.09751708,
        0.09915014,
    ],
    "test_accuracy": "not printed",
    "test_accuracy_as_printed": "not printed",
}  # fmt: skip

batch_size = 500

# Laplace's correction: every digit and every pixel has been seen once.
ycount = np.ones(10)
xcount = np.ones((784, 10))


@dopegraph.compile
def train_step(data, label):
    """Counts the digits, and adds up the images of each."""
    np.add.at(ycount, label, 1.0)
    xcount[:] = xcount + np.dot(data.T, nn.one_hot(label, 10))


@dopegraph.compile
def posteriors(data, with_prior):
    """P(digit | image). The book's code assigns where it means to add, so that the prior is lost: `with_prior=0.0`."""
    px = xcount / ycount
    py = ycount / np.sum(ycount)
    logpx = np.dot(data, np.log(px)) + np.dot(1 - data, np.log(1 - px)) + with_prior * np.log(py)
    logpx -= np.max(logpx, axis=1, keepdims=True)
    p = np.exp(logpx)
    return p / np.sum(p, axis=1, keepdims=True)


@dopegraph.compile
def accuracy(data, label, with_prior):
    return np.mean(np.argmax(posteriors(data, with_prior), axis=1) == label)


def main(arguments=None):
    chosen = options(__doc__, arguments=arguments)
    mnist = digits()
    for data, label in progress(batches(mnist.train_images, mnist.train_labels, batch_size=batch_size, seed=1), 0):
        train_step(data, label)
    found = {
        "prior": ycount / np.sum(ycount),
        "test_accuracy": float(accuracy(mnist.test_images, mnist.test_labels, 1.0)),
        "test_accuracy_as_printed": float(accuracy(mnist.test_images, mnist.test_labels, 0.0)),
        "train_step": train_step,
    }
    compare(BOOK, found)
    if chosen.plots:
        draw(chosen.plots, mnist)
    return found


def draw(folder, mnist):
    with picture(folder / "naive_bayes_means.png", 1, 10, (15, 2)) as axes:
        for k in range(10):
            axes[k].imshow((xcount / ycount)[:, k].reshape((28, 28)), cmap="hot")
            axes[k].axis("off")
    with picture(folder / "naive_bayes_posteriors.png", 2, 10, (15, 3)) as axes:
        p = posteriors(mnist.test_images[:10], 1.0)
        for i in range(10):
            axes[0, i].imshow(mnist.test_images[i].reshape((28, 28)), cmap="hot")
            axes[0, i].axis("off")
            axes[1, i].bar(range(10), p[i])
            axes[1, i].set_yticks([])


if __name__ == "__main__":
    main()
