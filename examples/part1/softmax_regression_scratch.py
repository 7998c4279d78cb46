"""Softmax regression from scratch (the book's chapter 8): multiclass logistic regression on MNIST.

python -m examples.part1.softmax_regression_scratch
"""

import dopegraph
import dopegraph.numpy as np
from dopegraph import nn
from dopegraph.data import batches
from examples.chapter import compare, digits, options, plot_curve, plot_digits, progress

BOOK = {"train_accuracy": 0.880817, "test_accuracy": 0.884}

np.random.seed(1)

num_inputs, num_outputs = 784, 10
batch_size, learning_rate = 64, 0.001

W = np.random.normal(size=(num_inputs, num_outputs))
b = np.random.normal(size=num_outputs)
params = [W, b]
for param in params:
    param.attach_grad()


def softmax(y_linear):
    exp = np.exp(y_linear - np.max(y_linear))
    partition = np.sum(exp, axis=1).reshape((-1, 1))
    return exp / partition


def net(X):
    return softmax(np.dot(X, W) + b)


def cross_entropy(yhat, y):
    return -np.sum(y * np.log(yhat), axis=1)


def SGD(params, lr):
    for param in params:
        param[:] = param - lr * param.grad


@dopegraph.compile
def train_step(data, label, lr):
    with dopegraph.record():
        output = net(data)
        loss = cross_entropy(output, nn.one_hot(label, num_outputs))
    loss.backward()
    SGD(params, lr)
    return np.mean(loss)


@dopegraph.compile
def accuracy(data, label):
    return np.mean(np.argmax(net(data), axis=1) == label)


predict = dopegraph.compile(net)


def main(arguments=None):
    chosen = options(__doc__, epochs=10, arguments=arguments)
    mnist = digits()
    train_data = batches(mnist.train_images, mnist.train_labels, batch_size=batch_size, seed=1)
    losses, train_accuracy, test_accuracy = [], 0.0, 0.0
    for e in range(chosen.epochs):
        for data, label in progress(train_data, e, chosen.steps):
            losses.append(float(train_step(data, label, learning_rate)))
        train_accuracy = float(accuracy(mnist.train_images, mnist.train_labels))
        test_accuracy = float(accuracy(mnist.test_images, mnist.test_labels))
        print(f"Epoch {e}. Loss: {losses[-1]:.4f}, Train_acc {train_accuracy:.4f}, Test_acc {test_accuracy:.4f}")
    some = mnist.test_images[:10]
    print("model predictions are:", np.argmax(predict(some), axis=1), "for", mnist.test_labels[:10])
    found = {"train_accuracy": train_accuracy, "test_accuracy": test_accuracy, "train_step": train_step}
    compare(BOOK, found)
    if chosen.plots:
        plot_curve(chosen.plots / "softmax_regression.png", losses, "loss", f"Softmax regression on {mnist.name}")
        plot_digits(chosen.plots / "softmax_regression_digits.png", some)
    return found


if __name__ == "__main__":
    main()
