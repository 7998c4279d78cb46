"""Convolutional neural networks with gluon (the book's chapter 2): LeNet of Conv2D and MaxPool2D layers.

python -m examples.part2.cnn_gluon
"""

import dopegraph
import dopegraph.numpy as np
from dopegraph import init, nn, optim
from examples.chapter import compare, options, plot_curve
from examples.images import mnist_images, train

BOOK = {"moving_loss": 0.0823292345241, "train_accuracy": 0.974483, "test_accuracy": 0.9759}

np.random.seed(1)

num_fc, num_outputs, learning_rate = 512, 10, 0.1

net = nn.Sequential()
with net.name_scope():
    net.add(nn.Conv2D(channels=20, kernel_size=5, activation="relu"))
    net.add(nn.MaxPool2D(pool_size=2, strides=2))
    net.add(nn.Conv2D(channels=50, kernel_size=5, activation="relu"))
    net.add(nn.MaxPool2D(pool_size=2, strides=2))
    net.add(nn.Flatten())
    net.add(nn.Dense(num_fc, activation="relu"))
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
        plot_curve(chosen.plots / "cnn_gluon.png", found["losses"], "moving loss", "CNN")
    return found


if __name__ == "__main__":
    main()
