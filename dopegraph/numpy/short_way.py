"""The short way of eager operations: NumPy's own function at once on arrays' memory, if that is all there is to do.

Each function here returns None when something records, counts or forbids NumPy, when an array is elsewhere, or when
NumPy refuses: then the long way does it, or says what is wrong with the user's line. Both ways give the same bits.
Elementwise functions of all other arrays, too, go from here to their primitive if nothing has to be promoted.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy

from dopegraph import ops
from dopegraph.array import computed, ndarray
from dopegraph.dispatch import apply, linked, recorded
from dopegraph.ir.primitive import Primitive
from dopegraph.runtime.device import HOST
from dopegraph.runtime.direct import direct
from dopegraph.trace.active import active

Kernel = Callable[..., Any]
_REFUSALS = (ValueError, TypeError, OverflowError)
_SHAPES = frozenset([int, tuple, list])

# NumPy's sums and extrema of these need no other dtype, and matrices of these are multiplied by BLAS.
WIDE = frozenset("fdFDlqLQ")
_FLOATS = frozenset("fd")
BOOLEANS = frozenset("?")
_ALL = frozenset("?bBhHiIlLqQefdFD")


class Kernels:
    """NumPy's ufunc for operands of certain dtypes and Python numbers; None where the long way is needed."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._of_dtype: dict[Any, Kernel | None] = {}
        self._of_kinds: dict[Any, Kernel | None] = {}
        self._primitives: dict[Any, Primitive | None] = {}

    def one(self, dtype: Any) -> Kernel | None:
        """For an operand alone."""
        if dtype not in self._of_dtype:
            self._of_dtype[dtype] = self._straight(dtype)
        return self._of_dtype[dtype]

    def two(self, dtype: Any) -> Kernel | None:
        """For two operands of one dtype."""
        if dtype not in self._of_dtype:
            self._of_dtype[dtype] = self._straight(dtype, dtype)
        return self._of_dtype[dtype]

    def mixed(self, first: Any, second: Any) -> Kernel | None:
        """For operands of two dtypes, or of a dtype and a Python number of a type."""
        kinds = (first, second)
        if kinds not in self._of_kinds:
            self._of_kinds[kinds] = self._straight(first, second)
        return self._of_kinds[kinds]

    def primitive(self, dtype: Any) -> Primitive | None:
        """That computes the same with operands of one floating dtype, and numbers, when it needs nothing else."""
        if dtype not in self._primitives:
            from dopegraph.numpy.elementwise import primitive_of

            self._primitives[dtype] = primitive_of(self._name, dtype) if dtype.kind in "fc" else None
        return self._primitives[dtype]

    def _straight(self, *kinds: Any) -> Kernel | None:
        from dopegraph.numpy.elementwise import straight  # its functions take the short way, too

        return straight(self._name, kinds)


kernels_of = functools.cache(Kernels)


def elementwise(name: str, operands: Sequence[Any]) -> ndarray | None:
    """A ufunc of arrays and Python numbers."""
    first = operands[0]
    if type(first) is ndarray:
        kernels = kernels_of(name)
        return unary(kernels, first) if len(operands) == 1 else binary(kernels, first, operands[1])
    if len(operands) == 2 and type(operands[1]) is ndarray:
        return reflected(kernels_of(name), first, operands[1])
    return None


def unary(kernels: Kernels, x: ndarray) -> ndarray | None:
    """A ufunc of one operand."""
    buffer = x._buffer
    if direct.held or buffer is None or buffer.device is not HOST:
        op = kernels.primitive(x._type.dtype)
        if op is None:
            return None
        found = recorded(op, x)
        return found if found is not None else apply(op, x)
    kernel = kernels.one(buffer.dtype)
    if kernel is None:
        return None
    try:
        return computed(kernel(buffer._array))
    except _REFUSALS:
        return None


def binary(kernels: Kernels, x: ndarray, other: Any) -> ndarray | None:
    """A ufunc of an array and another, or a Python number."""
    buffer = x._buffer
    if direct.held or buffer is None or buffer.device is not HOST:
        return _recorded(kernels, x, other)
    kind = type(other)
    if kind is ndarray:
        second = other._buffer
        if second is None or second.device is not HOST:
            return None
        dtype, y = second.dtype, second._array
        kernel = kernels.two(dtype) if dtype is buffer.dtype else kernels.mixed(buffer.dtype, dtype)
    elif kind is float or kind is int:
        kernel, y = kernels.mixed(buffer.dtype, kind), other
    else:
        return None
    if kernel is None:
        return None
    try:
        return computed(kernel(buffer._array, y))
    except _REFUSALS:
        return None


