"""NumPy's names, signatures and semantics on `dopegraph.ndarray`: ``import dopegraph.numpy as np``.

Outside a recording everything runs at once; inside ``compile``, ``grad`` or ``record`` the same calls build a graph.
"""

from __future__ import annotations

import numpy as _numpy

from dopegraph.array import ndarray
from dopegraph.numpy import host as _host
from dopegraph.numpy import linalg, random
from dopegraph.numpy.creation import *  # noqa: F403
from dopegraph.numpy.creation import __all__ as _creation
from dopegraph.numpy.einsum import einsum, einsum_path
from dopegraph.numpy.elementwise import make as _make
from dopegraph.numpy.indexing import *  # noqa: F403
from dopegraph.numpy.indexing import __all__ as _indexing
from dopegraph.numpy.joining import *  # noqa: F403
from dopegraph.numpy.joining import __all__ as _joining
from dopegraph.numpy.linear import *  # noqa: F403
from dopegraph.numpy.linear import __all__ as _linear
from dopegraph.numpy.logic import *  # noqa: F403
from dopegraph.numpy.logic import __all__ as _logic
from dopegraph.numpy.matrices import *  # noqa: F403
from dopegraph.numpy.matrices import __all__ as _matrices
from dopegraph.numpy.methods import attach as _attach
from dopegraph.numpy.reduction import *  # noqa: F403
from dopegraph.numpy.reduction import __all__ as _reduction
from dopegraph.numpy.shape import *  # noqa: F403
from dopegraph.numpy.shape import __all__ as _shape
from dopegraph.numpy.statistics import *  # noqa: F403
from dopegraph.numpy.statistics import __all__ as _statistics
from dopegraph.numpy.table import ALIASES as _ALIASES
from dopegraph.numpy.table import TABLE as _TABLE

_attach()

for _name in _TABLE:
    globals()[_name] = _make(_name)
for _name, _target in _ALIASES.items():
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
    *_creation, *_ALIASES, *_TABLE, *_indexing, *_joining, *_linear, *_logic, *_matrices, *_reduction, *_shape,
    *_statistics, *_DTYPES, "coverage", "e", "einsum", "einsum_path", "euler_gamma", "inf", "linalg", "nan", "ndarray",
    "ndim", "newaxis", "pi",
    "random", "shape", "size",
]  # fmt: skip


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


def __getattr__(name: str):  # type: ignore[no-untyped-def]
    return _host.find(name)


def coverage() -> dict[str, str]:
    """Which of NumPy's functions are ``"traced"`` into graphs and differentiated, and which run on the ``"host"``.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.coverage()["tanh"], np.coverage()["sort"]
    ('traced', 'host')
    """
    return {name: "traced" if _is_ours(name) else "host" for name in _host.public_functions()}


def _is_ours(path: str) -> bool:
    space, _, name = path.rpartition(".")
    return name in (vars(globals()[space]) if space in globals() else {} if space else globals())
