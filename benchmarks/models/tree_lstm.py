"""Child-sum tree-LSTM (Tai, Socher and Manning, 2015) on two sentences of 11 words, recursion in Python.

What is timed is a training step on one pair of trees: embedding 150, hidden 150, a comparison of the roots, KL loss.
The trees stay the same, so whoever compiles, compiles once. Gluon takes no part: its recursion
over blocks has no hybrid form. In the second problem a batch of trees of all shapes is computed level by level.
"""

from __future__ import annotations

import functools
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
        self.dot, self.matmul, self.stack, self.concatenate = torch.matmul, torch.matmul, torch.stack, self._joined
        self.tanh, self.sigmoid, self.abs, self.log = torch.tanh, torch.sigmoid, torch.abs, torch.log
        self.mean, self.zeros, self.float32, self._cat = torch.mean, torch.zeros, torch.float32, torch.cat

    def _joined(self, parts: Any, axis: int = 0) -> Any:
        return self._cat(parts, axis)

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


# A batch of pairs of all shapes: by levels of all trees, as PyTorch's and JAX's users would write it, too; beside it
# the recursion for one pair after the other, which only PyTorch does without compiling each shape.
PAIRS, SHORTEST, LONGEST, MOST = 25, 4, 18, 4


def grown(rng: Any) -> tuple[int, list[Any]]:
    """A tree of chance: each word depends on one before it that has not too many children yet."""
    nodes = [(int(word), []) for word in rng.integers(1, WORDS, rng.integers(SHORTEST, LONGEST + 1))]
    for place, node in enumerate(nodes[1:], 1):
        free = [one for one in nodes[:place] if len(one[1]) < MOST]
        free[rng.integers(len(free))][1].append(node)
    return nodes[0]


@functools.cache
def trees() -> tuple[list[Any], list[Any]]:
    rng = numpy.random.default_rng(0)
    return [grown(rng) for _ in range(PAIRS)], [grown(rng) for _ in range(PAIRS)]


def targets() -> Any:
    scores = numpy.random.default_rng(1).uniform(1, CLASSES, PAIRS).astype(numpy.float32)
    return numpy.maximum(0, 1 - numpy.abs(scores[:, None] - numpy.arange(1, CLASSES + 1, dtype=numpy.float32)))


def placed(tree: Any, levels: list[list[Any]]) -> tuple[int, int]:
    """Put a tree's words into levels, children first; where its root is."""
    word, children = tree
    places = [placed(child, levels) for child in children]
    level = max((one for one, _ in places), default=-1) + 1
    levels.extend([] for _ in range(level + 1 - len(levels)))
    levels[level].append((word, places))
    return level, len(levels[level]) - 1


def levels_data() -> list[Any]:
    """Roots of both sides, targets, words of the leaves, then words and children's states of each level above."""
    levels: list[list[Any]] = []
    roots = [placed(tree, levels) for side in trees() for tree in side]
    starts = numpy.cumsum([1, *map(len, levels)])
    arrays = [numpy.array([word for word, _ in levels[0]], numpy.int32)]
    for level in levels[1:]:
        children = numpy.zeros((len(level), max(len(places) for _, places in level)), numpy.int32)
        for row, (_, places) in zip(children, level):
            row[: len(places)] = [starts[one] + place for one, place in places]
        arrays += [numpy.array([word for word, _ in level], numpy.int32), children]
    ends = numpy.array([starts[level] + place for level, place in roots], numpy.int32)
    return [ends[:PAIRS], ends[PAIRS:], targets(), *arrays]


def cell(np: Any, nn: Any, params: Any, words: Any, hs: Any, cs: Any) -> tuple[Any, Any]:
    """The states of words (n,) with the states (n, children, hidden) of their children, None for leaves."""
    embedding, Wx, bx, Ws, bs, Wc, bc = params
    x = np.matmul(embedding[words], Wx) + bx
    i, f, u, o = (x[:, n * HIDDEN : (n + 1) * HIDDEN] for n in range(4))
    s = bs[None] if hs is None else np.matmul(np.sum(hs, axis=1), Ws) + bs
    c = nn.sigmoid(i + s[:, :HIDDEN]) * np.tanh(u + s[:, HIDDEN : 2 * HIDDEN])
    if hs is not None:
        c = c + np.sum(nn.sigmoid(f[:, None] + np.matmul(hs, Wc) + bc) * cs, axis=1)
    return nn.sigmoid(o + s[:, 2 * HIDDEN :]) * np.tanh(c), c


def compared(np: Any, nn: Any, params: Any, left: Any, right: Any, target: Any) -> Any:
    W1, b1, W2, b2 = params
    features = np.concatenate([left * right, np.abs(left - right)], axis=1)
    logs = nn.log_softmax(np.matmul(nn.sigmoid(np.matmul(features, W1) + b1), W2) + b2)
    return np.mean(target * (np.log(target + 1e-12) - logs))


def by_levels(np: Any, nn: Any, params: Any, left: Any, right: Any, target: Any, leaves: Any, *others: Any) -> Any:
    h, c = cell(np, nn, params[:7], leaves, None, None)
    h, c = (np.concatenate([np.zeros((1, HIDDEN), dtype=np.float32), one]) for one in (h, c))
    for words, children in zip(others[::2], others[1::2]):
        new_h, new_c = cell(np, nn, params[:7], words, h[children], c[children])
        h, c = np.concatenate([h, new_h]), np.concatenate([c, new_c])
    return compared(np, nn, params[7:], c[left], c[right], target)


def levels_in_torch(torch: Any, params: Any, *data: Any) -> Any:
    names = _Names(torch)
    return by_levels(names, names, params, *data)


def recursion_in_torch(torch: Any, params: Any, left: Any, right: Any, target: Any, *_: Any) -> Any:
    names = _Names(torch)
    states = [[encode(names, names, params[:7], tree)[1] for tree in side] for side in trees()]
    return compared(names, names, params[7:], *(torch.stack(side) for side in states), target)


LEVELS = Training(
    parameters, levels_data, by_levels, rate=0.1, torch=levels_in_torch, torch_naive=recursion_in_torch,
)  # fmt: skip
PROBLEMS.append(
    Problem("tree_lstm/levels", f"Tree-LSTM, each of {PAIRS} pairs of all shapes", LEVELS.contestants(),
            ("PyTorch compile", "PyTorch compile, naive"), repeat=PAIRS)
)  # fmt: skip