def _recorded(kernels: Kernels, x: ndarray, other: Any) -> ndarray | None:
    """The primitive of two arrays of one dtype, wherever they are."""
    if type(other) is not ndarray:
        return None
    value, second = x._value, other._value  # what they have while something records, without asking for the type
    dtype = (x._type if value is None else value.type).dtype
    if (other._type if second is None else second.type).dtype is not dtype:
        return None
    op = kernels.primitive(dtype)
    if op is None:
        return None
    found = recorded(op, x, other)
    return found if found is not None else apply(op, x, other)


def reflected(kernels: Kernels, number: Any, x: ndarray) -> ndarray | None:
    """A ufunc of a Python number and an array."""
    buffer = x._buffer
    kind = type(number)
    if direct.held or buffer is None or buffer.device is not HOST or not (kind is float or kind is int):
        return None
    kernel = kernels.mixed(kind, buffer.dtype)
    if kernel is None:
        return None
    try:
        return computed(kernel(number, buffer._array))
    except _REFUSALS:
        return None


def augmented(kernels: Kernels, x: ndarray, other: Any) -> bool:
    """A ufunc that writes into its first operand; false when nothing was done."""
    buffer = x._buffer
    if direct.held or buffer is None or buffer.device is not HOST:
        return False
    kind = type(other)
    if kind is ndarray:
        second = other._buffer
        if second is None or second.dtype is not buffer.dtype or second.device is not HOST:
            return False
        kernel, y = kernels.two(buffer.dtype), second._array
    elif kind is float or kind is int:
        kernel, y = kernels.mixed(buffer.dtype, kind), other
    else:
        return False
    if kernel is None:
        return False
    try:
        kernel(buffer._array, y, out=buffer._array)
    except _REFUSALS:  # before anything is written
        return False
    return True


def _memory(x: Any, chars: frozenset[str]) -> Any:
    """The memory of an array of certain dtypes."""
    if direct.held or type(x) is not ndarray:
        return None
    buffer = x._buffer
    return buffer._array if buffer is not None and buffer.device is HOST and buffer.dtype.char in chars else None


def alike(x: Any, y: ndarray) -> bool:
    """Whether one array has the dtype and the shape of another, both in NumPy's memory."""
    first, second = _memory(x, _ALL), _memory(y, _ALL)
    return first is not None and second is not None and first.dtype == second.dtype and first.shape == second.shape


def reduction(kernel: Kernel, x: Any, axis: Any, keepdims: bool, chars: frozenset[str] = WIDE) -> ndarray | None:
    """A ufunc's ``reduce``, of arrays whose dtype is among NumPy's letters."""
    array = _memory(x, chars)
    if array is None:
        return None
    try:
        return computed(kernel(array, axis, None, None, keepdims))
    except _REFUSALS:
        return None


def reduced(op: Primitive, x: Any, axis: Any, keepdims: bool) -> ndarray | None:
    """The primitive that reduces an axis, or all of them, of an array of floats, while something records."""
    if active.recording is None or type(x) is not ndarray:
        return None
    value = x._value
    kind = x._type if value is None else value.type
    ndim = len(kind.shape)
    if kind.dtype.char not in _FLOATS or type(keepdims) is not bool or 0 in kind.shape:
        return None
    if axis is None:
        axes = tuple(range(ndim))
    elif type(axis) is int and -ndim <= axis < ndim:
        axes = (axis % ndim,)
    else:
        return None
    result: ndarray = apply(op, x, axes=axes, keepdims=keepdims)
    return result


