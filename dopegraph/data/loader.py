"""Cuts arrays into batches, in a new order each epoch: the book's DataLoader for data that fits in memory.

Plain NumPy; needs nothing else of `dopegraph.data`.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Batches", "batches"]


class Batches:
    """What `batches` returns: iterate over it once an epoch; ``len`` is the number of batches in one."""

    def __init__(
        self,
        arrays: tuple[NDArray[Any], ...],
        batch_size: int,
        rng: np.random.Generator | None,
        last: str,
    ) -> None:
        self._arrays = arrays
        self._batch_size = batch_size
        self._rng = rng
        size = len(arrays[0])
        self._used = size if last == "keep" else size - size % batch_size

    def __len__(self) -> int:
        return -(-self._used // self._batch_size)

    def __iter__(self) -> Iterator[tuple[NDArray[Any], ...]]:
        # Drawn here, not at the first batch, so that the epochs' orders follow the order of the `iter` calls.
        size = len(self._arrays[0])
        order = np.arange(size) if self._rng is None else self._rng.permutation(size)
        order = order[: self._used]
        cuts = (order[start : start + self._batch_size] for start in range(0, len(order), self._batch_size))
        # `take` gives a C-contiguous copy whatever the layout of its operand.
        return (tuple(array.take(rows, axis=0) for array in self._arrays) for rows in cuts)

    def __repr__(self) -> str:
        shapes = ", ".join(str(array.shape) for array in self._arrays)
        return f"<{len(self)} batches of {self._batch_size} from {shapes}>"


def batches(
    *arrays: ArrayLike,
    batch_size: int,
    shuffle: bool = True,
    seed: int | np.random.Generator | None = None,
    last: Literal["keep", "discard"] = "keep",
) -> Batches:
    """Iterate over arrays in batches, taking the same rows from each.

    Parameters
    ----------
    *arrays : array_like
        At least one; all of the same length along the first axis. NumPy arrays and anything with ``__array__``, which
        is called once, here.
    batch_size : int
        Rows in a batch.
    shuffle : bool, optional
        Take the rows in a new random order each epoch (default), or as they are.
    seed : int or numpy.random.Generator, optional
        Makes the sequence of orders repeatable. NumPy's global random state is not used.
    last : {"keep", "discard"}, optional
        What to do with a last batch that is smaller than the others. With ``"discard"``, fewer rows than `batch_size`
        make no batch at all.

    Returns
    -------
    Batches
        Can be iterated again and again; each time is an epoch. Yields tuples with one new, C-contiguous
        `numpy.ndarray` for each of `arrays`, also if there is only one.

    Raises
    ------
    TypeError
        If no array is given, or `batch_size` is not an integer.
    ValueError
        If the lengths differ, an array has no axis, `batch_size` is less than 1, or `last` is something else.

    Examples
    --------
    >>> import numpy as np
    >>> for x, y in batches(np.arange(5.0), np.arange(5), batch_size=2, shuffle=False):
    ...     print(x, y)
    [0. 1.] [0 1]
    [2. 3.] [2 3]
    [4.] [4]
    """
    if not arrays:
        raise TypeError("batches() needs at least one array")
    converted = tuple(np.asarray(array) for array in arrays)
    scalars = [position for position, array in enumerate(converted) if array.ndim == 0]
    if scalars:
        raise ValueError(f"batches() cuts along the first axis, but array {scalars[0]} is a scalar")
    if len({len(array) for array in converted}) > 1:
        shapes = ", ".join(str(array.shape) for array in converted)
        raise ValueError(f"batches() takes the same rows from each array, but their lengths differ: shapes {shapes}")
    rows = operator.index(batch_size)
    if rows < 1:
        raise ValueError(f"batch_size must be at least 1, not {rows}")
    if last not in ("keep", "discard"):
        raise ValueError(f'last must be "keep" or "discard", not {last!r}')
    return Batches(converted, rows, np.random.default_rng(seed) if shuffle else None, last)
