"""The short way of eager operations: NumPy's own function at once on arrays' memory, if that is all there is to do.

Each function here returns None when something records, counts or forbids NumPy, when an array is elsewhere, or when
NumPy refuses: then the long way does it, or says what is wrong with the user's line. Both ways give the same bits.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy

from dopegraph.array import ndarray
from dopegraph.numpy.elementwise import straight
from dopegraph.runtime.buffer import HOST, Buffer
from dopegraph.runtime.direct import direct

Kernel = Callable[..., Any]
_REFUSALS = (ValueError, TypeError, OverflowError)

# NumPy's sums and extrema of these need no other dtype, and matrices of these are multiplied by BLAS.
_WIDE = frozenset("fdFDlqLQ")
_FLOATS = frozenset("fd")


class Kernels:
    """NumPy's ufunc for operands of one dtype, or of a dtype and a Python number; None where the long way is needed."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._of_dtype: dict[Any, Kernel | None] = {}
        self._with_number: dict[Any, Kernel | None] = {}

    def one(self, dtype: Any) -> Kernel | None:
        """For an operand alone."""
        kernel = self._of_dtype.get(dtype, straight)
        if kernel is straight:
            kernel = self._of_dtype[dtype] = straight(self._name, (dtype,))
        return kernel

    def two(self, dtype: Any) -> Kernel | None:
        """For two operands of one dtype."""
        kernel = self._of_dtype.get(dtype, straight)
        if kernel is straight:
            kernel = self._of_dtype[dtype] = straight(self._name, (dtype, dtype))
        return kernel

    def weak(self, dtype: Any, kind: type) -> Kernel | None:
        """For an operand and a Python number."""
        kernel = self._with_number.get((dtype, kind), straight)
        if kernel is straight:
            kernel = self._with_number[dtype, kind] = straight(self._name, (dtype, kind))
        return kernel


def made(array: Any) -> ndarray:
    """A new array, in C order as everything that is computed."""
    if type(array) is not numpy.ndarray:
        array = numpy.asarray(array)
    elif array.ndim > 1 and not array.flags.c_contiguous:
        array = numpy.ascontiguousarray(array)
    return ndarray(Buffer(array))


def unary(kernels: Kernels, x: ndarray) -> ndarray | None:
    """A ufunc of one operand."""
    buffer = x._buffer
    if direct.held or buffer is None or buffer.device is not HOST:
        return None
    kernel = kernels.one(buffer.dtype)
    if kernel is None:
        return None
    try:
        return made(kernel(buffer._array))
    except _REFUSALS:
        return None


def binary(kernels: Kernels, x: ndarray, other: Any) -> ndarray | None:
    """A ufunc of an array and another of its dtype, or a Python number."""
    buffer = x._buffer
    if direct.held or buffer is None or buffer.device is not HOST:
        return None
    kind = type(other)
    if kind is ndarray:
        second = other._buffer
        if second is None or second.dtype is not buffer.dtype or second.device is not HOST:
            return None
        kernel, y = kernels.two(buffer.dtype), second._array
    elif kind is float or kind is int:
        kernel, y = kernels.weak(buffer.dtype, kind), other
    else:
        return None
    if kernel is None:
        return None
    try:
        return made(kernel(buffer._array, y))
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
        kernel, y = kernels.weak(buffer.dtype, kind), other
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


def reduction(kernel: Kernel, x: Any, axis: Any, keepdims: bool) -> ndarray | None:
    """A ufunc's ``reduce``."""
    array = _memory(x, _WIDE)
    if array is None:
        return None
    try:
        return made(kernel(array, axis, None, None, keepdims))
    except _REFUSALS:
        return None


def mean(x: Any, axis: Any, keepdims: bool) -> ndarray | None:
    """The sum over the number of elements."""
    array = _memory(x, _FLOATS)
    if array is None or not array.size or (axis is not None and not array.ndim):
        return None
    try:
        total = numpy.add.reduce(array, axis, None, None, keepdims)
    except _REFUSALS:
        return None
    return made(numpy.divide(total, array.dtype.type(array.size // total.size)))


def product(x: Any, y: Any) -> ndarray | None:
    """The product of two matrices."""
    left, right = _memory(x, _FLOATS), _memory(y, _FLOATS)
    if left is None or right is None or left.ndim != 2 or right.ndim != 2 or left.dtype is not right.dtype:
        return None
    try:
        return made(numpy.matmul(left, right))
    except _REFUSALS:
        return None


# Functions that make new arrays, never warn, and take several operations here, but one call of NumPy's.
WHOLE = """
append around average block clip convolve correlate cross delete divmod frexp gradient insert interp kron meshgrid modf
nan_to_num nansum partition polyval repeat roll round sinc tile trace trapezoid unwrap vander
"""


# Python numbers do not widen the arrays beside them only since NumPy 2.
_WEAK_NUMBERS = int(numpy.__version__.split(".")[0]) >= 2
_NUMBERS = frozenset([int, float, bool, str, type(None)])
# With these arguments something is written to, or shared.
_UNFIT = frozenset(["copy", "dtype", "out", "where"])


class _Unfit(Exception):
    """An argument that only the long way understands."""


def whole(function: Kernel, numpys: Kernel) -> Kernel:
    """The function, done by NumPy's of the same name for arrays of floats and Python's numbers."""

    @functools.wraps(function)
    def either(*args: Any, **kwargs: Any) -> Any:
        if not direct.held and _UNFIT.isdisjoint(kwargs):
            arrays: list[Any] = []
            try:
                lowered = [_lowered(one, arrays) for one in args]
                named = {name: _lowered(one, arrays) for name, one in kwargs.items()}
                if arrays:
                    return _lifted(numpys(*lowered, **named), arrays)
            except (_Unfit, *_REFUSALS, IndexError, ArithmeticError):
                pass  # the long way says what is wrong with the user's line
        return function(*args, **kwargs)

    return either if _WEAK_NUMBERS else function


def _lowered(x: Any, arrays: list[Any]) -> Any:
    kind = type(x)
    if kind is ndarray:
        memory = _memory(x, _FLOATS)
        if memory is None:
            raise _Unfit
        arrays.append(memory)
        return memory
    if kind in _NUMBERS:
        return x
    if kind is tuple or (kind is list and x and type(x[0]) in (ndarray, list)):
        return kind([_lowered(one, arrays) for one in x])
    raise _Unfit


def _lifted(x: Any, arrays: list[Any]) -> Any:
    if isinstance(x, numpy.ndarray):
        if x.base is not None and any([numpy.may_share_memory(x, one) for one in arrays]):
            raise _Unfit
        return made(x)
    if isinstance(x, numpy.generic):
        return made(x)
    if type(x) in (tuple, list):
        return type(x)([_lifted(one, arrays) for one in x])
    raise _Unfit
