"""A module as a user has it: what the tests of the command line look at."""

import dopegraph
import dopegraph.numpy as np
from dopegraph import nn

print("somebody prints while it is imported")

np.random.seed(3)
params = {"hidden": np.random.normal(size=(6, 5)), "layers": [{"weight": np.ones((5, 3)), "bias": np.zeros(3)}]}
rates = [0.5]


def net(x):
    h = np.tanh(x @ params["hidden"])
    for layer in params["layers"]:
        h = h @ layer["weight"] + layer["bias"]
    return h


def scaled(x, *, factor=2.0):
    return x * factor


def escapes(x):
    return x * float(x.sum())


def broken(x):
    return x @ np.ones((7, 2))


def raising(x):
    return {}[x.shape]


def sort_of(x):
    return np.linalg.svd(x).S.sum()


@dopegraph.compile
def step(x, rate):
    params["hidden"] -= rate * (x.T @ x).mean() * params["hidden"]
    return (params["hidden"] ** 2).sum()


class Model:
    def __init__(self):
        self.weight = np.ones((6, 2))
        self.heads = [np.ones((2, 2)), np.ones((2, 2))]

    def __call__(self, x):
        h = x @ self.weight
        for head in self.heads:
            h = h @ head
        return h


model = Model()

layers = nn.Sequential()
layers.add(nn.Dense(4, activation="relu"), nn.Dense(2))
layers.initialize()
