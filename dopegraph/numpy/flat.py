"""``x.flat``: the elements of an array one after the other, whatever its shape."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy

import dopegraph.numpy as np
from dopegraph.array import ndarray
from dopegraph.numpy.assign import assign
from dopegraph.trace.active import active_recording


class flatiter:
    """The elements of an array in C order.

    Attributes
    ----------
    base : ndarray
        The array; writing goes there.
    index : int
        How many elements were taken from it as an iterator.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> x = np.array([[3, 1], [2, 4]])
    >>> x.flat[[0, 3]] = 7
    >>> x
    array([[7, 1],
           [2, 7]])
    """

    __hash__ = None  # type: ignore[assignment]

    def __init__(self, base: ndarray) -> None:
        self.base = base
        self.index = 0

    @property
    def coords(self) -> tuple[int, ...]:
        """Where in the array the next element is."""
        return tuple(int(place) for place in numpy.unravel_index(self.index, self.base.shape))

    def __len__(self) -> int:
        return self.base.size

    def __iter__(self) -> Iterator[ndarray]:
        return self

    def __next__(self) -> ndarray:
        if self.index >= len(self):
            raise StopIteration
        self.index += 1
        return self[self.index - 1]

    def __getitem__(self, key: Any) -> ndarray:
        return np.copy(np.ravel(self.base)[key])

    def __setitem__(self, key: Any, value: Any) -> None:
        flat = self.copy()
        length = flat[key].size
        with self.base.device:
            values = np.asarray(value, flat.dtype)
        if length:
            # As many of the values as there are places, again from the first when there are fewer.
            flat[key] = np.resize(values, (length,)).reshape(flat[key].shape)
            assign(self.base, flat.reshape(self.base.shape), "flat")

    def copy(self) -> ndarray:
        """A copy of the elements in one axis."""
        return np.copy(np.ravel(self.base))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> numpy.ndarray:
        if active_recording() is None and copy is False:
            raise ValueError("the elements in one axis are a copy")
        return numpy.asarray(self.copy(), dtype)

    def __eq__(self, other: object) -> Any:
        return self.copy() == other

    def __ne__(self, other: object) -> Any:
        return self.copy() != other
