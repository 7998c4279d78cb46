"""NumPy's names, signatures and semantics on `dopegraph.ndarray`: ``import dopegraph.numpy as np``.

Outside a recording everything runs at once; inside ``compile``, ``grad`` or ``record`` the same calls build a graph.
"""

from __future__ import annotations

import numpy as _numpy

from dopegraph.array import ndarray
from dopegraph.numpy import host as _host
from dopegraph.numpy import lib, random
from dopegraph.numpy.calculus import *  # noqa: F403
from dopegraph.numpy.calculus import __all__ as _calculus
from dopegraph.numpy.creation import *  # noqa: F403
from dopegraph.numpy.creation import __all__ as _creation
from dopegraph.numpy.dtypes import *  # noqa: F403
from dopegraph.numpy.dtypes import __all__ as _dtypes
from dopegraph.numpy.editing import *  # noqa: F403
from dopegraph.numpy.editing import __all__ as _editing
from dopegraph.numpy.einsum import einsum
from dopegraph.numpy.elementwise import make as _make
from dopegraph.numpy.grids import *  # noqa: F403
from dopegraph.numpy.grids import __all__ as _grids
from dopegraph.numpy.indexing import *  # noqa: F403
from dopegraph.numpy.indexing import __all__ as _indexing
from dopegraph.numpy.inplace import *  # noqa: F403
from dopegraph.numpy.inplace import __all__ as _inplace
from dopegraph.numpy.iteration import *  # noqa: F403
from dopegraph.numpy.iteration import __all__ as _iteration
from dopegraph.numpy.joining import *  # noqa: F403
from dopegraph.numpy.joining import __all__ as _joining
from dopegraph.numpy.linear import *  # noqa: F403
from dopegraph.numpy.linear import __all__ as _linear
from dopegraph.numpy.logic import *  # noqa: F403
from dopegraph.numpy.logic import __all__ as _logic
from dopegraph.numpy.matrices import *  # noqa: F403
from dopegraph.numpy.matrices import __all__ as _matrices
from dopegraph.numpy.methods import attach as _attach
from dopegraph.numpy.padding import *  # noqa: F403
from dopegraph.numpy.padding import __all__ as _padding
from dopegraph.numpy.polynomials import *  # noqa: F403
from dopegraph.numpy.polynomials import __all__ as _polynomials
from dopegraph.numpy.ranges import *  # noqa: F403
from dopegraph.numpy.ranges import __all__ as _ranges
from dopegraph.numpy.reading import *  # noqa: F403
from dopegraph.numpy.reading import __all__ as _reading
from dopegraph.numpy.reduction import *  # noqa: F403
from dopegraph.numpy.reduction import __all__ as _reduction
from dopegraph.numpy.shape import *  # noqa: F403
from dopegraph.numpy.shape import __all__ as _shape
from dopegraph.numpy.statistics import *  # noqa: F403
from dopegraph.numpy.statistics import __all__ as _statistics
from dopegraph.numpy.table import ALIASES as _ALIASES
from dopegraph.numpy.table import TABLE as _TABLE
from dopegraph.numpy.windows import *  # noqa: F403
from dopegraph.numpy.windows import __all__ as _windows

_attach()

for _name in _TABLE:
    globals()[_name] = _make(_name)
for _name, _target in _ALIASES.items():
    globals()[_name] = globals()[_target]

__version__ = _numpy.__version__
"""The version of the NumPy below: what strings, dates and files are read by."""

__all__ = [
    *_calculus, *_dtypes, *_editing, *_grids, *_inplace, *_iteration, *_padding, *_polynomials, *_ranges, *_reading,
    *_windows, *_creation, *_ALIASES, *_TABLE, *_indexing, *_joining, *_linear, *_logic, *_matrices, *_reduction,
    *_shape, *_statistics, "coverage", "einsum", "lib", "ndarray", "random",
]  # fmt: skip


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
    ours = {name for name, value in globals().items() if not getattr(value, "runs_on_host", False)}
    return {name: "traced" if name in ours else "host" for name in _host.public_functions()}
