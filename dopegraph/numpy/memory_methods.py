"""Methods and attributes of `ndarray` that are about its memory: copies, conversions, views, layout.

Like `dopegraph.numpy.methods`, which attaches them.
"""

from __future__ import annotations

import pickle
from typing import Any

import numpy

import dopegraph.numpy as np
from dopegraph import ops
from dopegraph.array import from_numpy, ndarray
from dopegraph.dispatch import view as view_of
from dopegraph.numpy import files, pickling
from dopegraph.numpy.assign import assign
from dopegraph.numpy.flat import flatiter
from dopegraph.numpy.layout import layout_of
from dopegraph.numpy.promotion import dtype_of, same_kind
from dopegraph.runtime.errors import DeviceError, DTypeError
from dopegraph.runtime.location import here, located


class MemoryMethods:
    """What `dopegraph.numpy.methods.attach` copies to `ndarray`."""

    # Copies and conversions --------------------------------------------------------------------------------------

    def astype(
        self, /, dtype: Any, order: str = "K", casting: str = "unsafe", subok: bool = True, copy: bool = True
    ) -> Any:
        """The elements in another dtype; a copy, unless `copy` is false and the dtype is right.

        Examples
        --------
        >>> np.array([1.7, -1.7]).astype(int)
        array([ 1, -1])
        """
        chosen = dtype_of(dtype)
        result = same_kind(self, chosen, "astype", casting)
        return np.copy(self) if result is self and copy else result

    def byteswap(self, /, inplace: bool = False) -> Any:
        """The elements with their bytes in the opposite order, read as before; on the host.

        Examples
        --------
        >>> np.array([1, 256], dtype="int16").byteswap()
        array([256,   1], dtype=int16)
        """
        with self.device:
            swapped = np.asarray(self._look("host-only", "byteswap").byteswap())
        return assign(self, swapped, "byteswap") if inplace else swapped

    def copy(self, /, order: str = "C") -> Any:
        """A copy in memory of its own.

        Examples
        --------
        >>> x = np.array([3, 1])
        >>> y = x.copy()
        >>> y[0] = 7
        >>> x
        array([3, 1])
        """
        return np.copy(self, order)

    def dump(self, /, file: Any) -> None:
        """Pickle the array into a file, given by its path or open for writing bytes.

        Examples
        --------
        >>> import io
        >>> file = io.BytesIO()
        >>> np.array([3, 1]).dump(file)
        """
        pickling.dump(self, file)

    def dumps(self, /) -> bytes:
        """The pickled array.

        Examples
        --------
        >>> import pickle
        >>> pickle.loads(np.array([3, 1]).dumps())
        array([3, 1])
        """
        return pickle.dumps(self)

    def fill(self, /, value: Any) -> None:
        """Set every element.

        Examples
        --------
        >>> x = np.zeros(2)
        >>> x.fill(7)
        >>> x
        array([7., 7.], dtype=float32)
        """
        with self.device:
            values = np.asarray(value, self.dtype)
        assign(self, values, "fill")

    def getfield(self, /, dtype: Any, offset: int = 0) -> Any:
        """Part of every element's bytes, read as another dtype: a view of the memory.

        Examples
        --------
        >>> np.array([1 + 2j]).getfield("float32", 4)
        array([2.], dtype=float32)
        """
        return from_numpy(self._export().getfield(dtype_of(dtype), offset))

    def setfield(self, val: Any, /, dtype: Any, offset: int = 0) -> None:
        """Write part of every element's bytes.

        Examples
        --------
        >>> x = np.array([1 + 2j])
        >>> x.setfield([5], "float32", 4)
        >>> x
        array([1.+5.j], dtype=complex64)
        """
        self._export().setfield(val, dtype_of(dtype), offset)

    def setflags(self, /, *, write: Any = None, align: Any = None, uic: Any = None) -> None:
        """Forbid (or, where it is allowed, permit) writing into the array.

        Examples
        --------
        >>> x = np.zeros(2)
        >>> x.setflags(write=False)
        >>> x[0] = 1
        Traceback (most recent call last):
        ...
        ValueError: assignment destination is read-only
        ...
        """
        if not self.device.is_host:
            if write is None or write:
                return
            raise DeviceError(located(f"setflags: an array on {self.device} cannot be made read-only", here()))
        self._look("host-write", "setflags", settle=True).setflags(write=write, align=align, uic=uic)

    def tobytes(self, /, order: str = "C") -> bytes:
        """The bytes of the elements.

        Examples
        --------
        >>> np.array([1, 2], dtype="uint8").tobytes()
        b'\\x01\\x02'
        """
        return self._look("value-escape", "tobytes").tobytes(order)

    def tofile(self, fid: Any, /, sep: str = "", format: str = "%s") -> None:
        """Write the elements to a file, as bytes or, with a separator, as text; see `numpy.ndarray.tofile`.

        Examples
        --------
        >>> np.array([1, 2]).tofile("numbers.txt", sep=" ")
        >>> open("numbers.txt").read()
        '1 2'
        """
        files.tofile(self, fid, sep, format)

    def view(self, /, *args: Any, **kwargs: Any) -> Any:
        """The same memory as a new array, read as another dtype if one is given.

        Examples
        --------
        >>> np.array([1.0]).view("int32")
        array([1065353216], dtype=int32)
        """
        given = [*args, *kwargs.values()]
        if set(kwargs) - {"dtype", "type"} or len(given) > 2:
            raise TypeError(located("view: takes a dtype, and a type of array", here()))
        dtypes = [one for one in given if not (isinstance(one, type) and issubclass(one, (ndarray, numpy.ndarray)))]
        chosen = dtype_of(dtypes[0]) if dtypes and dtypes[0] is not None else self.dtype
        if chosen == self.dtype:
            return view_of(self, ((ops.reshape, {"shape": self.shape}),))
        return view_of(self, ((ops.bitcast, {"dtype": chosen}),))

    # Attributes --------------------------------------------------------------------------------------------------

    @property
    def T(self) -> Any:
        """The array with its axes reversed; a view."""
        return np.transpose(self)

    @property
    def mT(self) -> Any:
        """The array with its last two axes exchanged; a view."""
        if self.ndim < 2:
            raise ValueError(located("mT: an array of fewer than two axes is no stack of matrices", here()))
        return np.swapaxes(self, -1, -2)

    @property
    def real(self) -> Any:
        """The real parts: a view of complex numbers, of others the array itself."""
        return view_of(self, ((ops.real, {}),)) if self.dtype.kind == "c" else self

    @real.setter
    def real(self, value: Any) -> None:
        with self.device:
            values = np.asarray(value)
        assign(self.real, values, "real", "unsafe")

    @property
    def imag(self) -> Any:
        """The imaginary parts: a view of complex numbers, of others zeros."""
        return view_of(self, ((ops.imag, {}),)) if self.dtype.kind == "c" else np.zeros_like(self)

    @imag.setter
    def imag(self, value: Any) -> None:
        if self.dtype.kind != "c":
            raise DTypeError(located(f"imag: an array of {self.dtype} has no imaginary part to set", here()))
        with self.device:
            values = np.asarray(value)
        assign(self.imag, values, "imag", "unsafe")

    @property
    def flat(self) -> flatiter:
        """The elements one after the other, to be iterated over, indexed and written."""
        return flatiter(self)

    @flat.setter
    def flat(self, value: Any) -> None:
        self.flat[:] = value

    @property
    def flags(self) -> Any:
        """How the elements lie in memory and whether they can be written, as `numpy.ndarray.flags`."""
        if self._base is None and self._buffer is None:
            return layout_of(self).flags  # of a traced array, which will be a new one
        return (self._settled().array if self.device.is_host else layout_of(self)).flags

    @property
    def strides(self) -> tuple[int, ...]:
        """Bytes from one element to the next along each axis."""
        return layout_of(self).strides

    @property
    def data(self) -> memoryview:
        """The memory itself."""
        return self._export().data

    @property
    def ctypes(self) -> Any:
        """The memory for `ctypes`, as `numpy.ndarray.ctypes`."""
        return self._export().ctypes
