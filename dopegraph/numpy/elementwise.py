"""NumPy's elementwise functions, made from the table with NumPy's signatures, docstrings and promotion."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy

from dopegraph import ops
from dopegraph.array import ndarray
from dopegraph.dispatch import apply
from dopegraph.ir.primitive import Primitive
from dopegraph.ir.types import TensorType
from dopegraph.numpy import short_way
from dopegraph.numpy.promotion import (
    BOOL,
    FLOAT64,
    OPERANDS,
    DType,
    Kinds,
    as_operand,
    bounds_of,
    convert,
    kinds_of,
    operands_of,
    result_dtype,
    scalar,
)
from dopegraph.numpy.table import TABLE
from dopegraph.runtime.config import default_dtype
from dopegraph.runtime.errors import DTypeError
from dopegraph.runtime.location import here, located

# The integers that C's int holds.
_SMALL = frozenset([("b", 1), ("i", 1), ("i", 2), ("i", 4), ("u", 1), ("u", 2)])

INT64, UINT64 = numpy.dtype("int64"), numpy.dtype("uint64")

# How a function computes what the table's primitive alone does not: (name, primitive, operands, common dtype).
Special = Callable[[str, Primitive, list[Any], DType], ndarray]


def call(name: str, operands: tuple[Any, ...], dtype: DType | None = None) -> ndarray:
    """A function of the table, applied to operands that it promotes: by NumPy at once where that is all."""
    if dtype is None:
        found = short_way.elementwise(name, operands)
        if found is not None:
            return found
    return promoted(name, operands, dtype)


def promoted(name: str, operands: tuple[Any, ...], dtype: DType | None = None) -> ndarray:
    """Promote operands by the table's domain and apply the primitive."""
    taken = operands_of(operands)
    kinds = kinds_of(taken)
    try:
        special, op, common = _plan(name, kinds, dtype, default_dtype())
    except DTypeError as cause:
        raise DTypeError(located(f"{name}: {cause}", here())) from None
    if special is not None:
        return special(name, op, taken, common)
    if all([kind is common for kind in kinds]):
        return apply(op, *taken)
    return _apply(name, op, taken, common)


def computed_in(name: str, *operands: Any, dtype: DType | None = None) -> DType:
    """The dtype in which a function of the table computes with operands."""
    kinds = kinds_of([x if type(x) in OPERANDS else as_operand(x) for x in operands])
    try:
        return _plan(name, kinds, dtype, default_dtype())[2]
    except DTypeError as cause:
        raise DTypeError(located(f"{name}: {cause}", here())) from None


def _apply(name: str, op: Primitive, operands: list[Any], common: DType) -> ndarray:
    return apply(op, *[convert(x, common) if type(x) is ndarray else scalar(x, common) for x in operands])


@functools.lru_cache(maxsize=4096)
def _plan(name: str, kinds: Kinds, given: DType | None, default: DType) -> tuple[Special | None, Primitive, DType]:
    """The primitive, the dtype that its operands are converted to, and whether more is to be done."""
    entry = TABLE[name]
    common = result_dtype(kinds, default)
    if entry.domain in ("compare", "logic", "predicate"):
        if given is not None and given != BOOL:  # NumPy takes None for float64 here
            raise DTypeError(f"the result is of dtype bool, not {given}")
        if entry.domain == "logic":
            return None, entry.op, BOOL
        if entry.domain == "predicate":
            common = common if common.kind in "fc" else FLOAT64
            entry.op.result_types([TensorType(common, ())], {})
            return None, entry.op, common
        return _plan_comparison(entry.op, kinds, common)
    if entry.domain == "scaled":
        return _scaled, entry.op, _scaled_dtype(kinds, given, default)
    if given is not None:
        if not numpy.can_cast(common, given, "same_kind"):
            raise DTypeError(f"cannot compute in {given} with operands of {common}; use astype")
        common = given
        if entry.domain == "double" and (given.kind not in "fc" or given.itemsize < (8 if given.kind == "f" else 16)):
            raise DTypeError(f"computes in double precision, not in {given}")
        if name == "absolute" and given.kind == "c":
            raise DTypeError("gives real numbers, also of complex ones")
        if entry.domain == "real" and given.kind != "f":
            raise DTypeError(f"gives floats, not {given}")
    elif entry.domain == "double":
        common = numpy.promote_types(common, FLOAT64)
    elif entry.domain in ("inexact", "real") and common.kind not in "fc":
        # In strict NumPy small integers give small floats.
        dtypes = [kind if isinstance(kind, numpy.dtype) else common for kind in kinds]
        strict = getattr(numpy, name)(*[numpy.empty(0, dtype) for dtype in dtypes]).dtype
        common = strict if default == FLOAT64 else default
    if common == BOOL:
        if entry.on_bool is not None:
            return None, entry.on_bool, BOOL
        if not entry.bool_as:
            raise DTypeError("booleans are not numbers here; use logical_xor, logical_not or astype")
        common = numpy.dtype(entry.bool_as)
    if common.kind in "iu" and name in ("floor", "ceil", "trunc"):
        return None, ops.identity, common
    if name == "conjugate" and common.kind != "c":
        return None, ops.identity, common
    if entry.domain == "real" and common.kind == "c":
        raise DTypeError(f"takes real numbers, not {common}")
    entry.op.result_types([TensorType(common, ())] * len(kinds), {})  # raises the type rule's DTypeError
    return _power if name == "power" else None, entry.op, common


