"""Multilayer perceptrons with gluon (the book's chapter 14): 784-256-256-10 on MNIST, of Dense layers.

python -m examples.part1.multilayer_perceptrons_gluon
"""

import dopegraph
import dopegraph.numpy as np
from dopegraph import init, metrics, nn, optim
from dopegraph.data import batches
from examples.chapter import compare, digits, options, plot_curve, progress

BOOK = {"moving_loss": 0.0243036, "train_accuracy": 0.991467, "test_accuracy": 0.977}

np.random.seed(1)

num_hidden, num_outputs = 256, 10
batch_size, learning_rate, smoothing_constant = 64, 0.1, 0.01

net = nn.Sequential()
with net.name_scope():
    net.add(nn.Dense(num_hidden, activation="relu"))
    net.add(nn.Dense(num_hidden, activation="relu"))
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


predict = dopegraph.compile(net.__call__)


def evaluate_accuracy(images, labels):
    accuracy = metrics.Accuracy()
    accuracy.update(preds=predict(images), labels=labels)
    return accuracy.get()[1]


def main(arguments=None):
    chosen = options(__doc__, epochs=10, arguments=arguments)
    mnist = digits()
    train_data = batches(mnist.train_images, mnist.train_labels, batch_size=batch_size, seed=1)
    losses, moving_loss, train_accuracy, test_accuracy = [], None, 0.0, 0.0
    for e in range(chosen.epochs):
        for data, label in progress(train_data, e, chosen.steps):
            loss = float(train_step(data, label))
            kept = loss if moving_loss is None else moving_loss
            moving_loss = (1 - smoothing_constant) * kept + smoothing_constant * loss
            losses.append(moving_loss)
        train_accuracy = evaluate_accuracy(mnist.train_images, mnist.train_labels)
        test_accuracy = evaluate_accuracy(mnist.test_images, mnist.test_labels)
        print(f"Epoch {e}. Loss: {moving_loss:.4f}, Train_acc {train_accuracy:.4f}, Test_acc {test_accuracy:.4f}")
    found = {
        "moving_loss": moving_loss,
        "train_accuracy": train_accuracy,
        "test_accuracy": test_accuracy,
        "train_step": train_step,
    }
    compare(BOOK, found)
    if chosen.plots:
        plot_curve(chosen.plots / "multilayer_perceptron_gluon.png", losses, "moving loss", f"MLP on {mnist.name}")
    return found


if __name__ == "__main__":
    main()
