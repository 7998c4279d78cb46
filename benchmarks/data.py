"""Arrays of chance that are the same in every process."""

from __future__ import annotations

import zlib
from typing import Any

import numpy


def normal(name: str, *shape: int, scale: float = 1.0) -> Any:
    """Normal float32 numbers; the name is the seed."""
    return (_generator(name).standard_normal(shape) * scale).astype(numpy.float32)


def uniform(name: str, *shape: int) -> Any:
    """Numbers from 0 to 1."""
    return _generator(name).random(shape, dtype=numpy.float32)


def labels(name: str, count: int, classes: int) -> Any:
    """Integers below `classes`."""
    return _generator(name).integers(0, classes, count)


def one_hot(indices: Any, classes: int) -> Any:
    """A row with a one for each."""
    return numpy.eye(classes, dtype=numpy.float32)[indices]


def zeros(*shape: int) -> Any:
    """Float32 zeros."""
    return numpy.zeros(shape, numpy.float32)


def layers(name: str, *sizes: int, scale: float = 0.05) -> list[Any]:
    """Weights (inputs, outputs) and biases of layers that follow each other."""
    found = []
    for number, (m, n) in enumerate(zip(sizes, sizes[1:])):
        found += [normal(f"{name}{number}", m, n, scale=scale), zeros(n)]
    return found


def _generator(name: str) -> Any:
    return numpy.random.default_rng(zlib.crc32(name.encode()))
