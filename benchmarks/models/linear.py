"""Linear regression with batches of one example, 100 steps at a time: what a training step costs besides arithmetic."""

from __future__ import annotations

import functools
from typing import Any

import numpy

from benchmarks.data import normal
from benchmarks.engines.ours import compiled
from benchmarks.problem import OURS, OURS_TOO, Make, Problem

STEPS, RATE = 100, 0.01
X = normal("linear", STEPS, 2)
Y = X @ numpy.array([2.0, -3.4], numpy.float32) + numpy.float32(4.2)


def parameters() -> list[Any]:
    return [normal("weight", 2, 1), normal("bias", 1)]


def examples(array: Any) -> list[tuple[Any, Any]]:
    """Batches of one."""
    return [(array(X[i : i + 1]), array(Y[i : i + 1])) for i in range(STEPS)]


def loss_of(params: Any, x: Any, y: Any) -> Any:
    w, b = params
    return ((x @ w + b - y.reshape(-1, 1)) ** 2).mean()


def ours(policy: str = "prefer_mxnet", codegen: str = "auto") -> Any:
    def make(dopegraph: Any, np: Any) -> Any:
        params, batches = [np.array(one) for one in parameters()], examples(np.array)

        @dopegraph.compile
        def update(x: Any, y: Any) -> Any:
            loss, gradients = dopegraph.value_and_grad(loss_of)(params, x, y)
            for param, gradient in zip(params, gradients):
                param -= RATE * gradient
            return loss

        def step() -> float:
            for x, y in batches:
                loss = update(x, y)
            return float(loss)

        return step

    return compiled(make, policy, codegen)


def recorded() -> Any:
    """As the book writes it, without `compile`: record, backward, and an update of the parameters."""
    import dopegraph
    import dopegraph.numpy as np

    params, batches = [np.array(one) for one in parameters()], examples(np.array)
    for param in params:
        param.attach_grad()

    def step() -> float:
        for x, y in batches:
            with dopegraph.record():
                loss = loss_of(params, x, y)
            loss.backward()
            for param in params:
                param[:] = param - RATE * param.grad
        return float(loss)

    return step


def jax() -> Any:
    import jax
    import jax.numpy as jnp

    params, batches = [jnp.asarray(one) for one in parameters()], examples(jnp.asarray)

    @functools.partial(jax.jit, donate_argnums=0)
    def update(params: Any, x: Any, y: Any) -> Any:
        loss, gradients = jax.value_and_grad(loss_of)(params, x, y)
        return loss, [param - RATE * gradient for param, gradient in zip(params, gradients)]

    def step() -> float:
        nonlocal params
        for x, y in batches:
            loss, params = update(params, x, y)
        return float(loss)

    return step


def torch(is_compiled: bool = False) -> Any:
    import torch

    params, batches = [torch.tensor(one, requires_grad=True) for one in parameters()], examples(torch.tensor)
    loss_here = torch.compile(loss_of) if is_compiled else loss_of

    def step() -> float:
        for x, y in batches:
            loss = loss_here(params, x, y)
            gradients = torch.autograd.grad(loss, params)
            with torch.no_grad():
                torch._foreach_add_(params, gradients, alpha=-RATE)
        return float(loss.detach())

    return step


def gluon() -> Any:
    from benchmarks.engines.gluon import load

    mx = load()
    net = mx.gluon.nn.Dense(1, in_units=2)
    net.initialize()
    net.weight.set_data(mx.nd.array(parameters()[0].T))
    net.bias.set_data(mx.nd.array(parameters()[1]))
    net.hybridize(static_alloc=True, static_shape=True)
    trainer = mx.gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": RATE})
    batches = examples(mx.nd.array)

    def step() -> float:
        for x, y in batches:
            with mx.autograd.record():
                loss = ((net(x) - y.reshape((-1, 1))) ** 2).mean()
            loss.backward()
            trainer.step(1)
        return float(loss.asscalar())

    return step


def hips() -> Any:
    import autograd

    params, batches = parameters(), examples(numpy.array)
    both = autograd.value_and_grad(loss_of)

    def step() -> float:
        for x, y in batches:
            loss, gradients = both(params, x, y)
            for param, gradient in zip(params, gradients):
                param -= numpy.float32(RATE) * gradient
        return float(loss)

    return step


CONTESTANTS: dict[str, Make] = {
    OURS: ours,
    OURS_TOO[0]: functools.partial(ours, codegen="never"),
    OURS_TOO[1]: functools.partial(ours, policy="only_numpy"),
    "dopegraph, not compiled": recorded,
    "JAX jit": jax,
    "PyTorch": torch,
    "PyTorch compile": functools.partial(torch, True),
    "Gluon hybridized": gluon,
    "HIPS autograd": hips,
}
PROBLEMS = [Problem("linear", "Linear regression, a step of one example", CONTESTANTS, repeat=STEPS, tolerance=1e-2)]
