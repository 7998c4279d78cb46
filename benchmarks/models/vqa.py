"""The book's two networks for visual question answering, batch 64: vectors side by side, and compact bilinear pooling.

Hidden layer 512, sketch 4000, 20 answers; batch normalization by the batch's own mean and variance, no dropout. The
second sketches both vectors (places and signs are data) and multiplies their Fourier transforms.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy

from benchmarks.data import labels, layers, normal, one_hot, zeros
from benchmarks.problem import Problem, Training

BATCH, TEXT, IMAGE, SKETCH, HIDDEN, ANSWERS = 64, 1024, 2048, 4000, 512, 20
EPSILON = 1e-5


def parameters_of(joined: int) -> list[Any]:
    fc1, fc2 = layers("vqa1", joined, HIDDEN, scale=0.02), layers("vqa2", HIDDEN, ANSWERS)
    return [*fc1, numpy.ones(HIDDEN, numpy.float32), zeros(HIDDEN), *fc2]


def vectors() -> list[Any]:
    return [normal("text", BATCH, TEXT), normal("image", BATCH, IMAGE), one_hot(labels("vqa", BATCH, ANSWERS), ANSWERS)]


def sketched() -> list[Any]:
    """Besides, of both vectors, a place and a sign for each number."""
    found = vectors()
    for name, count in (("text", TEXT), ("image", IMAGE)):
        found.append(labels(f"places {name}", count, SKETCH).astype(numpy.int32))
        found.append((2 * labels(f"signs {name}", count, 2) - 1).astype(numpy.float32))
    return found


def normalized(np: Any, x: Any) -> Any:
    return x / np.sqrt(np.sum(x * x, axis=1, keepdims=True) + 1e-10)


def answered(np: Any, nn: Any, params: Any, z: Any, target: Any) -> Any:
    """The loss of what the vectors became."""
    W1, b1, gamma, beta, W2, b2 = params
    h = nn.relu(np.matmul(z, W1) + b1)
    centred = h - np.mean(h, axis=0)
    h = centred / np.sqrt(np.mean(centred * centred, axis=0) + EPSILON) * gamma + beta
    return -np.sum(target * nn.log_softmax(np.matmul(h, W2) + b2)) / BATCH


def side_by_side(np: Any, nn: Any, params: Any, text: Any, image: Any, target: Any) -> Any:
    z = np.concatenate([normalized(np, text), normalized(np, image)], axis=1)
    return answered(np, nn, params, z, target)


def multiplied(np: Any, nn: Any, params: Any, text: Any, image: Any, target: Any, *drawn: Any) -> Any:
    h1, s1, h2, s2 = drawn
    f = np.fft.rfft(nn.count_sketch(normalized(np, text), h1, s1, SKETCH))
    g = np.fft.rfft(nn.count_sketch(normalized(np, image), h2, s2, SKETCH))
    return answered(np, nn, params, np.fft.irfft(f * g, n=SKETCH), target)


class _Words:
    """NumPy's names, and ours, for PyTorch's functions."""

    def __init__(self, torch: Any) -> None:
        self.sqrt, self.matmul, self.relu, self.fft, self._torch = (
            torch.sqrt,
            torch.matmul,
            torch.relu,
            torch.fft,
            torch,
        )

    def concatenate(self, parts: Any, axis: int) -> Any:
        return self._torch.cat(parts, axis)

    def sum(self, x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
        return x.sum() if axis is None else x.sum(axis, keepdim=keepdims)

    def mean(self, x: Any, axis: int) -> Any:
        return x.mean(axis)

    def log_softmax(self, x: Any) -> Any:
        return x.log_softmax(-1)

    def count_sketch(self, x: Any, h: Any, s: Any, out_dim: int) -> Any:
        return x.new_zeros(x.shape[0], out_dim).index_add(1, h, x * s)


def side_by_side_in_torch(torch: Any, params: Any, *data: Any) -> Any:
    words = _Words(torch)
    return side_by_side(words, words, params, *data)


def multiplied_in_torch(torch: Any, params: Any, *data: Any) -> Any:
    words = _Words(torch)
    return multiplied(words, words, params, *data)


SIDE_BY_SIDE = Training(
    functools.partial(parameters_of, TEXT + IMAGE), vectors, side_by_side, rate=0.1, torch=side_by_side_in_torch
)
MULTIPLIED = Training(
    functools.partial(parameters_of, SKETCH), sketched, multiplied, rate=0.1, torch=multiplied_in_torch, autograd=False
)
PROBLEMS = [
    Problem("vqa/side_by_side", "VQA: two vectors side by side, batch 64", SIDE_BY_SIDE.contestants()),
    Problem("vqa/multiplied", "VQA: compact bilinear pooling by FFT, batch 64", MULTIPLIED.contestants()),
]
