"""Batch normalization with gluon (the book's chapter 6): BatchNorm before each activation.

python -m examples.part2.batch_normalization_gluon
"""

import dopegraph
import dopegraph.numpy as np
from dopegraph import init, nn, optim
from examples.chapter import compare, options, plot_curve
from examples.images import mnist_images, train

BOOK = {"moving_loss": 0.0453136331317, "train_accuracy": 0.976167, "test_accuracy": 0.973}

np.random.seed(1)

num_fc, num_outputs, learning_rate = 512, 10, 0.1

net = nn.Sequential()
with net.name_scope():
    net.add(nn.Conv2D(channels=20, kernel_size=5))
    net.add(nn.BatchNorm(axis=1, center=True, scale=True))
    net.add(nn.Activation(activation="relu"))
    net.add(nn.MaxPool2D(pool_size=2, strides=2))

    net.add(nn.Conv2D(channels=50, kernel_size=5))
    net.add(nn.BatchNorm(axis=1, center=True, scale=True))
    net.add(nn.Activation(activation="relu"))
    net.add(nn.MaxPool2D(pool_size=2, strides=2))

    net.add(nn.Flatten())

    net.add(nn.Dense(num_fc))
    net.add(nn.BatchNorm(axis=1, center=True, scale=True))
    net.add(nn.Activation(activation="relu"))

    net.add(nn.Dense(num_outputs))
net.initialize(init.Xavier(magnitude=2.24))
softmax_cross_entropy = nn.SoftmaxCrossEntropyLoss()
trainer = optim.Trainer(net.collect_params(), "sgd", {"learning_rate": learning_rate})


@dopegraph.compile
def train_step(data, label):
    with dopegraph.record():
        output = net(data)
        loss = softmax_cross_entropy(output, label)
    loss.backward()
    trainer.step(data.shape[0])
    return np.mean(loss)


@dopegraph.compile
def classify(data):
    return np.argmax(net(data), axis=1)


def main(arguments=None):
    chosen = options(__doc__, epochs=1, arguments=arguments)
    found = train(chosen, train_step, classify, mnist_images())
    compare(BOOK, found)
    if chosen.plots:
        plot_curve(
            chosen.plots / "batch_normalization_gluon.png", found["losses"], "moving loss", "batch normalization"
        )
    return found


if __name__ == "__main__":
    main()
