"""How the elements of an array lie in memory: what `order=` asks for, and whether a reshape stays a view.

New arrays are in C order. Fortran order is the transpose of an array in C order, so it is the same in a recording.
"""

from __future__ import annotations

from types import TracebackType
from typing import Any

import numpy

from dopegraph import ops
from dopegraph.array import ndarray
from dopegraph.dispatch import apply, view
from dopegraph.runtime.device import device as as_device
from dopegraph.runtime.errors import DopegraphError, ShapeError
from dopegraph.runtime.location import here, located


class naming:
    """Errors that NumPy raises in the ``with`` block get the name of our function and the user's line."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if isinstance(error, (TypeError, ValueError, IndexError, OverflowError, ZeroDivisionError)):
            if isinstance(error, DopegraphError) or "\n  at " in str(error):
                return
            plain = next(one for one in type(error).__mro__ if one.__module__ == "builtins")
            raise plain(located(f"{self.name}: {error}", here())) from error


def layout_of(x: ndarray) -> numpy.ndarray | None:
    """An array with the strides of `x`; what is traced will be in C order. None on other devices."""
    steps = []
    handle = x
    while handle._buffer is None and handle._base is not None:
        steps.append(handle._steps)
        handle = handle._base
    if handle._buffer is None:
        layout = numpy.empty(handle.shape, handle.dtype)
    elif handle._buffer.device.is_host:
        layout = handle._buffer.array
    else:
        return None
    for each in reversed(steps):
        for op, attrs in each:
            layout = op.kernel(layout, **attrs)
    return layout


def is_contiguous(x: ndarray, order: str = "C") -> bool:
    """Whether the elements lie one after the other, in C or in Fortran order."""
    layout = layout_of(x)
    return layout is not None and bool(layout.flags.c_contiguous if order == "C" else layout.flags.f_contiguous)


def stays_view(x: ndarray, shape: tuple[int, ...]) -> bool:
    """Whether NumPy would reshape without a copy."""
    layout = layout_of(x)
    return layout is not None and (layout.flags.c_contiguous or numpy.may_share_memory(layout.reshape(shape), layout))


def reverse_axes(x: ndarray) -> ndarray:
    """A view with the axes in reverse order."""
    return view(x, ((ops.transpose, {"axes": tuple(reversed(range(x.ndim)))}),))


def chosen_order(order: Any, name: str, allowed: str = "CFAK") -> str:
    """The order as one capital letter."""
    if order is None:
        return "K" if "K" in allowed else "C"
    if order == "C" or (order == "K" and allowed == "CFAK"):
        return order
    if isinstance(order, str) and order.upper() in tuple(allowed):
        return order.upper()
    listed = ", ".join(map(repr, allowed))
    raise ValueError(located(f"{name}: order must be one of {listed}, not {order!r}", here()))


def wants_fortran(x: ndarray, order: str) -> bool:
    """Whether an order (C, F, A or K) of a copy of an array means Fortran's; K keeps C order."""
    return order == "F" or (order == "A" and is_contiguous(x, "F") and not is_contiguous(x, "C"))


def arranged(x: ndarray, order: Any, copy: bool | None, name: str) -> ndarray:
    """The array in an order: itself if it lies so and no copy is wanted; an error if a copy is needed and forbidden."""
    order = chosen_order(order, name)
    fortran = wants_fortran(x, order)
    if not copy and (fortran or order == "C"):
        layout = layout_of(x)
        fits = layout is None or bool(layout.flags.f_contiguous if fortran else layout.flags.c_contiguous)
        if fits:
            return x
        if copy is False:
            raise ShapeError(located(f"{name}: order={order!r} needs a copy, which copy=False forbids", here()))
        copy = True
    if not copy:
        return x
    if fortran and x.ndim > 1:
        return reverse_axes(apply(ops.identity, reverse_axes(x)))
    return apply(ops.identity, x)


def on_device(x: ndarray, device: Any, name: str) -> ndarray:
    """The array on a device: where it is when None is given."""
    if device is None:
        return x
    try:
        target = as_device(device)
    except (ValueError, AttributeError, TypeError) as cause:
        message = f"{name}: the device must be a dopegraph device, 'cpu' or 'gpu:NUMBER', not {device!r}"
        raise ValueError(located(message, here())) from cause
    return x if target == x.device else x.to(target)
