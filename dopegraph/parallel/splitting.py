"""Cuts a batch into as many parts as there are devices, and puts each part on its device."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Union

import dopegraph.numpy as np
from dopegraph.array import ndarray
from dopegraph.runtime.device import Device
from dopegraph.runtime.device import device as as_device
from dopegraph.runtime.errors import ShapeError
from dopegraph.runtime.location import here, located

Devices = Sequence[Union[Device, str]]


def split_data(data: Any, num_slice: int, batch_axis: int = 0, even_split: bool = True) -> list[ndarray]:
    """Parts of a batch, one after the other along an axis.

    Parameters
    ----------
    data : array_like
    num_slice : int
    batch_axis : int
    even_split : bool
        Whether it is an error when the parts cannot be equally long. Otherwise the first ones are longer by one.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> from dopegraph import parallel
    >>> parallel.split_data(np.arange(4), 2)
    [array([0, 1]), array([2, 3])]
    """
    array = np.asarray(data)
    length = array.shape[batch_axis] if -array.ndim <= batch_axis < array.ndim else None
    if length is None:
        message = f"split_data: an array of shape {array.shape} has no axis {batch_axis}"
        raise ShapeError(located(message, here()))
    if num_slice < 1 or length < num_slice:
        message = f"split_data: {length} examples, an array of shape {array.shape}, cannot be {num_slice} parts"
        raise ShapeError(located(message, here()))
    if even_split and length % num_slice:
        message = f"split_data: {length} examples, an array of shape {array.shape}, are not {num_slice} equal parts"
        raise ShapeError(located(f"{message}; even_split=False makes parts of different lengths", here()))
    found: list[ndarray] = np.array_split(array, num_slice, axis=batch_axis)
    return found


def split_and_load(data: Any, devices: Devices, batch_axis: int = 0, even_split: bool = True) -> list[ndarray]:
    """Parts of a batch, each on its device; see `split_data`.

    Examples
    --------
    >>> import dopegraph, dopegraph.numpy as np
    >>> from dopegraph import parallel
    >>> [part.shape for part in parallel.split_and_load(np.ones((4, 3)), [dopegraph.cpu(0)])]
    [(4, 3)]
    """
    places = [as_device(one) for one in devices]
    parts = split_data(data, len(places), batch_axis, even_split) if len(places) != 1 else [np.asarray(data)]
    return [part.to(place) for part, place in zip(parts, places)]
