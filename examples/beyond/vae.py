"""Variational autoencoder (beyond the book): digits become twenty normal numbers, and these become digits again.

python -m examples.beyond.vae

Kingma and Welling, *Auto-Encoding Variational Bayes*, 2013. What is learned is a lower bound of the logarithm of an
image's probability, the ELBO: how well it is put together again, less what the code tells beyond the prior.
"""

import math

import dopegraph
import dopegraph.numpy as np
from dopegraph import nn, optim
from dopegraph.data import batches
from examples.chapter import compare, digits, on_device, options, picture, plot_curves, progress

# What PyTorch comes to with the same layers, first weights, rate and batches, and noise of its own
# (examples/torch_beside.py). The last is a tighter bound for the first thousand test images, with 64 codes each: Burda,
# Grosse and Salakhutdinov, *Importance Weighted Autoencoders*, 2016.
BOOK = {
    "train_elbo": -104.072,
    "test_elbo": -103.938,
    "log_likelihood_by_importance": -98.912,
}

np.random.seed(1)

num_hidden, num_latent, batch_size, learning_rate, all_epochs = 400, 20, 128, 0.001, 20

encoder, decoder = nn.Sequential(prefix="encoder_"), nn.Sequential(prefix="decoder_")
for net, inputs, outputs in ((encoder, 784, 2 * num_latent), (decoder, num_latent, 784)):
    with net.name_scope():
        net.add(nn.Dense(num_hidden, activation="relu", in_units=inputs))
        net.add(nn.Dense(outputs, in_units=num_hidden))
    net.initialize("xavier")
params = encoder.collect_params()
params.update(decoder.collect_params())
trainer = optim.Trainer(params, "adam", {"learning_rate": learning_rate})
cross_entropy = nn.SigmoidBinaryCrossEntropyLoss()


def encode(x):
    """Means and logarithms of variances of the codes."""
    return np.split(encoder(x), 2, axis=1)


def sample(mean, log_var):
    return mean + np.exp(log_var / 2) * np.random.normal(0, 1, mean.shape)


def log_likelihood(x, z):
    """The logarithm of the probability that the code gives the image."""
    return -784 * cross_entropy(decoder(z), x)


def elbo(x):
    """Of each image, estimated with one code; the divergence from the prior is exact."""
    mean, log_var = encode(x)
    divergence = np.sum(np.exp(log_var) + mean**2 - 1 - log_var, axis=1) / 2
    return log_likelihood(x, sample(mean, log_var)) - divergence


@dopegraph.compile
def train_step(data):
    with dopegraph.record():
        loss = -elbo(data)
    loss.backward()
    trainer.step(data.shape[0])
    return -np.mean(loss)


@dopegraph.compile
def evaluate(data):
    return np.sum(elbo(data))


@dopegraph.compile
def importance(x):
    """For each image one code, and the logarithm of the weight with which it counts."""
    mean, log_var = encode(x)
    z = sample(mean, log_var)
    log_prior, log_posterior = -(z**2) / 2, -((z - mean) ** 2) / np.exp(log_var) / 2 - log_var / 2
    return log_likelihood(x, z) + np.sum(log_prior - log_posterior, axis=1)


@dopegraph.compile
def reconstruct(x):
    return nn.sigmoid(decoder(encode(x)[0]))


@dopegraph.compile
def generate(z):
    return nn.sigmoid(decoder(z))


def main(arguments=None):
    chosen = options(__doc__, epochs=all_epochs, arguments=arguments)
    mnist = digits(*((5000, 1000) if chosen.quick else ()))
    train_data = batches(mnist.train_images, batch_size=batch_size, seed=1)
    test_data = batches(mnist.test_images, batch_size=500, shuffle=False)
    curves = {"train": [], "test": []}
    for e in range(chosen.epochs):
        total = 0.0
        for (data,) in progress(train_data, e, chosen.steps):
            total += float(train_step(data)) * len(data)
        curves["train"].append(total / len(mnist.train_images))
        curves["test"].append(sum(float(evaluate(data)) for (data,) in progress(test_data, e)) / len(mnist.test_images))
        print(f"Epoch {e}. ELBO of training images {curves['train'][-1]:.3f}, of test images {curves['test'][-1]:.3f}")
    some = mnist.test_images[:1000]
    weights = np.stack([importance(some) for _ in range(4 if chosen.quick else 64)])
    found = {"train_elbo": curves["train"][-1], "test_elbo": curves["test"][-1], "train_step": train_step}
    found["log_likelihood_by_importance"] = float(np.mean(np.logaddexp.reduce(weights) - math.log(len(weights))))
    compare(BOOK, found)
    if chosen.plots:
        plot_curves(chosen.plots / "vae_elbo.png", curves, "ELBO", over="epoch")
        draw(chosen.plots, mnist.test_images)
    return found


def draw(folder, images):
    """Test images over their reconstructions; images of codes drawn from the prior; a way from one digit to another."""
    rows = [np.asarray(images[:10]), reconstruct(images[:10])]
    rows += [generate(np.random.normal(0, 1, (10, num_latent))) for _ in range(2)]
    start, end = np.split(encode(on_device(images[:2]))[0], 2)
    rows.append(generate(start + np.linspace(0, 1, 10).reshape(-1, 1) * (end - start)))
    names = ["test images", "reconstructed", "generated", "generated", "from one to another"]
    with picture(folder / "vae.png", len(rows), 1, (10, 6.5), layout="constrained") as axes:
        for place, row, name in zip(axes, rows, names):
            place.imshow(np.hstack(np.reshape(row, (-1, 28, 28))), cmap="gray")
            place.set_title(name)
            place.axis("off")


if __name__ == "__main__":
    main()
