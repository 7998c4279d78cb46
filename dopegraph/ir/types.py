"""The types of the IR: a dtype and a shape, written ``f32[64,784]``."""

from __future__ import annotations

import math
from typing import Any, Union

import numpy

from dopegraph.runtime.errors import DTypeError

DType = numpy.dtype[Any]
Shape = tuple[int, ...]

# What an attribute of a node may be; the printer and the parser know each kind.
Attr = Union[None, bool, int, float, complex, str, tuple[Any, ...], DType, "numpy.ndarray[Any, Any]"]

SHORT_NAMES: dict[str, DType] = {
    "bool": numpy.dtype("bool"),
    "i8": numpy.dtype("int8"),
    "i16": numpy.dtype("int16"),
    "i32": numpy.dtype("int32"),
    "i64": numpy.dtype("int64"),
    "u8": numpy.dtype("uint8"),
    "u16": numpy.dtype("uint16"),
    "u32": numpy.dtype("uint32"),
    "u64": numpy.dtype("uint64"),
    "f16": numpy.dtype("float16"),
    "f32": numpy.dtype("float32"),
    "f64": numpy.dtype("float64"),
    "c64": numpy.dtype("complex64"),
    "c128": numpy.dtype("complex128"),
}
_NAME_OF = {dtype: name for name, dtype in SHORT_NAMES.items()}


def short_name(dtype: DType) -> str:
    """``f32`` for float32, and so on; raises DTypeError for a dtype the IR does not have."""
    try:
        return _NAME_OF[dtype]
    except KeyError:
        raise DTypeError(f"graphs have no dtype {dtype}; theirs are {', '.join(map(str, _NAME_OF))}") from None


class TensorType:
    """The type of a value: dtype and shape.

    Examples
    --------
    >>> TensorType("f32", (64, 784))
    f32[64,784]
    """

    __slots__ = ("_hash", "dtype", "shape")

    dtype: DType
    shape: Shape

    def __init__(self, dtype: DType | str, shape: Shape) -> None:
        self.dtype = SHORT_NAMES[dtype] if isinstance(dtype, str) and dtype in SHORT_NAMES else numpy.dtype(dtype)
        self.shape = tuple(shape)
        self._hash = hash((self.dtype.str, self.shape))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TensorType) and self.shape == other.shape and self.dtype == other.dtype

    def __hash__(self) -> int:
        return self._hash

    def __reduce__(self) -> tuple[Any, ...]:
        return TensorType, (self.dtype, self.shape)  # the hash of a string differs between processes

    def __repr__(self) -> str:
        return f"{short_name(self.dtype)}[{','.join(map(str, self.shape))}]"

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes of the elements."""
        return self.size * self.dtype.itemsize

    @property
    def is_float(self) -> bool:
        """Whether derivatives can flow through values of this type."""
        return self.dtype.kind in "fc"

    def with_shape(self, shape: Shape) -> TensorType:
        return TensorType(self.dtype, shape)

    def with_dtype(self, dtype: DType) -> TensorType:
        return TensorType(dtype, self.shape)


_types: dict[tuple[DType, Shape], TensorType] = {}
_MOST_TYPES = 10_000


def type_of(array: Any) -> TensorType:
    """The type of something with `dtype` and `shape`; equal ones are one object, which is found faster than made."""
    key = array.dtype, array.shape
    found = _types.get(key)
    if found is None:
        if len(_types) >= _MOST_TYPES:
            _types.clear()
        found = _types[key] = TensorType(*key)
    return found


def attribute_key(attribute: Any) -> Any:
    """A hashable stand-in for an attribute that keeps 1, 1.0 and True, and 0.0 and -0.0, apart."""
    if isinstance(attribute, numpy.ndarray):
        return (attribute.dtype.str, attribute.shape, attribute.tobytes())
    if isinstance(attribute, tuple):
        return tuple(attribute_key(item) for item in attribute)
    return (type(attribute), repr(attribute) if isinstance(attribute, (float, complex)) else attribute)


def attributes_key(attributes: dict[str, Any]) -> Any:
    """A hashable stand-in for all attributes of a node, in the order in which they stand."""
    if any([isinstance(item, numpy.ndarray) for item in attributes.values()]):
        return tuple([(name, attribute_key(item)) for name, item in attributes.items()])
    return repr(attributes) if attributes else None
