"""A policy gradient on 16 carts with poles: 100 steps of the episodes as a Python loop, then the update.

The chances for the actions are given, so that all compute the same; JAX has `lax.scan` over the steps.
"""

from __future__ import annotations

from typing import Any

import numpy

from benchmarks.data import layers, normal, uniform
from benchmarks.problem import Problem, Training

CARTS, STEPS, HIDDEN, DISCOUNT = 16, 100, 32, 0.99
GRAVITY, MASS, POLE, LENGTH, FORCE, SECONDS = 9.8, 1.1, 0.1, 0.5, 10.0, 0.02
FARTHEST, STEEPEST = 2.4, 12 * 2 * numpy.pi / 360


def parameters() -> list[Any]:
    return layers("policy", 4, HIDDEN, 2, scale=0.3)


def data() -> list[Any]:
    return [normal("carts", CARTS, 4, scale=0.03), uniform("actions", STEPS, CARTS)]


def move(np: Any, state: Any, push: Any) -> Any:
    x, v, angle, turning = (state[:, number] for number in range(4))
    sine, cosine = np.sin(angle), np.cos(angle)
    pull = (push + POLE * LENGTH * turning**2 * sine) / MASS
    turns_faster = (GRAVITY * sine - cosine * pull) / (LENGTH * (4 / 3 - POLE * cosine**2 / MASS))
    faster = pull - POLE * LENGTH * turns_faster * cosine / MASS
    columns = [x + SECONDS * v, v + SECONDS * faster, angle + SECONDS * turning, turning + SECONDS * turns_faster]
    return np.stack(columns, axis=1)


def scores(np: Any, params: Any, states: Any) -> Any:
    W1, b1, W2, b2 = params
    return np.dot(np.tanh(np.dot(states, W1) + b1), W2) + b2


def advance(np: Any, nn: Any, params: Any, state: Any, standing: Any, chances: Any) -> Any:
    """Whether each is pushed to the right, the new states, and which poles still stand."""
    right = chances < np.exp(nn.log_softmax(scores(np, params, state)))[:, 1]
    state = move(np, state, np.where(right, FORCE, -FORCE))
    standing = standing * (np.abs(state[:, 0]) <= FARTHEST) * (np.abs(state[:, 2]) <= STEEPEST)
    return right, state, standing


def loss_of(np: Any, nn: Any, params: Any, states: Any, rights: Any, alive: Any, gained: Any) -> Any:
    count = np.sum(alive)
    mean = np.sum(gained * alive, axis=1, keepdims=True) / np.maximum(np.sum(alive, axis=1, keepdims=True), 1)
    advantage = (gained - mean) * alive
    advantage = (advantage / (np.sqrt(np.sum(advantage**2) / count) + 1e-6)).reshape(-1)
    logs = nn.log_softmax(scores(np, params, states.reshape(-1, 4)))
    return -np.sum(np.where(rights.reshape(-1), logs[:, 1], logs[:, 0]) * advantage) / count


def naive(np: Any, nn: Any, params: Any, state: Any, chances: Any) -> Any:
    """No derivative goes through the episodes: actions are comparisons."""
    states, rights, alive = [], [], []
    standing = np.ones(CARTS, state.dtype)
    for t in range(STEPS):
        states.append(state)
        alive.append(standing)
        right, state, standing = advance(np, nn, params, state, standing, chances[t])
        rights.append(right)
    total, gained = np.zeros(CARTS, state.dtype), []
    for reward in alive[::-1]:
        total = reward + DISCOUNT * total
        gained.append(total)
    return loss_of(np, nn, params, *map(np.stack, (states, rights, alive, gained[::-1])))


def in_jax(jax: Any, params: Any, state: Any, chances: Any) -> Any:
    from benchmarks.engines.jax import nn

    np = jax.numpy

    def one(carried: Any, some: Any) -> Any:
        state, standing = carried
        right, *after = advance(np, nn, jax.lax.stop_gradient(params), state, standing, some)
        return tuple(after), (state, right, standing)

    _, (states, rights, alive) = jax.lax.scan(one, (state, np.ones(CARTS)), chances)

    def back(total: Any, reward: Any) -> Any:
        total = reward + DISCOUNT * total
        return total, total

    _, gained = jax.lax.scan(back, np.zeros(CARTS), alive, reverse=True)
    return loss_of(np, nn, params, states, rights, alive, gained)


class _Names:
    """NumPy's names for PyTorch's functions."""

    def __init__(self, torch: Any) -> None:
        self.torch, self.dot, self.tanh, self.sin, self.cos = torch, torch.mm, torch.tanh, torch.sin, torch.cos
        self.exp, self.abs, self.sqrt, self.where = torch.exp, torch.abs, torch.sqrt, torch.where

    def stack(self, arrays: Any, axis: int = 0) -> Any:
        return self.torch.stack(list(arrays), axis)

    def sum(self, x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
        return x.sum() if axis is None else x.sum(axis, keepdim=keepdims)

    def maximum(self, x: Any, least: float) -> Any:
        return x.clamp(min=least)

    def log_softmax(self, x: Any) -> Any:
        return x.log_softmax(-1)


def in_torch(torch: Any, params: Any, state: Any, chances: Any) -> Any:
    names = _Names(torch)
    with torch.no_grad():
        fixed = [param.detach() for param in params]
        states, rights, alive = [], [], []
        standing = torch.ones(CARTS)
        for some in chances:
            states.append(state)
            alive.append(standing)
            right, state, standing = advance(names, names, fixed, state, standing, some)
            rights.append(right)
        total, gained = torch.zeros(CARTS), []
        for reward in alive[::-1]:
            total = reward + DISCOUNT * total
            gained.append(total)
    return loss_of(names, names, params, *map(torch.stack, (states, rights, alive, gained[::-1])))


MODEL = Training(parameters, data, naive, rate=0.01, jax=in_jax, torch=in_torch)
TITLE = f"Policy gradient, {STEPS} steps of {CARTS} carts"
PROBLEMS = [
    Problem("cart_pole", TITLE, MODEL.contestants(), ("JAX jit, naive", "PyTorch compile"), tolerance=5e-3),
]
