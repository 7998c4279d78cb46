"""Creating arrays: from lists and NumPy arrays, filled, or shaped like another one. New floats are float32.

The parameters `like` and `subok` are NumPy's; there is one array type here, so they change nothing.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy

from dopegraph import ops
from dopegraph.array import from_numpy, ndarray, traced
from dopegraph.dispatch import apply
from dopegraph.numpy.assign import fitting
from dopegraph.numpy.layout import (
    arranged,
    chosen_order,
    layout_of,
    naming,
    on_device,
    reverse_axes,
    wants_fortran,
)
from dopegraph.numpy.placement import claim
from dopegraph.numpy.promotion import NUMBERS, DType, as_array, check_kind, convert, dtype_of, memory_of, new, scalar
from dopegraph.runtime.config import default_dtype
from dopegraph.runtime.device import others
from dopegraph.runtime.direct import direct
from dopegraph.runtime.errors import DTypeError, ShapeError
from dopegraph.runtime.location import here, located
from dopegraph.trace.active import active_recording
from dopegraph.trace.scalar import DynamicFloat


def integers(x: Any, what: str) -> tuple[int, ...]:
    """A tuple of integers from one integer or a sequence of them."""
    if type(x) is int:
        return (x,)
    items = x if isinstance(x, (list, tuple)) or getattr(x, "ndim", 0) else (x,)
    try:
        return tuple([operator.index(item) for item in items])
    except TypeError:
        raise DTypeError(located(f"{what} must be an integer or a sequence of integers, not {x!r}", here())) from None


def shape_of(shape: Any) -> tuple[int, ...]:
    """A shape from an integer or a sequence of integers."""
    lengths = integers(shape, "a shape")
    if min(lengths, default=0) < 0:
        raise ShapeError(located(f"negative lengths are not allowed in a shape: {lengths}", here()))
    return lengths


def dtype_or_default(dtype: Any) -> DType:
    """The dtype that was asked for, or the default."""
    return default_dtype() if dtype is None else dtype_of(dtype)


def array(
    object: Any, dtype: Any = None, *, copy: bool | None = True, order: Any = "K", subok: bool = False, ndmin: int = 0,
    ndmax: int = 0, like: Any = None,
) -> ndarray:  # fmt: skip
    """An array of nested lists, numbers or other arrays.

    Parameters
    ----------
    object : array_like
    dtype : dtype, optional
        The default is that of `object`; for Python floats the default dtype (float32).
    copy : bool or None, optional
        The memory of another array is copied (default); with None only if it must be; with False it is an error
        if it must be.
    order : {"K", "A", "C", "F"}, optional
        With "F" the first axis is the one whose elements are neighbours.
    ndmin : int, optional
        Axes of length 1 are put in front until there are this many.
    ndmax : int, optional
        The most axes that nested lists may have; 0 for as many as they have.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.array([[1, 2], [3, 4.5]])
    array([[1. , 2. ],
           [3. , 4.5]], dtype=float32)
    """
    return _array("array", object, dtype, copy, order, ndmin, ndmax)


def _array(name: str, x: Any, dtype: Any, copy: bool | None, order: Any, ndmin: int = 0, ndmax: int = 0) -> ndarray:
    wanted = None if dtype is None else dtype_of(dtype)
    x = memory_of(x)
    if ndmax and ndmin > ndmax:
        raise ValueError(located(f"{name}: ndmin {ndmin} is more than ndmax {ndmax}", here()))
    fresh = not isinstance(x, (ndarray, numpy.ndarray))
    if isinstance(x, numpy.ndarray) and copy:
        result, fresh = new(numpy.array(check_kind(x), dtype=wanted, order="C")), True
    else:
        result = as_array(x, wanted)
        fresh = fresh or (isinstance(x, ndarray) and result is not x) or (wanted or x.dtype) != x.dtype
    if copy is False and fresh:
        raise ValueError(located(f"{name}: this needs a copy, which copy=False forbids; use copy=None", here()))
    if ndmax and result.ndim > ndmax and not isinstance(x, (ndarray, numpy.ndarray)):
        raise ValueError(located(f"{name}: lists {result.ndim} deep, where ndmax allows {ndmax} axes", here()))
    if chosen_order(order, name) == "A" and isinstance(x, numpy.ndarray) and x.flags.fnc:
        order = "F"
    result = arranged(result, order, copy if not (copy and fresh) else None, name)
    if result.ndim < ndmin:
        result = result.reshape((1,) * (ndmin - result.ndim) + result.shape)
    return result


def asarray(
    a: Any, dtype: Any = None, order: Any = None, *, device: Any = None, copy: bool | None = None, like: Any = None
) -> ndarray:
    """An array of anything, without a copy where possible; a NumPy array shares its memory.

    Parameters
    ----------
    a : array_like
    dtype : dtype, optional
    order : {"K", "A", "C", "F"}, optional
    device : Device or str, optional
        Where the array is to be: a device, "cpu", "gpu" or "gpu:1".
    copy : bool or None, optional
        None copies if it must be; False makes that an error.

    Examples
    --------
    >>> import numpy, dopegraph.numpy as np
    >>> memory = numpy.zeros(2)
    >>> np.asarray(memory)[0] = 5
    >>> memory.tolist()
    [5.0, 0.0]
    """
    if copy is None and order is None and device is None:
        return as_array(a, None if dtype is None else dtype_of(dtype))
    return on_device(_array("asarray", a, dtype, copy, order), device, "asarray")


def asanyarray(
    a: Any, dtype: Any = None, order: Any = None, *, device: Any = None, copy: bool | None = None, like: Any = None
) -> ndarray:
    """An array of anything, without a copy where possible; see `asarray`."""
    return asarray(a, dtype, order, device=device, copy=copy)


def ascontiguousarray(a: Any, dtype: Any = None, *, like: Any = None) -> ndarray:
    """An array in C order with at least one axis; a copy only if it must be."""
    return _array("ascontiguousarray", a, dtype, None, "C", ndmin=1)


def asfortranarray(a: Any, dtype: Any = None, *, like: Any = None) -> ndarray:
    """An array in Fortran order with at least one axis; a copy only if it must be."""
    return _array("asfortranarray", a, dtype, None, "F", ndmin=1)


def asarray_chkfinite(a: Any, dtype: Any = None, order: Any = None) -> ndarray:
    """An array of anything, or a ValueError if it has NaN or infinities (compiled code looks at the values)."""
    x = asarray(a, dtype, order)
    if x.dtype.kind in "fc" and not numpy.isfinite(x._look("value-branch", "asarray_chkfinite")).all():
        raise ValueError(located("asarray_chkfinite: there are NaN or infinities among the elements", here()))
    return x


_REQUIREMENTS = {
    "C": "C", "C_CONTIGUOUS": "C", "CONTIGUOUS": "C", "F": "F", "F_CONTIGUOUS": "F", "FORTRAN": "F", "A": "A",
    "ALIGNED": "A", "W": "W", "WRITEABLE": "W", "O": "O", "OWNDATA": "O", "E": "E", "ENSUREARRAY": "E",
}  # fmt: skip


def require(a: Any, dtype: Any = None, requirements: Any = None, *, like: Any = None) -> ndarray:
    """An array that is in C or Fortran order, writeable, or with memory of its own, as asked for.

    Parameters
    ----------
    a : array_like
    dtype : dtype, optional
    requirements : str or sequence of str, optional
        "C", "F", "A" (aligned), "W" (writeable), "O" (own memory), "E" (an array), or their long names.
    """
    asked = [requirements] if isinstance(requirements, str) else list(requirements or ())
    try:
        wanted = {_REQUIREMENTS[one.upper()] for one in asked}
    except KeyError as cause:
        raise KeyError(f"require: {cause.args[0]!r} is no requirement") from None
    if {"C", "F"} <= wanted:
        raise ValueError(located("require: an array cannot be asked to be in both C and Fortran order", here()))
    x = _array("require", a, dtype, None, "F" if "F" in wanted else "C" if "C" in wanted else None)
    read_only = not layout_of(x).flags.writeable
    shared = x._base is not None or x._foreign
    return copy(x, "F" if "F" in wanted else "C") if ("W" in wanted and read_only) or ("O" in wanted and shared) else x


def copy(a: Any, order: Any = "K", subok: bool = False) -> ndarray:
    """A copy in memory of its own."""
    return arranged(as_array(a), order, True, "copy")


def astype(x: Any, dtype: Any, /, *, copy: bool = True, device: Any = None) -> ndarray:
    """The elements of an array in another dtype; a copy, unless `copy` is false and the dtype is right.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.astype(np.array([1.5, -1.5]), "int32")
    array([ 1, -1], dtype=int32)
    """
    if not isinstance(x, (ndarray, numpy.ndarray, numpy.generic)):
        raise DTypeError(located(f"astype: takes an array, not a {type(x).__name__}", here()))
    before = as_array(x)
    result = convert(before, dtype_of(dtype))
    return on_device(apply(ops.identity, result) if result is before and copy else result, device, "astype")


def _filled(shape: tuple[int, ...], value: Any, dtype: DType, order: Any = "C", name: str = "full") -> ndarray:
    if type(value) is int and value in (0, 1) and order == "C" and not direct.held:
        return new(numpy.ones(shape, dtype) if value else numpy.zeros(shape, dtype))
    if order != "C" and chosen_order(order, name, "CF") == "F" and len(shape) > 1:
        if numpy.ndim(value):
            return arranged(_filled(shape, value, dtype), "F", True, name)
        return reverse_axes(_filled(shape[::-1], value, dtype))
    recording = active_recording()
    if type(value) not in NUMBERS and (isinstance(value, (ndarray, DynamicFloat)) or numpy.ndim(value)):
        part = convert(value, dtype) if isinstance(value, ndarray) else as_array(value, dtype)
        return apply(ops.identity, fitting(part, shape, name))
    with naming(name):
        if type(value) is int and dtype.kind in "iu":  # older versions of NumPy wrap what does not fit
            scalar(value, dtype)
        if recording is None:
            filled = numpy.empty(shape, dtype)
            numpy.copyto(filled, value, casting="unsafe")
            return new(filled)
        number = numpy.empty((), dtype)
        numpy.copyto(number, value, casting="unsafe")
    attrs = {"value": number.item(), "shape": shape, "dtype": dtype}
    return traced(recording.emit(ops.full, [], attrs), recording)


def zeros(shape: Any, dtype: Any = None, order: Any = "C", *, device: Any = None, like: Any = None) -> ndarray:
    """Zeros; float32 unless a dtype is given.

    Parameters
    ----------
    shape : int or sequence of int
    dtype : dtype, optional
    order : {"C", "F"}, optional
    device : Device or str, optional
        Where the array is to be.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.zeros((2, 2))
    array([[0., 0.],
           [0., 0.]], dtype=float32)
    """
    return on_device(_filled(shape_of(shape), 0, dtype_or_default(dtype), order, "zeros"), device, "zeros")


def ones(shape: Any, dtype: Any = None, order: Any = "C", *, device: Any = None, like: Any = None) -> ndarray:
    """Ones; float32 unless a dtype is given."""
    return on_device(_filled(shape_of(shape), 1, dtype_or_default(dtype), order, "ones"), device, "ones")


def empty(shape: Any, dtype: Any = None, order: Any = "C", *, device: Any = None, like: Any = None) -> ndarray:
    """An array whose contents do not matter; here they are zeros, so that compiled code cannot differ."""
    return on_device(_filled(shape_of(shape), 0, dtype_or_default(dtype), order, "empty"), device, "empty")


def full(
    shape: Any, fill_value: Any, dtype: Any = None, order: Any = "C", *, device: Any = None, like: Any = None
) -> ndarray:
    """An array of one repeated value (or of an array that is broadcast), in the value's dtype unless one is given.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.full(3, 7)
    array([7, 7, 7])
    """
    if dtype is not None:
        chosen = dtype_of(dtype)
    elif type(fill_value) is float:
        chosen = default_dtype()
    else:
        chosen = as_array(fill_value).dtype
    return on_device(_filled(shape_of(shape), fill_value, chosen, order), device, "full")


def _like(name: str, a: Any, value: Any, dtype: Any, order: Any, shape: Any, device: Any) -> ndarray:
    model = as_array(a)
    lengths = model.shape if shape is None else shape_of(shape)
    fortran = wants_fortran(model, chosen_order(order, name))
    if others.known:
        claim(model)
    with model.device:
        chosen = dtype_of(dtype) if dtype is not None else model.dtype
        made = _filled(lengths, value, chosen, "F" if fortran else "C", name)
    return on_device(made, device, name)


def zeros_like(
    a: Any, dtype: Any = None, order: Any = "K", subok: bool = True, shape: Any = None, *, device: Any = None
) -> ndarray:
    """Zeros with the shape, dtype and device of another array, unless others are given."""
    return _like("zeros_like", a, 0, dtype, order, shape, device)


def ones_like(
    a: Any, dtype: Any = None, order: Any = "K", subok: bool = True, shape: Any = None, *, device: Any = None
) -> ndarray:
    """Ones with the shape, dtype and device of another array, unless others are given."""
    return _like("ones_like", a, 1, dtype, order, shape, device)


def empty_like(
    prototype: Any, /, dtype: Any = None, order: Any = "K", subok: bool = True, shape: Any = None, *, device: Any = None
) -> ndarray:
    """Zeros with the shape, dtype and device of another array; see `empty`."""
    return _like("empty_like", prototype, 0, dtype, order, shape, device)


def full_like(
    a: Any, fill_value: Any, dtype: Any = None, order: Any = "K", subok: bool = True, shape: Any = None, *,
    device: Any = None,
) -> ndarray:  # fmt: skip
    """A repeated value with the shape, dtype and device of another array, unless others are given."""
    return _like("full_like", a, fill_value, dtype, order, shape, device)


__all__ = [
    "array", "asanyarray", "asarray", "asarray_chkfinite", "ascontiguousarray", "asfortranarray", "astype", "copy",
    "empty", "empty_like", "from_numpy", "full", "full_like", "ones", "ones_like", "require", "zeros", "zeros_like",
]  # fmt: skip
