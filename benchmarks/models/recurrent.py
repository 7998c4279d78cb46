"""The book's character models: RNN, LSTM and GRU over 64 steps, batch 32, 77 characters, 256 hidden units.

Ours is the book's code, a Python loop over the steps. PyTorch has `nn.RNN` and `nn.LSTM`, fused over time (its GRU and
Gluon's reset the state after the product, the book's before: those have no fused form), JAX `lax.scan`, Gluon its fused
`rnn.LSTM`. JAX needs more than a minute to compile the book's loop, so that one is optional.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy

from benchmarks.data import labels, normal, one_hot, zeros
from benchmarks.problem import Problem, Training

STEPS, BATCH, VOCABULARY, HIDDEN = 64, 32, 77, 256
GATES = {"rnn": 1, "lstm": 4, "gru": 3}
RATES = {"rnn": 0.5, "lstm": 2.0, "gru": 2.0}
TITLES = {"rnn": "Character RNN", "lstm": "LSTM", "gru": "GRU"}


def parameters(kind: str, steps: int = STEPS) -> list[Any]:
    """For each gate Wx, Wh, b; then Why, by."""
    found = []
    for gate in range(GATES[kind]):
        found += [
            normal(f"{kind} Wx{gate}", VOCABULARY, HIDDEN, scale=0.1),
            normal(f"{kind} Wh{gate}", HIDDEN, HIDDEN, scale=0.05),
            zeros(HIDDEN),
        ]
    return [*found, normal(f"{kind} Why", HIDDEN, VOCABULARY, scale=0.05), zeros(VOCABULARY)]


def characters(steps: int = STEPS) -> tuple[Any, Any]:
    return (
        labels("characters", steps * BATCH, VOCABULARY).reshape(steps, BATCH),
        labels("next", steps * BATCH, VOCABULARY).reshape(steps, BATCH),
    )


def data(kind: str, steps: int = STEPS) -> list[Any]:
    """One-hot rows, as the book has them, and a state of zeros."""
    return [*(one_hot(one, VOCABULARY) for one in characters(steps)), zeros(BATCH, HIDDEN)]


def rnn_cell(np: Any, nn: Any, p: Any, X: Any, state: Any) -> Any:
    Wx, Wh, b = p
    return (np.tanh(np.dot(X, Wx) + np.dot(state[0], Wh) + b),)


def lstm_cell(np: Any, nn: Any, p: Any, X: Any, state: Any) -> Any:
    Wxg, Whg, bg, Wxi, Whi, bi, Wxf, Whf, bf, Wxo, Who, bo = p
    h, c = state
    g = np.tanh(np.dot(X, Wxg) + np.dot(h, Whg) + bg)
    i = nn.sigmoid(np.dot(X, Wxi) + np.dot(h, Whi) + bi)
    f = nn.sigmoid(np.dot(X, Wxf) + np.dot(h, Whf) + bf)
    o = nn.sigmoid(np.dot(X, Wxo) + np.dot(h, Who) + bo)
    c = f * c + i * g
    return o * np.tanh(c), c


def gru_cell(np: Any, nn: Any, p: Any, X: Any, state: Any) -> Any:
    Wxz, Whz, bz, Wxr, Whr, br, Wxh, Whh, bh = p
    (h,) = state
    z = nn.sigmoid(np.dot(X, Wxz) + np.dot(h, Whz) + bz)
    r = nn.sigmoid(np.dot(X, Wxr) + np.dot(h, Whr) + br)
    g = np.tanh(np.dot(X, Wxh) + np.dot(r * h, Whh) + bh)
    return (z * h + (1 - z) * g,)


CELLS: dict[str, Callable[..., Any]] = {"rnn": rnn_cell, "lstm": lstm_cell, "gru": gru_cell}


def naive(kind: str, np: Any, nn: Any, params: Any, inputs: Any, targets: Any, h: Any) -> Any:
    """The book's code: a Python loop, softmax of each step, the mean of the cross entropies."""
    *cell, Why, by = params
    state = (h, h) if kind == "lstm" else (h,)
    total = 0.0
    for X, y in zip(inputs, targets):
        state = CELLS[kind](np, nn, cell, X, state)
        yhat = np.dot(state[0], Why) + by
        e = np.exp(yhat - np.max(yhat, axis=1, keepdims=True))
        yhat = e / np.sum(e, axis=1, keepdims=True)
        total = total - np.mean(np.sum(y * np.log(yhat), axis=1))
    return total / len(inputs)


def scanned(kind: str, jax: Any, params: Any, inputs: Any, targets: Any, h: Any) -> Any:
    """JAX: `lax.scan` over the steps, the output layer once for all."""
    from benchmarks.engines.jax import nn

    *cell, Why, by = params

    def advance(state: Any, X: Any) -> Any:
        state = CELLS[kind](jax.numpy, nn, cell, X, state)
        return state, state[0]

    _, hidden = jax.lax.scan(advance, (h, h) if kind == "lstm" else (h,), inputs)
    logs = jax.nn.log_softmax(hidden @ Why + by)
    return -(targets * logs).sum(-1).mean()


