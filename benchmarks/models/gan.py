"""The book's first GAN: a linear generator, a discriminator 2-5-3-2, batch 4, both updated by Adam in a step.

The noise is the same in each step, so that all compute the same.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy

from benchmarks.data import layers, normal
from benchmarks.engines.gluon import load
from benchmarks.engines.ours import compiled
from benchmarks.problem import OURS, OURS_TOO, Make, Problem

BATCH = 4
RATES = (0.01, 0.05)  # generator, discriminator
B1, B2, EPSILON = 0.9, 0.999, 1e-8
REAL = normal("gan", BATCH, 2) @ numpy.array([[1, 2], [-0.1, 0.5]], numpy.float32) + numpy.array([1, 2], numpy.float32)
NOISE = normal("gan noise", BATCH, 2)


def generator() -> list[Any]:
    return layers("generator", 2, 2, scale=0.1)


def discriminator() -> list[Any]:
    return layers("discriminator", 2, 5, 3, 2, scale=0.5)


def generated(np: Any, params: Any, noise: Any) -> Any:
    w, b = params
    return np.dot(noise, w) + b


def judged(np: Any, params: Any, x: Any) -> Any:
    W1, b1, W2, b2, W3, b3 = params
    return np.dot(np.tanh(np.dot(np.tanh(np.dot(x, W1) + b1), W2) + b2), W3) + b3


def entropy(np: Any, z: Any, label: int) -> Any:
    """The summed cross entropy of rows that all have one label."""
    z = z - np.max(z, axis=1, keepdims=True)
    return -np.sum((z - np.log(np.sum(np.exp(z), axis=1, keepdims=True)))[:, label])


def losses(np: Any) -> tuple[Any, Any]:
    """Of the discriminator (its parameters first), and of the generator."""

    def of_discriminator(d: Any, fake: Any, real: Any) -> Any:
        return (entropy(np, judged(np, d, real), 1) + entropy(np, judged(np, d, fake), 0)) / BATCH

    def of_generator(g: Any, d: Any, noise: Any) -> Any:
        return entropy(np, judged(np, d, generated(np, g, noise)), 1) / BATCH

    return of_discriminator, of_generator


def adam(
    np: Any, rate: float, t: Any, params: Any, gradients: Any, m: Any, v: Any, b1: float = B1
) -> tuple[list[Any], ...]:
    """Kingma and Ba, 2015, algorithm 1 in the order of its section 2: new parameters and moments."""
    m = [b1 * a + (1 - b1) * g for a, g in zip(m, gradients)]
    v = [B2 * a + (1 - B2) * g * g for a, g in zip(v, gradients)]
    scale = rate * np.sqrt(1 - B2**t) / (1 - b1**t)
    return [p - scale * a / (np.sqrt(b) + EPSILON) for p, a, b in zip(params, m, v)], m, v


def step_of(np: Any, value_and_grad: Any) -> Any:
    """A function from the state and data to the losses and the new state."""
    of_discriminator, of_generator = losses(np)

    def update(state: Any, real: Any, noise: Any) -> Any:
        t, g, gm, gv, d, dm, dv = state
        t = t + 1
        d_loss, slopes = value_and_grad(of_discriminator)(d, generated(np, g, noise), real)
        d, dm, dv = adam(np, RATES[1], t, d, slopes, dm, dv)
        g_loss, slopes = value_and_grad(of_generator)(g, d, noise)
        g, gm, gv = adam(np, RATES[0], t, g, slopes, gm, gv)
        return d_loss, g_loss, (t, g, gm, gv, d, dm, dv)

    return update


def first_state(array: Any) -> Any:
    def moments(params: Any) -> Any:
        return [array(numpy.zeros_like(one)) for one in params]

    g, d = generator(), discriminator()
    parts = ([*map(array, g)], moments(g), moments(g), [*map(array, d)], moments(d), moments(d))
    return (array(numpy.zeros((), numpy.float32)), *parts)


def ours(policy: str = "prefer_mxnet", codegen: str = "auto") -> Any:
    def make(dopegraph: Any, np: Any) -> Any:
        state, real, noise = first_state(np.array), np.array(REAL), np.array(NOISE)
        update = dopegraph.compile(step_of(np, dopegraph.value_and_grad))

        def step() -> Any:
            nonlocal state
            d_loss, g_loss, state = update(state, real, noise)
            return float(d_loss), float(g_loss)

        return step

    return compiled(make, policy, codegen)


def jax() -> Any:
    import jax
    import jax.numpy as jnp

    state, real, noise = first_state(jnp.asarray), jnp.asarray(REAL), jnp.asarray(NOISE)
    update = jax.jit(step_of(jnp, jax.value_and_grad), donate_argnums=0)

    def step() -> Any:
        nonlocal state
        d_loss, g_loss, state = update(state, real, noise)
        return float(d_loss), float(g_loss)

    return step


def hips() -> Any:
    import autograd
    import autograd.numpy as anp

    state, update = first_state(numpy.array), step_of(anp, autograd.value_and_grad)

    def step() -> Any:
        nonlocal state
        d_loss, g_loss, state = update(state, REAL, NOISE)
        return float(d_loss), float(g_loss)

    return step


def torch(is_compiled: bool = False) -> Any:
    import torch
    from torch.nn import functional

    g = [torch.tensor(one, requires_grad=True) for one in generator()]
    d = [torch.tensor(one, requires_grad=True) for one in discriminator()]
    g_adam, d_adam = (torch.optim.Adam(params, rate, (B1, B2), EPSILON) for params, rate in zip((g, d), RATES))
    real, noise = torch.tensor(REAL), torch.tensor(NOISE)
    ones, zeros = torch.ones(BATCH, dtype=torch.long), torch.zeros(BATCH, dtype=torch.long)

    def judge(d: Any, x: Any) -> Any:
        W1, b1, W2, b2, W3, b3 = d
        return torch.addmm(b3, torch.tanh(torch.addmm(b2, torch.tanh(torch.addmm(b1, x, W1)), W2)), W3)

    def of_discriminator(d: Any, fake: Any) -> Any:
        return functional.cross_entropy(judge(d, real), ones) + functional.cross_entropy(judge(d, fake), zeros)

    def of_generator(g: Any, d: Any) -> Any:
        return functional.cross_entropy(judge(d, torch.addmm(g[1], noise, g[0])), ones)

    if is_compiled:
        of_discriminator, of_generator = torch.compile(of_discriminator), torch.compile(of_generator)

    def step() -> Any:
        d_adam.zero_grad()
        d_loss = of_discriminator(d, torch.addmm(g[1], noise, g[0]).detach())
        d_loss.backward(inputs=d)
        d_adam.step()
        g_adam.zero_grad()
        g_loss = of_generator(g, d)
        g_loss.backward(inputs=g)
        g_adam.step()
        return float(d_loss.detach()), float(g_loss.detach())

    return step


def gluon() -> Any:
    mx = load()
    nn, autograd = mx.gluon.nn, mx.autograd
    g, d = nn.HybridSequential(), nn.HybridSequential()
    g.add(nn.Dense(2, in_units=2))
    d.add(
        nn.Dense(5, activation="tanh", in_units=2), nn.Dense(3, activation="tanh", in_units=5), nn.Dense(2, in_units=3)
    )
    for net, arrays in ((g, generator()), (d, discriminator())):
        net.initialize()
        for param, array in zip(net.collect_params().values(), arrays):
            param.set_data(mx.nd.array(array.T))
        net.hybridize(static_alloc=True, static_shape=True)
    trainers = [
        mx.gluon.Trainer(net.collect_params(), "adam", {"learning_rate": rate}) for net, rate in zip((g, d), RATES)
    ]
    loss_of = mx.gluon.loss.SoftmaxCrossEntropyLoss()
    loss_of.hybridize()
    real, noise, ones, zeros = mx.nd.array(REAL), mx.nd.array(NOISE), mx.nd.ones(BATCH), mx.nd.zeros(BATCH)

    def step() -> Any:
        fake = g(noise)
        with autograd.record():
            d_loss = loss_of(d(real), ones) + loss_of(d(fake.detach()), zeros)
        d_loss.backward()
        trainers[1].step(BATCH)
        with autograd.record():
            g_loss = loss_of(d(g(noise)), ones)
        g_loss.backward()
        trainers[0].step(BATCH)
        return float(d_loss.mean().asscalar()), float(g_loss.mean().asscalar())

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
PROBLEMS = [Problem("gan", "GAN of two small networks with Adam, batch 4", CONTESTANTS, tolerance=5e-3)]
