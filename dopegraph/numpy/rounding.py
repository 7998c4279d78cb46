"""Rounding to decimals and towards zero."""

from __future__ import annotations

import operator
from typing import Any

from dopegraph import ops
from dopegraph.array import ndarray
from dopegraph.dispatch import apply
from dopegraph.numpy.assign import finish
from dopegraph.numpy.elementwise import call
from dopegraph.numpy.promotion import FLOAT64, as_array, scalar
from dopegraph.runtime.errors import DTypeError
from dopegraph.runtime.location import here, located

__all__ = ["around", "fix", "round"]


def round(a: Any, decimals: int = 0, out: ndarray | None = None) -> ndarray:
    """Nearest number with so many decimals, half to even; integers have negative ones only.

    Scales by the power of ten, rounds and scales back, as NumPy does; large numbers may lose digits in that.

    Parameters
    ----------
    a : array_like
        The parts of complex numbers are rounded apart.
    decimals : int, optional
        Negative ones stand before the point.
    out : ndarray, optional
        Receives the result (cast with ``same_kind``).

    Returns
    -------
    ndarray
        Of the dtype of `a`; of booleans floating. Derivatives are zero.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.round([1.25, -0.75], 1)
    array([ 1.2, -0.8], dtype=float32)
    >>> np.round([15, 25, 26], -1)
    array([20, 20, 30])
    """
    x, places = as_array(a), _places(decimals)
    if x.dtype.kind == "b" and places:
        raise DTypeError(located(f"round: booleans have no {places} decimals; use astype", here()))
    if places == 0 and x.dtype.kind not in "iu":
        return finish(call("rint", (x,)), out)
    if x.dtype.kind == "c":
        parts = [_rounded(apply(part, x), places) for part in (ops.real, ops.imag)]
        return finish(apply(ops.complex, *parts), out)
    if x.dtype.kind == "f":
        return finish(_rounded(x, places), out)
    if places >= 0:
        return finish(apply(ops.identity, x), out)
    return finish(apply(ops.cast, _rounded(apply(ops.cast, x, dtype=FLOAT64), places), dtype=x.dtype), out)


def _places(decimals: Any) -> int:
    try:
        return operator.index(decimals)
    except TypeError as cause:
        raise DTypeError(located(f"round: the number of decimals must be an integer: {cause}", here())) from None


def _rounded(x: ndarray, places: int) -> ndarray:
    factor = scalar(float(10 ** abs(places)), x.dtype)
    there, back = (ops.mul, ops.div) if places >= 0 else (ops.div, ops.mul)
    return apply(back, apply(ops.rint, apply(there, x, factor)), factor)


def around(a: Any, decimals: int = 0, out: ndarray | None = None) -> ndarray:
    """Nearest number with so many decimals; another name of `round`."""
    return round(a, decimals, out)


def fix(x: Any, out: ndarray | None = None) -> ndarray:
    """Nearest integer towards zero; another name of `trunc`.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.fix([1.75, -1.75])
    array([ 1., -1.], dtype=float32)
    """
    return finish(call("trunc", (x,)), out)
