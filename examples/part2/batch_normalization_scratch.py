"""Batch normalization from scratch (the book's chapter 5): moving statistics as state of the step.

python -m examples.part2.batch_normalization_scratch
"""

import dopegraph
import dopegraph.numpy as np
from dopegraph import nn
from examples.chapter import compare, options, plot_curve
from examples.images import mnist_images, train

BOOK = {
    "normalized": [[-1.38872862, 0.0], [0.46290955, -1.22474384], [0.9258191, 1.22474384]],
    "moving_loss": 0.0563528287594,
    "train_accuracy": 0.989017,
    "test_accuracy": 0.9874,
}

np.random.seed(1)

num_fc, num_outputs, learning_rate, weight_scale = 128, 10, 0.001, 0.01


def pure_batch_norm(X, gamma, beta, eps=1e-5):
    if len(X.shape) not in (2, 4):
        raise ValueError("only supports dense or 2dconv")
    axes = (0,) if len(X.shape) == 2 else (0, 2, 3)
    shape = (1, -1) + (1,) * (len(X.shape) - 2)
    mean = np.mean(X, axis=axes, keepdims=True)
    variance = np.mean((X - mean) ** 2, axis=axes, keepdims=True)
    X_hat = (X - mean) / np.sqrt(variance + eps)
    return gamma.reshape(shape) * X_hat + beta.reshape(shape)


_BN_MOVING_MEANS, _BN_MOVING_VARS = {}, {}


def batch_norm(X, gamma, beta, momentum=0.9, eps=1e-5, scope_name="", is_training=True):
    if len(X.shape) not in (2, 4):
        raise ValueError("only supports dense or 2dconv")
    axes = (0,) if len(X.shape) == 2 else (0, 2, 3)
    shape = (1, -1) + (1,) * (len(X.shape) - 2)
    if is_training:
        mean = np.mean(X, axis=axes, keepdims=True)
        variance = np.mean((X - mean) ** 2, axis=axes, keepdims=True)
        # The first call keeps the statistics of its batch. The book also updates them when it evaluates: a mistake.
        if scope_name in _BN_MOVING_MEANS:
            moving_mean = _BN_MOVING_MEANS[scope_name] * momentum + mean * (1.0 - momentum)
            moving_variance = _BN_MOVING_VARS[scope_name] * momentum + variance * (1.0 - momentum)
        else:
            moving_mean, moving_variance = mean, variance
        _BN_MOVING_MEANS[scope_name] = dopegraph.stop_gradient(moving_mean)
        _BN_MOVING_VARS[scope_name] = dopegraph.stop_gradient(moving_variance)
    else:
        mean, variance = _BN_MOVING_MEANS[scope_name], _BN_MOVING_VARS[scope_name]
    X_hat = (X - mean) / np.sqrt(variance + eps)
    return gamma.reshape(shape) * X_hat + beta.reshape(shape)


def normal(*shape, loc=0.0):
    return np.random.normal(loc, weight_scale, shape)


W1, b1, gamma1, beta1 = normal(20, 1, 3, 3), normal(20), normal(20, loc=1.0), normal(20)
W2, b2, gamma2, beta2 = normal(50, 20, 5, 5), normal(50), normal(50, loc=1.0), normal(50)
W3, b3, gamma3, beta3 = normal(800, num_fc), normal(num_fc), normal(num_fc, loc=1.0), normal(num_fc)
W4, b4 = normal(num_fc, num_outputs), normal(num_outputs)
params = [W1, b1, gamma1, beta1, W2, b2, gamma2, beta2, W3, b3, gamma3, beta3, W4, b4]
for param in params:
    param.attach_grad()


def relu(X):
    return np.maximum(X, 0)


def net(X, is_training=True):
    h1 = batch_norm(nn.conv(X, W1, b1), gamma1, beta1, scope_name="bn1", is_training=is_training)
    h1 = nn.avg_pool(relu(h1), 2)
    h2 = batch_norm(nn.conv(h1, W2, b2), gamma2, beta2, scope_name="bn2", is_training=is_training)
    h2 = nn.avg_pool(relu(h2), 2)
    h3 = np.dot(h2.reshape((h2.shape[0], -1)), W3) + b3
    h3 = relu(batch_norm(h3, gamma3, beta3, scope_name="bn3", is_training=is_training))
    return np.dot(h3, W4) + b4


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
    loss.backward()
    SGD(params, learning_rate)
    return np.mean(loss)


@dopegraph.compile
def classify(data):
    return np.argmax(net(data, is_training=False), axis=1)


def main(arguments=None):
    chosen = options(__doc__, epochs=1, arguments=arguments)
    A = np.array([[1.0, 7.0], [5.0, 4.0], [6.0, 10.0]])
    normalized = pure_batch_norm(A, gamma=np.array([1.0, 1.0]), beta=np.array([0.0, 0.0]))
    # The book's list has a 17th number, for which there is no place.
    B = np.array([1.0, 6, 5, 7, 4, 3, 2, 5, 6, 3, 2, 4, 5, 3, 2, 5]).reshape((2, 2, 2, 2))
    channels = pure_batch_norm(B, gamma=np.array([1.0, 1.0]), beta=np.array([0.0, 0.0]))
    print(f"images with two channels, normalized:\n{channels}")
    found = train(chosen, train_step, classify, mnist_images())
    found.update(normalized=normalized, channels=channels)
    compare(BOOK, found)
    if chosen.plots:
        plot_curve(
            chosen.plots / "batch_normalization_scratch.png",
            found["losses"],
            "moving loss",
            "batch normalization from scratch",
        )
    return found


if __name__ == "__main__":
    main()
