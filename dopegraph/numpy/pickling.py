"""Pickles of arrays: elements and device; with protocol 5 the memory may travel out of band, uncopied."""

from __future__ import annotations

import pickle
import warnings
from typing import Any

import numpy

from dopegraph.array import from_numpy, ndarray, owned
from dopegraph.numpy.stored import atomic_write
from dopegraph.runtime.device import Device
from dopegraph.runtime.errors import DeviceError


def reduce(self: ndarray, protocol: int) -> Any:
    """How to make the array again; a view becomes an array of its own, as NumPy's does."""
    array = self._look("value-escape", "pickling")
    where = self.device
    return restored, (array,) if where.is_host else (array, where.kind, where.index)


def restored(array: numpy.ndarray[Any, Any], kind: str = "cpu", index: int = 0) -> ndarray:
    """An array from a pickle; where its device is not there it comes to the CPU, with a warning."""
    device = Device(kind, index)
    if device.is_host:
        return owned(array) if array.flags.owndata and array.flags.writeable else from_numpy(array)
    made = owned(array)
    try:
        return made.to(device)
    except (DeviceError, ImportError) as cause:
        warnings.warn(f"an array of {device} was loaded on the CPU: {cause}", RuntimeWarning, stacklevel=2)
        return made


def dump(self: ndarray, file: Any) -> None:
    """Write a pickle of the array to a path, where it appears whole or not at all, or to an open file."""
    if hasattr(file, "write"):
        pickle.dump(self, file)
        return
    with atomic_write(file) as opened:
        pickle.dump(self, opened)


PICKLING_METHODS: dict[str, Any] = {"__reduce_ex__": reduce}
"""What `ndarray` gets from this module."""
