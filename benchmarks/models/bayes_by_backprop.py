"""Bayes by Backprop, 784-400-400-10, batch 128: weights drawn in each step, loss of complexity and likelihood.

Every library draws numbers of its own, so losses agree only about.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy

from benchmarks.data import labels, normal, one_hot, uniform
from benchmarks.engines.gluon import load
from benchmarks.engines.ours import compiled
from benchmarks.problem import OURS, OURS_TOO, Make, Problem

SIZES, BATCH, RATE, BATCHES = (784, 400, 400, 10), 128, 1e-5, 469
SHAPES = [shape for m, n in zip(SIZES, SIZES[1:]) for shape in ((m, n), (n,))]
LABELS = labels("bayes", BATCH, 10)


def parameters() -> list[Any]:
    """Means, then the rhos whose softplus are the deviations."""
    mus = [normal(f"bayes{number}", *shape, scale=0.1) for number, shape in enumerate(SHAPES)]
    return [*mus, *(numpy.full(shape, -3, numpy.float32) for shape in SHAPES)]


def data() -> list[Any]:
    return [uniform("bayes", BATCH, SIZES[0]), one_hot(LABELS, 10)]


def loss_of(np: Any, noise: Any, params: Any, x: Any, y: Any) -> Any:
    """The book's loss with the Gaussian prior; `noise` draws normal numbers of a shape."""
    mus, rhos = params[: len(SHAPES)], params[len(SHAPES) :]
    sigmas = [np.log(1 + np.exp(rho)) for rho in rhos]
    weights = [mu + sigma * noise(mu.shape) for mu, sigma in zip(mus, sigmas)]
    W1, b1, W2, b2, W3, b3 = weights
    h = np.maximum(np.dot(x, W1) + b1, 0)
    h = np.maximum(np.dot(h, W2) + b2, 0)
    z = np.dot(h, W3) + b3
    z = z - np.max(z, axis=1, keepdims=True)
    log_likelihood = np.sum(y * (z - np.log(np.sum(np.exp(z), axis=1, keepdims=True))))
    half_log = 0.5 * math.log(2 * math.pi)
    log_prior = sum(np.sum(-half_log - 0.5 * w**2) for w in weights)
    log_posterior = sum(
        np.sum(-half_log - np.log(sigma) - (w - mu) ** 2 / (2 * sigma**2)) for w, mu, sigma in zip(weights, mus, sigmas)
    )
    return (log_posterior - log_prior) / BATCHES - log_likelihood


def ours(policy: str = "prefer_mxnet", codegen: str = "auto") -> Any:
    def make(dopegraph: Any, np: Any) -> Any:
        params, given = [np.array(one) for one in parameters()], [np.array(one) for one in data()]

        def noise(shape: Any) -> Any:
            return np.random.normal(size=shape)

        @dopegraph.compile
        def update(x: Any, y: Any) -> Any:
            loss, gradients = dopegraph.value_and_grad(lambda params: loss_of(np, noise, params, x, y))(params)
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
        key, *keys = jax.random.split(key, 1 + len(SHAPES))

        def loss(params: Any) -> Any:
            remaining = list(keys)
            return loss_of(jnp, lambda shape: jax.random.normal(remaining.pop(), shape), params, x, y)

        value, gradients = jax.value_and_grad(loss)(params)
        return value, key, [param - RATE * gradient for param, gradient in zip(params, gradients)]

    def step() -> float:
        nonlocal params, key
        loss, key, params = update(params, key, *given)
        return float(loss)

    return step


def hips() -> Any:
    import autograd
    import autograd.numpy as anp

    params, given, generator = parameters(), data(), numpy.random.default_rng(0)

    def noise(shape: Any) -> Any:
        return generator.standard_normal(shape, dtype=numpy.float32)

    both = autograd.value_and_grad(lambda params: loss_of(anp, noise, params, *given))

    def step() -> float:
        loss, gradients = both(params)
        for param, gradient in zip(params, gradients):
            param -= numpy.float32(RATE) * gradient
        return float(loss)

    return step


