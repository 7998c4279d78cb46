"""Generative adversarial networks (the book's chapter 8): two networks play against each other, in one compiled step.

python -m examples.part3.gan
"""

import dopegraph
import dopegraph.numpy as np
from dopegraph import init, nn, optim
from dopegraph.data import batches
from examples.chapter import compare, each, options, picture

# The book prints accuracies of the discriminator (0.5: it cannot tell). Its "covariance" is A A^T; that of the data,
# X = Z A + b, is A^T A. With its batches of four the networks go round it; larger ones, of new points, come near.
BOOK = {
    "accuracies": [0.7645, 0.639, 0.551, 0.522, 0.498, 0.4965, 0.4985, 0.5155, 0.5, 0.499],
    "mean": [1.0, 2.0],
    "covariance": [[1.01, 1.95], [1.95, 4.25]],
    "mean_with_larger_batches": [1.0, 2.0],
    "covariance_with_larger_batches": [[1.01, 1.95], [1.95, 4.25]],
}

np.random.seed(1)

num_examples, batch_size, noise_size = 1000, 4, 2
generator_rate, discriminator_rate = 0.01, 0.05

A = np.array([[1, 2], [-0.1, 0.5]])
b = np.array([1, 2])


def points(noise):
    """Real points, of standard normal ones."""
    return np.dot(noise, A) + b


X = points(np.random.normal(0, 1, (num_examples, 2)))

netG = nn.Sequential(prefix="generator_")
with netG.name_scope():
    netG.add(nn.Dense(2))

netD = nn.Sequential(prefix="discriminator_")
with netD.name_scope():
    netD.add(nn.Dense(5, activation="tanh"))
    netD.add(nn.Dense(3, activation="tanh"))
    netD.add(nn.Dense(2))

softmax_cross_entropy = nn.SoftmaxCrossEntropyLoss()


def start_again(generator_rate, discriminator_rate, **how):
    """New networks, new trainers."""
    global trainerG, trainerD
    for net in (netG, netD):
        net.initialize(init.Normal(0.02), force_reinit=True)
    trainerG = optim.Trainer(netG.collect_params(), "adam", {"learning_rate": generator_rate, **how})
    trainerD = optim.Trainer(netD.collect_params(), "adam", {"learning_rate": discriminator_rate, **how})


start_again(generator_rate, discriminator_rate)


@dopegraph.compile
def train_step(data):
    """An update of each network; how often the discriminator was right about real and about made-up points."""
    n = data.shape[0]
    real_label, fake_label = np.ones(n), np.zeros(n)
    noise = np.random.normal(0, 1, (n, noise_size))
    with dopegraph.record():
        real_output = netD(data)
        fake = netG(noise)
        fake_output = netD(dopegraph.stop_gradient(fake))
        lossD = softmax_cross_entropy(real_output, real_label) + softmax_cross_entropy(fake_output, fake_label)
    lossD.backward(retain_graph=True)  # the generator is still to come
    trainerD.step(n)
    with dopegraph.record():  # `fake` is still that of the block above
        lossG = softmax_cross_entropy(netD(fake), real_label)
    lossG.backward()
    trainerG.step(n)
    right = np.sum(np.argmax(real_output, axis=1) == 1) + np.sum(np.argmax(fake_output, axis=1) == 0)
    return np.mean(lossD), np.mean(lossG), right


@dopegraph.compile
def generate(noise):
    return netG(noise)


@dopegraph.compile
def new_step(noise, sums):
    """A step with new points; adds the generator's parameters to `sums`."""
    train_step(points(noise))
    return [total + param.data() for total, param in zip(sums, netG.collect_params().values())]


def moments(points):
    """Mean and covariance of rows."""
    mean = np.mean(points, axis=0)
    return mean, np.dot((points - mean).T, points - mean) / len(points)


def average_of_larger_batches(steps, last):
    """Train anew; the generator gets the average of its parameters in the last steps."""
    start_again(0.002, 0.01, beta1=0.5)
    nothing = sums = [np.zeros_like(param.data()) for param in netG.collect_params().values()]
    for step in range(steps):
        sums = new_step(np.random.normal(0, 1, (256, 2)), sums if steps - step < last else nothing)
    for param, total in zip(netG.collect_params().values(), sums):
        param.set_data(total / last)


def main(arguments=None):
    chosen = options(__doc__, epochs=10, arguments=arguments, quick=2)
    train_data = batches(X.asnumpy(), batch_size=batch_size, seed=1)
    noise = np.random.normal(0, 1, (10 * num_examples, noise_size))
    accuracies, seen = [], []
    for e in range(chosen.epochs):
        right = 0
        for (data,) in each(train_data):
            lossD, lossG, counted = train_step(data)
            right += int(counted)
        accuracies.append(right / (2 * num_examples))
        seen.append(generate(noise[:100]).asnumpy())
        print(f"Epoch {e}. Losses {float(lossD):.4f} and {float(lossG):.4f}, accuracy {accuracies[-1]:.4f}")
    mean, covariance = moments(generate(noise))
    found = {"accuracies": accuracies, "mean": mean, "covariance": covariance, "train_step": train_step}
    average_of_larger_batches(*((200, 100) if chosen.quick else (8000, 1000)))
    mean, covariance = moments(generate(noise))
    found.update(mean_with_larger_batches=mean, covariance_with_larger_batches=covariance)
    compare(BOOK, found)
    if chosen.plots:
        draw(chosen.plots, seen)
    return found


def draw(folder, seen):
    """The data, and the generator's points after each epoch."""
    rows = -(-len(seen) // 5)
    with picture(
        folder / "gan.png", rows, 5, (14, 3 * rows), sharex=True, sharey=True, squeeze=False, layout="constrained"
    ) as axes:
        for place in axes.flat[len(seen) :]:
            place.axis("off")
        for e, (place, fake) in enumerate(zip(axes.flat, seen)):
            place.scatter(X[:100, 0].asnumpy(), X[:100, 1].asnumpy(), s=8, label="real")
            place.scatter(fake[:, 0], fake[:, 1], s=8, label="generated")
            place.set_title(f"epoch {e}")
        axes[0, 0].legend()


if __name__ == "__main__":
    main()
