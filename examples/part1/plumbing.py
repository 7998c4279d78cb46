"""Plumbing (the book's chapter 17): under the hood of gluon, blocks, parameters, shapes that become known later.

python -m examples.part1.plumbing
"""

import dopegraph
import dopegraph.numpy as np
from dopegraph import init, nn
from examples.chapter import compare, options

BOOK = {
    "output": [1, 10],
    "before_the_first_call": [[128, 0], [128], [64, 0], [64], [10, 0], [10]],
    "after_it": [[128, 784], [128], [64, 128], [64], [10, 64], [10]],
    "with_in_units": [[128, 784], [128], [64, 128], [64], [10, 64], [10]],
}

np.random.seed(1)


def sequential(**known):
    """784-128-64-10; `known` are the numbers of inputs, if they are to be given."""
    net = nn.Sequential()
    with net.name_scope():
        net.add(nn.Dense(128, activation="relu", in_units=known.get("first", 0)))
        net.add(nn.Dense(64, activation="relu", in_units=known.get("second", 0)))
        net.add(nn.Dense(10, in_units=known.get("third", 0)))
    net.initialize()
    return net


class MLP(nn.Block):
    """The same as a class; only `forward` has to be written."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        with self.name_scope():
            self.dense0 = nn.Dense(128)
            self.dense1 = nn.Dense(64)
            self.dense2 = nn.Dense(10)

    def forward(self, x):
        x = nn.relu(self.dense0(x))
        x = nn.relu(self.dense1(x))
        return self.dense2(x)


class Deep(nn.Block):
    """`forward` is Python: how often a layer is used depends on what it gives."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        with self.name_scope():
            self.dense = nn.Dense(8, in_units=8)

    def forward(self, x):
        x = self.dense(x)
        while np.linalg.norm(x) < 1:
            x = 2 * self.dense(x)
        return x


def shapes(net):
    return [list(parameter.shape) for parameter in net.collect_params().values()]


def main(arguments=None):
    options(__doc__, arguments=arguments)
    data = np.ones((1, 784))
    net = sequential()
    before = shapes(net)
    try:
        net[0].weight.data()
    except nn.DeferredInitializationError as error:
        print(f"asked too early: {str(error).splitlines()[0]}")
    forward = dopegraph.compile(net.__call__)
    print(forward(data))
    print(net.collect_params())

    block = MLP()
    block.initialize()
    assert dopegraph.compile(block.__call__)(data).shape == (1, 10)
    print(block)
    block.summary(data)

    deep = Deep()
    deep.initialize(init.Xavier())
    dynamic = dopegraph.compile(deep.__call__)
    for scale in (0.1, 10.0):
        dynamic(scale * np.ones((1, 8)))
    print(f"{dynamic.cache_info().plans} ways through {type(deep).__name__} were recorded")
    found = {
        "output": list(forward(data).shape),
        "before_the_first_call": before,
        "after_it": shapes(net),
        "with_in_units": shapes(sequential(first=784, second=128, third=64)),
    }
    compare(BOOK, found)
    return found


if __name__ == "__main__":
    main()
