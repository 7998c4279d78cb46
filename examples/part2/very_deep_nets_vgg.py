"""Very deep nets with repeating blocks (the book's chapter 4): a small VGG on MNIST, of nested blocks.

python -m examples.part2.very_deep_nets_vgg
"""

import dopegraph
import dopegraph.numpy as np
from dopegraph import init, nn, optim
from examples.chapter import compare, options, plot_curve
from examples.images import mnist_images, train

BOOK = {
    "loss_every_200_batches": [2.299252, 2.272448, 1.222286, 0.454571],
    "moving_loss": 0.288249925115,
    "train_accuracy": 0.939217,
    "test_accuracy": 0.9427,
}

np.random.seed(1)

num_outputs, learning_rate = 10, 0.05
architecture = ((1, 64), (1, 128), (2, 256), (2, 512))


def vgg_block(num_convs, channels):
    out = nn.Sequential()
    for _ in range(num_convs):
        out.add(nn.Conv2D(channels=channels, kernel_size=3, padding=1, activation="relu"))
    out.add(nn.MaxPool2D(pool_size=2, strides=2))
    return out


def vgg_stack(architecture):
    out = nn.Sequential()
    for num_convs, channels in architecture:
        out.add(vgg_block(num_convs, channels))
    return out


net = nn.Sequential()
with net.name_scope():
    net.add(vgg_stack(architecture))
    net.add(nn.Flatten())
    net.add(nn.Dense(512, activation="relu"))
    net.add(nn.Dropout(0.5))
    net.add(nn.Dense(512, activation="relu"))
    net.add(nn.Dropout(0.5))
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
    if chosen.quick:
        chosen.steps = 3
    found = train(chosen, train_step, classify, mnist_images(), log_interval=200, evaluate_by=100)
    compare(BOOK, found)
    if chosen.plots:
        plot_curve(chosen.plots / "very_deep_nets_vgg.png", found["losses"], "moving loss", "VGG")
    return found


if __name__ == "__main__":
    main()
