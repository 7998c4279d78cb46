"""Windows for signals: numbers between 0 and 1 that fall off towards both ends, in the default dtype."""

from __future__ import annotations

from typing import Any

import numpy

from dopegraph.array import ndarray
from dopegraph.numpy.layout import naming
from dopegraph.numpy.promotion import new
from dopegraph.numpy.ranges import number_of
from dopegraph.runtime.config import default_dtype

__all__ = ["bartlett", "blackman", "hamming", "hanning", "kaiser"]


def _window(name: str, *numbers: Any) -> ndarray:
    """NumPy computes it in double precision; it is rounded once."""
    with naming(name):
        return new(getattr(numpy, name)(*[number_of(one) for one in numbers]).astype(default_dtype()))


def bartlett(M: int) -> ndarray:
    """The triangular window of `M` points, 0 at both ends.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.bartlett(5)
    array([0. , 0.5, 1. , 0.5, 0. ], dtype=float32)
    """
    return _window("bartlett", M)


def blackman(M: int) -> ndarray:
    """The Blackman window of `M` points: a sum of three cosines."""
    return _window("blackman", M)


def hamming(M: int) -> ndarray:
    """The Hamming window of `M` points: a raised cosine that does not reach 0."""
    return _window("hamming", M)


def hanning(M: int) -> ndarray:
    """The Hann window of `M` points: a raised cosine, 0 at both ends.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.hanning(3)
    array([0., 1., 0.], dtype=float32)
    """
    return _window("hanning", M)


def kaiser(M: int, beta: float) -> ndarray:
    """The Kaiser window of `M` points; the larger `beta`, the narrower: 0 is a rectangle."""
    return _window("kaiser", M, beta)
