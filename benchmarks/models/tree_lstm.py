"""Child-sum tree-LSTM (Tai, Socher and Manning, 2015) on two sentences of 11 words, recursion in Python.

What is timed is a training step on one pair of trees: embedding 150, hidden 150, a comparison of the roots, KL loss.
The trees stay the same, so whoever compiles, compiles once. Gluon takes no part: its recursion
over blocks has no hybrid form.
"""

from __future__ import annotations

from typing import Any

import numpy

from benchmarks.data import layers, normal, zeros
from benchmarks.problem import Problem, Training

WORDS, EMBEDDING, HIDDEN, SIMILAR, CLASSES = 200, 150, 150, 50, 5
# (word, children)
LEFT = (3, [(7, [(12, []), (5, [(9, [])])]), (30, []), (41, [(8, []), (77, [(100, []), (2, [])])])])
RIGHT = (4, [(6, [(19, [])]), (31, [(8, []), (15, []), (77, [(101, [])])]), (50, [(13, [(60, [])])])])


def parameters() -> list[Any]:
    return [
        normal("embedding", WORDS, EMBEDDING, scale=0.3),
        normal("from input", EMBEDDING, 4 * HIDDEN, scale=0.1), zeros(4 * HIDDEN),
        normal("from sum", HIDDEN, 3 * HIDDEN, scale=0.1), zeros(3 * HIDDEN),
        normal("from child", HIDDEN, HIDDEN, scale=0.1), zeros(HIDDEN),
        *layers("similarity", 2 * HIDDEN, SIMILAR, CLASSES, scale=0.1),
    ]  # fmt: skip


def data() -> list[Any]:
    return [numpy.array([0.0, 0.0, 0.25, 0.75, 0.0], numpy.float32)]


def encode(np: Any, nn: Any, params: Any, tree: Any) -> tuple[Any, Any]:
    """The state of a tree's root."""
    embedding, Wx, bx, Ws, bs, Wc, bc = params
    word, children = tree
    states = [encode(np, nn, params, child) for child in children]
    x = np.dot(embedding[word], Wx) + bx
    i, f, u, o = (x[n * HIDDEN : (n + 1) * HIDDEN] for n in range(4))
    if states:
        hs = np.stack([h for h, _ in states])
        cs = np.stack([c for _, c in states])
        s = np.dot(np.sum(hs, axis=0), Ws) + bs
        c = nn.sigmoid(i + s[:HIDDEN]) * np.tanh(u + s[HIDDEN : 2 * HIDDEN])
        c = c + np.sum(nn.sigmoid(f + np.dot(hs, Wc) + bc) * cs, axis=0)
        return nn.sigmoid(o + s[2 * HIDDEN :]) * np.tanh(c), c
    c = nn.sigmoid(i + bs[:HIDDEN]) * np.tanh(u + bs[HIDDEN : 2 * HIDDEN])
    return nn.sigmoid(o + bs[2 * HIDDEN :]) * np.tanh(c), c


def naive(np: Any, nn: Any, params: Any, target: Any) -> Any:
    left, right = (encode(np, nn, params[:7], tree)[1] for tree in (LEFT, RIGHT))
    W1, b1, W2, b2 = params[7:]
    features = np.concatenate([left * right, np.abs(left - right)])
    logs = nn.log_softmax(np.dot(nn.sigmoid(np.dot(features, W1) + b1), W2) + b2)
    return np.mean(target * (np.log(target + 1e-12) - logs))


class _Names:
    """NumPy's names for PyTorch's functions."""

    def __init__(self, torch: Any) -> None:
        self.dot, self.tanh, self.sigmoid, self.stack = torch.matmul, torch.tanh, torch.sigmoid, torch.stack
        self.abs, self.log, self.concatenate, self.mean = torch.abs, torch.log, torch.cat, torch.mean

    @staticmethod
    def sum(x: Any, axis: int) -> Any:
        return x.sum(axis)

    @staticmethod
    def log_softmax(x: Any) -> Any:
        return x.log_softmax(-1)


def in_torch(torch: Any, params: Any, target: Any) -> Any:
    names = _Names(torch)
    return naive(names, names, params, target)


MODEL = Training(parameters, data, naive, rate=0.1, torch=in_torch)
PROBLEMS = [
    Problem("tree_lstm", "Tree-LSTM on a pair of trees of 11 words", MODEL.contestants(), ("PyTorch compile",)),
]
