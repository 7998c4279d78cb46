"""Overfitting and regularization with gluon (the book's chapter 11): weight decay is an argument of the optimizer.

python -m examples.part1.regularization_gluon
"""

import dopegraph
import dopegraph.numpy as np
from dopegraph import init, nn, optim
from dopegraph.data import batches
from examples.chapter import compare, digits, each, learning_curves, options

BOOK = {
    "train_accuracy": 0.969,
    "test_accuracy": 0.842,
    "train_accuracy_with_decay": 0.967,
    "test_accuracy_with_decay": 0.848,
}

np.random.seed(1)

num_outputs, num_examples = 10, 1000
batch_size, learning_rate, weight_decay = 64, 0.01, 0.001

net = nn.Sequential()
with net.name_scope():
    net.add(nn.Dense(num_outputs))
softmax_cross_entropy = nn.SoftmaxCrossEntropyLoss()


def make_steps(trainer):
    @dopegraph.compile
    def train_step(data, label):
        with dopegraph.record():
            loss = softmax_cross_entropy(net(data), label)
        loss.backward()
        trainer.step(data.shape[0])
        return np.mean(loss)

    return train_step


@dopegraph.compile
def evaluate(data, label):
    """How many of a batch are right, and the sum of their losses."""
    output = net(data)
    return np.sum(np.argmax(output, axis=1) == label), np.sum(softmax_cross_entropy(output, label))


def evaluate_accuracy(data):
    right, loss = 0, 0.0
    for images, labels in each(data):
        counted, summed = evaluate(images, labels)
        right, loss = right + int(counted), loss + float(summed)
    return right / num_examples, loss / num_examples


def train(train_data, test_data, wd, epochs):
    """Train from new parameters; the step, and after each epoch losses and accuracies."""
    net.initialize(init.Xavier(magnitude=2.24), force_reinit=True)
    trainer = optim.Trainer(net.collect_params(), "sgd", {"learning_rate": learning_rate, "wd": wd})
    train_step, history = make_steps(trainer), []
    for e in range(1, epochs + 1):
        for data, label in each(train_data):
            train_step(data, label)
        train_accuracy, train_loss = evaluate_accuracy(train_data)
        test_accuracy, test_loss = evaluate_accuracy(test_data)
        history.append((train_loss, test_loss, train_accuracy, test_accuracy))
        if e % max(1, epochs // 7) == 0:
            print(
                f"Completed epoch {e}. Train Loss: {train_loss:.4f}, Test Loss {test_loss:.4f}, "
                f"Train_acc {train_accuracy}, Test_acc {test_accuracy}"
            )
    return train_step, history


def main(arguments=None):
    chosen = options(__doc__, epochs=700, arguments=arguments)
    mnist = digits(train=num_examples, test=num_examples)
    train_data = batches(mnist.train_images, mnist.train_labels, batch_size=batch_size, seed=1)
    test_data = batches(mnist.test_images, mnist.test_labels, batch_size=batch_size, seed=1)
    _, plain = train(train_data, test_data, 0.0, chosen.epochs)
    train_step, decayed = train(train_data, test_data, weight_decay, chosen.epochs)
    found = {
        "train_accuracy": plain[-1][2],
        "test_accuracy": plain[-1][3],
        "train_accuracy_with_decay": decayed[-1][2],
        "test_accuracy_with_decay": decayed[-1][3],
        "train_step": train_step,
    }
    compare(BOOK, found)
    if chosen.plots:
        learning_curves(chosen.plots / "regularization_gluon.png", plain)
        learning_curves(chosen.plots / "regularization_gluon_with_decay.png", decayed)
    return found


if __name__ == "__main__":
    main()