def mean(x: Any, axis: Any, keepdims: bool) -> ndarray | None:
    """The sum over the number of elements."""
    array = _memory(x, _FLOATS)
    if array is None or not array.size or (axis is not None and not array.ndim):
        return None
    try:
        total = numpy.add.reduce(array, axis, None, None, keepdims)
    except _REFUSALS:
        return None
    return computed(numpy.divide(total, array.dtype.type(array.size // total.size)))


def reshaped(x: Any, shape: Any) -> ndarray | None:
    """Another shape of what lies in C order, which is always a view."""
    array = _memory(x, _ALL)
    if array is None or not array.flags.c_contiguous or type(shape) not in _SHAPES:
        return None
    try:
        found = array.reshape(shape)
    except _REFUSALS:
        return None
    return linked(found, array, x, ((ops.reshape, {"shape": found.shape}),))


def product(x: Any, y: Any) -> ndarray | None:
    """The product of two matrices, or of a matrix and a vector, which counts as a row or a column."""
    left, right = _memory(x, _FLOATS), _memory(y, _FLOATS)
    if left is None or right is None or left.dtype is not right.dtype:
        return None
    try:
        if left.ndim == right.ndim == 2:
            return computed(numpy.matmul(left, right))
        shape = left.shape[:-1] + right.shape[1:]
        if left.ndim == 1:
            left = left.reshape(1, -1)
        if right.ndim == 1:
            right = right.reshape(-1, 1)
        if left.ndim != 2 or right.ndim != 2:
            return None
        return computed(numpy.matmul(left, right).reshape(shape))
    except _REFUSALS:
        return None


def are_matrices(x: Any, y: Any) -> bool:
    """Whether two arrays, traced or not, are matrices of one floating dtype whose product is a primitive's."""
    if type(x) is not ndarray or type(y) is not ndarray:
        return False
    first, second = x._value, y._value
    left = x._type if first is None else first.type
    right = y._type if second is None else second.type
    return (
        left.dtype is right.dtype
        and left.dtype.char in _FLOATS
        and len(left.shape) == len(right.shape) == 2
        and left.shape[1] == right.shape[0]
    )


# Functions that make new arrays, never warn, and take several operations here, but one call of NumPy's: those that
# compute are done so for floats, those that move, choose or compare elements for all dtypes.
WHOLE = """
append around average block clip convolve correlate cross delete divmod frexp gradient insert interp kron meshgrid modf
nan_to_num nansum partition polyval repeat roll round sinc tile trace trapezoid unwrap vander
"""
OF_ANY_DTYPE = """
argmax argmin column_stack compress concat concatenate count_nonzero digitize dstack extract hstack lexsort searchsorted
stack take tril triu vstack
"""
SHORTENED = {WHOLE: _FLOATS, OF_ANY_DTYPE: _ALL}


# Python numbers do not widen the arrays beside them only since NumPy 2.
_WEAK_NUMBERS = int(numpy.__version__.split(".")[0]) >= 2
_NUMBERS = frozenset([int, float, bool, str, type(None)])
# With these arguments something is written to, or shared.
_UNFIT = frozenset(["copy", "dtype", "out", "where"])


class _Unfit(Exception):
    """An argument that only the long way understands."""


def whole(function: Kernel, numpys: Kernel, chars: frozenset[str]) -> Kernel:
    """The function, done by NumPy's of the same name for arrays of certain dtypes and Python's numbers."""
    if not _WEAK_NUMBERS:
        return function
    parameters = inspect.signature(function).parameters.values()
    unfit = [place for place, one in enumerate(parameters) if one.name in _UNFIT and one.kind is not one.KEYWORD_ONLY]
    before = min(unfit, default=sys.maxsize)

    @functools.wraps(function)
    def either(*args: Any, **kwargs: Any) -> Any:
        if not direct.held and len(args) <= before and _UNFIT.isdisjoint(kwargs):
            found = by_numpy(numpys, args, kwargs, chars)
            if found is not None:
                return found
        return function(*args, **kwargs)

    return either


def by_numpy(function: Kernel, args: Sequence[Any], kwargs: dict[str, Any], chars: frozenset[str] = _FLOATS) -> Any:
    """What NumPy's function gives for arrays in its memory; None when that is not for the short way."""
    arrays: list[numpy.ndarray] = []
    try:
        lowered = [_lowered(one, arrays, chars) for one in args]
        named = {name: _lowered(one, arrays, chars) for name, one in kwargs.items()} if kwargs else kwargs
        if not arrays or not _WEAK_NUMBERS or (chars is _ALL and not _promoted_alike(arrays)):
            return None
        return _lifted(function(*lowered, **named), arrays)
    except (_Unfit, *_REFUSALS, IndexError, ArithmeticError):
        return None  # the long way says what is wrong with the user's line


def _lowered(x: Any, arrays: list[Any], chars: frozenset[str]) -> Any:
    kind = type(x)
    if kind is ndarray:
        memory = _memory(x, chars)
        if memory is None:
            raise _Unfit
        arrays.append(memory)
        return memory
    if kind in _NUMBERS:
        return x
    if kind is tuple or (kind is list and x and type(x[0]) in (ndarray, list)):
        return kind([_lowered(one, arrays, chars) for one in x])
    raise _Unfit


def _promoted_alike(arrays: list[numpy.ndarray]) -> bool:
    """Whether no floats come from integers alone: from uint64 and signed ones, which NumPy makes float64."""
    first = arrays[0].dtype
    return all([one.dtype is first for one in arrays]) or not any([one.dtype.char in "LQ" for one in arrays])


def _lifted(x: Any, arrays: list[Any]) -> Any:
    if isinstance(x, numpy.ndarray):
        if x.base is not None and any([numpy.may_share_memory(x, one) for one in arrays]):
            raise _Unfit
        if x.dtype.char in "dD" and not any([one.dtype.char in "dD" for one in arrays]):
            raise _Unfit  # of a Python float, which is no float64 here
        return computed(x)
    if isinstance(x, (numpy.generic, int)):
        return computed(x)
    if type(x) in (tuple, list):
        return type(x)([_lifted(one, arrays) for one in x])
    raise _Unfit
