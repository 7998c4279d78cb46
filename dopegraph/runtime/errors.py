"""The errors dopegraph raises: each is also the built-in (or NumPy) error that NumPy would have raised.

The lowest layer; everything may raise these.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy

if hasattr(numpy, "exceptions"):  # NumPy 1.25 and later
    _NumpyAxisError: type[Exception] = numpy.exceptions.AxisError
else:
    _NumpyAxisError = numpy.AxisError  # type: ignore[attr-defined,unused-ignore]


class DopegraphError(Exception):
    """Base of all errors of dopegraph."""


class ShapeError(DopegraphError, ValueError):
    """Shapes that do not fit together."""


class DTypeError(DopegraphError, TypeError):
    """A dtype that an operation does not take."""


class AxisError(DopegraphError, _NumpyAxisError):  # type: ignore[misc,valid-type,unused-ignore]
    """An axis the array does not have."""

    def __init__(self, message: str) -> None:
        # NumPy's constructor formats (axis, ndim) itself; ours comes with its message finished.
        _NumpyAxisError.__init__(self, message)

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else "axis out of bounds"


class IndexingError(DopegraphError, IndexError):
    """An index outside the array, or of a kind that cannot index."""


class GradientError(DopegraphError, TypeError):
    """Something that has no derivative was asked for one."""


class BatchingError(DopegraphError, TypeError):
    """Something inside ``vmap`` has no meaning for all examples at once."""


class GraphError(DopegraphError, ValueError):
    """A graph, or its printed form, that breaks the rules of the IR."""


class BackendError(DopegraphError, RuntimeError):
    """A backend failed to compile or to run a graph."""


class SymbolError(BackendError):
    """MXNet does not put together a symbol of operators that it has."""


class FallbackError(BackendError):
    """Under the policy ``only_mxnet`` an operation has no MXNet lowering."""


class GraphBreakError(DopegraphError, RuntimeError):
    """Under ``compile(fullgraph=True)`` a call cannot be replayed.

    Attributes
    ----------
    reasons : tuple
        Why: each with a stable id ``reason``, ``detail``, ``location`` and ``hint``.
    """

    def __init__(self, message: str, reasons: Sequence[Any] = ()) -> None:
        super().__init__(message)
        self.reasons = tuple(reasons)


class StaticArgumentError(DopegraphError, ValueError):
    """A static argument that the function does not have, or whose value cannot be compared."""


class RecompileWarning(RuntimeWarning):
    """A compiled function is recorded again and again; the message says what keeps changing."""


class ReplayWarning(RuntimeWarning):
    """Compiled code failed where the function did not: a mistake of dopegraph's, which ran the function as Python."""


class TapeWarning(RuntimeWarning):
    """A derivative ends at an array that an earlier ``record()`` computed, because ``backward`` has forgotten how."""


class DeviceError(DopegraphError, RuntimeError):
    """A device that is not there, or operands on different devices."""


class StructureError(DopegraphError, TypeError):
    """An argument or a result whose containers cannot be followed."""
