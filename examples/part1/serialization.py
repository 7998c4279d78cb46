"""Serialization (the book's chapter 19): arrays, parameters, and, beyond the book, the graph itself in files.

python -m examples.part1.serialization
"""

import tempfile
from pathlib import Path

import dopegraph
import dopegraph.numpy as np
from dopegraph import init, nn
from examples.chapter import compare, options

BOOK = {
    "list": [1.0, 0.0],
    "dict": [1.0, 0.0],
    "output_and_reloaded": "equal",
    "graph_reloaded": "not in the book",
}

np.random.seed(1)


def make_net():
    net = nn.Sequential()
    with net.name_scope():
        net.add(nn.Dense(256, activation="relu"), nn.Dense(256, activation="relu"), nn.Dense(1))
    return net


def arrays(folder):
    """Lists and dicts of arrays, as MXNet writes them."""
    X, Y = np.ones((100, 100)), np.zeros((100, 100))
    dopegraph.save(folder / "list.params", [X, Y])
    A, B = dopegraph.load(folder / "list.params")
    dopegraph.save(folder / "dict.params", {"X": X, "Y": Y})
    C = dopegraph.load(folder / "dict.params")
    return [np.mean(A).item(), np.mean(B).item()], [np.mean(C["X"]).item(), np.mean(C["Y"]).item()]


def main(arguments=None):
    options(__doc__, arguments=arguments)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "checkpoints"
        folder.mkdir(exist_ok=True)
        listed, named = arrays(folder)

        net, X = make_net(), np.ones((1, 100))
        net.initialize(init.Normal(sigma=1.0))
        forward = dopegraph.compile(net.__call__)
        before = forward(X)
        net.save_params(folder / "testnet.params")
        net2 = make_net()
        net2.load_params(folder / "testnet.params", ctx=dopegraph.current_device())
        after = dopegraph.compile(net2.__call__)(X)
        print(before, after)

        files = dopegraph.export(net, X, path=folder / "testnet", format="dopegraph")
        again = dopegraph.load(files[0])(X.to(dopegraph.cpu()))  # what is loaded is there
        print("left behind:", ", ".join(sorted(file.name for file in folder.iterdir())))
    found = {
        "list": listed,
        "dict": named,
        "output_and_reloaded": "equal" if np.array_equal(before, after) else "different",
        "graph_reloaded": "equal" if np.allclose(before.to(again.device), again, rtol=1e-6) else "different",
    }
    compare(BOOK, found)
    return found


if __name__ == "__main__":
    main()
