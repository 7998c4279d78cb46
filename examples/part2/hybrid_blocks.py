"""Fast, portable neural networks with HybridBlocks (the book's chapter 14): the same code run as Python and compiled.

python -m examples.part2.hybrid_blocks
"""

import contextlib
import io
import json
import tempfile
import time
from pathlib import Path

import dopegraph
import dopegraph.numpy as np
from dopegraph import nn
from examples.chapter import compare, options
from examples.gluon_beside import with_gluon

BOOK = {
    "imperative_seconds": 0.4646,
    "compiled_seconds": 0.2424,
    "gluon_seconds": [0.4646, 0.2424],  # the same numbers, as the book's code is Gluon's; and here with static memory
    "imperative_bytes": 320,
    "symbolic_bytes": 160,
    "nodes": 12,
    "arg_nodes": [0, 1, 2, 5, 6, 9, 10],
    "heads": [[11, 0, 0]],
    "printed_imperative": ["NDArray", "NDArray"],
    "printed_compiled": ["Symbol"],  # the second call runs no Python
}

np.random.seed(1)


def memory():
    """The book's a, b, c and d of ten doubles, as a graph that knows that only d is needed."""

    def program(a, b):
        c = b * a
        d = c + 1
        return d

    a, b = np.ones(10, dtype="float64"), np.ones(10, dtype="float64") * 2
    return dopegraph.trace(program)(a, b).memory(["b"])


def our_network():
    net = nn.HybridSequential()
    with net.name_scope():
        net.add(nn.Dense(256, activation="relu"))
        net.add(nn.Dense(128, activation="relu"))
        net.add(nn.Dense(2))
    net.initialize()
    return net


def bench(net, x, forwards):
    """Seconds for a number of forwards."""
    start = time.perf_counter()
    for _ in range(forwards):
        y = net(x)
    y.asnumpy()
    return time.perf_counter() - start


GLUON = """
net = gluon.nn.HybridSequential()
with net.name_scope():
    net.add(gluon.nn.Dense(256, activation="relu"))
    net.add(gluon.nn.Dense(128, activation="relu"))
    net.add(gluon.nn.Dense(2))
net.initialize()
x = nd.random_normal(shape=(1, 512))

def bench(net, x):
    net(x)
    mx.nd.waitall()
    start = time.perf_counter()
    for i in range(FORWARDS):
        y = net(x)
    mx.nd.waitall()
    return time.perf_counter() - start

imperative = [bench(net, x) for i in range(ROUNDS)]
net.hybridize()
hybrid = [bench(net, x) for i in range(ROUNDS)]
net.hybridize(static_alloc=True, static_shape=True)
static = [bench(net, x) for i in range(ROUNDS)]
result = [min(imperative), min(hybrid), min(static)]
"""


class Net(nn.HybridBlock):
    """Prints what it gets; `if`, `for` and `print` are no drawback here."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        with self.name_scope():
            self.fc1 = nn.Dense(256)
            self.fc2 = nn.Dense(128)
            self.fc3 = nn.Dense(2)

    def forward(self, x):
        print(type(x).__name__)
        x = nn.relu(self.fc1(x))
        x = nn.relu(self.fc2(x))
        return self.fc3(x)


def printed(function, x):
    """The lines that two calls print."""
    with contextlib.redirect_stdout(io.StringIO()) as text:
        function(x)
        function(x)
    return text.getvalue().split()


def main(arguments=None):
    chosen = options(__doc__, epochs=3, arguments=arguments)
    forwards, rounds = (20, 1) if chosen.quick else (1000, chosen.epochs)
    report = memory()
    print(f"a program of four arrays of ten doubles: {report}")
    found = {"imperative_bytes": report.imperative, "symbolic_bytes": report.planned}

    net, x = our_network(), np.random.normal(size=(1, 512))
    compiled = dopegraph.compile(net.__call__)
    before, after = net(x), compiled(x)
    print(f"imperative {before}, compiled {after}")
    np.testing.assert_allclose(before, after, rtol=1e-5, atol=1e-6)
    seconds = {"imperative": [], "compiled": []}
    for _ in range(rounds):
        seconds["imperative"].append(bench(net, x, forwards))
        seconds["compiled"].append(bench(compiled, x, forwards))
    imperative, compiled_seconds = (min(times) for times in seconds.values())
    print(f"{forwards} forwards: {imperative:.4f} s imperative, {compiled_seconds:.4f} s compiled")
    found.update(imperative_seconds=imperative, compiled_seconds=compiled_seconds, train_step=compiled)
    print(f"a speed up of {imperative / compiled_seconds:.2f}")
    theirs = with_gluon(GLUON.replace("FORWARDS", str(forwards)).replace("ROUNDS", str(rounds)))
    found["gluon_seconds"] = theirs
    if theirs is not None:
        print("Gluon here: {:.4f} s imperative, {:.4f} s hybridized, {:.4f} s static".format(*theirs))
        print(f"Gluon's speed up here: {theirs[0] / theirs[1]:.2f}, static {theirs[0] / theirs[2]:.2f}")

    with tempfile.TemporaryDirectory() as folder:
        model, params, *_ = dopegraph.export(net, x, path=Path(folder) / "model")
        symbol = json.loads(Path(model).read_text(encoding="utf-8"))
        print(f"{model.name} and {params.name} ({params.stat().st_size} bytes) run without dopegraph:")
        for node in symbol["nodes"]:
            print(f"  {node['op']:14} {node['name']}")
        loaded = dopegraph.load(model)
        np.testing.assert_allclose(loaded(x.to("cpu")), before.to("cpu"), rtol=1e-5, atol=1e-6)
    found.update(nodes=len(symbol["nodes"]), arg_nodes=symbol["arg_nodes"], heads=symbol["heads"])

    talking = Net()
    talking.initialize()
    talking(x)
    step = dopegraph.compile(talking.__call__)
    found["printed_imperative"], found["printed_compiled"] = printed(talking, x), printed(step, x)
    compare(BOOK, found)
    print("A compiled block prints in every call, as it does uncompiled; explain says what that costs:")
    print(dopegraph.explain(step)(x))
    return found


if __name__ == "__main__":
    main()
