"""One training step of the book's multilayer perceptron (784-256-256-10, batch 64, SGD, summed loss): who is how fast.

    python -m benchmarks.mlp_step [--rounds 50] [--only NAME,NAME]

Every contestant starts from the same parameters and must have the same loss after three steps; each does in its own way
what a user would write. Peers that are not installed are named and left out (``pip install dopegraph[bench]``).
"""

from __future__ import annotations

import argparse
import functools
from collections.abc import Callable
from typing import Any

import numpy

from benchmarks.alternate import Contestant, race, table

SIZES = (784, 256, 256, 10)
BATCH, LEARNING_RATE = 64, 0.001

_random = numpy.random.default_rng(0)
X = _random.random((BATCH, SIZES[0]), dtype=numpy.float32)
LABELS = _random.integers(0, SIZES[-1], BATCH)
Y = numpy.eye(SIZES[-1], dtype=numpy.float32)[LABELS]
PARAMETERS = [
    array
    for m, n in zip(SIZES, SIZES[1:])
    for array in (0.05 * _random.standard_normal((m, n), dtype=numpy.float32), numpy.zeros(n, numpy.float32))
]


def parameters() -> list[numpy.ndarray]:
    return [array.copy() for array in PARAMETERS]


def with_dopegraph(policy: str, codegen: str = "never") -> Callable[[], float]:
    import dopegraph
    import dopegraph.numpy as np

    params = [np.array(array) for array in parameters()]
    x, y = np.array(X), np.array(Y)

    def loss_of(params: Any, x: Any, y: Any) -> Any:
        W1, b1, W2, b2, W3, b3 = params
        h1 = np.maximum(x @ W1 + b1, 0)
        h2 = np.maximum(h1 @ W2 + b2, 0)
        z = h2 @ W3 + b3
        z = z - np.max(z, axis=1, keepdims=True)
        return -np.sum(y * (z - np.log(np.sum(np.exp(z), axis=1, keepdims=True))))

    @dopegraph.compile
    def step(x: Any, y: Any, lr: float) -> Any:
        loss, gradients = dopegraph.value_and_grad(loss_of)(params, x, y)
        for param, gradient in zip(params, gradients):
            param -= lr * gradient
        return loss

    def run() -> float:
        with dopegraph.policy(policy), dopegraph.codegen(codegen):
            return float(step(x, y, LEARNING_RATE))

    return run


def with_numpy() -> Callable[[], float]:
    """By hand: the derivatives worked out on paper."""
    W1, b1, W2, b2, W3, b3 = parameters()

    def step() -> float:
        h1 = numpy.maximum(X @ W1 + b1, 0)
        h2 = numpy.maximum(h1 @ W2 + b2, 0)
        z = h2 @ W3 + b3
        z -= z.max(axis=1, keepdims=True)
        e = numpy.exp(z)
        s = e.sum(axis=1, keepdims=True)
        loss = -float((Y * (z - numpy.log(s))).sum())
        dz = e / s - Y
        dh2 = (dz @ W3.T) * (h2 > 0)
        dh1 = (dh2 @ W2.T) * (h1 > 0)
        for param, gradient in (
            (W1, X.T @ dh1), (b1, dh1.sum(0)), (W2, h1.T @ dh2), (b2, dh2.sum(0)), (W3, h2.T @ dz), (b3, dz.sum(0)),
        ):  # fmt: skip
            param -= LEARNING_RATE * gradient
        return loss

    return step


def with_autograd() -> Callable[[], float]:
    import autograd
    import autograd.numpy as anp

    params = parameters()

    def loss_of(params: Any) -> Any:
        W1, b1, W2, b2, W3, b3 = params
        h1 = anp.maximum(X @ W1 + b1, 0)
        h2 = anp.maximum(h1 @ W2 + b2, 0)
        z = h2 @ W3 + b3
        z = z - anp.max(z, axis=1, keepdims=True)
        return -anp.sum(Y * (z - anp.log(anp.sum(anp.exp(z), axis=1, keepdims=True))))

    both = autograd.value_and_grad(loss_of)

    def step() -> float:
        loss, gradients = both(params)
        for param, gradient in zip(params, gradients):
            param -= numpy.float32(LEARNING_RATE) * gradient
        return float(loss)

    return step


