"""The methods of `ndarray`: NumPy's names and signatures, each the function of the same name applied to the array.

The array type stands below the front end, which defines what its methods mean; `attach` gives it all that is here.
"""

from __future__ import annotations

from typing import Any

import numpy

import dopegraph.numpy as np
from dopegraph.array import ndarray
from dopegraph.numpy import protocols
from dopegraph.numpy.assign import assign
from dopegraph.numpy.memory_methods import MemoryMethods
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
        memory = self._look("host-write", "resize", settle=True).reshape(-1)
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


def attach() -> None:
    """Give `ndarray` its methods and attributes."""
    for name, method in {**vars(Methods), **vars(MemoryMethods)}.items():
        if not name.startswith("__"):
            if callable(method):
                method.__qualname__ = f"ndarray.{name}"
            setattr(ndarray, name, method)
    for name, function in protocols.PROTOCOL_METHODS.items():
        setattr(ndarray, name, function)
