"""Multilayer perceptrons from scratch (the book's chapter 13): 784-256-256-10 on MNIST, each step one program.

python -m examples.part1.multilayer_perceptrons_scratch
"""

import dopegraph
import dopegraph.numpy as np
from dopegraph import nn
from dopegraph.data import batches
from examples.chapter import compare, digits, options, plot_curve, progress

BOOK = {"moving_loss": 0.0573755, "train_accuracy": 0.986133, "test_accuracy": 0.9731}

np.random.seed(1)

num_inputs, num_hidden, num_outputs = 784, 256, 10
batch_size, learning_rate, weight_scale = 64, 0.001, 0.01

W1 = np.random.normal(scale=weight_scale, size=(num_inputs, num_hidden))
b1 = np.random.normal(scale=weight_scale, size=num_hidden)
W2 = np.random.normal(scale=weight_scale, size=(num_hidden, num_hidden))
b2 = np.random.normal(scale=weight_scale, size=num_hidden)
W3 = np.random.normal(scale=weight_scale, size=(num_hidden, num_outputs))
b3 = np.random.normal(scale=weight_scale, size=num_outputs)
params = [W1, b1, W2, b2, W3, b3]
for param in params:
    param.attach_grad()


def relu(X):
    return np.maximum(X, np.zeros_like(X))


def net(X):
    h1 = relu(np.dot(X, W1) + b1)
    h2 = relu(np.dot(h1, W2) + b2)
    return np.dot(h2, W3) + b3


def softmax_cross_entropy(yhat_linear, y):
    return -np.nansum(y * nn.log_softmax(yhat_linear), axis=1)


def SGD(params, lr):
    for param in params:
        param[:] = param - lr * param.grad


def train_step(data, label, lr):
    with dopegraph.record():
        output = net(data)
        loss = softmax_cross_entropy(output, nn.one_hot(label, num_outputs))
    loss.backward()
    SGD(params, lr)
    return np.mean(loss)


def accuracy(data, label):
    return np.mean(np.argmax(net(data), axis=1) == label)


compiled_step = dopegraph.compile(train_step)
compiled_accuracy = dopegraph.compile(accuracy)


def main(arguments=None):
    chosen = options(__doc__, epochs=10, arguments=arguments)
    mnist = digits()
    train_data = batches(mnist.train_images, mnist.train_labels, batch_size=batch_size, seed=1)
    losses, moving_loss, train_accuracy, test_accuracy = [], None, 0.0, 0.0
    for e in range(chosen.epochs):
        for data, label in progress(train_data, e, chosen.steps):
            loss = float(compiled_step(data, label, learning_rate))
            moving_loss = loss if moving_loss is None else 0.99 * moving_loss + 0.01 * loss
            losses.append(moving_loss)
        if (e + 1) % max(1, chosen.epochs // 10):
            continue  # ten lines, however many epochs
        train_accuracy = float(compiled_accuracy(mnist.train_images, mnist.train_labels))
        test_accuracy = float(compiled_accuracy(mnist.test_images, mnist.test_labels))
        print(f"Epoch {e}. Loss: {moving_loss:.4f}, Train_acc {train_accuracy:.4f}, Test_acc {test_accuracy:.4f}")
    found = {
        "moving_loss": moving_loss,
        "train_accuracy": train_accuracy,
        "test_accuracy": test_accuracy,
        "train_step": compiled_step,
        "losses": losses,
    }
    compare(BOOK, found)
    if chosen.plots:
        plot_curve(chosen.plots / "multilayer_perceptron.png", losses, "moving loss", f"MLP on {mnist.name}")
    return found


if __name__ == "__main__":
    main()
