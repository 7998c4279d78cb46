"""Softmax regression with gluon (the book's chapter 9): a Dense layer of ten, sparse labels, an accuracy metric.

python -m examples.part1.softmax_regression_gluon
"""

import dopegraph
import dopegraph.numpy as np
from dopegraph import init, metrics, nn, optim
from dopegraph.data import batches
from examples.chapter import compare, digits, options, plot_curve, plot_digits, progress

BOOK = {"train_accuracy": 0.8666, "test_accuracy": 0.8731}

np.random.seed(1)

num_outputs = 10
batch_size, learning_rate, smoothing_constant = 64, 0.1, 0.01

net = nn.Sequential()
with net.name_scope():
    net.add(nn.Dense(num_outputs))
net.initialize(init.Normal(sigma=1.0))
softmax_cross_entropy = nn.SoftmaxCrossEntropyLoss()
trainer = optim.Trainer(net.collect_params(), "sgd", {"learning_rate": learning_rate})


@dopegraph.compile
def train_step(data, label):
    with dopegraph.record():
        output = net(data)
        loss = softmax_cross_entropy(output, label)
    loss.backward()
    trainer.step(batch_size)
    return np.mean(loss)


predict = dopegraph.compile(net.__call__)


def evaluate_accuracy(images, labels):
    accuracy = metrics.Accuracy()
    accuracy.update(preds=predict(images), labels=labels)
    return accuracy.get()[1]


def main(arguments=None):
    chosen = options(__doc__, epochs=4, arguments=arguments)
    mnist = digits()
    train_data = batches(mnist.train_images, mnist.train_labels, batch_size=batch_size, seed=1)
    moving_loss, niter, losses, train_accuracy, test_accuracy = 0.0, 0, [], 0.0, 0.0
    for e in range(chosen.epochs):
        for data, label in progress(train_data, e, chosen.steps):
            loss = float(train_step(data, label))
            niter += 1
            moving_loss = (1 - smoothing_constant) * moving_loss + smoothing_constant * loss
            losses.append(moving_loss / (1 - (1 - smoothing_constant) ** niter))
        train_accuracy = evaluate_accuracy(mnist.train_images, mnist.train_labels)
        test_accuracy = evaluate_accuracy(mnist.test_images, mnist.test_labels)
        print(f"Epoch {e}. Loss: {losses[-1]:.4f}, Train_acc {train_accuracy:.4f}, Test_acc {test_accuracy:.4f}")
    some = mnist.test_images[:10]
    print("model predictions are:", np.argmax(predict(some), axis=1), "for", mnist.test_labels[:10])
    found = {"train_accuracy": train_accuracy, "test_accuracy": test_accuracy, "train_step": train_step}
    compare(BOOK, found)
    if chosen.plots:
        plot_curve(chosen.plots / "softmax_regression_gluon.png", losses, "loss", f"Softmax on {mnist.name}")
        plot_digits(chosen.plots / "softmax_regression_gluon_digits.png", some)
    return found


if __name__ == "__main__":
    main()
