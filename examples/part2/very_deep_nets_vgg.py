"""Very deep networks with repeating elements (the book's part 2, chapter 4): a small VGG on MNIST.

python -m examples.part2.very_deep_nets_vgg
"""

import dopegraph
import dopegraph.numpy as np
from dopegraph import init, nn, optim
from examples.chapter import options
from examples.part2.images import mnist_images, train

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
    chosen = options(__doc__, epochs=1, arguments=arguments, name="very_deep_nets_vgg")
    if chosen.quick:
        chosen.steps = 3
    found = train(chosen, train_step, classify, mnist_images(), log_interval=200, evaluate_by=100)
    print("The book's figures on MNIST: Batch 200. Loss: 2.299252, 400: 2.272448, 600: 1.222286, 800: 0.454571,")
    print("after 1 epoch: Loss 0.2882, Train_acc 0.9392, Test_acc 0.9427")
    return found


if __name__ == "__main__":
    main()
