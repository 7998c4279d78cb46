"""Discrete Fourier transforms: NumPy's ``numpy.fft``, traced and differentiable to any order.

Numbers in single precision stay so, as in NumPy 2, also on older versions; half precision becomes single.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy

from dopegraph import ops
from dopegraph.array import ndarray
from dopegraph.dispatch import apply
from dopegraph.numpy.assign import finish
from dopegraph.numpy.elementwise import call
from dopegraph.numpy.joining import concatenate, roll
from dopegraph.numpy.promotion import as_array, complex_of, convert
from dopegraph.numpy.ranges import arange
from dopegraph.ops.fft import NORMS
from dopegraph.ops.typing import normalize_axis
from dopegraph.runtime.config import default_dtype
from dopegraph.runtime.errors import AxisError, DTypeError, ShapeError
from dopegraph.runtime.location import here, located

__all__ = [
    "fft", "fft2", "fftfreq", "fftn", "fftshift", "hfft", "ifft", "ifft2", "ifftn", "ifftshift", "ihfft", "irfft",
    "irfft2", "irfftn", "rfft", "rfft2", "rfftfreq", "rfftn",
]  # fmt: skip

_HALF = numpy.dtype("float16")
_MIRRORED = {"backward": "forward", "ortho": "ortho", "forward": "backward"}


def _norm(name: str, norm: Any) -> str:
    if norm is None:
        return "backward"
    if norm not in NORMS:
        raise ValueError(located(f"{name}: norm must be one of {', '.join(NORMS)}, not {norm!r}", here()))
    return str(norm)


def _axis(name: str, x: ndarray, axis: Any) -> int:
    try:
        return normalize_axis(operator.index(axis), x.ndim)
    except AxisError as cause:
        raise AxisError(located(f"{name}: {cause}", here())) from None


def _real(name: str, a: Any) -> ndarray:
    """Real numbers in single or double precision."""
    x = as_array(a)
    if x.dtype.kind == "c":
        raise DTypeError(located(f"{name}: takes real numbers, not {x.dtype}; use fft", here()))
    single = numpy.dtype("float32")
    return convert(x, default_dtype() if x.dtype.kind in "biu" else single if x.dtype.itemsize < 4 else x.dtype)


def _complex(a: Any) -> ndarray:
    x = as_array(a)
    return x if x.dtype.kind == "c" else convert(x, complex_of(default_dtype() if x.dtype.kind in "biu" else x.dtype))


def _length(name: str, n: Any, default: int) -> int:
    """How many numbers to transform."""
    try:
        length = default if n is None else operator.index(n)
    except TypeError as cause:
        raise DTypeError(located(f"{name}: the length must be an integer: {cause}", here())) from None
    if length < 1:
        raise ShapeError(located(f"{name}: cannot transform {length} numbers; at least one is needed", here()))
    return length


def _fitted(x: ndarray, length: int, axis: int) -> ndarray:
    """Cut off or padded with zeros at the end of an axis."""
    if x.shape[axis] == length:
        return x
    if x.shape[axis] > length:
        return x[(slice(None),) * axis + (slice(length),)]  # type: ignore[index]
    shape = tuple([length if place == axis else each for place, each in enumerate(x.shape)])
    bounds = {"starts": (0,) * x.ndim, "stops": x.shape, "steps": (1,) * x.ndim}
    return apply(ops.unslice, x, shape=shape, **bounds)


def _complex_transform(name: str, a: Any, n: Any, axis: Any, norm: Any, out: Any, inverse: bool) -> ndarray:
    x, chosen = _complex(a), _norm(name, norm)
    place = _axis(name, x, axis)
    fitted = _fitted(x, _length(name, n, x.shape[place]), place)
    return finish(apply(ops.fft, fitted, axis=place, inverse=inverse, norm=chosen), out)


def _from_real(name: str, a: Any, n: Any, axis: Any, norm: str) -> ndarray:
    x = _real(name, a)
    place = _axis(name, x, axis)
    return apply(ops.rfft, _fitted(x, _length(name, n, x.shape[place]), place), axis=place, norm=norm)


def _to_real(name: str, a: Any, n: Any, axis: Any, norm: str, conjugated: bool = False) -> ndarray:
    given = as_array(a)
    x = _complex(given)
    place = _axis(name, x, axis)
    length = _length(name, n, 2 * (x.shape[place] - 1))
    fitted = _fitted(x, length // 2 + 1, place)
    fitted = apply(ops.conj, fitted) if conjugated else fitted
    result = apply(ops.irfft, fitted, n=length, axis=place, norm=norm)
    return convert(result, given.dtype) if given.dtype == _HALF else result  # as NumPy has it


def fft(a: Any, n: int | None = None, axis: int = -1, norm: str | None = None, out: Any = None) -> ndarray:
    """Discrete Fourier transform along an axis: ``sum(a[j] * exp(-2j * pi * j * k / n))`` for each k.

    Parameters
    ----------
    a : array_like
        Real or complex.
    n : int, optional
        How many numbers to transform; the axis is cut off or padded with zeros.
    axis : int, optional
    norm : {"backward", "ortho", "forward"}, optional
        Which direction divides by the length (the inverse one by default), or both by its square root.
    out : ndarray, optional
        Receives the result.

    Returns
    -------
    ndarray
        Complex, in the precision of `a`; frequencies in the order of `fftfreq`.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.fft.fft([1., 0., 0., 0.])
    array([1.+0.j, 1.+0.j, 1.+0.j, 1.+0.j], dtype=complex64)
    """
    return _complex_transform("fft", a, n, axis, norm, out, inverse=False)


def ifft(a: Any, n: int | None = None, axis: int = -1, norm: str | None = None, out: Any = None) -> ndarray:
    """Inverse of `fft`, with its parameters."""
    return _complex_transform("ifft", a, n, axis, norm, out, inverse=True)


def rfft(a: Any, n: int | None = None, axis: int = -1, norm: str | None = None, out: Any = None) -> ndarray:
    """The ``n // 2 + 1`` frequencies from 0 up of real numbers; the others are their conjugates. See `fft`.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.fft.rfft([1., 2., 3., 4.]).shape
    (3,)
    """
    return finish(_from_real("rfft", a, n, axis, _norm("rfft", norm)), out)


def irfft(a: Any, n: int | None = None, axis: int = -1, norm: str | None = None, out: Any = None) -> ndarray:
    """Inverse of `rfft`: `n` real numbers (an even number, ``2 * (m - 1)``, by default) from m frequencies."""
    return finish(_to_real("irfft", a, n, axis, _norm("irfft", norm)), out)


def hfft(a: Any, n: int | None = None, axis: int = -1, norm: str | None = None, out: Any = None) -> ndarray:
    """The real transform of a signal with Hermitian symmetry, given by its first half; see `irfft`."""
    return finish(_to_real("hfft", a, n, axis, _MIRRORED[_norm("hfft", norm)], conjugated=True), out)


def ihfft(a: Any, n: int | None = None, axis: int = -1, norm: str | None = None, out: Any = None) -> ndarray:
    """Inverse of `hfft`; see `rfft`."""
    return finish(apply(ops.conj, _from_real("ihfft", a, n, axis, _MIRRORED[_norm("ihfft", norm)])), out)


# Several axes -----------------------------------------------------------------------------------------------------


def _lengths_and_axes(name: str, x: ndarray, s: Any, axes: Any, halved: bool = False) -> list[tuple[int, int]]:
    """A pair of length and axis for each transform; the last axis holds half the frequencies if `halved`."""
    if axes is None:
        chosen = list(range(x.ndim)) if s is None else list(range(x.ndim - len(s), x.ndim))
    else:
        chosen = [operator.index(axis) for axis in axes]
    if s is not None and len(s) != len(chosen):
        raise ShapeError(located(f"{name}: {len(s)} lengths for {len(chosen)} axes", here()))
    places = [_axis(name, x, axis) for axis in chosen]
    wanted = [-1 if one is None else operator.index(one) for one in s] if s is not None else [-1] * len(places)
    lengths = [x.shape[place] if length == -1 else length for length, place in zip(wanted, places)]
    if halved and s is None and places:
        lengths[-1] = 2 * (x.shape[places[-1]] - 1)
    return list(zip(lengths, places))


def _last(name: str, pairs: Sequence[tuple[int, int]]) -> tuple[int, int]:
    if not pairs:
        raise AxisError(located(f"{name}: needs at least one axis", here()))
    return pairs[-1]


def fftn(a: Any, s: Any = None, axes: Any = None, norm: str | None = None, out: Any = None) -> ndarray:
    """Fourier transform along several axes, all by default.

    Parameters
    ----------
    a : array_like
        Real or complex.
    s : sequence of int, optional
        A length for each axis; -1 stands for that of the array.
    axes : sequence of int, optional
        One that stands there twice is transformed twice.
    norm : {"backward", "ortho", "forward"}, optional
        As in `fft`, for each axis.
    out : ndarray, optional
        Receives the result.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.fft.fftn(np.ones((2, 2)))
    array([[4.+0.j, 0.+0.j],
           [0.+0.j, 0.+0.j]], dtype=complex64)
    """
    return _over_axes("fftn", a, s, axes, norm, out, inverse=False)


def ifftn(a: Any, s: Any = None, axes: Any = None, norm: str | None = None, out: Any = None) -> ndarray:
    """Inverse of `fftn`, with its parameters."""
    return _over_axes("ifftn", a, s, axes, norm, out, inverse=True)


def _over_axes(name: str, a: Any, s: Any, axes: Any, norm: Any, out: Any, inverse: bool) -> ndarray:
    x = as_array(a)
    for length, axis in reversed(_lengths_and_axes(name, x, s, axes)):
        x = _complex_transform(name, x, length, axis, norm, None, inverse)
    return finish(x, out)


def rfftn(a: Any, s: Any = None, axes: Any = None, norm: str | None = None, out: Any = None) -> ndarray:
    """`rfft` along the last of several axes, then `fft` along the others; see `fftn`."""
    x = as_array(a)
    pairs = _lengths_and_axes("rfftn", x, s, axes)
    length, axis = _last("rfftn", pairs)
    result = _from_real("rfftn", x, length, axis, _norm("rfftn", norm))
    for length, axis in reversed(pairs[:-1]):
        result = _complex_transform("rfftn", result, length, axis, norm, None, inverse=False)
    return finish(result, out)


def irfftn(a: Any, s: Any = None, axes: Any = None, norm: str | None = None, out: Any = None) -> ndarray:
    """Inverse of `rfftn`, with its parameters; the last axis gets an even length by default, as in `irfft`."""
    x = as_array(a)
    pairs = _lengths_and_axes("irfftn", x, s, axes, halved=True)
    length, axis = _last("irfftn", pairs)
    for each, place in pairs[:-1]:
        x = _complex_transform("irfftn", x, each, place, norm, None, inverse=True)
    return finish(_to_real("irfftn", x, length, axis, _norm("irfftn", norm)), out)


def fft2(a: Any, s: Any = None, axes: Any = (-2, -1), norm: str | None = None, out: Any = None) -> ndarray:
    """`fftn` along two axes, the last ones by default."""
    return fftn(a, s, axes, norm, out)


def ifft2(a: Any, s: Any = None, axes: Any = (-2, -1), norm: str | None = None, out: Any = None) -> ndarray:
    """`ifftn` along two axes, the last ones by default."""
    return ifftn(a, s, axes, norm, out)


def rfft2(a: Any, s: Any = None, axes: Any = (-2, -1), norm: str | None = None, out: Any = None) -> ndarray:
    """`rfftn` along two axes, the last ones by default."""
    return rfftn(a, s, axes, norm, out)


def irfft2(a: Any, s: Any = None, axes: Any = (-2, -1), norm: str | None = None, out: Any = None) -> ndarray:
    """`irfftn` along two axes, the last ones by default."""
    return irfftn(a, s, axes, norm, out)


# Frequencies ------------------------------------------------------------------------------------------------------


def _count(name: str, n: Any, device: Any) -> int:
    if device not in (None, "cpu"):
        raise ValueError(located(f"{name}: device must be 'cpu' or None, not {device!r}; use x.to(device)", here()))
    if not isinstance(n, (int, numpy.integer)):
        raise ValueError(located(f"{name}: the number of samples must be an integer, not {n!r}", here()))
    return int(n)


def fftfreq(n: int, d: float = 1.0, device: str | None = None) -> ndarray:
    """The frequencies of `fft` for samples at a distance `d`: from 0 up, then the negative ones.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.fft.fftfreq(4, 0.5)
    array([ 0. ,  0.5, -1. , -0.5], dtype=float32)
    """
    count = _count("fftfreq", n, device)
    upper = (count + 1) // 2
    order = concatenate([arange(upper), arange(-(count // 2), 0)])
    return call("multiply", (order, 1.0 / (count * d)))


def rfftfreq(n: int, d: float = 1.0, device: str | None = None) -> ndarray:
    """The frequencies of `rfft` for samples at a distance `d`.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.fft.rfftfreq(4, 0.5)
    array([0. , 0.5, 1. ], dtype=float32)
    """
    count = _count("rfftfreq", n, device)
    return call("multiply", (arange(count // 2 + 1), 1.0 / (count * d)))


def fftshift(x: Any, axes: Any = None) -> ndarray:
    """The zero frequency moved to the middle of axes, all by default.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.fft.fftshift([0, 1, 2, -2, -1])
    array([-2, -1,  0,  1,  2])
    """
    return _shifted("fftshift", x, axes, lambda length: length // 2)


def ifftshift(x: Any, axes: Any = None) -> ndarray:
    """Undoes `fftshift`, also for odd lengths."""
    return _shifted("ifftshift", x, axes, lambda length: -(length // 2))


def _shifted(name: str, x: Any, axes: Any, distance: Any) -> ndarray:
    array = as_array(x)
    given = range(array.ndim) if axes is None else axes if isinstance(axes, (tuple, list)) else (axes,)
    places = tuple([_axis(name, array, axis) for axis in given])
    if not places:
        if array.ndim:
            return apply(ops.identity, array)
        raise ShapeError(located(f"{name}: there is no axis to shift along", here()))
    return roll(array, tuple([distance(array.shape[place]) for place in places]), places)
