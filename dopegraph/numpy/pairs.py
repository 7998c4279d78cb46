"""NumPy's elementwise functions with two results: `divmod`, `modf`, `frexp`, composed of others."""

from __future__ import annotations

from typing import Any

from dopegraph import ops
from dopegraph.array import ndarray
from dopegraph.dispatch import apply
from dopegraph.numpy.assign import finish
from dopegraph.numpy.elementwise import call, computed_in
from dopegraph.numpy.promotion import DType, as_array, as_operand, convert, dtype_of, same_kind, scalar
from dopegraph.ops.typing import broadcast_shapes
from dopegraph.runtime.errors import DTypeError, ShapeError
from dopegraph.runtime.location import here, located

__all__ = ["divmod", "frexp", "modf"]

_CASTINGS = ("no", "equiv", "safe", "same_kind", "unsafe", "same_value")


def _finish_both(
    name: str, results: tuple[ndarray, ndarray], out: Any, where: Any, casting: str, signature: Any
) -> tuple[ndarray, ndarray]:
    """Both results, in `out` where that holds arrays."""
    if casting not in _CASTINGS:
        raise ValueError(located(f"{name}: casting must be one of {', '.join(_CASTINGS)}, not {casting!r}", here()))
    if signature is not None:
        raise DTypeError(located(f"{name}: signature= is not supported; use dtype=", here()))
    first, second = out if isinstance(out, tuple) and len(out) == 2 else (out, None)
    for result, one in zip(results, (first, second)):  # nothing is written if one of them does not fit
        if one is not None:
            same_kind(result, one.dtype, name)
    for result, one in zip(results, (first, second)):
        if one is not None and broadcast_shapes(result.shape, one.shape) != one.shape:
            raise ShapeError(located(f"{name}: a result of {result.shape} does not fit into {one.shape}", here()))
    if first is not None and second is not None and first.shape != second.shape:
        raise ShapeError(located(f"{name}: out has the shapes {first.shape} and {second.shape}", here()))
    return finish(results[0], first, where), finish(results[1], second, where)


def divmod(
    x1: Any, x2: Any, /, out: Any = (None, None), *, where: Any = True, casting: str = "same_kind", order: str = "K",
    dtype: Any = None, subok: bool = True, signature: Any = None,
) -> tuple[ndarray, ndarray]:  # fmt: skip
    """Quotient rounded down, and remainder: ``(x1 // x2, x1 % x2)``.

    Parameters
    ----------
    x1, x2 : array_like
        Numbers that have an order; they broadcast.
    out : pair of ndarray or None, optional
        Receive the results (cast with ``same_kind``).
    where : array_like of bool, optional
        Elements for which it is false keep what `out` holds (0 without `out`).
    dtype : dtype, optional
        Compute in this dtype.
    casting, order, subok, signature
        As in NumPy; nothing changes by them here.

    Returns
    -------
    quotient, remainder : ndarray
        Of the promoted dtype of the operands.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.divmod([7, -7], 3)
    (array([ 2, -3]), array([1, 2]))
    """
    chosen = None if dtype is None else dtype_of(dtype)
    operands = (as_operand(x1), as_operand(x2))
    results = (call("floor_divide", operands, chosen), call("remainder", operands, chosen))
    return _finish_both("divmod", results, out, where, casting, signature)


def modf(
    x: Any, /, out: Any = (None, None), *, where: Any = True, casting: str = "same_kind", order: str = "K",
    dtype: Any = None, subok: bool = True, signature: Any = None,
) -> tuple[ndarray, ndarray]:  # fmt: skip
    """Fractional and integer parts, both with the sign of the number; see `divmod` for the parameters.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.modf([1.5, -0.25])
    (array([ 0.5 , -0.25], dtype=float32), array([ 1., -0.], dtype=float32))
    """
    number = _floating("modf", x, None if dtype is None else dtype_of(dtype))
    zero = call("copysign", (scalar(0, number.dtype), number))
    # fmod by 1 is exact, has the sign of the number, and of infinity it is NaN.
    fraction = apply(ops.select, call("isinf", (number,)), zero, call("fmod", (number, 1)))
    return _finish_both("modf", (fraction, call("trunc", (number,))), out, where, casting, signature)


def frexp(
    x: Any, /, out: Any = (None, None), *, where: Any = True, casting: str = "same_kind", order: str = "K",
    dtype: Any = None, subok: bool = True, signature: Any = None,
) -> tuple[ndarray, ndarray]:  # fmt: skip
    """Mantissa, of size 0.5 to 1, and int32 exponent of ``x = mantissa * 2**exponent``; see `divmod`.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.frexp([8., -0.75])
    (array([ 0.5 , -0.75], dtype=float32), array([4, 0], dtype=int32))
    """
    if dtype is not None:
        raise DTypeError(located("frexp: its results have two dtypes; use astype on the operand", here()))
    number = _floating("frexp", x)
    exponent = apply(ops.exponent, number)
    mantissa = apply(ops.ldexp, number, call("negative", (exponent,)))
    return _finish_both("frexp", (mantissa, exponent), out, where, casting, signature)


def _floating(name: str, x: Any, dtype: DType | None = None) -> ndarray:
    """Real numbers as floats, in the dtype that `spacing` computes them in."""
    operand = as_array(x)
    try:
        return convert(operand, computed_in("spacing", operand, dtype=dtype))
    except DTypeError:
        raise DTypeError(located(f"{name}: takes real numbers, not {operand.dtype}", here())) from None
