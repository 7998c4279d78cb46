"""Bayes by Backprop from scratch (the book's chapter 11): each weight is a distribution, learned by gradient descent.

python -m examples.part3.bayes_by_backprop_scratch

Blundell et al., *Weight Uncertainty in Neural Networks*, 2015. The book's network leaves out the middle one of its
three layers (its loop over the hidden layers ends one too early); `net` here uses all.
"""

import math

import dopegraph
import dopegraph.numpy as np
from dopegraph import nn
from dopegraph.data import batches
from examples.chapter import compare, digits, each, options, picture, progress

PRUNED = [0.1, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0]
BOOK = {
    "loss": 2582.92995846,
    "train_accuracy": 0.9878,
    "test_accuracy": 0.9775,
    "test_accuracy_pruned": [0.9777, 0.9779, 0.9756, 0.9602, 0.7259, 0.3753, 0.098],
}

np.random.seed(1)

num_hidden, batch_size, learning_rate = 400, 128, 0.001
sigma_p = 1.0  # of the prior
layer_shapes = [(784, num_hidden), (num_hidden,), (num_hidden, num_hidden), (num_hidden,), (num_hidden, 10), (10,)]

mus = [np.random.normal(0, 0.1, shape) for shape in layer_shapes]
rhos = [np.full(shape, -3.0) for shape in layer_shapes]
variational_params = mus + rhos
for param in variational_params:
    param.attach_grad()


def softplus(x):
    return np.log(1 + np.exp(x))


def sampled(mus, sigmas):
    """Weights; derivatives go through them to the means and the deviations."""
    return [mu + sigma * np.random.normal(0, 1, mu.shape) for mu, sigma in zip(mus, sigmas)]


def net(X, layer_params):
    *hidden, W, b = layer_params
    for layer in range(0, len(hidden), 2):
        X = np.maximum(np.dot(X, hidden[layer]) + hidden[layer + 1], 0)
    return np.dot(X, W) + b


def log_gaussian(x, mu, sigma):
    return -0.5 * math.log(2 * math.pi) - np.log(sigma) - (x - mu) ** 2 / (2 * sigma**2)


def gaussian_prior(x):
    return np.sum(log_gaussian(x, 0.0, sigma_p))


def combined_loss(output, label, weights, mus, sigmas, num_batches):
    """The negative evidence lower bound of a batch: complexity, its share of the batches, less the log likelihood."""
    log_likelihood = np.sum(nn.one_hot(label, 10) * nn.log_softmax(output))
    log_prior = sum(gaussian_prior(weight) for weight in weights)
    log_posterior = sum(np.sum(log_gaussian(*one)) for one in zip(weights, mus, sigmas))
    return (log_posterior - log_prior) / num_batches - log_likelihood


def SGD(params, lr):
    for param in params:
        param[:] = param - lr * param.grad


@dopegraph.compile
def train_step(data, label, num_batches, lr):
    with dopegraph.record():
        sigmas = [softplus(rho) for rho in rhos]
        weights = sampled(mus, sigmas)
        loss = combined_loss(net(data, weights), label, weights, mus, sigmas, num_batches)
    loss.backward()
    SGD(variational_params, lr)
    return loss


@dopegraph.compile
def correct(data, label, params):
    return np.sum(np.argmax(net(data, params), axis=1) == label)


def evaluate_accuracy(data, label, params):
    test = batches(data, label, batch_size=1000, shuffle=False)
    return sum(int(correct(images, labels, params)) for images, labels in each(test)) / len(data)


@dopegraph.compile
def signal_to_noise(mus, rhos):
    """Of all weights in one vector: how far the mean is from zero, in deviations."""
    return np.concatenate([np.ravel(np.abs(mu) / softplus(rho)) for mu, rho in zip(mus, rhos)])


@dopegraph.compile
def pruned(mus, rhos, ratios, rank):
    """The means, those of weights below the ratio of this rank zero."""
    threshold = np.append(np.sort(ratios), np.inf)[rank]
    return [np.where(np.abs(mu) / softplus(rho) < threshold, 0, mu) for mu, rho in zip(mus, rhos)]


def prune(percentages, mnist):
    """Test accuracies without so many of the weights."""
    ratios = signal_to_noise(mus, rhos)
    ranks = [np.array(int(percentage * len(ratios))) for percentage in percentages]
    kept = [pruned(mus, rhos, ratios, rank) for rank in ranks]
    return [evaluate_accuracy(mnist.test_images, mnist.test_labels, params) for params in kept]


def main(arguments=None):
    chosen = options(__doc__, epochs=10, arguments=arguments)
    mnist = digits(*([5000, 1000] if chosen.quick else []))
    for name in ("train_images", "test_images"):
        getattr(mnist, name)[...] *= 255 / 126  # the book's pixels are divided by 126
    train_data = batches(mnist.train_images, mnist.train_labels, batch_size=batch_size, seed=1)
    rate = learning_rate if mnist.name == "mnist" else learning_rate / 5  # the stand-in's digits are brighter
    history, loss = [], 0.0
    for e in range(chosen.epochs):
        for data, label in progress(train_data, e, chosen.steps):
            latest = float(train_step(data, label, float(len(train_data)), rate))
            loss = 0.99 * loss + 0.01 * latest if loss else latest
        train_accuracy = evaluate_accuracy(mnist.train_images, mnist.train_labels, mus)
        test_accuracy = evaluate_accuracy(mnist.test_images, mnist.test_labels, mus)
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
        draw(chosen.plots / "bayes_by_backprop_scratch.png", history, mus[0], rhos[0])
    return found


def draw(path, history, mu, rho):
    """Accuracies over the epochs, and the density of the weight with the largest ratio of signal to noise."""
    with picture(path, 1, 2, (12, 5)) as (left, right):
        for accuracies, name in zip(zip(*history), ("train", "test")):
            left.plot(range(1, len(accuracies) + 1), accuracies, marker=".", label=name)
        left.set_xlabel("epoch")
        left.set_ylabel("accuracy")
        left.legend()
        left.grid(True)
        strongest = np.argmax(np.abs(mu) / softplus(rho))
        mean, sigma = np.ravel(mu)[strongest], softplus(np.ravel(rho)[strongest])
        x = np.linspace(mean - 4 * sigma, mean + 4 * sigma, 100)
        right.plot(x.asnumpy(), np.exp(log_gaussian(x, mean, sigma)).asnumpy())
        right.set_xlabel("weight")
        right.set_ylabel("density")


if __name__ == "__main__":
    main()
