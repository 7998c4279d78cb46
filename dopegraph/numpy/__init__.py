"""NumPy's names, signatures and semantics on `dopegraph.ndarray`: ``import dopegraph.numpy as np``.

Outside a recording everything runs at once; inside ``compile``, ``grad`` or ``record`` the same calls build a graph.
"""

# ruff: noqa: F403 - each module says in its __all__ what is NumPy's
from __future__ import annotations

from types import ModuleType as _ModuleType

import numpy as _numpy

from dopegraph.array import ndarray as ndarray
from dopegraph.numpy import fft, linalg, random
from dopegraph.numpy import host as _host
from dopegraph.numpy.along_axis import *
from dopegraph.numpy.averages import *
from dopegraph.numpy.creation import *
from dopegraph.numpy.cumulative import *
from dopegraph.numpy.einsum import *
from dopegraph.numpy.histograms import *
from dopegraph.numpy.indexing import *
from dopegraph.numpy.joining import *
from dopegraph.numpy.limits import *
from dopegraph.numpy.linear import *
from dopegraph.numpy.logic import *
from dopegraph.numpy.matrices import *
from dopegraph.numpy.nan_functions import *
from dopegraph.numpy.ordering import *
from dopegraph.numpy.pairs import *
from dopegraph.numpy.parts import *
from dopegraph.numpy.positions import *
from dopegraph.numpy.quantiles import *
from dopegraph.numpy.reduction import *
from dopegraph.numpy.rounding import *
from dopegraph.numpy.sets import *
from dopegraph.numpy.shape import *
from dopegraph.numpy.special import *
from dopegraph.numpy.statistics import *
from dopegraph.numpy.table import ALIASES as _ALIASES
from dopegraph.numpy.table import TABLE as _TABLE
from dopegraph.numpy.ufunc import make as _make
from dopegraph.numpy.ufunc import ufunc as ufunc

for _name in _TABLE:
    globals()[_name] = _make(_name)
for _name, _target in _ALIASES.items():
    globals()[_name] = globals()[_target]

pi, e, inf, nan, euler_gamma = _numpy.pi, _numpy.e, _numpy.inf, _numpy.nan, _numpy.euler_gamma
newaxis = None

for _name in (
    "bool_", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "float32",
    "float64", "complex64", "complex128", "dtype", "finfo", "iinfo", "integer", "floating", "number",
):  # fmt: skip
    globals()[_name] = getattr(_numpy, _name)


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


def coverage() -> dict[str, str]:
    """Which of NumPy's functions are ``"traced"`` into graphs and differentiated, and which run on the ``"host"``.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.coverage()["tanh"], np.coverage()["savez"]
    ('traced', 'host')
    """
    return {name: "traced" if _is_ours(name) else "host" for name in _host.public_functions()}


def _is_ours(path: str) -> bool:
    space, _, name = path.rpartition(".")
    return name in (vars(globals()[space]) if space in globals() else {} if space else globals())


_SPACES = (fft, linalg, random)
__all__ = sorted(
    name
    for name, value in globals().items()
    if not name.startswith("_") and name != "annotations" and (value in _SPACES or not isinstance(value, _ModuleType))
)

from dopegraph.numpy.methods import attach as _attach_methods  # noqa: E402 - methods are written on the namespace
from dopegraph.numpy.operators import attach as _attach_operators  # noqa: E402

_attach_operators()
_attach_methods()


def __getattr__(name: str):  # type: ignore[no-untyped-def]
    return _host.find(name)
