"""The memory behind an array: NumPy's, MXNet's, or one memory seen by both."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy

from dopegraph.runtime.device import HOST, Device


class Buffer:
    """An array's elements on a device.

    Attributes
    ----------
    device : Device
    dtype, shape
        As NumPy has them; MXNet has no 0-d arrays, its side has shape (1,) then.
    native : MXNet NDArray or None
        MXNet's view of the same memory; made by the MXNet backend when it first needs it, and kept.
    """

    __slots__ = ("_address", "_array", "device", "dtype", "native", "shape")

    def __init__(
        self, array: numpy.ndarray | None, native: Any = None, device: Device = HOST, like: Any = None
    ) -> None:
        self._array = array
        self._address: int | None = None
        self.native = native
        self.device = device
        source = array if array is not None else like
        self.dtype: numpy.dtype = source.dtype
        self.shape: tuple[int, ...] = source.shape

    @property
    def array(self) -> numpy.ndarray:
        """The elements as a NumPy array of the same memory; of a device, a copy."""
        if self._array is None:
            return self.native.asnumpy().astype(self.dtype, copy=False).reshape(self.shape)
        return self._array

    @property
    def address(self) -> int:
        """Where the elements begin, if they stand in C order and aligned in the host's memory, otherwise 0."""
        address = self._address
        if address is None:
            address = self._address = _address_of(self._array)
        return address

    def copy(self) -> Buffer:
        """The same elements in memory of their own, on the same device."""
        if self._array is None:
            return Buffer(None, self.native.copy(), self.device, like=self)
        return Buffer(numpy.array(self._array, order="C"), device=self.device)

    def overwrite(self, source: Buffer) -> None:
        """Put the elements of another buffer of the same device into this memory."""
        if self._array is not None:
            numpy.copyto(self._array, source.array)
        else:
            source.native.copyto(self.native)


def _address_of(array: numpy.ndarray | None) -> int:
    if array is None:
        return 0
    flags = array.flags
    if not (flags.c_contiguous and flags.aligned):
        return 0
    if flags.writeable and array.size:
        return _addressof(_first_byte_of(array))  # five times as fast as asking NumPy
    return array.ctypes.data


_addressof, _first_byte_of = ctypes.addressof, ctypes.c_char.from_buffer