def with_gluon() -> Callable[[], float]:
    from dopegraph.backends.mxnet import library

    mx = library.load()
    gluon = mx.gluon
    net = gluon.nn.HybridSequential()
    for n, activation in zip(SIZES[1:], ("relu", "relu", None)):
        net.add(gluon.nn.Dense(n, activation=activation))
    net.initialize()
    net.hybridize(static_alloc=True, static_shape=True)
    x, label = mx.nd.array(X), mx.nd.array(LABELS)
    net(x)
    for param, array in zip(net.collect_params().values(), parameters()):
        param.set_data(mx.nd.array(array.T if array.ndim == 2 else array))
    loss_of = gluon.loss.SoftmaxCrossEntropyLoss()
    loss_of.hybridize(static_alloc=True, static_shape=True)
    trainer = gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": LEARNING_RATE})

    def step() -> float:
        with mx.autograd.record():
            loss = loss_of(net(x), label)
        loss.backward()
        trainer.step(1)
        return float(loss.sum().asscalar())

    return step


def with_jax() -> Callable[[], float]:
    import jax
    import jax.numpy as jnp

    params = [jnp.asarray(array) for array in parameters()]
    x, y = jnp.asarray(X), jnp.asarray(Y)

    def loss_of(params: Any, x: Any, y: Any) -> Any:
        W1, b1, W2, b2, W3, b3 = params
        h1 = jnp.maximum(x @ W1 + b1, 0)
        h2 = jnp.maximum(h1 @ W2 + b2, 0)
        z = h2 @ W3 + b3
        z = z - jnp.max(z, axis=1, keepdims=True)
        return -jnp.sum(y * (z - jnp.log(jnp.sum(jnp.exp(z), axis=1, keepdims=True))))

    @jax.jit
    def update(params: Any, x: Any, y: Any, lr: float) -> Any:
        loss, gradients = jax.value_and_grad(loss_of)(params, x, y)
        return loss, [param - lr * gradient for param, gradient in zip(params, gradients)]

    def step() -> float:
        nonlocal params
        loss, params = update(params, x, y, LEARNING_RATE)
        return float(loss)

    return step


def with_torch(compiled: bool) -> Callable[[], float]:
    import torch

    params = [torch.tensor(array, requires_grad=True) for array in parameters()]
    x, label = torch.tensor(X), torch.tensor(LABELS)
    functional = torch.nn.functional

    def loss_of(params: Any, x: Any, label: Any) -> Any:
        W1, b1, W2, b2, W3, b3 = params
        h1 = torch.relu(x @ W1 + b1)
        h2 = torch.relu(h1 @ W2 + b2)
        return functional.cross_entropy(h2 @ W3 + b3, label, reduction="sum")

    if compiled:
        loss_of = torch.compile(loss_of)

    def step() -> float:
        loss = loss_of(params, x, label)
        gradients = torch.autograd.grad(loss, params)
        with torch.no_grad():
            for param, gradient in zip(params, gradients):
                param.sub_(gradient, alpha=LEARNING_RATE)
        return float(loss.detach())

    return step


MAKERS: dict[str, Callable[[], Callable[[], float]]] = {
    "dopegraph (C kernels)": functools.partial(with_dopegraph, "prefer_mxnet", "auto"),
    "dopegraph (MXNet symbol)": functools.partial(with_dopegraph, "prefer_mxnet"),
    "dopegraph (NumPy backend)": functools.partial(with_dopegraph, "only_numpy"),
    "NumPy by hand": with_numpy,
    "HIPS autograd": with_autograd,
    "Gluon hybridized": with_gluon,
    "JAX jit": with_jax,
    "PyTorch eager": functools.partial(with_torch, False),
    "PyTorch compile": functools.partial(with_torch, True),
}


def contestants(only: list[str]) -> list[Contestant]:
    """Those that are asked for; all that can be imported must agree on the loss after three steps."""
    found = [
        Contestant(name, make)
        for name, make in MAKERS.items()
        if not only or any(part.lower() in name.lower() for part in only)
    ]
    losses = {one.name: one.losses[-1] for one in found if not one.absent}
    reference = next(iter(losses.values()), 0.0)
    for name, loss in losses.items():
        if abs(loss - reference) > 1e-3 * abs(reference):
            raise SystemExit(f"{name} has the loss {loss} after three steps, not {reference}")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=50, help="blocks of ten steps each (default 50)")
    parser.add_argument("--only", default="", help="parts of the names of those to run, separated by commas")
    chosen = parser.parse_args()
    entered = contestants([part for part in chosen.only.split(",") if part])
    rows = race([one for one in entered if not one.absent], chosen.rounds)
    print(table("MLP 784-256-256-10, batch 64: one training step", rows, [one for one in entered if one.absent]))
    for one in entered:
        one.close()


if __name__ == "__main__":
    main()
