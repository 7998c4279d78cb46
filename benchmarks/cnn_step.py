"""One training step of the convolutional net of the book's chapter on several processors (20 filters of 3x3, 50 of 5x5,
each with relu and pooling, then 128 and 10; batch 64 of 28x28; SGD): who is how fast.

    python -m benchmarks.cnn_step [--rounds 10] [--only NAME,NAME] [--pool max|avg] [--norm]

``--norm`` puts a batch normalization behind each convolution. Every contestant starts from the same parameters and must
have the same loss after three steps.
"""

from __future__ import annotations

import argparse
import functools
from collections.abc import Callable
from typing import Any

import numpy

from benchmarks.alternate import Contestant, race, table

BATCH, LEARNING_RATE, EPSILON = 64, 0.01, 1e-5

_random = numpy.random.default_rng(0)
X = _random.random((BATCH, 1, 28, 28), dtype=numpy.float32)
LABELS = _random.integers(0, 10, BATCH)
SHAPES = ((20, 1, 3, 3), (20,), (50, 20, 5, 5), (50,), (800, 128), (128,), (128, 10), (10,))


def parameters(norm: bool) -> list[numpy.ndarray]:
    random = numpy.random.default_rng(1)
    found = [random.normal(0, 0.05, shape).astype(numpy.float32) for shape in SHAPES]
    if norm:
        found += [make(n, numpy.float32) for n in (20, 50) for make in (numpy.ones, numpy.zeros)]
    return found


def with_dopegraph(pool: str, norm: bool, policy: str, codegen: str = "never") -> Callable[[], float]:
    import dopegraph
    import dopegraph.numpy as np
    from dopegraph import nn

    params = [np.array(array) for array in parameters(norm)]
    x, y = np.array(X), np.array(LABELS)
    pooled = nn.max_pool if pool == "max" else nn.avg_pool

    def normalized(h: Any, gamma: Any, beta: Any) -> Any:
        mean = np.mean(h, axis=(0, 2, 3), keepdims=True)
        variance = np.mean((h - mean) ** 2, axis=(0, 2, 3), keepdims=True)
        return gamma.reshape(1, -1, 1, 1) * (h - mean) / np.sqrt(variance + EPSILON) + beta.reshape(1, -1, 1, 1)

    def loss_of(params: Any, x: Any, y: Any) -> Any:
        W1, b1, W2, b2, W3, b3, W4, b4 = params[:8]
        h = nn.conv(x, W1, b1)
        if norm:
            h = normalized(h, *params[8:10])
        h = pooled(np.maximum(h, 0), 2)
        h = nn.conv(h, W2, b2)
        if norm:
            h = normalized(h, *params[10:12])
        h = pooled(np.maximum(h, 0), 2)
        h = np.maximum(h.reshape(BATCH, -1) @ W3 + b3, 0)
        return -np.mean(np.sum(nn.one_hot(y, 10) * nn.log_softmax(h @ W4 + b4), axis=1))

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


def with_gluon(pool: str, norm: bool) -> Callable[[], float]:
    from dopegraph.backends.mxnet import library

    mx = library.load()
    gluon = mx.gluon
    layers = gluon.nn
    net = layers.HybridSequential()
    pooled = layers.MaxPool2D if pool == "max" else layers.AvgPool2D
    for filters, kernel in ((20, 3), (50, 5)):
        net.add(layers.Conv2D(filters, kernel))
        if norm:
            net.add(layers.BatchNorm(epsilon=EPSILON))
        net.add(layers.Activation("relu"), pooled(2, 2))
    net.add(layers.Flatten(), layers.Dense(128, activation="relu"), layers.Dense(10))
    net.initialize()
    net.hybridize(static_alloc=True, static_shape=True)
    x, label = mx.nd.array(X), mx.nd.array(LABELS)
    net(x)
    arrays = parameters(norm)
    order = [0, 1, 8, 9, 2, 3, 10, 11, 4, 5, 6, 7] if norm else range(8)
    learned = [one for one in net.collect_params().values() if one.grad_req != "null"]
    for one, place in zip(learned, order):
        array = arrays[place]
        one.set_data(mx.nd.array(array.T if array.ndim == 2 else array))
    loss_of = gluon.loss.SoftmaxCrossEntropyLoss()
    loss_of.hybridize(static_alloc=True, static_shape=True)
    trainer = gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": LEARNING_RATE})

    def step() -> float:
        with mx.autograd.record():
            loss = loss_of(net(x), label)
        loss.backward()
        trainer.step(BATCH)
        return float(loss.mean().asscalar())

    return step