def torch(is_compiled: bool = False) -> Any:
    import torch
    from torch.nn import functional

    params = [torch.tensor(one, requires_grad=True) for one in parameters()]
    x, label = torch.tensor(data()[0]), torch.tensor(LABELS)

    def loss_here(params: Any, x: Any, label: Any) -> Any:
        mus, rhos = params[: len(SHAPES)], params[len(SHAPES) :]
        sigmas = [functional.softplus(rho) for rho in rhos]
        weights = [torch.addcmul(mu, sigma, torch.randn_like(mu)) for mu, sigma in zip(mus, sigmas)]
        W1, b1, W2, b2, W3, b3 = weights
        h = torch.relu(torch.addmm(b1, x, W1))
        h = torch.relu(torch.addmm(b2, h, W2))
        loss = functional.cross_entropy(torch.addmm(b3, h, W3), label, reduction="sum")
        # The constants of the two densities cancel.
        complexity = sum(
            (0.5 * w**2 - torch.log(sigma) - (w - mu) ** 2 / (2 * sigma**2)).sum()
            for w, mu, sigma in zip(weights, mus, sigmas)
        )
        return complexity / BATCHES + loss

    form = torch.compile(loss_here) if is_compiled else loss_here

    def step() -> float:
        loss = form(params, x, label)
        gradients = torch.autograd.grad(loss, params)
        with torch.no_grad():
            torch._foreach_add_(params, gradients, alpha=-RATE)
        return float(loss.detach())

    return step


def gluon() -> Any:
    mx = load()

    class Bayes(mx.gluon.HybridBlock):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            with self.name_scope():
                for number, shape in enumerate(SHAPES):
                    setattr(self, f"mu{number}", self.params.get(f"mu{number}", shape=shape))
                    setattr(self, f"rho{number}", self.params.get(f"rho{number}", shape=shape))

        def hybrid_forward(self, F: Any, x: Any, y: Any, **params: Any) -> Any:
            weights, complexity = [], 0
            for number, shape in enumerate(SHAPES):
                mu, sigma = params[f"mu{number}"], F.Activation(params[f"rho{number}"], act_type="softrelu")
                w = mu + sigma * F.random.normal(shape=shape)
                complexity = complexity + F.sum(
                    0.5 * F.square(w) - F.log(sigma) - F.square(w - mu) / (2 * F.square(sigma))
                )
                weights.append(w)
            W1, b1, W2, b2, W3, b3 = weights
            h = F.relu(F.broadcast_add(F.dot(x, W1), b1))
            h = F.relu(F.broadcast_add(F.dot(h, W2), b2))
            z = F.log_softmax(F.broadcast_add(F.dot(h, W3), b3))
            return complexity / BATCHES - F.sum(y * z)

    block = Bayes()
    block.initialize()
    for number, array in enumerate(parameters()):
        kind, index = ("mu", number) if number < len(SHAPES) else ("rho", number - len(SHAPES))
        getattr(block, f"{kind}{index}").set_data(mx.nd.array(array))
    block.hybridize(static_alloc=True, static_shape=True)
    trainer = mx.gluon.Trainer(block.collect_params(), "sgd", {"learning_rate": RATE})
    given = [mx.nd.array(one) for one in data()]

    def step() -> float:
        with mx.autograd.record():
            loss = block(*given)
        loss.backward()
        trainer.step(1)
        return float(loss.asscalar())

    return step


CONTESTANTS: dict[str, Make] = {
    OURS: ours,
    OURS_TOO[0]: functools.partial(ours, codegen="never"),
    OURS_TOO[1]: functools.partial(ours, policy="only_numpy"),
    "JAX jit": jax,
    "PyTorch": torch,
    "PyTorch compile": functools.partial(torch, True),
    "Gluon hybridized": gluon,
    "HIPS autograd": hips,
}
PROBLEMS = [Problem("bayes", "Bayes by Backprop 784-400-400-10, batch 128", CONTESTANTS, tolerance=0.15)]
