"""Products over one core axis: `matmul`, `matvec`, `vecmat` and `vecdot`, with all the parameters of NumPy's ufuncs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy

from dopegraph import ops
from dopegraph.array import ndarray
from dopegraph.dispatch import apply, view
from dopegraph.numpy.assign import finish
from dopegraph.numpy.promotion import BOOL, INT64, DType, as_array, convert, dtype_of, promote
from dopegraph.numpy.shape import axis_of, expand_dims, moveaxis, squeeze
from dopegraph.runtime.errors import DTypeError, ShapeError
from dopegraph.runtime.location import here, located

__all__ = ["matmul", "matrix_transpose", "matvec", "vecdot", "vecmat"]

# How many core axes the operands and the result of each function have.
_CORE = {"matmul": (2, 2, 2), "matvec": (2, 1, 1), "vecmat": (1, 2, 1), "vecdot": (1, 1, 0)}


def mismatch(name: str, x: ndarray, y: ndarray, first: int, second: int) -> ShapeError:
    """The error of two axes that should have one length."""
    return ShapeError(
        located(
            f"{name}: shapes {x.shape} and {y.shape} do not fit: axis {first} of the first has length "
            f"{x.shape[first]}, axis {second} of the second {y.shape[second]}",
            here(),
        )
    )


def conjugate(x: ndarray) -> ndarray:
    """Complex conjugate; real arrays are themselves."""
    return apply(ops.conj, x) if x.dtype.kind == "c" else x


def matmul(
    x1: Any, x2: Any, /, out: ndarray | None = None, *, axes: Any = None, axis: Any = None, keepdims: bool = False,
    casting: str = "same_kind", order: str = "K", dtype: Any = None, subok: bool = True, signature: Any = None,
) -> ndarray:  # fmt: skip
    """Matrix product; leading axes broadcast, a 1-d operand is a row (first) or a column (second).

    Parameters
    ----------
    x1, x2 : array_like
        Of shapes ``(..., n, k)`` and ``(..., k, m)``, or ``(k,)``.
    out : ndarray, optional
    axes : list of tuple, optional
        For each operand, and the result, the axes of the matrices.
    casting, dtype, signature : optional
        What to compute in, and which casts of the operands are allowed.
    axis, keepdims, order, subok
        As in NumPy: matrices have no single axis, and results are in C order.

    Returns
    -------
    ndarray
        Of shape ``(..., n, m)``, and the promoted dtype.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.matmul(np.ones((2, 3)), np.ones(3))
    array([3., 3.], dtype=float32)
    """
    x, y = _operands("matmul", x1, x2, dtype, signature, casting)
    if x.ndim == 0 or y.ndim == 0:
        raise ShapeError(located("matmul: a 0-d operand has no axis to sum over; use multiply", here()))
    places = _places("matmul", (x, y), axes, axis, keepdims, order)
    x, y = _core_last(x, places, 0), _core_last(y, places, 1)
    row, column = x.ndim == 1, y.ndim == 1
    if x.shape[-1] != y.shape[-1 if column else -2]:
        raise mismatch("matmul", x, y, -1, -1 if column else -2)
    result = _product(x, y, row, column)
    return _finished(result, places, out, casting)


def matvec(
    x1: Any, x2: Any, /, out: ndarray | None = None, *, axes: Any = None, axis: Any = None, keepdims: bool = False,
    casting: str = "same_kind", order: str = "K", dtype: Any = None, subok: bool = True, signature: Any = None,
) -> ndarray:  # fmt: skip
    """Products of matrices ``(..., n, k)`` with vectors ``(..., k)``; leading axes broadcast. See `matmul`.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.matvec(np.array([[0., 1.], [1., 1.]]), np.array([[1., 2.], [3., 4.]]))
    array([[2., 3.],
           [4., 7.]], dtype=float32)
    """
    x, y, places = _prepared("matvec", x1, x2, axes, axis, keepdims, order, dtype, signature, casting)
    if x.shape[-1] != y.shape[-1]:
        raise mismatch("matvec", x, y, -1, -1)
    return _finished(squeeze(_product(x, expand_dims(y, -1), False, False), -1), places, out, casting)


def vecmat(
    x1: Any, x2: Any, /, out: ndarray | None = None, *, axes: Any = None, axis: Any = None, keepdims: bool = False,
    casting: str = "same_kind", order: str = "K", dtype: Any = None, subok: bool = True, signature: Any = None,
) -> ndarray:  # fmt: skip
    """Products of vectors ``(..., n)``, conjugated, with matrices ``(..., n, m)``. See `matmul`.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.vecmat(np.array([1., 2.]), np.array([[0., 1.], [1., 1.]]))
    array([2., 3.], dtype=float32)
    """
    x, y, places = _prepared("vecmat", x1, x2, axes, axis, keepdims, order, dtype, signature, casting)
    if x.shape[-1] != y.shape[-2]:
        raise mismatch("vecmat", x, y, -1, -2)
    product = _product(expand_dims(conjugate(x), -2), y, False, False)
    return _finished(squeeze(product, -2), places, out, casting)


def vecdot(
    x1: Any, x2: Any, /, out: ndarray | None = None, *, axes: Any = None, axis: Any = None, keepdims: bool = False,
    casting: str = "same_kind", order: str = "K", dtype: Any = None, subok: bool = True, signature: Any = None,
) -> ndarray:  # fmt: skip
    """Dot products of vectors along an axis (the last by default), the first conjugated. See `matmul`.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.vecdot(np.array([[1., 2.], [3., 4.]]), np.array([1., 10.]))
    array([21., 43.], dtype=float32)
    """
    if axis is not None and axes is not None:
        raise DTypeError(located("vecdot: give axis or axes, not both", here()))
    if axis is not None:
        axes = [(axis,), (axis,)]
    x, y, _ = _prepared("vecdot", x1, x2, axes, None, False, order, dtype, signature, casting)
    if x.shape[-1] != y.shape[-1]:
        raise mismatch("vecdot", x, y, -1, -1)
    product = _product(expand_dims(conjugate(x), -2), expand_dims(y, -1), False, False)
    if not keepdims:
        return _finished(squeeze(squeeze(product, -1), -1), None, out, casting)
    result = squeeze(product, -1)
    return _finished(moveaxis(result, -1, axis) if axis is not None else result, None, out, casting)


def matrix_transpose(x: Any, /) -> ndarray:
    """A view with the last two axes exchanged.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.matrix_transpose(np.array([[1, 2], [3, 4]]))
    array([[1, 3],
           [2, 4]])
    """
    array = as_array(x)
    if array.ndim < 2:
        raise ShapeError(located(f"matrix_transpose: an array of {array.ndim} axes is no matrix", here()))
    return moveaxis(array, -1, -2)


def _operands(name: str, x1: Any, x2: Any, dtype: Any, signature: Any, casting: str) -> list[ndarray]:
    wanted = _wanted(name, dtype, signature)
    if wanted is None:
        return promote((x1, x2))
    given = [as_array(x1), as_array(x2)]
    for x in given:
        if not numpy.can_cast(x.dtype, wanted, casting):
            raise DTypeError(
                located(f"{name}: cannot cast an operand from {x.dtype} to {wanted} with casting={casting!r}", here())
            )
    return [convert(x, wanted) for x in given]


def _wanted(name: str, dtype: Any, signature: Any) -> DType | None:
    """The dtype to compute in; a signature such as ``"dd->d"`` names it for each operand."""
    if signature is not None:
        if dtype is not None:
            raise DTypeError(located(f"{name}: give dtype or signature, not both", here()))
        if isinstance(signature, str):
            dtype = signature.rpartition("->")[2]
        else:
            dtype = signature[-1] if isinstance(signature, tuple) else signature
    return None if dtype is None else dtype_of(dtype)


def _prepared(
    name: str, x1: Any, x2: Any, axes: Any, axis: Any, keepdims: bool, order: str, dtype: Any, signature: Any,
    casting: str,
) -> tuple[ndarray, ndarray, Any]:  # fmt: skip
    """The operands, their core axes last, and where the core axes of the result belong."""
    operands = _operands(name, x1, x2, dtype, signature, casting)
    for x, count in zip(operands, _CORE[name]):
        if x.ndim < count:
            raise ShapeError(located(f"{name}: an operand has {x.ndim} axes, it needs at least {count}", here()))
    places = _places(name, operands, axes, axis, keepdims, order)
    return _core_last(operands[0], places, 0), _core_last(operands[1], places, 1), places


def _places(
    name: str, operands: Sequence[ndarray], axes: Any, axis: Any, keepdims: bool, order: str
) -> list[tuple[int, ...]] | None:
    """The core axes of operands and result, when they are not the last ones."""
    if axis is None and axes is None and not keepdims and order == "K":
        return None
    if axis is not None or keepdims:
        raise DTypeError(located(f"{name} takes neither axis nor keepdims: its operands differ in core axes", here()))
    if order not in ("K", "C", "A", "F"):
        raise ValueError(located(f"{name}: order must be 'C', 'F', 'A' or 'K', not {order!r}", here()))
    if axes is None:
        return None
    if not isinstance(axes, list):
        raise DTypeError(located(f"{name}: axes must be a list with an entry for each operand", here()))
    core = [2 if x.ndim > 1 else 1 for x in operands] if name == "matmul" else list(_CORE[name][:2])
    core.append(sum(core) - 2 if name == "matmul" else _CORE[name][2])
    entries = [one if isinstance(one, tuple) else (one,) for one in axes]
    if len(entries) != 3 and not (len(entries) == 2 and core[2] == 0):
        raise ValueError(located(f"{name}: axes needs entries for both operands and the result", here()))
    for entry, count in zip(entries, core):
        if len(entry) != count:
            raise ValueError(located(f"{name}: {count} core axes are needed, axes has {entry}", here()))
    return entries


def _core_last(x: ndarray, places: list[tuple[int, ...]] | None, index: int) -> ndarray:
    if places is None:
        return x
    return moveaxis(x, places[index], tuple(range(-len(places[index]), 0)))


def _product(x: ndarray, y: ndarray, row: bool, column: bool) -> ndarray:
    boolean = x.dtype == BOOL
    if boolean:  # computed as integers, and turned back
        x, y = convert(x, INT64), convert(y, INT64)
    if row:
        x = view(x, ((ops.reshape, {"shape": (1, x.shape[0])}),))
    if column:
        y = view(y, ((ops.reshape, {"shape": (y.shape[0], 1)}),))
    result = apply(ops.matmul, x, y)
    if row or column:
        shape = result.shape[: -2 if row else -1] + (() if column else result.shape[-1:])
        result = view(result, ((ops.reshape, {"shape": shape}),))
    return convert(result, BOOL) if boolean else result


def _finished(result: ndarray, places: Any, out: Any, casting: str) -> ndarray:
    if places is not None and len(places) == 3 and places[2]:
        target = tuple(axis_of(axis, result.ndim, "axes") for axis in places[2])
        result = moveaxis(result, tuple(range(-len(target), 0)), target)
    return result if out is None else finish(result, checked(out, result.dtype, casting))


def checked(out: Any, dtype: DType, casting: str) -> Any:
    """`out`, after checking that results may be cast to its dtype."""
    target = out[0] if isinstance(out, tuple) else out
    if isinstance(target, (ndarray, numpy.ndarray)) and not numpy.can_cast(dtype, target.dtype, casting):
        raise DTypeError(
            located(f"cannot cast the result from {dtype} to {target.dtype} of out with casting={casting!r}", here())
        )
    return out
