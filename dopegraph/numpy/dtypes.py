"""dtypes, the classes of numbers, constants, and the functions that say what dtypes become; all of them NumPy's.

Arrays among the arguments stand for their dtypes, and new floats are of the default dtype.
"""

from __future__ import annotations

import builtins
from typing import Any

import numpy

from dopegraph.array import ndarray
from dopegraph.numpy.layout import naming
from dopegraph.numpy.promotion import BOOL, SCALARS, SUPPORTED, result_dtype
from dopegraph.runtime.config import default_dtype
from dopegraph.runtime.errors import DTypeError
from dopegraph.runtime.location import here, located
from dopegraph.trace.scalar import DynamicFloat

# Names that NumPy got in 2.0, with what they were before.
_EARLIER = {
    "bool": "bool_", "long": "int_", "ulong": "uint",
}  # fmt: skip

TYPES = (
    "bool", "bool_", "byte", "bytes_", "cdouble", "character", "clongdouble", "complex128", "complex64",
    "complexfloating", "csingle", "datetime64", "double", "dtype", "finfo", "flexible", "float16", "float32", "float64",
    "floating", "generic", "half", "iinfo", "inexact", "int16", "int32", "int64", "int8", "int_", "intc", "integer",
    "intp", "long", "longdouble", "longlong", "number", "object_", "short", "signedinteger", "single", "str_",
    "timedelta64", "ubyte", "uint", "uint16", "uint32", "uint64", "uint8", "uintc", "uintp", "ulong", "ulonglong",
    "unsignedinteger", "ushort", "void",
)  # fmt: skip
CONSTANTS = ("False_", "True_", "e", "euler_gamma", "inf", "little_endian", "nan", "newaxis", "pi")

for _name in (*TYPES, *CONSTANTS):
    globals()[_name] = getattr(numpy, _name if hasattr(numpy, _name) else _EARLIER.get(_name, _name))

FUNCTIONS = (
    "can_cast", "common_type", "isscalar", "issubdtype", "min_scalar_type", "promote_types", "result_type",
)  # fmt: skip
__all__ = [*TYPES, *CONSTANTS, *FUNCTIONS]


def _stand_in(x: Any) -> Any:
    """The dtype of an array of ours; anything else as it is."""
    return x.dtype if isinstance(x, ndarray) else default_dtype() if isinstance(x, DynamicFloat) else x


def result_type(*arrays_and_dtypes: Any) -> numpy.dtype:
    """The dtype that operands promote to: arrays, dtypes, and Python numbers, which ask for a kind only.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.result_type(np.zeros(2), 3), np.result_type("int32", 2.5)
    (dtype('float32'), dtype('float32'))
    """
    kinds: list[Any] = []
    for one in arrays_and_dtypes:
        weak = type(one) in SCALARS
        kinds.append(type(one) if weak else _stand_in(one) if isinstance(one, ndarray) else _dtype(one))
    if not kinds or any(isinstance(kind, numpy.dtype) and kind not in SUPPORTED for kind in kinds):
        return numpy.result_type(*map(_stand_in, arrays_and_dtypes))
    kinds = [float if kind is DynamicFloat else kind for kind in kinds]
    if all(kind is builtins.bool for kind in kinds):
        return BOOL
    return result_dtype(tuple(kinds), default_dtype())


def _dtype(x: Any) -> numpy.dtype:
    return x.dtype if isinstance(x, (numpy.ndarray, numpy.generic)) else numpy.dtype(x)


def promote_types(type1: Any, type2: Any, /) -> numpy.dtype:
    """The smallest dtype to which both of two dtypes can be cast safely: NumPy's rule, whatever the default dtype.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.promote_types("int8", "uint8")
    dtype('int16')
    """
    with naming("promote_types"):
        return numpy.promote_types(_stand_in(type1), _stand_in(type2))


def can_cast(from_: Any, to: Any, casting: str = "safe") -> builtins.bool:
    """Whether a dtype (or an array's) can be cast to another by a rule: no, equiv, safe, same_kind or unsafe.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.can_cast("int32", "float64"), np.can_cast("float64", "int32")
    (True, False)
    """
    with naming("can_cast"):
        return builtins.bool(numpy.can_cast(_stand_in(from_), _stand_in(to), casting))


def min_scalar_type(a: Any, /) -> numpy.dtype:
    """The smallest dtype that holds a number; for an array with axes its dtype."""
    if isinstance(a, ndarray):
        return a.dtype if a.ndim else numpy.min_scalar_type(a._look("value-escape", "min_scalar_type")[()])
    return numpy.min_scalar_type(builtins.float(a) if isinstance(a, DynamicFloat) else a)


def common_type(*arrays: Any) -> Any:
    """The class of floating numbers that all arrays can be cast to; integers count as the default dtype.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.common_type(np.zeros(2, "float16"), np.zeros(2)) is np.float32
    True
    """
    dtypes = [_dtype(_stand_in(one)) for one in arrays]
    for dtype in dtypes:
        if dtype.kind not in "iufc":
            raise DTypeError(located(f"common_type: takes numbers, not {dtype}", here()))
    floats = [dtype for dtype in dtypes if dtype.kind in "fc"]
    if len(floats) < len(dtypes) or not floats:
        whole = default_dtype() if not dtypes or len(floats) < len(dtypes) else floats[0]
        floats = [*floats, whole] if dtypes else [numpy.dtype("float16")]
    result = floats[0]
    for dtype in floats[1:]:
        result = numpy.promote_types(result, dtype)
    return result.type


def issubdtype(arg1: Any, arg2: Any) -> bool:
    """Whether a dtype is at or below a class of numbers, such as ``np.floating``."""
    return builtins.bool(numpy.issubdtype(_stand_in(arg1), _stand_in(arg2)))


def isscalar(element: Any) -> builtins.bool:
    """Whether something is a Python or NumPy number, or a string; arrays without axes are not."""
    return isinstance(element, DynamicFloat) or builtins.bool(numpy.isscalar(element))
