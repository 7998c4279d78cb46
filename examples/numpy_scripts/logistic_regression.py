"""Logistic regression by gradient descent: which exams are passed, from hours of study and of sleep.

python -m examples.numpy_scripts.logistic_regression
"""

import dopegraph.numpy as np


def exams(count):
    """Hours of study and of sleep of every student, and whether the exam is passed."""
    n = np.arange(count)
    hours = np.stack([n * 0.618034 % 1 * 10, 4 + n * 0.754878 % 1 * 5], axis=1)
    luck = np.sin(13.0 * n) * 1.5
    return hours, (1.2 * hours[:, 0] + 0.8 * hours[:, 1] + luck > 11).astype(float)


def sigmoid(x):
    return 1 / (1 + np.exp(-np.clip(x, -30, 30)))


def loss(w, X, y):
    """Mean cross-entropy and a small penalty."""
    p = sigmoid(X @ w)
    return -np.mean(np.where(y == 1, np.log(p), np.log(1 - p))) + 0.001 * np.sum(w[1:] ** 2)


def descend(w, X, y, rate):
    """One step down the gradient, in place."""
    gradient = X.T @ (sigmoid(X @ w) - y) / len(y)
    gradient[1:] += 0.002 * w[1:]
    w -= rate * gradient


def main():
    hours, passed = exams(120)
    mean, scale = hours.mean(axis=0), hours.std(axis=0)
    X = np.hstack([np.ones((len(hours), 1)), (hours - mean) / scale])
    train = np.arange(len(X)) % 4 != 0

    w = np.zeros(3)
    lines = []
    for epoch in range(401):
        if epoch % 100 == 0:
            lines.append(f"epoch {epoch:3d}: loss {loss(w, X[train], passed[train]):.4f}")
        descend(w, X[train], passed[train], 0.5)

    lines.append("weights " + " ".join(f"{weight:.2f}" for weight in w))
    predicted = sigmoid(X @ w) > 0.5
    for name, chosen in [("training", train), ("test", ~train)]:
        right = predicted[chosen] == (passed[chosen] > 0)
        lines.append(f"{name}: {right.sum()} of {right.size} right")
    table = np.array([[np.sum((passed == actual) & (predicted == guess)) for guess in (0, 1)] for actual in (0, 1)])
    lines += ["confusion", str(table)]
    for study in (2, 5, 8):
        chance = sigmoid(np.append(1, (np.array([study, 7.0]) - mean) / scale) @ w)
        lines.append(f"{study} hours of study, 7 of sleep: {chance:.0%}")
    return "\n".join(lines)


if __name__ == "__main__":
    print(main())
