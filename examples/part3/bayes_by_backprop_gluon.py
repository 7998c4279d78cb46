"""Bayes by Backprop with gluon (the book's chapter 12): a network of Dense layers, its weights drawn in each step.

python -m examples.part3.bayes_by_backprop_gluon
"""

import math

import dopegraph
import dopegraph.numpy as np
from dopegraph import init, nn, optim
from dopegraph.data import batches
from examples.chapter import compare, digits, each, options, picture, progress

PRUNED = [0.1, 0.25, 0.5, 0.75, 0.95, 0.98, 1.0]
BOOK = {
    "loss": 1390.66561781,
    "train_accuracy": 0.97885,
    "test_accuracy": 0.9736,
    "test_accuracy_pruned": [0.9737, 0.9737, 0.9748, 0.9754, 0.9697, 0.9549, 0.098],
}

np.random.seed(1)

num_hidden, batch_size, learning_rate = 400, 128, 0.001
pi, sigma_p1, sigma_p2 = 0.5, 0.75, 0.01  # of the prior, a mixture of two Gaussians


class BBBLoss(nn.Loss):
    """The negative evidence lower bound of a batch."""

    def __init__(self, weight=None, batch_axis=0, **kwargs):
        super().__init__(weight, batch_axis, **kwargs)

    def forward(self, output, label, weights, mus, sigmas, num_batches):
        log_likelihood = np.sum(nn.one_hot(label, 10) * nn.log_softmax(output))
        log_prior = sum(np.sum(scale_mixture_prior(weight)) for weight in weights)
        log_posterior = sum(np.sum(log_gaussian(*one)) for one in zip(weights, mus, sigmas))
        return (log_posterior - log_prior) / num_batches - log_likelihood


def log_gaussian(x, mu, sigma):
    return -0.5 * math.log(2 * math.pi) - np.log(sigma) - (x - mu) ** 2 / (2 * sigma**2)


def scale_mixture_prior(x):
    """The logarithm of the mixture's density."""
    wide, narrow = (log_gaussian(x, 0.0, np.array(sigma)) for sigma in (sigma_p1, sigma_p2))
    return np.logaddexp(math.log(pi) + wide, math.log(1 - pi) + narrow)


net = nn.Sequential()
with net.name_scope():
    net.add(nn.Dense(num_hidden, activation="relu", in_units=784))
    net.add(nn.Dense(num_hidden, activation="relu", in_units=num_hidden))
    net.add(nn.Dense(10, in_units=num_hidden))
net.initialize(init.Xavier(magnitude=2.24))
net.collect_params().setattr("grad_req", "null")  # what is learned are the distributions that they are drawn from

weights = list(net.collect_params().values())
variational = nn.ParameterDict("variational_")
mus = [variational.get(f"mu{i}", shape=one.shape, init=init.Normal(0.1)) for i, one in enumerate(weights)]
rhos = [variational.get(f"rho{i}", shape=one.shape, init=init.Constant(-3)) for i, one in enumerate(weights)]
variational.initialize()
trainer = optim.Trainer(variational, "adam", {"learning_rate": learning_rate})
bbb_loss = BBBLoss()


def deviations():
    return [np.log(1 + np.exp(rho.data())) for rho in rhos]


@dopegraph.compile
def train_step(data, label, num_batches):
    with dopegraph.record():
        means, sigmas = [mu.data() for mu in mus], deviations()
        samples = [mu + sigma * np.random.normal(0, 1, mu.shape) for mu, sigma in zip(means, sigmas)]
        for weight, sample in zip(weights, samples):
            weight.data()[:] = sample  # derivatives go through it, to the means and deviations
        loss = bbb_loss(net(data), label, samples, means, sigmas, num_batches)
    loss.backward()
    trainer.step(data.shape[0])
    return loss


@dopegraph.compile
def correct(data, label):
    return np.sum(np.argmax(net(data), axis=1) == label)


def evaluate_accuracy(data, label):
    test = batches(data, label, batch_size=1000, shuffle=False)
    return sum(int(correct(images, labels)) for images, labels in each(test)) / len(data)


@dopegraph.compile
def signal_to_noise():
    """Of all weights in one sorted vector: how far the mean is from zero, in deviations."""
    return np.sort(np.concatenate([np.ravel(np.abs(mu.data()) / s) for mu, s in zip(mus, deviations())]))


@dopegraph.compile
def use_means(threshold):
    """The network computes with the means, those of weights with a ratio below the threshold zero."""
    for weight, mu, sigma in zip(weights, mus, deviations()):
        weight.data()[:] = np.where(np.abs(mu.data()) / sigma < threshold, 0, mu.data())


def prune(percentages, mnist):
    """Test accuracies without so many of the weights."""
    ratios, found = np.append(signal_to_noise(), np.inf), []
    for percentage in percentages:
        use_means(ratios[int(percentage * (len(ratios) - 1))])
        found.append(evaluate_accuracy(mnist.test_images, mnist.test_labels))
    return found


def main(arguments=None):
    chosen = options(__doc__, epochs=10, arguments=arguments)
    mnist = digits(*([5000, 1000] if chosen.quick else []))
    for name in ("train_images", "test_images"):
        getattr(mnist, name)[...] *= 255 / 126  # the book's pixels are divided by 126
    train_data = batches(mnist.train_images, mnist.train_labels, batch_size=batch_size, seed=1)
    history, loss = [], 0.0
    for e in range(chosen.epochs):
        for data, label in progress(train_data, e, chosen.steps):
            latest = float(train_step(data, label, float(len(train_data))))
            loss = 0.99 * loss + 0.01 * latest if loss else latest
        use_means(np.array(0.0))
        train_accuracy = evaluate_accuracy(mnist.train_images, mnist.train_labels)
        test_accuracy = evaluate_accuracy(mnist.test_images, mnist.test_labels)
        history.append((train_accuracy, test_accuracy))
        print(f"Epoch {e}. Loss: {loss:.4f}, Train_acc {train_accuracy}, Test_acc {test_accuracy}")
    found = {
        "loss": loss,
        "train_accuracy": train_accuracy,
        "test_accuracy": test_accuracy,
        "test_accuracy_pruned": prune(PRUNED, mnist),
        "train_step": train_step,
    }
    compare(BOOK, found)
    if chosen.plots:
        draw(chosen.plots / "bayes_by_backprop_gluon.png", history, found["test_accuracy_pruned"])
    return found


def draw(path, history, pruned):
    """Accuracies over the epochs, and without the weights that say least; ratios of signal to noise."""
    with picture(path, 1, 3, (15, 5), layout="constrained") as (left, middle, right):
        for accuracies, name in zip(zip(*history), ("train", "test")):
            left.plot(range(1, len(accuracies) + 1), accuracies, marker=".", label=name)
        left.set_xlabel("epoch")
        left.set_ylabel("accuracy")
        left.legend()
        middle.plot(PRUNED, pruned, marker=".")
        middle.set_xlabel("share of the weights that is zero")
        middle.set_ylabel("test accuracy")
        decibels = 10 * np.log10(np.maximum(signal_to_noise(), 1e-6))
        right.hist(decibels.asnumpy(), bins=100, density=True)
        right.set_xlabel("signal to noise of a weight in dB")
        right.set_ylabel("density")
        for axes in (left, middle):
            axes.grid(True)


if __name__ == "__main__":
    main()
