"""Linear regression from scratch (the book's chapter 5): two weights and a bias, found by stochastic gradient descent.

python -m examples.part1.linear_regression_scratch
"""

import dopegraph
import dopegraph.numpy as np
from dopegraph.data import batches
from examples.chapter import compare, options, picture, progress

BOOK = {"w": [2.0, -3.4], "b": [4.2], "moving_loss": 9.96083e-05}

np.random.seed(1)

num_inputs, num_outputs, num_examples = 2, 1, 10000
batch_size, learning_rate, smoothing_constant = 4, 0.001, 0.01


def real_fn(X):
    return 2 * X[:, 0] - 3.4 * X[:, 1] + 4.2


X = np.random.normal(size=(num_examples, num_inputs))
y = real_fn(X) + 0.01 * np.random.normal(size=num_examples)

w = np.random.normal(size=(num_inputs, num_outputs))
b = np.random.normal(size=num_outputs)
params = [w, b]
for param in params:
    param.attach_grad()


def net(X):
    return np.dot(X, w) + b


def square_loss(yhat, y):
    return np.mean((yhat - y) ** 2)


def SGD(params, lr):
    for param in params:
        param[:] = param - lr * param.grad


@dopegraph.compile
def train_step(data, label, lr):
    with dopegraph.record():
        output = net(data)
        loss = square_loss(output, label.reshape((-1, 1)))
    loss.backward()
    SGD(params, lr)
    return loss


def plot(path, losses, sample_size=100):
    """The losses, and for some of the data what the line says beside what is true."""
    with picture(path, 1, 2, (12, 5)) as (left, right):
        left.set_title("Loss during training")
        left.plot(losses, "-r")
        right.set_title("Estimated vs real function")
        right.plot(X[:sample_size, 1], net(X[:sample_size]), "or", label="Estimated")
        right.plot(X[:sample_size, 1], real_fn(X[:sample_size]), "*g", label="Real")
        right.legend()


def main(arguments=None):
    chosen = options(__doc__, epochs=2, arguments=arguments)
    train_data = batches(X.asnumpy(), y.asnumpy(), batch_size=batch_size, seed=1)
    if chosen.plots:
        with picture(chosen.plots / "linear_regression_data.png") as axes:
            axes.scatter(X[:, 1], y)
        plot(chosen.plots / "linear_regression_before.png", [])
    moving_loss, niter, losses = 0.0, 0, []
    for e in range(chosen.epochs):
        for data, label in progress(train_data, e, chosen.steps):
            loss = float(train_step(data, label, learning_rate))
            niter += 1
            moving_loss = (1 - smoothing_constant) * moving_loss + smoothing_constant * loss
            losses.append(moving_loss / (1 - (1 - smoothing_constant) ** niter))
        print(f"Epoch {e}. Moving avg of loss: {losses[-1]:.3g}")
    print(f"w = {w.ravel()}, b = {b}; the data were made with [2, -3.4] and 4.2")
    found = {"w": w.asnumpy().ravel(), "b": b.asnumpy(), "moving_loss": losses[-1], "train_step": train_step}
    compare(BOOK, found)
    if chosen.plots:
        plot(chosen.plots / "linear_regression_after.png", losses)
    return found


if __name__ == "__main__":
    main()
