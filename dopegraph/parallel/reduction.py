"""Sums over devices: each has its part, and all get the sum."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import dopegraph.numpy as np
from dopegraph.array import ndarray
from dopegraph.parallel.per_device import PerDevice
from dopegraph.parallel.splitting import Devices
from dopegraph.runtime.device import device as as_device
from dopegraph.runtime.errors import ShapeError
from dopegraph.runtime.location import here, located


def broadcast(data: Any, devices: Devices) -> list[ndarray]:
    """A new copy of an array on each device.

    Examples
    --------
    >>> import dopegraph, dopegraph.numpy as np
    >>> from dopegraph import parallel
    >>> parallel.broadcast(np.array([1.0, 2.0]), [dopegraph.cpu(0)])
    [array([1., 2.], dtype=float32)]
    """
    array = np.asarray(data)
    return [array.copy() if array.device == as_device(one) else array.to(one) for one in devices]


def all_reduce(arrays: Sequence[ndarray]) -> None:
    """Replace arrays on several devices by their sum, each where it is.

    The sum is taken on the first one's device, in their order, so it does not depend on who is ready first.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> from dopegraph import parallel
    >>> x, y = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    >>> parallel.all_reduce([x, y])
    >>> x, y
    (array([4., 6.], dtype=float32), array([4., 6.], dtype=float32))
    """
    kinds = {(array.shape, str(array.dtype)) for array in arrays}
    if len(kinds) > 1:
        raise ShapeError(located(f"all_reduce: arrays of one shape and dtype, not of {sorted(kinds)}", here()))
    if len(arrays) > 1:
        total = sum_on_first(arrays)
        for array in arrays:
            array[...] = total.to(array.device)


def sum_on_first(arrays: Sequence[ndarray]) -> ndarray:
    """The sum of arrays on several devices, on the device of the first."""
    place = arrays[0].device
    total = arrays[0].copy()
    for array in arrays[1:]:
        total = total + array.to(place)
    return total


class Together:
    """`all_reduce` for many arrays at once: those of each device go to the others as one for each dtype."""

    def __init__(self) -> None:
        self._join = PerDevice(joined)
        self._take_apart = PerDevice(take_apart)

    def __call__(
        self,
        groups: Sequence[Sequence[ndarray]],
        further: Callable[[str, ndarray], ndarray] | None = None,
        into: Sequence[Sequence[ndarray]] | None = None,
    ) -> None:
        """Replace arrays by their sums.

        Parameters
        ----------
        groups : sequence of sequence of ndarray
            For each device its arrays, in the same order.
        further : callable, optional
            Called with a dtype and the sum of the devices here; gives the sum over other machines, too.
        into : sequence of sequence of ndarray, optional
            Which arrays get what was found; by default the same.
        """
        for dtype in dtypes_of(groups[0]):
            alike = [of_dtype(group, dtype) for group in groups]
            total = sum_on_first([self._join.on(group[0].device, list(group), key=dtype) for group in alike])
            if further is not None:
                total = further(dtype, total)
            for group in alike if into is None else [of_dtype(group, dtype) for group in into]:
                place = group[0].device
                self._take_apart.on(place, group, total.to(place), key=dtype)


def dtypes_of(arrays: Sequence[ndarray]) -> list[str]:
    """The dtypes among arrays, in an order that is the same everywhere."""
    return sorted({str(array.dtype) for array in arrays})


def of_dtype(arrays: Sequence[ndarray], dtype: str) -> list[ndarray]:
    """The arrays of a dtype."""
    return [array for array in arrays if str(array.dtype) == dtype]


def joined(arrays: list[ndarray]) -> ndarray:
    """The elements of all arrays, one after the other."""
    return np.concatenate([np.reshape(array, (-1,)) for array in arrays])


def take_apart(arrays: list[ndarray], flat: ndarray) -> None:
    """Give arrays the elements that `joined` would have taken from them."""
    start = 0
    for array in arrays:
        array[...] = np.reshape(flat[start : start + array.size], array.shape)
        start += array.size
