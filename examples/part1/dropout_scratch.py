"""Dropout from scratch (the book's chapter 15): 784-256-128-10, half of the units dropped by a random mask.

python -m examples.part1.dropout_scratch
"""

import dopegraph
import dopegraph.numpy as np
from dopegraph import nn
from dopegraph.data import batches
from examples.chapter import compare, digits, options, plot_curve, progress

BOOK = {
    "dropout_0": "what came in",
    "dropout_0.5": "0 or twice of it",
    "dropout_1": "0",
    "moving_loss": 0.129475,
    "train_accuracy": 0.9798,
    "test_accuracy": 0.9729,
}

np.random.seed(1)

batch_size, learning_rate, smoothing_constant, drop_probability = 64, 0.001, 0.01, 0.5
sizes = [784, 256, 128, 10]

W1, W2, W3 = (np.random.normal(size=shape) * 0.01 for shape in zip(sizes, sizes[1:]))
b1, b2, b3 = (np.random.normal(size=size) * 0.01 for size in sizes[1:])
params = [W1, b1, W2, b2, W3, b3]
for param in params:
    param.attach_grad()


def dropout(X, drop_probability):
    keep_probability = 1 - drop_probability
    mask = np.random.uniform(0, 1.0, X.shape) < keep_probability
    scale = 1 / keep_probability if keep_probability > 0 else 0
    return mask * X * scale


def relu(X):
    return np.maximum(X, 0)


def net(X, drop_prob=0.0):
    h1 = dropout(relu(np.dot(X, W1) + b1), drop_prob)
    h2 = dropout(relu(np.dot(h1, W2) + b2), drop_prob)
    return np.dot(h2, W3) + b3


def softmax_cross_entropy(yhat_linear, y):
    return -np.nansum(y * nn.log_softmax(yhat_linear), axis=1)


def SGD(params, lr):
    for param in params:
        param[:] = param - lr * param.grad


@dopegraph.compile
def train_step(data, label):
    with dopegraph.record():
        output = net(data, drop_prob=drop_probability)
        loss = softmax_cross_entropy(output, nn.one_hot(label, sizes[-1]))
    loss.backward()
    SGD(params, learning_rate)
    return np.mean(loss)


@dopegraph.compile
def accuracy(data, label):
    return np.mean(np.argmax(net(data), axis=1) == label)


def kept(p):
    """What dropout does to the numbers 1 to 20."""
    A = np.arange(1.0, 21.0).reshape((5, 4))
    print(dropout(A, p))
    factors = set((dropout(A, p) / A).ravel().tolist())
    return {(1.0,): "what came in", (0.0, 2.0): "0 or twice of it", (0.0,): "0"}[tuple(sorted(factors))]


def main(arguments=None):
    chosen = options(__doc__, epochs=10, arguments=arguments)
    found = {f"dropout_{p:g}": kept(p) for p in (0.0, 0.5, 1.0)}
    mnist = digits()
    train_data = batches(mnist.train_images, mnist.train_labels, batch_size=batch_size, seed=1)
    losses = []
    for e in range(chosen.epochs):
        moving_loss = None  # the book begins anew in every epoch
        for data, label in progress(train_data, e, chosen.steps):
            loss = float(train_step(data, label))
            old = loss if moving_loss is None else moving_loss
            moving_loss = (1 - smoothing_constant) * old + smoothing_constant * loss
            losses.append(moving_loss)
        train_accuracy = float(accuracy(mnist.train_images, mnist.train_labels))
        test_accuracy = float(accuracy(mnist.test_images, mnist.test_labels))
        print(f"Epoch {e}. Loss: {moving_loss:.4f}, Train_acc {train_accuracy:.4f}, Test_acc {test_accuracy:.4f}")
    found.update(moving_loss=moving_loss, train_accuracy=train_accuracy, test_accuracy=test_accuracy)
    found["train_step"] = train_step
    compare(BOOK, found)
    if chosen.plots:
        plot_curve(chosen.plots / "dropout.png", losses, "moving loss", f"MLP with dropout on {mnist.name}")
    return found


if __name__ == "__main__":
    main()
