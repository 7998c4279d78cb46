"""What operands become before a primitive sees them: arrays of one dtype, by NumPy's promotion with weak Python scalars.

The rules are those of NEP 50 on every NumPy version; a floating dtype that comes from integers alone is the default one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Union

import numpy

from dopegraph.array import apply, from_numpy, ndarray, owned, traced
from dopegraph.ops import cast, full, not_equal
from dopegraph.runtime.config import default_dtype
from dopegraph.runtime.device import current_device
from dopegraph.runtime.errors import DTypeError
from dopegraph.runtime.location import here, located
from dopegraph.trace.recording import active_recording
from dopegraph.trace.scalar import DynamicFloat

DType = numpy.dtype
Operand = Union[ndarray, bool, int, float, complex, DynamicFloat]

BOOL = numpy.dtype("bool")
INT64 = numpy.dtype("int64")
FLOAT64 = numpy.dtype("float64")

SCALARS = (bool, int, float, complex, DynamicFloat)
KINDS = "biufc"


def as_operand(x: Any) -> Operand:
    """An array, or a Python number that stays weak."""
    if isinstance(x, ndarray) or (type(x) in SCALARS):
        return x
    if isinstance(x, numpy.ndarray):
        return from_numpy(check_kind(x))
    return as_array(x)


def check_kind(array: numpy.ndarray) -> numpy.ndarray:
    """Refuse strings, objects, dates and big-endian numbers."""
    if array.dtype.kind not in KINDS or array.dtype.itemsize > (16 if array.dtype.kind == "c" else 8):
        raise DTypeError(located(f"arrays of dtype {array.dtype} are not supported; use numbers or booleans", here()))
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def as_array(x: Any, dtype: DType | None = None) -> ndarray:
    """An array of anything that NumPy makes an array of; new floats get the default dtype."""
    if isinstance(x, ndarray):
        return convert(x, dtype)
    if isinstance(x, DynamicFloat):
        return scalar(x, dtype or default_dtype())
    if isinstance(x, numpy.ndarray):
        return convert(from_numpy(check_kind(x)), dtype)
    if isinstance(x, (list, tuple)) and _has_arrays(x):
        from dopegraph.numpy.shape import stack

        parts = [as_array(item, dtype) for item in x]
        return stack(parts) if parts else as_array(numpy.asarray(x), dtype)
    array = check_kind(numpy.asarray(x))
    if dtype is None and not isinstance(x, numpy.generic) and not hasattr(x, "__array__"):
        dtype = {"f": default_dtype(), "c": complex_of(default_dtype())}.get(array.dtype.kind, array.dtype)
    return new(array.astype(dtype if dtype is not None else array.dtype, copy=False))


def _has_arrays(items: Iterable[Any]) -> bool:
    return any(
        isinstance(item, (ndarray, DynamicFloat)) or (isinstance(item, (list, tuple)) and _has_arrays(item))
        for item in items
    )


def new(array: numpy.ndarray) -> ndarray:
    """An array of values that are known now: a constant when recording; on the current device."""
    recording = active_recording()
    if recording is not None:
        return traced(recording.constant(array), recording)
    made = owned(array)
    device = current_device()
    return made if device.is_host else made.to(device)


def convert(x: ndarray, dtype: DType | None) -> ndarray:
    """The array in a dtype; itself when it has it already."""
    if dtype is None or x.dtype == dtype:
        return x
    if x.dtype.kind == "c" and numpy.dtype(dtype).kind != "c":
        raise DTypeError(located(f"a cast from {x.dtype} to {dtype} loses the imaginary part; use x.real", here()))
    if dtype == BOOL:
        return apply(not_equal, x, scalar(0, x.dtype))
    return apply(cast, x, dtype=numpy.dtype(dtype))


def scalar(number: Any, dtype: DType) -> ndarray:
    """A 0-d array of a Python number."""
    recording = active_recording()
    if isinstance(number, DynamicFloat):
        if recording is None:
            return owned(numpy.asarray(number.number, dtype))
        return traced(recording.scalar(number.expression, number.number, dtype), recording)
    if dtype.kind in "iu" and type(number) in (int, bool):
        info = numpy.iinfo(dtype)
        if not info.min <= number <= info.max:
            raise OverflowError(located(f"the Python integer {number} is out of bounds for {dtype}", here()))
    if recording is None:
        return owned(numpy.asarray(number, dtype))
    with numpy.errstate(all="ignore"):
        value = numpy.asarray(number).astype(dtype).item()
    return traced(recording.emit(full, [], {"value": value, "shape": (), "dtype": dtype}), recording)


def complex_of(dtype: DType) -> DType:
    """The complex dtype whose parts are of a floating dtype."""
    return numpy.dtype("complex128" if dtype == FLOAT64 else "complex64")


def result_dtype(operands: Sequence[Operand]) -> DType:
    """The dtype that operands promote to."""
    strong = [operand.dtype for operand in operands if isinstance(operand, ndarray)]
    dtype = BOOL
    for one in strong:
        dtype = numpy.promote_types(dtype, one)
    for operand in operands:
        if not isinstance(operand, ndarray):
            dtype = _with_weak(dtype, operand)
    return dtype


def _with_weak(dtype: DType, number: Any) -> DType:
    """NEP 50: a Python number asks for a kind, not for a precision."""
    if isinstance(number, bool):
        return dtype
    if isinstance(number, int):
        return INT64 if dtype == BOOL else dtype
    if isinstance(number, complex):
        if dtype.kind == "c":
            return dtype
        return complex_of(dtype if dtype.kind == "f" else default_dtype())
    return default_dtype() if dtype.kind in "biu" else dtype


def inexact_dtype(dtype: DType) -> DType:
    """The floating dtype in which functions such as exp compute: NumPy's, but the default where it comes from integers."""
    if dtype.kind in "fc":
        return dtype
    return default_dtype() if default_dtype() != FLOAT64 else numpy.sqrt(numpy.empty(0, dtype)).dtype


def promote(operands: Iterable[Any], dtype: DType | None = None) -> list[ndarray]:
    """Arrays of one dtype: the given one, or the one the operands promote to."""
    taken = [as_operand(operand) for operand in operands]
    chosen = result_dtype(taken) if dtype is None else dtype
    return [convert(x, chosen) if isinstance(x, ndarray) else scalar(x, chosen) for x in taken]


def same_kind(x: ndarray, dtype: DType, what: str) -> ndarray:
    """The array cast to a dtype as in-place operators and `out=` do: refuse to lose the kind."""
    if not numpy.can_cast(x.dtype, dtype, "same_kind"):
        raise DTypeError(
            located(f"{what}: cannot cast the result from {x.dtype} to {dtype}; use astype, or an array of floats", here())
        )
    return convert(x, dtype)
