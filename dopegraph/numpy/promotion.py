"""What operands become before a primitive sees them: arrays of one dtype, by NumPy's promotion.

The rules are those of NEP 50 on every NumPy version; a floating dtype that comes from integers alone is the default.
"""

from __future__ import annotations

import functools
import operator
import warnings
from collections.abc import Iterable, Sequence
from typing import Any, Union

import numpy

from dopegraph.array import computed, from_numpy, ndarray, owned, traced
from dopegraph.dispatch import apply, view
from dopegraph.ir.types import SHORT_NAMES
from dopegraph.numpy.placement import device_among
from dopegraph.ops import cast, concat, full, identity, not_equal, real, reshape
from dopegraph.runtime.buffer import Buffer
from dopegraph.runtime.config import default_dtype
from dopegraph.runtime.device import Device, current_device, others
from dopegraph.runtime.errors import DTypeError, ShapeError
from dopegraph.runtime.location import here, located
from dopegraph.trace.active import active_recording, outside_recordings
from dopegraph.trace.scalar import DynamicFloat, DynamicInt

DType = numpy.dtype
Operand = Union[ndarray, bool, int, float, complex, DynamicFloat]
Kinds = tuple[Union[DType, type], ...]

BOOL = numpy.dtype("bool")
INT64 = numpy.dtype("int64")
FLOAT64 = numpy.dtype("float64")

# In `numpy.exceptions` since NumPy 1.25.
_ComplexWarning = getattr(numpy, "exceptions", numpy).ComplexWarning

SCALARS = (bool, int, float, complex, DynamicFloat)
OPERANDS = frozenset([ndarray, *SCALARS])
NUMBERS = frozenset([bool, int, float, complex])
SUPPORTED = frozenset(SHORT_NAMES.values())


def as_operand(x: Any) -> Operand:
    """An array, or a Python number that stays weak."""
    if type(x) in OPERANDS:
        return x
    return operator.index(x) if type(x) is DynamicInt else as_array(x)


def operands_of(given: Sequence[Any]) -> list[Any]:
    """Arrays and Python numbers; lists and NumPy's arrays come to the device of the arrays they stand beside."""
    if all([type(x) in OPERANDS for x in given]):
        return list(given)
    taken = [x if type(x) in OPERANDS else as_operand(x) for x in given]
    arrays = [x for x in given if isinstance(x, ndarray)]
    if not arrays or not others.known:
        return taken
    first = next((x for x in arrays if x.ndim or not x.device.is_host), arrays[0])
    return [x if type(old) in OPERANDS or type(x) in NUMBERS else beside(first, x) for old, x in zip(given, taken)]


def check_kind(array: numpy.ndarray) -> numpy.ndarray:
    """Refuse strings, objects, dates and extended precision; make big-endian numbers native."""
    return array if array.dtype in SUPPORTED else array.astype(dtype_of(array.dtype))


def dtype_of(dtype: Any) -> DType:
    """A dtype that arrays can have, from anything that names one."""
    try:
        chosen = numpy.dtype(dtype)
    except TypeError as cause:
        hint = "; a shape is one argument: (2, 3)" if type(dtype) is int else ""
        raise DTypeError(located(f"{cause}{hint}", here())) from None
    if chosen not in SUPPORTED:
        chosen = chosen.newbyteorder("=")
    if chosen not in SUPPORTED:
        raise DTypeError(located(f"arrays of dtype {chosen} are not supported; use numbers or booleans", here()))
    return chosen


