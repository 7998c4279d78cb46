"""Overfitting and regularization from scratch (the book's chapter 10): 7,850 parameters, 1,000 digits, an L2 penalty.

python -m examples.part1.regularization_scratch
"""

import dopegraph
import dopegraph.numpy as np
from dopegraph import nn
from dopegraph.data import batches
from examples.chapter import compare, digits, each, learning_curves, options

BOOK = {
    "train_accuracy": 1.0,
    "test_accuracy": 0.75,
    "train_accuracy_with_penalty": 0.991,
    "test_accuracy_with_penalty": 0.838,
}

np.random.seed(1)

num_inputs, num_outputs, num_examples = 784, 10, 1000
batch_size, learning_rate, l2_strength = 64, 0.001, 0.1

W = np.random.normal(size=(num_inputs, num_outputs))
b = np.random.normal(size=num_outputs)
params = [W, b]
for param in params:
    param.attach_grad()


def net(X):
    return nn.softmax(np.dot(X, W) + b, axis=1)


def cross_entropy(yhat, y):
    return -np.sum(y * np.log(yhat), axis=1)


def l2_penalty(params):
    penalty = np.zeros(())
    for param in params:
        penalty = penalty + np.sum(param**2)
    return penalty


def SGD(params, lr):
    for param in params:
        param[:] = param - lr * param.grad


@dopegraph.compile
def train_step(data, label, strength):
    with dopegraph.record():
        loss = cross_entropy(net(data), nn.one_hot(label, num_outputs))
        total = np.sum(loss) + strength * l2_penalty(params)
    total.backward()
    SGD(params, learning_rate)
    return np.mean(loss)


@dopegraph.compile
def evaluate(data, label):
    """How many of a batch are right, and the sum of their losses."""
    output = net(data)
    loss = cross_entropy(output, nn.one_hot(label, num_outputs))
    return np.sum(np.argmax(output, axis=1) == label), np.sum(loss)


def evaluate_accuracy(data):
    right, loss = 0, 0.0
    for images, labels in each(data):
        counted, summed = evaluate(images, labels)
        right, loss = right + int(counted), loss + float(summed)
    return right / num_examples, loss / num_examples


def train(train_data, test_data, strength, epochs, quiet=False):
    """Learning curves: after each epoch, losses and accuracies."""
    history = []
    for e in range(1, epochs + 1):
        for data, label in each(train_data):
            train_step(data, label, strength)
        train_accuracy, train_loss = evaluate_accuracy(train_data)
        test_accuracy, test_loss = evaluate_accuracy(test_data)
        history.append((train_loss, test_loss, train_accuracy, test_accuracy))
        if not quiet and e % max(1, epochs // 10) == 0:
            print(
                f"Completed epoch {e}. Train Loss: {train_loss:.4f}, Test Loss {test_loss:.4f}, "
                f"Train_acc {train_accuracy}, Test_acc {test_accuracy}"
            )
    return history


def main(arguments=None):
    chosen = options(__doc__, epochs=1000, arguments=arguments)
    mnist = digits(train=num_examples, test=num_examples)
    train_data = batches(mnist.train_images, mnist.train_labels, batch_size=batch_size, seed=1)
    test_data = batches(mnist.test_images, mnist.test_labels, batch_size=batch_size, seed=1)
    plain = train(train_data, test_data, 0.0, chosen.epochs)
    for param in params:
        param[:] = np.random.normal(size=param.shape)
    penalized = train(train_data, test_data, l2_strength, chosen.epochs)
    found = {
        "train_accuracy": plain[-1][2],
        "test_accuracy": plain[-1][3],
        "train_accuracy_with_penalty": penalized[-1][2],
        "test_accuracy_with_penalty": penalized[-1][3],
        "train_step": train_step,
    }
    compare(BOOK, found)
    if chosen.plots:
        learning_curves(chosen.plots / "regularization.png", plain)
        learning_curves(chosen.plots / "regularization_with_penalty.png", penalized)
    return found


if __name__ == "__main__":
    main()
