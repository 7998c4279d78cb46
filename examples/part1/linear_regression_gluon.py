"""Linear regression with gluon (the book's chapter 6): a Dense layer, a loss, a Trainer.

python -m examples.part1.linear_regression_gluon
"""

import dopegraph
import dopegraph.numpy as np
from dopegraph import init, nn, optim
from dopegraph.data import batches
from examples.chapter import compare, options, picture, progress

BOOK = {"w": [1.99977756, -3.4003276], "b": [4.19792223], "moving_loss": 4.94699e-05}

np.random.seed(1)

num_inputs, num_examples = 2, 10000
batch_size, learning_rate, smoothing_constant = 4, 0.1, 0.01


def real_fn(X):
    return 2 * X[:, 0] - 3.4 * X[:, 1] + 4.2


X = np.random.normal(size=(num_examples, num_inputs))
y = real_fn(X) + 0.01 * np.random.normal(size=num_examples)

net = nn.Sequential()
with net.name_scope():
    net.add(nn.Dense(1))
net.initialize(init.Normal(sigma=1.0))
square_loss = nn.L2Loss()
trainer = optim.Trainer(net.collect_params(), "sgd", {"learning_rate": learning_rate})


@dopegraph.compile
def train_step(data, label):
    with dopegraph.record():
        output = net(data)
        loss = square_loss(output, label)
    loss.backward()
    trainer.step(batch_size)
    return np.mean(loss)


def main(arguments=None):
    chosen = options(__doc__, epochs=1, arguments=arguments)
    train_data = batches(X.asnumpy(), y.asnumpy(), batch_size=batch_size, seed=1)
    moving_loss, niter, losses = 0.0, 0, []
    for e in range(chosen.epochs):
        for data, label in progress(train_data, e, chosen.steps):
            loss = float(train_step(data, label))
            niter += 1
            moving_loss = (1 - smoothing_constant) * moving_loss + smoothing_constant * loss
            losses.append(moving_loss / (1 - (1 - smoothing_constant) ** niter))
        print(f"Epoch {e}. Moving avg of MSE: {losses[-1]:.3g}")
    for name, parameter in net.collect_params().items():
        print(f"{name} {parameter.data()}; the data were made with [2, -3.4] and 4.2")
    weight, bias = (parameter.data().asnumpy() for parameter in net.collect_params().values())
    found = {"w": weight.ravel(), "b": bias, "moving_loss": losses[-1], "train_step": train_step}
    compare(BOOK, found)
    if chosen.plots:
        with picture(chosen.plots / "linear_regression_gluon.png", size=(8, 6)) as axes:
            axes.semilogy(range(niter), losses, ".")
            axes.grid(True, which="both")
            axes.set_xlabel("iteration", fontsize=14)
            axes.set_ylabel("est loss", fontsize=14)
    return found


if __name__ == "__main__":
    main()
