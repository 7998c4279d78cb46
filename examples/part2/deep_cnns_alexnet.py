"""Deep convolutional neural networks (the book's part 2, chapter 3): AlexNet on images of 224 x 224 pixels.

python -m examples.part2.deep_cnns_alexnet
"""

import dopegraph
import dopegraph.numpy as np
from dopegraph import init, nn, optim
from examples.chapter import options
from examples.part2.images import train
from examples.part2.tiny_images import cifar10_or_scenes, enlarged

np.random.seed(1)

batch_size, learning_rate, num_outputs = 64, 0.001, 10

alex_net = nn.Sequential()
with alex_net.name_scope():
    #  First convolutional layer
    alex_net.add(nn.Conv2D(channels=96, kernel_size=11, strides=(4, 4), activation="relu"))
    alex_net.add(nn.MaxPool2D(pool_size=3, strides=2))
    #  Second convolutional layer
    alex_net.add(nn.Conv2D(channels=192, kernel_size=5, activation="relu"))
    alex_net.add(nn.MaxPool2D(pool_size=3, strides=(2, 2)))
    # Third to fifth convolutional layer
    alex_net.add(nn.Conv2D(channels=384, kernel_size=3, activation="relu"))
    alex_net.add(nn.Conv2D(channels=384, kernel_size=3, activation="relu"))
    alex_net.add(nn.Conv2D(channels=256, kernel_size=3, activation="relu"))
    alex_net.add(nn.MaxPool2D(pool_size=3, strides=2))
    # Two fully connected layers and the classes
    alex_net.add(nn.Flatten())
    alex_net.add(nn.Dense(4096, activation="relu"))
    alex_net.add(nn.Dense(4096, activation="relu"))
    alex_net.add(nn.Dense(num_outputs))
