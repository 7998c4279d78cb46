"""NumPy's names, signatures and semantics on `dopegraph.ndarray`: ``import dopegraph.numpy as np``.

Outside a recording everything runs at once; inside ``compile``, ``grad`` or ``record`` the same calls build a graph.
"""

from __future__ import annotations

import numpy as _numpy

from dopegraph.array import ndarray
from dopegraph.numpy import elementwise as _elementwise
from dopegraph.numpy import random
from dopegraph.numpy.creation import *  # noqa: F403
from dopegraph.numpy.creation import __all__ as _creation
from dopegraph.numpy.elementwise import clip, divmod, isclose, where
from dopegraph.numpy.indexing import *  # noqa: F403
from dopegraph.numpy.indexing import __all__ as _indexing
from dopegraph.numpy.linear import *  # noqa: F403
from dopegraph.numpy.linear import __all__ as _linear
from dopegraph.numpy.methods import attach as _attach
from dopegraph.numpy.reduction import *  # noqa: F403
from dopegraph.numpy.reduction import __all__ as _reduction
from dopegraph.numpy.shape import *  # noqa: F403
from dopegraph.numpy.shape import __all__ as _shape

_attach()

for _name in _elementwise.TABLE:
    globals()[_name] = _elementwise.make(_name)
for _name, _target in _elementwise.ALIASES.items():
    globals()[_name] = globals()[_target]

pi, e, inf, nan, euler_gamma = _numpy.pi, _numpy.e, _numpy.inf, _numpy.nan, _numpy.euler_gamma
newaxis = None

_DTYPES = (
    "bool_", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "float32",
    "float64", "complex64", "complex128", "dtype", "finfo", "iinfo", "integer", "floating", "number",
)  # fmt: skip
for _name in _DTYPES:
    globals()[_name] = getattr(_numpy, _name)

__all__ = [
    *_creation, *_elementwise.ALIASES, *_elementwise.TABLE, *_indexing, *_linear, *_reduction, *_shape, *_DTYPES,
    "allclose", "array_equal", "clip", "divmod", "e", "euler_gamma", "inf", "isclose", "nan", "ndarray", "ndim",
    "newaxis", "pi", "random", "shape", "size", "where",
]  # fmt: skip


def array_equal(a1, a2) -> bool:  # type: ignore[no-untyped-def]
    """Whether two arrays have the same shape and elements."""
    x, y = asarray(a1), asarray(a2)  # noqa: F405
    return x.shape == y.shape and bool((x == y).all())


def allclose(a, b, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> bool:  # type: ignore[no-untyped-def]
    """Whether all elements of two arrays are close; see `isclose`."""
    return bool(isclose(a, b, rtol, atol, equal_nan).all())


def shape(a) -> tuple[int, ...]:  # type: ignore[no-untyped-def]
    """Lengths of the axes of anything that can be an array."""
    return asarray(a).shape  # noqa: F405


def ndim(a) -> int:  # type: ignore[no-untyped-def]
    """Number of axes of anything that can be an array."""
    return len(shape(a))


def size(a, axis: int | None = None) -> int:  # type: ignore[no-untyped-def]
    """Number of elements, or length of one axis, of anything that can be an array."""
    x = asarray(a)  # noqa: F405
    return x.size if axis is None else x.shape[axis]