def torch_data(kind: str) -> list[Any]:
    inputs, _, h = data(kind)
    return [inputs, characters()[1].reshape(-1), h]


def fused_torch(kind: str, torch: Any, params: Any, inputs: Any, targets: Any, h: Any) -> Any:
    """PyTorch: the function behind `nn.RNN` and `nn.LSTM` on weights joined as it wants them."""
    *cell, Why, by = params
    state = h[None]
    if kind == "rnn":
        Wx, Wh, b = cell
        hidden, _ = torch.rnn_tanh(
            inputs, state, [Wx.T, Wh.T, b, torch.zeros_like(b)], True, 1, 0.0, True, False, False
        )
    else:
        order = [1, 2, 0, 3]  # its gates are i, f, g, o; the book's are g, i, f, o
        Wx, Wh = (torch.cat([cell[3 * gate + which].mT for gate in order]) for which in (0, 1))
        b = torch.cat([cell[3 * gate + 2] for gate in order])
        hidden, _, _ = torch.lstm(
            inputs, (state, state), [Wx, Wh, b, torch.zeros_like(b)], True, 1, 0.0, True, False, False
        )
    logits = hidden.reshape(-1, HIDDEN) @ Why + by
    return torch.nn.functional.cross_entropy(logits, targets)


def looped_torch(kind: str, torch: Any, params: Any, inputs: Any, targets: Any, h: Any) -> Any:
    """PyTorch: the book's loop, the output layer once for all."""
    *cell, Why, by = params
    state, hidden = ((h, h) if kind == "lstm" else (h,)), []
    for X in inputs:
        state = CELLS[kind](_Words(torch), _Words(torch), cell, X, state)
        hidden.append(state[0])
    return torch.nn.functional.cross_entropy(torch.stack(hidden).reshape(-1, HIDDEN) @ Why + by, targets)


class _Words:
    """NumPy's names for PyTorch's functions."""

    def __init__(self, torch: Any) -> None:
        self.dot, self.tanh, self.sigmoid = torch.mm, torch.tanh, torch.sigmoid


def in_gluon(kind: str, mx: Any) -> Any:
    """Gluon: the fused layer with the weights joined in its order; (steps, batch, characters) in, the mean loss out."""
    *cell, Why, by = parameters(kind)
    order = {"rnn": [0], "lstm": [1, 2, 0, 3]}[kind]
    Wx, Wh, b = (numpy.concatenate([cell[3 * gate + which].T for gate in order]) for which in (0, 1, 2))
    layer = {"rnn": functools.partial(mx.gluon.rnn.RNN, activation="tanh"), "lstm": mx.gluon.rnn.LSTM}[kind]

    class Characters(mx.gluon.HybridBlock):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            with self.name_scope():
                self.rnn = layer(HIDDEN, input_size=VOCABULARY)
                self.dense = mx.gluon.nn.Dense(VOCABULARY)
                self.loss = mx.gluon.loss.SoftmaxCrossEntropyLoss()

        def hybrid_forward(self, F: Any, inputs: Any, targets: Any) -> Any:
            hidden = self.rnn(inputs)
            return F.mean(self.loss(self.dense(F.reshape(hidden, shape=(-1, HIDDEN))), targets))

    return Characters(), [Wx, Wh, b, numpy.zeros_like(b), Why.T, by]


def gluon_data(kind: str) -> list[Any]:
    return torch_data(kind)[:2]


def model(kind: str) -> Training:
    has_layer = kind != "gru"
    torch_loop = functools.partial(looped_torch, kind)
    return Training(
        functools.partial(parameters, kind), functools.partial(data, kind), functools.partial(naive, kind),
        rate=RATES[kind] * 0.1, jax=functools.partial(scanned, kind),
        torch=functools.partial(fused_torch, kind) if has_layer else torch_loop,
        torch_naive=torch_loop if has_layer else None, torch_data=functools.partial(torch_data, kind),
        gluon=functools.partial(in_gluon, kind) if has_layer else None, gluon_data=functools.partial(gluon_data, kind),
        compiles=not has_layer,
    )  # fmt: skip


# Compilers that unroll the loop need minutes.
OPTIONAL = ("JAX jit, naive", "PyTorch compile, naive", "PyTorch compile")
PROBLEMS = [
    Problem(
        kind, f"{TITLES[kind]}, {STEPS} steps, batch {BATCH}, {HIDDEN} hidden", model(kind).contestants(), OPTIONAL,
        tolerance=2e-3,
    )
    for kind in CELLS
]  # fmt: skip
