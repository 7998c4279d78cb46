"""Deep convolutional neural networks (the book's chapter 3): AlexNet on small colour images, made 224 pixels wide.

python -m examples.part2.deep_cnns_alexnet
"""

import dopegraph
import dopegraph.numpy as np
from dopegraph import init, nn, optim
from dopegraph.data import cifar10_or_shapes
from examples.chapter import compare, options, plot_curve
from examples.images import train

BOOK = {"parameters": 21247306, "moving_loss": 1.83321327117, "train_accuracy": 0.359095, "test_accuracy": 0.347957}

np.random.seed(1)

batch_size, num_outputs, learning_rate = 64, 10, 0.001

alex_net = nn.Sequential()
with alex_net.name_scope():
    # First convolutional layer
    alex_net.add(nn.Conv2D(channels=96, kernel_size=11, strides=(4, 4), activation="relu"))
    alex_net.add(nn.MaxPool2D(pool_size=3, strides=2))
    # Second convolutional layer
    alex_net.add(nn.Conv2D(channels=192, kernel_size=5, activation="relu"))
    alex_net.add(nn.MaxPool2D(pool_size=3, strides=(2, 2)))
    # Third, fourth and fifth convolutional layers
    alex_net.add(nn.Conv2D(channels=384, kernel_size=3, activation="relu"))
    alex_net.add(nn.Conv2D(channels=384, kernel_size=3, activation="relu"))
    alex_net.add(nn.Conv2D(channels=256, kernel_size=3, activation="relu"))
    alex_net.add(nn.MaxPool2D(pool_size=3, strides=2))
    # Fully connected layers
    alex_net.add(nn.Flatten())
    alex_net.add(nn.Dense(4096, activation="relu"))
    alex_net.add(nn.Dense(4096, activation="relu"))
    alex_net.add(nn.Dense(num_outputs))
alex_net.initialize(init.Xavier(magnitude=2.24))
softmax_cross_entropy = nn.SoftmaxCrossEntropyLoss()
trainer = optim.Trainer(alex_net.collect_params(), "sgd", {"learning_rate": learning_rate})


def transform(images):
    """224 x 224 pixels of every image: each becomes a square of seven by seven."""
    return np.repeat(np.repeat(images.astype("float32"), 7, axis=2), 7, axis=3)


@dopegraph.compile
def train_step(data, label):
    with dopegraph.record():
        output = alex_net(transform(data))
        loss = softmax_cross_entropy(output, label)
    loss.backward()
    trainer.step(data.shape[0])
    return np.mean(loss)


@dopegraph.compile
def classify(data):
    return np.argmax(alex_net(transform(data)), axis=1)


def main(arguments=None):
    chosen = options(__doc__, epochs=1, arguments=arguments)
    images = cifar10_or_shapes(*((8, 2) if chosen.quick else (5000, 1000)))
    print(f"{len(images.train_images)} {images.name} to train with, {len(images.test_images)} to test with")
    found = train(
        chosen, train_step, classify, images, 2 if chosen.quick else batch_size, last="discard", evaluate_by=50
    )
    found["parameters"] = sum(param.data().size for param in alex_net.collect_params().values())
    compare(BOOK, found)
    if chosen.plots:
        plot_curve(chosen.plots / "alexnet.png", found["losses"], "moving loss", f"AlexNet on {images.name}")
    return found


if __name__ == "__main__":
    main()