def with_jax(pool: str, norm: bool) -> Callable[[], float]:
    import jax
    import jax.numpy as jnp

    params = [jnp.asarray(array) for array in parameters(norm)]
    x, y = jnp.asarray(X), jnp.asarray(LABELS)

    def conv(x: Any, w: Any, b: Any) -> Any:
        found = jax.lax.conv_general_dilated(x, w, (1, 1), "VALID", dimension_numbers=("NCHW", "OIHW", "NCHW"))
        return found + b.reshape(1, -1, 1, 1)

    def pooled(x: Any) -> Any:
        window = (1, 1, 2, 2)
        if pool == "max":
            return jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, window, window, "VALID")
        return jax.lax.reduce_window(x, 0.0, jax.lax.add, window, window, "VALID") / 4

    def normalized(h: Any, gamma: Any, beta: Any) -> Any:
        mean, variance = h.mean((0, 2, 3), keepdims=True), h.var((0, 2, 3), keepdims=True)
        return gamma.reshape(1, -1, 1, 1) * (h - mean) / jnp.sqrt(variance + EPSILON) + beta.reshape(1, -1, 1, 1)

    def loss_of(params: Any, x: Any, y: Any) -> Any:
        W1, b1, W2, b2, W3, b3, W4, b4 = params[:8]
        h = conv(x, W1, b1)
        h = pooled(jnp.maximum(normalized(h, *params[8:10]) if norm else h, 0))
        h = conv(h, W2, b2)
        h = pooled(jnp.maximum(normalized(h, *params[10:12]) if norm else h, 0))
        h = jnp.maximum(h.reshape(BATCH, -1) @ W3 + b3, 0)
        return -jnp.mean(jnp.sum(jax.nn.one_hot(y, 10) * jax.nn.log_softmax(h @ W4 + b4), axis=1))

    @jax.jit
    def update(params: Any, x: Any, y: Any, lr: float) -> Any:
        loss, gradients = jax.value_and_grad(loss_of)(params, x, y)
        return loss, [param - lr * gradient for param, gradient in zip(params, gradients)]

    def step() -> float:
        nonlocal params
        loss, params = update(params, x, y, LEARNING_RATE)
        return float(loss)

    return step


def with_torch(pool: str, norm: bool, compiled: bool) -> Callable[[], float]:
    import torch

    params = [torch.tensor(array, requires_grad=True) for array in parameters(norm)]
    x, label = torch.tensor(X), torch.tensor(LABELS)
    functional = torch.nn.functional
    pooled = functional.max_pool2d if pool == "max" else functional.avg_pool2d

    def loss_of(params: Any, x: Any, label: Any) -> Any:
        W1, b1, W2, b2, W3, b3, W4, b4 = params[:8]
        h = functional.conv2d(x, W1, b1)
        if norm:
            h = functional.batch_norm(h, None, None, params[8], params[9], training=True, eps=EPSILON)
        h = pooled(torch.relu(h), 2)
        h = functional.conv2d(h, W2, b2)
        if norm:
            h = functional.batch_norm(h, None, None, params[10], params[11], training=True, eps=EPSILON)
        h = pooled(torch.relu(h), 2)
        h = torch.relu(h.reshape(BATCH, -1) @ W3 + b3)
        return functional.cross_entropy(h @ W4 + b4, label)

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


MAKERS: dict[str, tuple[Callable[..., Callable[[], float]], tuple[Any, ...]]] = {
    "dopegraph": (with_dopegraph, ("prefer_mxnet", "auto")),
    "dopegraph (MXNet symbol)": (with_dopegraph, ("prefer_mxnet",)),
    "Gluon hybridized": (with_gluon, ()),
    "JAX jit": (with_jax, ()),
    "PyTorch eager": (with_torch, (False,)),
    "PyTorch compile": (with_torch, (True,)),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10, help="blocks of ten steps each (default 10)")
    parser.add_argument("--only", default="", help="parts of the names of those to run, separated by commas")
    parser.add_argument("--pool", choices=("max", "avg"), default="max")
    parser.add_argument("--norm", action="store_true", help="batch normalization behind each convolution")
    chosen = parser.parse_args()
    wanted = [part.lower() for part in chosen.only.split(",") if part]
    entered = [
        Contestant(name, functools.partial(make, chosen.pool, chosen.norm, *rest))
        for name, (make, rest) in MAKERS.items()
        if not wanted or any(part in name.lower() for part in wanted)
    ]
    losses = {one.name: one.losses[-1] for one in entered if not one.absent}
    reference = next(iter(losses.values()), 0.0)
    for name, loss in losses.items():
        if abs(loss - reference) > 1e-3 * abs(reference):
            raise SystemExit(f"{name} has the loss {loss} after three steps, not {reference}")
    rows = race([one for one in entered if not one.absent], chosen.rounds)
    title = f"CNN 20-50-128-10, {chosen.pool} pooling{', batch normalization' * chosen.norm}: one training step"
    print(table(title, rows, [one for one in entered if one.absent]))
    for one in entered:
        one.close()


if __name__ == "__main__":
    main()