def as_array(x: Any, dtype: DType | None = None) -> ndarray:
    """An array of anything that NumPy makes an array of; new floats get the default dtype."""
    if isinstance(x, ndarray):
        return convert(x, dtype)
    if isinstance(x, DynamicFloat):
        return scalar(x, dtype or default_dtype())
    if type(x) is DynamicInt:
        x = operator.index(x)
    if isinstance(x, numpy.ndarray):
        made = from_numpy(check_kind(x))
        device = current_device()
        return convert(made if device.is_host else _moved(made, device), dtype)
    if isinstance(x, (list, tuple)) and has_arrays(x):
        with (device_among(x) if others.known else None) or current_device():
            return join([as_array(item, dtype) for item in x])
    lent = memory_of(x)
    if lent is not x:
        return as_array(lent, dtype)
    try:
        array = check_kind(numpy.asarray(x, dtype))
    except (ValueError, OverflowError) as cause:  # lists of different lengths, integers out of range
        kind = ShapeError if isinstance(cause, ValueError) else OverflowError
        raise kind(located(f"array: {cause}", here())) from cause
    if dtype is None and array.dtype.char in "dD" and not isinstance(x, numpy.generic):
        dtype = default_dtype() if array.dtype.char == "d" else complex_of(default_dtype())
    return new(array if dtype is None else array.astype(dtype, copy=False))


def memory_of(x: Any) -> Any:
    """The memory of PyTorch's tensors, buffers and others that NumPy sees without a copy; all else as it is."""
    if isinstance(x, (list, tuple, int, float, complex, str, numpy.generic, numpy.ndarray, ndarray, DynamicFloat)):
        return x
    if not (hasattr(x, "__array__") or hasattr(x, "__array_interface__") or hasattr(x, "__array_struct__")):
        try:
            memoryview(x)
        except TypeError:
            return x
    return numpy.asarray(x)


def has_arrays(items: Iterable[Any]) -> bool:
    """Whether there is an array of ours, or a float that is recorded, in nested lists."""
    if NUMBERS.issuperset(map(type, items)):
        return False
    return any(
        isinstance(item, (ndarray, DynamicFloat)) or (isinstance(item, (list, tuple)) and has_arrays(item))
        for item in items
    )


def join(arrays: Sequence[ndarray]) -> ndarray:
    """Arrays of one shape along a new first axis."""
    if len({one.shape for one in arrays}) != 1:
        shown = " and ".join(str(one.shape) for one in arrays)
        raise ShapeError(located(f"all arrays must have one shape, not {shown}", here()))
    rows = [view(one, ((reshape, {"shape": (1, *one.shape)}),)) for one in promote(arrays)]
    return apply(concat, *rows, axis=0)


def new(array: numpy.ndarray) -> ndarray:
    """An array of values that are known now: a constant when recording; on the current device."""
    recording = active_recording()
    if recording is not None:
        return traced(recording.constant(array), recording)
    made = computed(array)
    device = current_device()
    return made if device.is_host else made.to(device)


def beside(x: ndarray, values: Any) -> ndarray:
    """Values that Python knows (positions, a mask), or that the user gave as such, on the device of an array."""
    device = x.device
    if not isinstance(values, ndarray):
        array = check_kind(numpy.asarray(values))
        if device is current_device():
            return new(array)
        with device:
            return new(array)
    if values._buffer is None or values.device == device:
        return values
    return _moved(values, device)


def _moved(x: ndarray, device: Device) -> ndarray:
    """A copy on a device; no operation of a program that is being recorded."""
    with outside_recordings():
        return x.to(device)


def convert(x: ndarray, dtype: DType | None) -> ndarray:
    """The array in a dtype; itself when it has it already. Imaginary parts get lost with NumPy's warning."""
    if dtype is None or x.dtype == dtype:
        return x
    if x.dtype.kind == "c" and dtype.kind not in "cb":
        warnings.warn("Casting complex values to real discards the imaginary part", _ComplexWarning, stacklevel=3)
        x = view(x, ((real, {}),))
        if x.dtype == dtype:
            return apply(identity, x)
    if dtype == BOOL:
        return apply(not_equal, x, scalar(0, x.dtype))
    return apply(cast, x, dtype=dtype)


