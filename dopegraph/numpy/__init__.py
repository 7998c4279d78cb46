"""NumPy's names, signatures and semantics on `dopegraph.ndarray`: ``import dopegraph.numpy as np``.

Outside a recording everything runs at once; inside ``compile``, ``grad`` or ``record`` the same calls build a graph.
"""

# ruff: noqa: F403 - each module says in its __all__ what is NumPy's
from __future__ import annotations

from types import ModuleType as _ModuleType

import numpy as _numpy

from dopegraph.array import ndarray as ndarray
from dopegraph.numpy import fft, lib, linalg, random
from dopegraph.numpy import host as _host
from dopegraph.numpy.along_axis import *
from dopegraph.numpy.averages import *
from dopegraph.numpy.calculus import *
from dopegraph.numpy.coverage import *
from dopegraph.numpy.creation import *
from dopegraph.numpy.cumulative import *
from dopegraph.numpy.dtypes import *
from dopegraph.numpy.editing import *
from dopegraph.numpy.einsum import *
from dopegraph.numpy.exchange import *
from dopegraph.numpy.files import *
from dopegraph.numpy.grids import *
from dopegraph.numpy.histograms import *
from dopegraph.numpy.indexing import *
from dopegraph.numpy.inplace import *
from dopegraph.numpy.iteration import *
from dopegraph.numpy.joining import *
from dopegraph.numpy.limits import *
from dopegraph.numpy.linear import *
from dopegraph.numpy.logic import *
from dopegraph.numpy.matrices import *
from dopegraph.numpy.nan_functions import *
from dopegraph.numpy.ordering import *
from dopegraph.numpy.padding import *
from dopegraph.numpy.pairs import *
from dopegraph.numpy.parts import *
from dopegraph.numpy.polynomials import *
from dopegraph.numpy.positions import *
from dopegraph.numpy.quantiles import *
from dopegraph.numpy.ranges import *
from dopegraph.numpy.reading import *
from dopegraph.numpy.reduction import *
from dopegraph.numpy.rounding import *
from dopegraph.numpy.sets import *
from dopegraph.numpy.shape import *
from dopegraph.numpy.short_way import SHORTENED as _SHORTENED
from dopegraph.numpy.short_way import whole as _whole
from dopegraph.numpy.special import *
from dopegraph.numpy.standard import *
from dopegraph.numpy.standard import array_namespace_info as __array_namespace_info__  # noqa: F401
from dopegraph.numpy.statistics import *
from dopegraph.numpy.table import ALIASES as _ALIASES
from dopegraph.numpy.table import TABLE as _TABLE
from dopegraph.numpy.ufunc import make as _make
from dopegraph.numpy.ufunc import ufunc as ufunc
from dopegraph.numpy.windows import *

__array_api_version__ = "2024.12"

for _name in _TABLE:
    globals()[_name] = _make(_name)
for _name, _target in _ALIASES.items():
    globals()[_name] = globals()[_target]

__version__ = _numpy.__version__
"""The version of the NumPy below: what strings, dates and files are read by."""


for _names, _chars in _SHORTENED.items():
    for _name in _names.split():
        if hasattr(_numpy, _name):
            globals()[_name] = _whole(globals()[_name], getattr(_numpy, _name), _chars)

_SPACES = (fft, lib, linalg, random)
__all__ = sorted(
    name
    for name, value in globals().items()
    if not name.startswith("_") and name != "annotations" and (not isinstance(value, _ModuleType) or value in _SPACES)
)

from dopegraph.numpy.methods import attach as _attach_methods  # noqa: E402 - methods are written on the namespace
from dopegraph.numpy.operators import attach as _attach_operators  # noqa: E402

_attach_operators()
_attach_methods()


def __getattr__(name: str):  # type: ignore[no-untyped-def]
    return _host.find(name)
