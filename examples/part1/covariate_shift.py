"""Environment (the book's chapter 12): covariate shift, corrected with weights p/q that a classifier finds.

python -m examples.part1.covariate_shift
"""

import dopegraph
import dopegraph.numpy as np
from examples.chapter import compare, options, picture

# The chapter has a recipe and no figures. Here log p/q is known: x - 1/2 for normal densities around 1 and around 0.
BOOK = {
    "classifier": [1.0, -0.5],
    "test_loss_unweighted": "larger",
    "test_loss_weighted": "smaller",
}

np.random.seed(1)

num_examples, learning_rate, clip = 2000, 0.5, 20.0


def labels(x):
    """What is to be learned; no line is right everywhere."""
    return np.sin(1.5 * x) + 0.1 * np.random.normal(size=x.shape)


X = np.random.normal(size=num_examples)  # to train with: drawn from q
Z = 1 + np.random.normal(size=num_examples)  # where the model will be used: drawn from p
y, target = labels(X), labels(Z)

f_params = np.zeros(2)
f_params.attach_grad()


def line(params, x):
    return params[0] * x + params[1]


@dopegraph.compile
def classify_step(X, Z, lr):
    """Logistic regression: does a point come from Z (+1) or from X (-1)?"""
    with dopegraph.record():
        loss = np.mean(np.log(1 + np.exp(line(f_params, X)))) + np.mean(np.log(1 + np.exp(-line(f_params, Z))))
    loss.backward()
    f_params[:] = f_params - lr * f_params.grad
    return loss


@dopegraph.compile
def weights(X):
    return np.minimum(np.exp(line(f_params, X)), clip)


@dopegraph.compile
def train_step(params, X, y, beta, lr):
    """The weights of the examples are the head gradients of their losses."""
    with dopegraph.record():
        loss = (line(params, X) - y) ** 2
    loss.backward(beta / np.sum(beta))
    params[:] = params - lr * params.grad
    return np.mean(loss)


@dopegraph.compile
def test_loss(params):
    return np.mean((line(params, Z) - target) ** 2)


def fit(beta, epochs):
    params = np.zeros(2)
    params.attach_grad()
    for _ in range(epochs):
        train_step(params, X, y, beta, 0.1)
    return params


def main(arguments=None):
    chosen = options(__doc__, epochs=500, arguments=arguments, quick=50)
    for _ in range(chosen.epochs):
        loss = classify_step(X, Z, learning_rate)
    print(f"classifier: loss {float(loss):.4f}, {f_params[0]} x + {f_params[1]}")
    beta = weights(X)
    plain, weighted = fit(np.ones_like(X), chosen.epochs), fit(beta, chosen.epochs)
    found = {
        "classifier": f_params,
        "test_loss_unweighted": float(test_loss(plain)),
        "test_loss_weighted": float(test_loss(weighted)),
        "train_step": train_step,
    }
    compare(BOOK, found)
    if chosen.plots:
        with picture(chosen.plots / "covariate_shift.png") as axes:
            axes.scatter(X, y, s=2, label="training")
            axes.scatter(Z, target, s=2, label="test")
            x = np.arange(-3, 4.5, 0.5)
            axes.plot(x, line(plain, x), label="unweighted")
            axes.plot(x, line(weighted, x), label="weighted")
            axes.legend()
    return found


if __name__ == "__main__":
    main()
