"""Short random projections of long vectors: the count sketch, of which compact bilinear pooling is made."""

from __future__ import annotations

from typing import Any

import numpy

from dopegraph import ops
from dopegraph.array import ndarray
from dopegraph.dispatch import apply
from dopegraph.nn.functional import _floating
from dopegraph.numpy.creation import integers, zeros
from dopegraph.numpy.promotion import as_array, convert
from dopegraph.numpy.shape import ravel
from dopegraph.runtime.errors import ShapeError
from dopegraph.runtime.location import here, located


def count_sketch(data: Any, h: Any, s: Any, out_dim: int) -> ndarray:
    """Each number of a row, times its sign, added to one of `out_dim` sums: ``out[..., h[j]] += s[j] * data[..., j]``.

    With signs and places of chance, products of sketches are on average those of the rows. The sketch of an outer
    product of two rows, with places ``(h1[i] + h2[j]) % out_dim`` and signs ``s1[i] * s2[j]``, is the circular
    convolution of their sketches, a product of their Fourier transforms.

    Parameters
    ----------
    data : array_like
        Shape (..., n).
    h : array_like of int
        Places, n numbers from 0 to ``out_dim - 1``; floats are accepted, as MXNet has them.
    s : array_like
        Signs, n numbers 1 or -1.
    out_dim : int
        How long the sketch is.

    Returns
    -------
    ndarray
        Shape (..., out_dim), differentiable by `data` and `s`.

    Raises
    ------
    ShapeError
        When there are not as many places and signs as numbers in a row.
    IndexError
        When a place is outside.

    References
    ----------
    Charikar, Chen, Farach-Colton, *Finding Frequent Items in Data Streams*, 2002, has the sketch; Pham and Pagh, *Fast
    and Scalable Polynomial Kernels via Explicit Feature Maps*, 2013, that of products.

    Examples
    --------
    >>> from dopegraph import nn
    >>> nn.count_sketch([[1.0, 2.0, 3.0]], h=[0, 3, 0], s=[1, -1, 1], out_dim=4)
    array([[ 4.,  0.,  0., -2.]], dtype=float32)
    """
    x = _floating(data)
    signs = convert(ravel(as_array(s)), x.dtype)
    places = ravel(as_array(h))
    if places.dtype.kind not in "iu":
        places = convert(places, numpy.dtype("int64"))
    if not x.ndim or not x.shape[-1] == places.size == signs.size:
        message = f"count_sketch: {places.size} places and {signs.size} signs for data of shape {x.shape}"
        raise ShapeError(located(f"{message}; there must be one of each for each number of a row", here()))
    (length,) = integers(out_dim, "count_sketch: out_dim")
    nothing = zeros((*x.shape[:-1], length), x.dtype)
    return apply(ops.scatter_add, nothing, places, x * signs, axis=x.ndim - 1)
