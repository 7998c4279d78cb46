"""Convolutional neural networks from scratch (the book's chapter 1): a small LeNet on MNIST.

python -m examples.part2.cnn_scratch
"""

import dopegraph
import dopegraph.numpy as np
from dopegraph import nn
from examples.chapter import compare, options, plot_curve
from examples.images import mnist_images, train

BOOK = {"moving_loss": 0.140828552357, "train_accuracy": 0.9532, "test_accuracy": 0.9524}

np.random.seed(1)

batch_size, num_fc, num_outputs = 64, 128, 10
learning_rate, weight_scale = 0.01, 0.01

W1 = np.random.normal(scale=weight_scale, size=(20, 1, 3, 3))
b1 = np.random.normal(scale=weight_scale, size=20)
W2 = np.random.normal(scale=weight_scale, size=(50, 20, 5, 5))
b2 = np.random.normal(scale=weight_scale, size=50)
W3 = np.random.normal(scale=weight_scale, size=(800, num_fc))
b3 = np.random.normal(scale=weight_scale, size=num_fc)
W4 = np.random.normal(scale=weight_scale, size=(num_fc, num_outputs))
b4 = np.random.normal(scale=weight_scale, size=num_outputs)
params = [W1, b1, W2, b2, W3, b3, W4, b4]
for param in params:
    param.attach_grad()


def relu(X):
    return np.maximum(X, np.zeros_like(X))


def net(X, debug=False):
    h1 = nn.avg_pool(relu(nn.conv(X, W1, b1)), 2)
    h2 = nn.avg_pool(relu(nn.conv(h1, W2, b2)), 2)
    flat = h2.reshape((h2.shape[0], -1))
    h3 = relu(np.dot(flat, W3) + b3)
    yhat_linear = np.dot(h3, W4) + b4
    if debug:
        for name, h in {"h1": h1, "h2": h2, "flat": flat, "h3": h3, "yhat": yhat_linear}.items():
            print(f"{name} shape: {h.shape}")
    return yhat_linear


def softmax_cross_entropy(yhat_linear, y):
    return -np.nansum(y * nn.log_softmax(yhat_linear), axis=1)


def SGD(params, lr):
    for param in params:
        param[:] = param - lr * param.grad


@dopegraph.compile
def train_step(data, label):
    with dopegraph.record():
        output = net(data)
        loss = softmax_cross_entropy(output, nn.one_hot(label, num_outputs))
    loss.backward()  # of the sum over the batch: the book does not divide by its size
    SGD(params, learning_rate)
    return np.mean(loss)


@dopegraph.compile
def classify(data):
    return np.argmax(net(data), axis=1)


def main(arguments=None):
    chosen = options(__doc__, epochs=1, arguments=arguments)
    images = mnist_images()
    net(np.array(images.train_images[:batch_size]), debug=True)
    found = train(chosen, train_step, classify, images)
    compare(BOOK, found)
    if chosen.plots:
        plot_curve(chosen.plots / "cnn_scratch.png", found["losses"], "moving loss", "CNN from scratch")
    return found


if __name__ == "__main__":
    main()