def _plan_comparison(op: Primitive, kinds: Kinds, common: DType) -> tuple[Special | None, Primitive, DType]:
    """Comparisons are exact: of integers and floats in float64, of int64 and uint64 by the signs."""
    dtypes = [kind for kind in kinds if isinstance(kind, numpy.dtype)]
    if INT64 in dtypes and UINT64 in dtypes:
        return _compare_signed, op, UINT64
    if common.kind in "iu" and any(kind is int for kind in kinds):
        return _compare_bounded, op, common
    if common.kind == "f" and any(dtype.kind in "iu" for dtype in dtypes):
        return None, op, FLOAT64
    return None, op, common


def _scaled_dtype(kinds: Kinds, given: DType | None, default: DType) -> DType:
    """The dtype of ``ldexp``: that of its first operand, made floating; the second is an integer."""
    x, exponent = result_dtype(kinds[:1], default), result_dtype(kinds[1:], default)
    if exponent.kind not in "bi" and not (exponent.kind == "u" and exponent.itemsize < 8):
        raise DTypeError(f"the exponent must be a signed integer, not {exponent}; use astype")
    common = x if given is None else given
    if common.kind in "biu":
        small = numpy.ldexp(numpy.empty(0, common), numpy.empty(0, "int32")).dtype
        common = small if default == FLOAT64 else default
    if common.kind != "f" or not numpy.can_cast(x, common, "same_kind"):
        raise DTypeError(f"cannot compute in {common} with a first operand of {x}")
    return common


def _scaled(name: str, op: Primitive, operands: list[Any], common: DType) -> ndarray:
    x, exponent = operands
    small = isinstance(exponent, ndarray) and (exponent.dtype.kind, exponent.dtype.itemsize) in _SMALL
    wide = numpy.dtype("int32") if small else INT64
    return apply(
        op,
        convert(x, common) if isinstance(x, ndarray) else scalar(x, common),
        convert(exponent, wide) if isinstance(exponent, ndarray) else scalar(int(exponent), wide),
    )


def _compare_signed(name: str, op: Primitive, operands: list[Any], common: DType) -> ndarray:
    """A negative integer is below all unsigned ones; the others are compared as unsigned."""
    compared = _apply(name, op, operands, common)
    signed = 0 if operands[0].dtype == INT64 else 1
    below = op.kernel(*((-1, 0) if signed == 0 else (0, -1)))
    return apply(ops.select, call("less", (operands[signed], 0)), scalar(bool(below), BOOL), compared)


def _compare_bounded(name: str, op: Primitive, operands: list[Any], common: DType) -> ndarray:
    """Python integers that the dtype does not hold are below or above all that it does."""
    least, most = bounds_of(common)
    for place, x in enumerate(operands):
        if type(x) is int and not least <= x <= most:
            operands[place] = numpy.inf if x > most else -numpy.inf
            common = FLOAT64
    return _apply(name, op, operands, common)


def _power(name: str, op: Primitive, operands: list[Any], common: DType) -> ndarray:
    """``x ** 2`` and the like: repeated multiplication, with derivatives at 0."""
    base, exponent = operands
    if type(exponent) is float and exponent.is_integer() and common.kind in "fc":
        exponent = int(exponent)
    if type(exponent) is not int or not isinstance(base, ndarray) or abs(exponent) >= 128:
        return _apply(name, op, operands, common)
    if common.kind in "iu" and exponent < 0:
        scalar(exponent, common)  # refuses what the dtype does not hold
        raise ValueError(located("power: integers to negative powers are not integers; use floats", here()))
    return apply(ops.integer_pow, convert(base, common), exponent=exponent)


def truth(x: Any) -> ndarray:
    """The truth values of the elements."""
    return convert(x, BOOL) if isinstance(x, ndarray) else scalar(bool(x), BOOL)


def straight(name: str, kinds: Kinds) -> Any:
    """NumPy's ufunc that does the same at once for operands of these kinds, one of them an array's; None without."""
    dtypes = [kind for kind in kinds if isinstance(kind, numpy.dtype)]
    if not _WEAK_NUMBERS and (len(dtypes) < len(kinds) or len(set(dtypes)) > 1):
        return None
    try:
        special, op, common = _plan(name, kinds, None, default_dtype())
    except DTypeError:
        return None
    promoted = functools.reduce(numpy.promote_types, dtypes)
    # Floats that come from integers alone have the default dtype, which changes.
    lasting = promoted.kind in "biu" or any([dtype.kind in "fc" for dtype in dtypes])
    same = special in (None, _compare_bounded) and common == promoted and lasting
    return op.kernel if same and isinstance(op.kernel, numpy.ufunc) else None


def primitive_of(name: str, dtype: DType) -> Primitive | None:
    """The primitive that is all there is to a function of operands of one floating dtype."""
    entry = TABLE[name]
    try:
        special, op, common = _plan(name, (dtype,) * entry.op.arity, None, default_dtype())
    except DTypeError:
        return None
    return op if special is None and common == dtype else None


# Since NumPy 2 Python numbers do not widen the arrays beside them, nor do arrays without axes hang on their values;
# integers that a dtype does not hold are compared all the same.
_WEAK_NUMBERS = int(numpy.__version__.split(".")[0]) >= 2
