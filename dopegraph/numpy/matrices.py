"""Matrices of ones and zeros, and triangles of matrices."""

from __future__ import annotations

from typing import Any

import numpy

from dopegraph import ops
from dopegraph.array import ndarray
from dopegraph.dispatch import apply
from dopegraph.numpy.creation import dtype_or_default
from dopegraph.numpy.promotion import as_array, new, scalar

__all__ = ["eye", "identity", "tri", "tril", "triu"]


def eye(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> ndarray:
    """A matrix of zeros with ones on the k-th diagonal.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.eye(2)
    array([[1., 0.],
           [0., 1.]], dtype=float32)
    """
    return new(numpy.eye(N, M, k, dtype_or_default(dtype)))


def identity(n: int, dtype: Any = None) -> ndarray:
    """The identity matrix."""
    return eye(n, dtype=dtype)


def tri(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> ndarray:
    """Ones at and below the k-th diagonal, zeros above."""
    return new(numpy.tri(N, M, k, dtype_or_default(dtype)))


def _triangle(m: Any, keep: numpy.ndarray) -> ndarray:
    x = as_array(m)
    return apply(ops.select, new(keep), x, scalar(0, x.dtype))


def tril(m: Any, k: int = 0) -> ndarray:
    """The matrix with zeros above the k-th diagonal."""
    x = as_array(m)
    return _triangle(x, numpy.tri(*x.shape[-2:], k=k, dtype=bool))


def triu(m: Any, k: int = 0) -> ndarray:
    """The matrix with zeros below the k-th diagonal."""
    x = as_array(m)
    return _triangle(x, ~numpy.tri(*x.shape[-2:], k=k - 1, dtype=bool))
