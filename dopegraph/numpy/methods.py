"""The methods of `ndarray`: NumPy's names and signatures, each the function of the same name applied to the array.

The array type stands below the front end, which defines what its methods mean; `attach` gives it all that is here.
"""

from __future__ import annotations

import pickle
from typing import Any

import numpy

import dopegraph.numpy as np
from dopegraph import ops
from dopegraph.array import from_numpy, ndarray
from dopegraph.dispatch import view as view_of
from dopegraph.numpy import files, pickling, protocols
from dopegraph.numpy.assign import assign
from dopegraph.numpy.flat import flatiter
from dopegraph.numpy.layout import layout_of
from dopegraph.numpy.promotion import dtype_of, same_kind
from dopegraph.runtime.buffer import Buffer
from dopegraph.runtime.errors import DTypeError
from dopegraph.runtime.location import here, located


class Methods:
    """What `attach` copies to `ndarray`; the examples begin with ``x = np.array([[3, 1], [2, 4]])``."""

    # Reductions --------------------------------------------------------------------------------------------------

    def all(self, /, axis: Any = None, out: Any = None, keepdims: bool = False, *, where: Any = True) -> Any:
        """Whether all elements over axes are true; see `dopegraph.numpy.all`.

        Examples
        --------
        >>> x = np.array([[3, 1], [2, 4]])
        >>> (x > 1).all(axis=0)
        array([ True, False])
        """
        return np.all(self, axis, out, keepdims, where=where)

    def any(self, /, axis: Any = None, out: Any = None, keepdims: bool = False, *, where: Any = True) -> Any:
        """Whether some element over axes is true; see `dopegraph.numpy.any`.

        Examples
        --------
        >>> x = np.array([[3, 1], [2, 4]])
        >>> (x > 3).any(axis=0)
        array([False,  True])
        """
        return np.any(self, axis, out, keepdims, where=where)

    def argmax(self, /, axis: Any = None, out: Any = None, *, keepdims: bool = False) -> Any:
        """Position of the largest element along an axis; see `dopegraph.numpy.argmax`.

        Examples
        --------
        >>> np.array([[3, 1], [2, 4]]).argmax(axis=1)
        array([0, 1])
        """
        return np.argmax(self, axis, out, keepdims=keepdims)

    def argmin(self, /, axis: Any = None, out: Any = None, *, keepdims: bool = False) -> Any:
        """Position of the smallest element along an axis; see `dopegraph.numpy.argmin`.

        Examples
        --------
        >>> np.array([[3, 1], [2, 4]]).argmin(axis=1)
        array([1, 0])
        """
        return np.argmin(self, axis, out, keepdims=keepdims)

    def cumprod(self, /, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
        """Products of the elements so far along an axis; see `dopegraph.numpy.cumprod`.

        Examples
        --------
        >>> np.array([[3, 1], [2, 4]]).cumprod()
        array([ 3,  3,  6, 24])
        """
        return np.cumprod(self, axis, dtype, out)

    def cumsum(self, /, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
        """Sums of the elements so far along an axis; see `dopegraph.numpy.cumsum`.

        Examples
        --------
        >>> np.array([[3, 1], [2, 4]]).cumsum()
        array([ 3,  4,  6, 10])
        """
        return np.cumsum(self, axis, dtype, out)

    def max(self, /, axis: Any = None, out: Any = None, **kwargs: Any) -> Any:
        """Largest element over axes (also ``keepdims``, ``initial``, ``where``); see `dopegraph.numpy.max`.

        Examples
        --------
        >>> np.array([[3, 1], [2, 4]]).max(axis=0)
        array([3, 4])
        """
        return np.max(self, axis, out, **kwargs)

    def mean(self, /, axis: Any = None, dtype: Any = None, out: Any = None, **kwargs: Any) -> Any:
        """Mean over axes (also ``keepdims``, ``where``); see `dopegraph.numpy.mean`.

        Examples
        --------
        >>> np.array([[3, 1], [2, 4]]).mean(axis=0)
        array([2.5, 2.5], dtype=float32)
        """
        return np.mean(self, axis, dtype, out, **kwargs)

    def min(self, /, axis: Any = None, out: Any = None, **kwargs: Any) -> Any:
        """Smallest element over axes (also ``keepdims``, ``initial``, ``where``); see `dopegraph.numpy.min`.

        Examples
        --------
        >>> np.array([[3, 1], [2, 4]]).min(axis=0)
        array([2, 1])
        """
        return np.min(self, axis, out, **kwargs)

    def prod(self, /, axis: Any = None, dtype: Any = None, out: Any = None, **kwargs: Any) -> Any:
        """Product over axes (also ``keepdims``, ``initial``, ``where``); see `dopegraph.numpy.prod`.

        Examples
        --------
        >>> np.array([[3, 1], [2, 4]]).prod(axis=0)
        array([6, 4])
        """
        return np.prod(self, axis, dtype, out, **kwargs)

    def ptp(self, /, axis: Any = None, out: Any = None, keepdims: bool = False) -> Any:
        """Largest minus smallest element over axes, a method up to NumPy 1; see `dopegraph.numpy.ptp`.

        Examples
        --------
        >>> np.array([[3, 1], [2, 4]]).ptp(axis=0)
        array([1, 3])
        """
        return np.ptp(self, axis, out, keepdims)

    def std(self, /, axis: Any = None, dtype: Any = None, out: Any = None, ddof: float = 0, **kwargs: Any) -> Any:
        """Standard deviation over axes (also ``keepdims``, ``where``, ``mean``); see `dopegraph.numpy.std`.

        Examples
        --------
        >>> np.array([[3, 1], [2, 4]]).std(axis=0)
        array([0.5, 1.5], dtype=float32)
        """
        return np.std(self, axis, dtype, out, ddof, **kwargs)

    def sum(self, /, axis: Any = None, dtype: Any = None, out: Any = None, **kwargs: Any) -> Any:
        """Sum over axes (also ``keepdims``, ``initial``, ``where``); see `dopegraph.numpy.sum`.

        Examples
        --------
        >>> np.array([[3, 1], [2, 4]]).sum(axis=0)
        array([5, 5])
        """
        return np.sum(self, axis, dtype, out, **kwargs)

    def trace(self, /, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None, out: Any = None) -> Any:
        """Sum of the diagonal; see `dopegraph.numpy.trace`.

        Examples
        --------
        >>> np.array([[3, 1], [2, 4]]).trace()
        array(7)
        """
        return np.trace(self, offset, axis1, axis2, dtype, out)

    def var(self, /, axis: Any = None, dtype: Any = None, out: Any = None, ddof: float = 0, **kwargs: Any) -> Any:
        """Variance over axes (also ``keepdims``, ``where``, ``mean``); see `dopegraph.numpy.var`.

        Examples
        --------
        >>> np.array([[3, 1], [2, 4]]).var(axis=0)
        array([0.25, 2.25], dtype=float32)
        """
        return np.var(self, axis, dtype, out, ddof, **kwargs)

    # Elements ----------------------------------------------------------------------------------------------------

    def clip(self, /, min: Any = None, max: Any = None, out: Any = None, **kwargs: Any) -> Any:
        """Values limited to an interval; see `dopegraph.numpy.clip`.

        Examples
        --------
        >>> np.array([[3, 1], [2, 4]]).clip(2, 3)
        array([[3, 2],
               [2, 3]])
        """
        return np.clip(self, min, max, out, **kwargs)

    def conj(self, /) -> Any:
        """Complex conjugate; see `dopegraph.numpy.conjugate`.

        Examples
        --------
        >>> np.array([1 + 2j]).conj()
        array([1.-2.j], dtype=complex64)
        """
        return np.conjugate(self) if self.dtype.kind == "c" else self

    def conjugate(self, /) -> Any:
        """Complex conjugate; see `dopegraph.numpy.conjugate`.

        Examples
        --------
        >>> np.array([1 + 2j]).conjugate()
        array([1.-2.j], dtype=complex64)
        """
        return np.conjugate(self) if self.dtype.kind == "c" else self

    def dot(self, other: Any, /, out: Any = None) -> Any:
        """Product with a vector or a matrix; see `dopegraph.numpy.dot`.

        Examples
        --------
        >>> np.array([[3, 1], [2, 4]]).dot([1, 10])
        array([13, 42])
        """
        return np.dot(self, other, out)

    def round(self, /, decimals: int = 0, out: Any = None) -> Any:
        """Values rounded to a number of decimals; see `dopegraph.numpy.round`.

        Examples
        --------
        >>> np.array([0.126, 2.5]).round(1)
        array([0.1, 2.5], dtype=float32)
        """
        return np.round(self, decimals, out)

    # Order -------------------------------------------------------------------------------------------------------

    def argpartition(self, kth: Any, /, axis: Any = -1, kind: str = "introselect", order: Any = None) -> Any:
        """Positions that would partition the array; see `dopegraph.numpy.argpartition`.

        Examples
        --------
        >>> int(np.array([3, 1, 2]).argpartition(0)[0])
        1
        """
        return np.argpartition(self, kth, axis, kind, order)

    def argsort(
        self, /, axis: Any = -1, kind: Any = None, order: Any = None, *, stable: Any = None, descending: Any = None
    ) -> Any:
        """Positions that would sort the array along an axis; see `dopegraph.numpy.argsort`.

        Examples
        --------
        >>> np.array([3, 1, 2]).argsort()
        array([1, 2, 0])
        """
        return np.argsort(self, axis, kind, order, stable=stable, descending=bool(descending))

    def partition(self, kth: Any, /, axis: int = -1, kind: str = "introselect", order: Any = None) -> None:
        """Partition the array in place; see `dopegraph.numpy.partition`.

        Examples
        --------
        >>> x = np.array([3, 1, 2])
        >>> x.partition(0)
        >>> int(x[0])
        1
        """
        assign(self, np.partition(self, kth, axis, kind, order), "partition")

    def searchsorted(self, v: Any, /, side: str = "left", sorter: Any = None) -> Any:
        """Positions at which values keep the array sorted; see `dopegraph.numpy.searchsorted`.

        Examples
        --------
        >>> np.array([1, 2, 3]).searchsorted([2, 9])
        array([1, 3])
        """
        return np.searchsorted(self, v, side, sorter)

    def sort(
        self, /, axis: int = -1, kind: Any = None, order: Any = None, *, stable: Any = None, descending: Any = None
    ) -> None:
        """Sort the elements along an axis, in place; see `dopegraph.numpy.sort`.

        Examples
        --------
        >>> x = np.array([3, 1, 2])
        >>> x.sort()
        >>> x
        array([1, 2, 3])
        """
        assign(self, np.sort(self, axis, kind, order, stable=stable, descending=bool(descending)), "sort")

    # Choice ------------------------------------------------------------------------------------------------------

    def choose(self, /, choices: Any, out: Any = None, mode: str = "raise") -> Any:
        """Elements of the arrays that this one numbers; see `dopegraph.numpy.choose`.

        Examples
        --------
        >>> np.array([0, 1, 0]).choose([[1, 2, 3], [10, 20, 30]])
        array([ 1, 20,  3])
        """
        return np.choose(self, choices, out, mode)

    def compress(self, /, condition: Any, axis: Any = None, out: Any = None) -> Any:
        """Slices along an axis for which a condition is true; see `dopegraph.numpy.compress`.

        Examples
        --------
        >>> np.array([[3, 1], [2, 4]]).compress([False, True], axis=0)
        array([[2, 4]])
        """
        return np.compress(condition, self, axis, out)

    def diagonal(self, /, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
        """The diagonal, a view; see `dopegraph.numpy.diagonal`.

        Examples
        --------
        >>> np.array([[3, 1], [2, 4]]).diagonal()
        array([3, 4])
        """
        return np.diagonal(self, offset, axis1, axis2)

    def nonzero(self, /) -> Any:
        """Positions of the elements that are not zero; see `dopegraph.numpy.nonzero`.

        Examples
        --------
        >>> np.array([0, 5, 0, 6]).nonzero()
        (array([1, 3]),)
        """
        return np.nonzero(self)

    def put(self, indices: Any, values: Any, /, mode: str = "raise") -> None:
        """Write at positions of the flattened array; see `dopegraph.numpy.put`.

        Examples
        --------
        >>> x = np.array([[3, 1], [2, 4]])
        >>> x.put([0, 3], [7, 8])
        >>> x
        array([[7, 1],
               [2, 8]])
        """
        np.put(self, indices, values, mode)

    def repeat(self, repeats: Any, /, axis: Any = None) -> Any:
        """Each element repeated; see `dopegraph.numpy.repeat`.

        Examples
        --------
        >>> np.array([3, 1]).repeat(2)
        array([3, 3, 1, 1])
        """
        return np.repeat(self, repeats, axis)

    def take(self, indices: Any, /, axis: Any = None, out: Any = None, mode: str = "raise") -> Any:
        """Elements at positions along an axis; see `dopegraph.numpy.take`.

        Examples
        --------
        >>> np.array([[3, 1], [2, 4]]).take([1, 0], axis=1)
        array([[1, 3],
               [4, 2]])
        """
        return np.take(self, indices, axis, out, mode)

    # Shape -------------------------------------------------------------------------------------------------------

    def flatten(self, /, order: str = "C") -> Any:
        """A copy with all elements in one axis.

        Examples
        --------
        >>> np.array([[3, 1], [2, 4]]).flatten(order="F")
        array([3, 2, 1, 4])
        """
        return np.copy(np.ravel(self, order))

    def ravel(self, /, order: str = "C") -> Any:
        """The elements in one axis, a view where possible; see `dopegraph.numpy.ravel`.

        Examples
        --------
        >>> np.array([[3, 1], [2, 4]]).ravel()
        array([3, 1, 2, 4])
        """
        return np.ravel(self, order)

    def reshape(self, /, *shape: Any, order: str = "C", copy: Any = None) -> Any:
        """The same elements in another shape, given as integers or one tuple; see `dopegraph.numpy.reshape`.

        Examples
        --------
        >>> np.array([[3, 1], [2, 4]]).reshape(4, 1).shape
        (4, 1)
        """
        if not shape:
            raise DTypeError(located("reshape: needs a shape", here()))
        return np.reshape(self, shape[0] if len(shape) == 1 else shape, order, copy=copy)

    def resize(self, /, *new_shape: Any, refcheck: bool = True) -> None:
        """Change shape and size in place; zeros are appended, or the last elements dropped.

        Raises
        ------
        ValueError
            When the array shares its memory with another, which would not see the change.

        Examples
        --------
        >>> x = np.array([[3, 1], [2, 4]])
        >>> x.resize(2, 3)
        >>> x
        array([[3, 1, 2],
               [4, 0, 0]])
        """
        shape = np.zeros(new_shape[0] if len(new_shape) == 1 else new_shape, bool).shape
        resized = numpy.zeros(shape, self.dtype)
        memory = self._look("host-write", "resize").reshape(-1)
        if self._base is not None or (self._shared and refcheck):
            message = "resize: the array shares its memory with another one; numpy.resize makes a new one"
            raise ValueError(located(message, here()))
        resized.reshape(-1)[: memory.size] = memory[: resized.size]
        self._about_to_change()
        self._buffer = Buffer(resized)

    def squeeze(self, /, axis: Any = None) -> Any:
        """A view without axes of length 1; see `dopegraph.numpy.squeeze`.

        Examples
        --------
        >>> np.array([[3, 1]]).squeeze().shape
        (2,)
        """
        return np.squeeze(self, axis)

    def swapaxes(self, axis1: int, axis2: int, /) -> Any:
        """A view with two axes exchanged; see `dopegraph.numpy.swapaxes`.

        Examples
        --------
        >>> np.array([[3, 1], [2, 4]]).swapaxes(0, 1)
        array([[3, 2],
               [1, 4]])
        """
        return np.swapaxes(self, axis1, axis2)

    def transpose(self, /, *axes: Any) -> Any:
        """A view with the axes in another order, given as integers or one tuple; reversed by default.

        Examples
        --------
        >>> np.zeros((2, 3, 4)).transpose(1, 0, 2).shape
        (3, 2, 4)
        """
        chosen = axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes
        return np.transpose(self, chosen if chosen != () else None)

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
        swapped = np.asarray(self._look("host-call", "byteswap").byteswap())
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
        assign(self, np.asarray(value, self.dtype), "fill")

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
        self._look("host-write", "setflags").setflags(write=write, align=align, uic=uic)

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
        assign(self.real, np.asarray(value), "real", "unsafe")

    @property
    def imag(self) -> Any:
        """The imaginary parts: a view of complex numbers, of others zeros."""
        return view_of(self, ((ops.imag, {}),)) if self.dtype.kind == "c" else np.zeros_like(self)

    @imag.setter
    def imag(self, value: Any) -> None:
        if self.dtype.kind != "c":
            raise DTypeError(located(f"imag: an array of {self.dtype} has no imaginary part to set", here()))
        assign(self.imag, np.asarray(value), "imag", "unsafe")

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
            return _layout(self).flags  # of a traced array, which will be a new one
        return self._settled().array.flags

    @property
    def strides(self) -> tuple[int, ...]:
        """Bytes from one element to the next along each axis."""
        return _layout(self).strides

    @property
    def data(self) -> memoryview:
        """The memory itself."""
        return self._export().data

    @property
    def ctypes(self) -> Any:
        """The memory for `ctypes`, as `numpy.ndarray.ctypes`."""
        return self._export().ctypes


def _layout(x: ndarray) -> numpy.ndarray:
    found = layout_of(x)
    return found if found is not None else numpy.empty(x.shape, x.dtype)  # other devices have C order only


def attach() -> None:
    """Give `ndarray` its methods and attributes."""
    for name, method in vars(Methods).items():
        if not name.startswith("__"):
            if callable(method):
                method.__qualname__ = f"ndarray.{name}"
            setattr(ndarray, name, method)
    for name, function in protocols.PROTOCOL_METHODS.items():
        setattr(ndarray, name, function)
