"""Contestants of models that are two networks with an Adam each: the discriminator's update, then the generator's.

A model is written once, in the words of `NumpyWords` and `TorchWords`; its gradients are each library's own.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy

from benchmarks.engines.ours import compiled
from benchmarks.models.cnn_batch_norm import EPSILON, batch_norm
from benchmarks.models.gan import adam
from benchmarks.problem import OURS, OURS_TOO, Make, Step

RATE, B1, B2, SMALL = 0.0002, 0.5, 0.999, 1e-8
OPTIONAL = ("PyTorch compile",)


@dataclass(frozen=True)
class Game:
    """Two networks and their losses.

    Attributes
    ----------
    generator, discriminator : callable
        The NumPy arrays that their parameters begin with.
    data : callable
        NumPy arrays: what the generator begins with, and what is real.
    generated, of_discriminator, of_generator : callable
        ``generated(words, g, *data)``; ``of_discriminator(words, d, fake, *data)``, where `fake` is constant;
        ``of_generator(words, d, fake, *data)``.
    """

    generator: Callable[[], list[Any]]
    discriminator: Callable[[], list[Any]]
    data: Callable[[], list[Any]]
    generated: Callable[..., Any]
    of_discriminator: Callable[..., Any]
    of_generator: Callable[..., Any]

    def contestants(self) -> dict[str, Make]:
        """A contestant for each library."""
        return {
            OURS: functools.partial(_ours, self),
            OURS_TOO[0]: functools.partial(_ours, self, codegen="never"),
            OURS_TOO[1]: functools.partial(_ours, self, policy="only_numpy"),
            "JAX jit": functools.partial(_jax, self),
            "PyTorch": functools.partial(_torch, self),
            "PyTorch compile": functools.partial(_torch, self, is_compiled=True),
        }


class NumpyWords:
    """The layers in NumPy's names; `nn` has conv, conv_transpose and relu of a library."""

    def __init__(self, np: Any, nn: Any) -> None:
        self.np, self.conv, self.up, self.relu, self.tanh = np, nn.conv, nn.conv_transpose, nn.relu, np.tanh

    def norm(self, x: Any, gamma: Any, beta: Any) -> Any:
        return batch_norm(self.np, x, gamma, beta)

    def leaky(self, x: Any) -> Any:
        return self.np.where(x > 0, x, 0.2 * x)

    def join(self, *arrays: Any) -> Any:
        return self.np.concatenate(arrays, axis=1)

    def entropy(self, logits: Any, label: int) -> Any:
        """The mean binary cross entropy where all labels are the same."""
        np = self.np
        return np.mean(np.maximum(logits, 0) - label * logits + np.log1p(np.exp(-np.abs(logits))))

    def distance(self, x: Any, y: Any) -> Any:
        return self.np.mean(self.np.abs(x - y))


class TorchWords:
    """The layers in PyTorch's names."""

    def __init__(self, torch: Any) -> None:
        self.torch, self.f, self.relu, self.tanh = torch, torch.nn.functional, torch.relu, torch.tanh

    def conv(self, x: Any, w: Any, stride: int = 1, pad: int = 0) -> Any:
        return self.f.conv2d(x, w, None, stride, pad)

    def up(self, x: Any, w: Any, stride: int = 1, pad: int = 0) -> Any:
        return self.f.conv_transpose2d(x, w, None, stride, pad)

    def norm(self, x: Any, gamma: Any, beta: Any) -> Any:
        return self.f.batch_norm(x, None, None, gamma, beta, True, 0.1, EPSILON)

    def leaky(self, x: Any) -> Any:
        return self.f.leaky_relu(x, 0.2)

    def join(self, *arrays: Any) -> Any:
        return self.torch.cat(arrays, dim=1)

    def entropy(self, logits: Any, label: int) -> Any:
        return self.f.binary_cross_entropy_with_logits(logits, self.torch.full_like(logits, label))

    def distance(self, x: Any, y: Any) -> Any:
        return self.f.l1_loss(x, y)


def _step_of(game: Game, np: Any, nn: Any, value_and_grad: Any) -> Any:
    """A function from the state and data to both losses and the new state."""
    words = NumpyWords(np, nn)
    generated, of_discriminator, of_generator = game.generated, game.of_discriminator, game.of_generator

    def update(state: Any, *data: Any) -> Any:
        t, g, gm, gv, d, dm, dv = state
        t = t + 1
        fake = generated(words, g, *data)
        d_loss, slopes = value_and_grad(lambda d: of_discriminator(words, d, fake, *data))(d)
        d, dm, dv = adam(np, RATE, t, d, slopes, dm, dv, B1)
        g_loss, slopes = value_and_grad(lambda g: of_generator(words, d, generated(words, g, *data), *data))(g)
        g, gm, gv = adam(np, RATE, t, g, slopes, gm, gv, B1)
        return d_loss, g_loss, (t, g, gm, gv, d, dm, dv)

    return update


def _first_state(game: Game, array: Any) -> Any:
    def moments(params: Any) -> Any:
        return [array(numpy.zeros_like(one)) for one in params]

    g, d = game.generator(), game.discriminator()
    parts = ([*map(array, g)], moments(g), moments(g), [*map(array, d)], moments(d), moments(d))
    return (array(numpy.zeros((), numpy.float32)), *parts)


def _ours(game: Game, policy: str = "prefer_mxnet", codegen: str = "auto") -> Step:
    def make(dopegraph: Any, np: Any) -> Any:
        state, data = _first_state(game, np.array), [np.array(one) for one in game.data()]
        update = dopegraph.compile(_step_of(game, np, dopegraph.nn, dopegraph.value_and_grad))

        def step() -> Any:
            nonlocal state
            d_loss, g_loss, state = update(state, *data)
            return float(d_loss), float(g_loss)

        return step

    return compiled(make, policy, codegen)


def _jax(game: Game) -> Step:
    import jax
    import jax.numpy as jnp

    from benchmarks.engines.jax import nn

    state, data = _first_state(game, jnp.asarray), [jnp.asarray(one) for one in game.data()]
    update = jax.jit(_step_of(game, jnp, nn, jax.value_and_grad), donate_argnums=0)

    def step() -> Any:
        nonlocal state
        d_loss, g_loss, state = update(state, *data)
        return float(d_loss), float(g_loss)

    return step


def _torch(game: Game, is_compiled: bool = False) -> Step:
    import torch

    words = TorchWords(torch)
    g, d = ([torch.tensor(one, requires_grad=True) for one in make()] for make in (game.generator, game.discriminator))
    g_adam, d_adam = (torch.optim.Adam(params, RATE, (B1, B2), SMALL) for params in (g, d))
    data = [torch.tensor(one) for one in game.data()]
    generated, of_discriminator, of_generator = (
        torch.compile(one) if is_compiled else one for one in (game.generated, game.of_discriminator, game.of_generator)
    )

    def step() -> Any:
        fake = generated(words, g, *data)
        d_adam.zero_grad()
        d_loss = of_discriminator(words, d, fake.detach(), *data)
        d_loss.backward(inputs=d)
        d_adam.step()
        g_adam.zero_grad()
        g_loss = of_generator(words, d, fake, *data)
        g_loss.backward(inputs=g)
        g_adam.step()
        return float(d_loss.detach()), float(g_loss.detach())

    return step
