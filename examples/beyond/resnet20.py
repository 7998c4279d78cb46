"""Residual network (beyond the book): ResNet-20 on small colour images, twenty layers with a way around each pair.

python -m examples.beyond.resnet20

He et al., *Deep Residual Learning for Image Recognition*, 2015, section 4.2: three stages of 16, 32 and 64 channels,
shortcuts without parameters. The images are CIFAR-10's, or drawn shapes.
"""

import dopegraph
import dopegraph.numpy as np
from dopegraph import init, nn, optim
from dopegraph.data import cifar10_or_shapes
from dopegraph.data.cifar10 import KINDS
from examples.chapter import compare, options, picture, plot_curve
from examples.images import train

# The paper has 0.27 million parameters. The accuracies are those of PyTorch on the drawn shapes, with the same first
# weights, batches and rates (examples/torch_beside.py).
BOOK = {"parameters": 269722, "moving_loss": 0.00206887, "train_accuracy": 1.0, "test_accuracy": 0.998}

np.random.seed(1)

batch_size, num_outputs, blocks = 50, 10, 3
learning_rate, momentum, weight_decay = 0.1, 0.9, 1e-4
slower_after = [600, 850]  # steps, each time by a factor of ten


def convolution(channels, inputs, strides=1):
    return nn.Conv2D(channels, 3, strides, padding=1, use_bias=False, in_channels=inputs)


class Residual(nn.Block):
    """Two convolutions, and what came in added to what they make of it."""

    def __init__(self, channels, inputs, strides, **kwargs):
        super().__init__(**kwargs)
        self.new, self.strides = channels - inputs, strides
        with self.name_scope():
            self.conv1 = convolution(channels, inputs, strides)
            self.norm1 = nn.BatchNorm(in_channels=channels)
            self.conv2 = convolution(channels, channels)
            self.norm2 = nn.BatchNorm(in_channels=channels)

    def forward(self, x):
        y = nn.relu(self.norm1(self.conv1(x)))
        return nn.relu(self.norm2(self.conv2(y)) + self.shortcut(x))

    def shortcut(self, x):
        """Every second pixel where the image shrinks, zeros for channels that are new."""
        smaller = x[:, :, :: self.strides, :: self.strides]
        return np.pad(smaller, ((0, 0), (0, self.new), (0, 0), (0, 0))) if self.new else smaller


net = nn.Sequential()
with net.name_scope():
    net.add(convolution(16, 3), nn.BatchNorm(in_channels=16), nn.Activation("relu"))
    inputs = 16
    for stage, channels in enumerate((16, 32, 64)):
        for block in range(blocks):
            net.add(Residual(channels, inputs, 2 if stage and not block else 1))
            inputs = channels
    net.add(nn.GlobalAvgPool2D(), nn.Flatten(), nn.Dense(num_outputs, in_units=inputs))
net.initialize(init.MSRAPrelu(factor_type="in", slope=0))
softmax_cross_entropy = nn.SoftmaxCrossEntropyLoss()
schedule = optim.MultiFactorScheduler(slower_after, 0.1, base_lr=learning_rate)
trainer = optim.Trainer(
    net.collect_params(), "sgd", {"lr_scheduler": schedule, "momentum": momentum, "wd": weight_decay}
)


@dopegraph.compile
def train_step(data, label):
    with dopegraph.record():
        loss = softmax_cross_entropy(net(data), label)
    loss.backward()
    trainer.step(data.shape[0])
    return np.mean(loss)


@dopegraph.compile
def classify(data):
    return np.argmax(net(data), axis=1)


def prepared(images):
    return images.astype("float32") / 64 - 2


def main(arguments=None):
    chosen = options(__doc__, epochs=10, arguments=arguments)
    images = cifar10_or_shapes(*((8, 4) if chosen.quick else (5000, 1000)))
    print(f"{len(images.train_images)} {images.name} to train with, {len(images.test_images)} to test with")
    size = 4 if chosen.quick else batch_size
    found = train(chosen, train_step, classify, images, size, last="discard", evaluate_by=size, prepared=prepared)
    found["parameters"] = sum(
        param.data().size for param in net.collect_params().values() if "running" not in param.name
    )
    compare(BOOK, found)
    if chosen.plots:
        plot_curve(chosen.plots / "resnet20.png", found["losses"], "moving loss", f"ResNet-20 on {images.name}")
        some = images.test_images[: min(size, 18)]
        draw(chosen.plots / "resnet20_images.png", some, classify(prepared(some)).tolist(), images.name)
    return found


def draw(path, images, kinds, name):
    """Images of the test, and what the network takes them for."""
    with picture(path, 3, 6, (9, 5), layout="constrained") as axes:
        for place in axes.flat:
            place.axis("off")
        for place, image, kind in zip(axes.flat, images, kinds):
            place.imshow(image.transpose(1, 2, 0))
            place.set_title(KINDS[kind] if name == "drawn shapes" else str(kind))


if __name__ == "__main__":
    main()
