"""The book's perceptron with dropout: 784-256-128-10, half of the hidden units dropped, batch 64.

Every library draws masks of its own, so losses agree only about; what is dropped is drawn anew in each step.
"""

from __future__ import annotations

import functools
from typing import Any

from benchmarks.data import labels, layers, one_hot, uniform
from benchmarks.engines import gluon
from benchmarks.engines.ours import compiled
from benchmarks.problem import OURS, OURS_TOO, Make, Problem, Training

SIZES, BATCH, DROPPED, RATE = (784, 256, 128, 10), 64, 0.5, 0.0005
LABELS = labels("dropout", BATCH, 10)


def parameters() -> list[Any]:
    return layers("dropout", *SIZES, scale=0.03)


def data() -> list[Any]:
    return [uniform("dropout", BATCH, SIZES[0]), one_hot(LABELS, 10)]


def data_with_labels() -> list[Any]:
    return [uniform("dropout", BATCH, SIZES[0]), LABELS]


def loss_of(np: Any, dropout: Any, params: Any, x: Any, y: Any) -> Any:
    """The book's code; `dropout` draws the numbers for a mask."""
    W1, b1, W2, b2, W3, b3 = params
    h1 = dropout(np.maximum(np.dot(x, W1) + b1, 0))
    h2 = dropout(np.maximum(np.dot(h1, W2) + b2, 0))
    z = np.dot(h2, W3) + b3
    z = z - np.max(z, axis=1, keepdims=True)
    return -np.sum(y * (z - np.log(np.sum(np.exp(z), axis=1, keepdims=True))))


def ours(policy: str = "prefer_mxnet", codegen: str = "auto") -> Any:
    def make(dopegraph: Any, np: Any) -> Any:
        params, given = [np.array(one) for one in parameters()], [np.array(one) for one in data()]

        def dropout(x: Any) -> Any:
            mask = np.random.uniform(0, 1, x.shape) < 1 - DROPPED
            return mask * x * (1 / (1 - DROPPED))

        @dopegraph.compile
        def update(x: Any, y: Any) -> Any:
            loss, gradients = dopegraph.value_and_grad(lambda params: loss_of(np, dropout, params, x, y))(params)
            for param, gradient in zip(params, gradients):
                param -= RATE * gradient
            return loss

        return lambda: float(update(*given))

    return compiled(make, policy, codegen)


def jax() -> Any:
    import jax
    import jax.numpy as jnp

    params, given, key = (
        [jnp.asarray(one) for one in parameters()],
        [jnp.asarray(one) for one in data()],
        jax.random.key(0),
    )

    @functools.partial(jax.jit, donate_argnums=0)
    def update(params: Any, key: Any, x: Any, y: Any) -> Any:
        key, *keys = jax.random.split(key, 3)

        def dropout(h: Any) -> Any:
            return jnp.where(jax.random.bernoulli(remaining.pop(), 1 - DROPPED, h.shape), h / (1 - DROPPED), 0)

        remaining = list(keys)
        loss, gradients = jax.value_and_grad(lambda params: loss_of(jnp, dropout, params, x, y))(params)
        return loss, key, [param - RATE * gradient for param, gradient in zip(params, gradients)]

    def step() -> float:
        nonlocal params, key
        loss, key, params = update(params, key, *given)
        return float(loss)

    return step


def hips() -> Any:
    import autograd
    import autograd.numpy as anp
    import numpy

    params, given, generator = parameters(), data(), numpy.random.default_rng(0)

    def dropout(h: Any) -> Any:
        return h * (generator.random(h.shape, dtype=numpy.float32) < 1 - DROPPED) * numpy.float32(1 / (1 - DROPPED))

    both = autograd.value_and_grad(lambda params: loss_of(anp, dropout, params, *given))

    def step() -> float:
        loss, gradients = both(params)
        for param, gradient in zip(params, gradients):
            param -= numpy.float32(RATE) * gradient
        return float(loss)

    return step


def in_torch(torch: Any, params: Any, x: Any, label: Any) -> Any:
    W1, b1, W2, b2, W3, b3 = params
    f = torch.nn.functional
    h1 = f.dropout(torch.relu(torch.addmm(b1, x, W1)), DROPPED)
    h2 = f.dropout(torch.relu(torch.addmm(b2, h1, W2)), DROPPED)
    return f.cross_entropy(torch.addmm(b3, h2, W3), label, reduction="sum")


def in_gluon(mx: Any) -> Any:
    net = mx.gluon.nn.HybridSequential()
    for n in SIZES[1:-1]:
        net.add(mx.gluon.nn.Dense(n, activation="relu"), mx.gluon.nn.Dropout(DROPPED))
    net.add(mx.gluon.nn.Dense(SIZES[-1]))
    return gluon.with_loss(mx, net), [array.T for array in parameters()]


PEERS = Training(
    parameters, data, loss_of, RATE, torch=in_torch, torch_data=data_with_labels,
    gluon=in_gluon, gluon_data=data_with_labels,
).contestants()  # fmt: skip
CONTESTANTS: dict[str, Make] = {
    OURS: ours,
    OURS_TOO[0]: functools.partial(ours, codegen="never"),
    OURS_TOO[1]: functools.partial(ours, policy="only_numpy"),
    "JAX jit": jax,
    "PyTorch": PEERS["PyTorch"],
    "PyTorch compile": PEERS["PyTorch compile"],
    "Gluon hybridized": PEERS["Gluon hybridized"],
    "HIPS autograd": hips,
}
PROBLEMS = [Problem("mlp_dropout", "Perceptron with dropout 784-256-128-10, batch 64", CONTESTANTS, tolerance=0.1)]