def scalar(number: Any, dtype: DType) -> ndarray:
    """A 0-d array of a Python number."""
    recording = active_recording()
    if isinstance(number, DynamicFloat):
        if recording is None:
            return owned(numpy.asarray(number.number, dtype))
        return traced(recording.scalar(number.expression, number.number, dtype), recording)
    if recording is not None and type(number) is float:
        if recording.numbers_vary:
            return traced(recording.scalar(f"number {len(recording.scalars)}", number, dtype), recording)
        if number != 0 and number == number:
            attrs = {"value": _rounded(number, dtype), "shape": (), "dtype": dtype}
            return traced(recording.builder.emit(full, (), attrs), recording)
    if type(number) is int and dtype.kind in "iu":
        least, most = bounds_of(dtype)
        if not least <= number <= most:
            raise OverflowError(located(f"the Python integer {number} is out of bounds for {dtype}", here()))
    try:
        value = numpy.array(number, dtype)
    except (TypeError, ValueError, OverflowError) as cause:
        raise type(cause)(located(f"{number} is no {dtype}: {cause}", here())) from cause
    if recording is None:
        return ndarray(Buffer(value))
    return traced(recording.emit(full, [], {"value": value.item(), "shape": (), "dtype": dtype}), recording)


@functools.lru_cache(maxsize=4096)
def _rounded(number: float, dtype: DType) -> Any:
    """A Python number of a dtype that is nearest to another one, which is neither 0 nor NaN."""
    return numpy.array(number, dtype).item()


@functools.cache
def bounds_of(dtype: DType) -> tuple[int, int]:
    """The least and the largest integer of an integer dtype."""
    limits = numpy.iinfo(dtype)
    return int(limits.min), int(limits.max)


def complex_of(dtype: DType) -> DType:
    """The complex dtype whose parts are of a floating dtype."""
    return numpy.dtype("complex128" if dtype == FLOAT64 else "complex64")


def kinds_of(operands: Sequence[Operand]) -> Kinds:
    """What promotion depends on: the dtypes of arrays and the types of Python numbers."""
    return tuple([x.dtype if isinstance(x, ndarray) else type(x) for x in operands])


@functools.lru_cache(maxsize=4096)
def result_dtype(kinds: Kinds, default: DType) -> DType:
    """The dtype that operands promote to, when new floats are of the dtype `default`."""
    strong = [kind for kind in kinds if isinstance(kind, numpy.dtype)]
    dtype = functools.reduce(numpy.promote_types, strong, BOOL)
    if dtype.kind == "f" and all(one.kind in "biu" for one in strong):
        dtype = default  # of int64 and uint64
    for kind in kinds:
        if not isinstance(kind, numpy.dtype):
            dtype = _with_weak(dtype, kind, default)
    return dtype


def _with_weak(dtype: DType, kind: type, default: DType) -> DType:
    """NEP 50: a Python number asks for a kind, not for a precision."""
    if kind is bool:
        return dtype
    if kind is int:
        return INT64 if dtype == BOOL else dtype
    if kind is complex:
        return dtype if dtype.kind == "c" else complex_of(dtype if dtype.kind == "f" else default)
    return default if dtype.kind in "biu" else dtype


def promote(operands: Iterable[Any], dtype: DType | None = None) -> list[ndarray]:
    """Arrays of one dtype: the given one, or the one the operands promote to."""
    taken = operands_of(list(operands))
    chosen = result_dtype(kinds_of(taken), default_dtype()) if dtype is None else dtype
    made = [convert(x, chosen) if isinstance(x, ndarray) else scalar(x, chosen) for x in taken]
    if not others.known or active_recording() is not None:
        return made
    # Numbers may become parts of larger arrays: they come to the arrays', too.
    device = next((x.device for x in made if x.ndim or not x.device.is_host), current_device())
    return [x if isinstance(given, ndarray) else x.to(device) for x, given in zip(made, taken)]


def same_kind(x: ndarray, dtype: DType, what: str, casting: str = "same_kind") -> ndarray:
    """The array cast to a dtype as in-place operators and `out=` do: refuse to lose the kind."""
    if not numpy.can_cast(x.dtype, dtype, casting):
        raise DTypeError(
            located(
                f"{what}: cannot cast the result from {x.dtype} to {dtype} (casting={casting!r}); use astype, or an "
                f"array of {x.dtype}",
                here(),
            )
        )
    return convert(x, dtype)
