"""Products, diagonals and traces with the signatures that NumPy gives them in `linalg` (those of the array API)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dopegraph.array import ndarray
from dopegraph.numpy import linear
from dopegraph.numpy.assign import finish
from dopegraph.numpy.linalg.results import LinAlgError
from dopegraph.numpy.linear import diagonal_view, dot
from dopegraph.numpy.promotion import as_array
from dopegraph.numpy.reduction import sum as array_sum
from dopegraph.numpy.shape import reshape
from dopegraph.runtime.errors import IndexingError, ShapeError
from dopegraph.runtime.location import here, located

matrix_transpose = linear.matrix_transpose


def matmul(x1: Any, x2: Any, /) -> ndarray:
    """Matrix product; leading axes broadcast.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.linalg.matmul(np.ones((2, 3)), np.ones(3))
    array([3., 3.], dtype=float32)
    """
    return linear.matmul(x1, x2)


def vecdot(x1: Any, x2: Any, /, *, axis: int = -1) -> ndarray:
    """Dot products of vectors along an axis, the first conjugated.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.linalg.vecdot(np.array([[1., 2.], [3., 4.]]), np.array([1., 10.]))
    array([21., 43.], dtype=float32)
    """
    return linear.vecdot(x1, x2, axis=axis)


def tensordot(x1: Any, x2: Any, /, *, axes: Any = 2) -> ndarray:
    """Sum over several pairs of axes; see `dopegraph.numpy.tensordot`.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.linalg.tensordot(np.ones((2, 3)), np.ones((3, 2)), axes=1)
    array([[3., 3.],
           [3., 3.]], dtype=float32)
    """
    return linear.tensordot(x1, x2, axes)


def outer(x1: Any, x2: Any, /) -> ndarray:
    """All products of an element of one vector with one of another.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.linalg.outer([1, 2], [3, 4])
    array([[3, 4],
           [6, 8]])
    """
    x, y = as_array(x1), as_array(x2)
    if x.ndim != 1 or y.ndim != 1:
        raise ShapeError(located(f"outer: Input arrays must be one-dimensional, not {x.ndim} and {y.ndim}", here()))
    return linear.outer(x, y)


def cross(x1: Any, x2: Any, /, *, axis: int = -1) -> ndarray:
    """Cross products of vectors of three components along an axis; other axes broadcast.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.linalg.cross([1., 0., 0.], [0., 1., 0.])
    array([0., 0., 1.], dtype=float32)
    """
    x, y = as_array(x1), as_array(x2)
    for one in (x, y):
        if not one.ndim:
            raise IndexingError(located("cross: a number is no vector", here()))
        if one.shape[axis] != 3:
            raise ShapeError(located(f"cross: vectors have 3 components, not {one.shape[axis]}", here()))
    return linear.cross(x, y, axis=axis)


def diagonal(x: Any, /, *, offset: int = 0) -> ndarray:
    """Diagonals of the matrices in the last two axes; a view where the rows lie in a line.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.linalg.diagonal(np.array([[1, 2], [3, 4]]), offset=1)
    array([2])
    """
    return diagonal_view(_stack(x, "diagonal"), offset)


def trace(x: Any, /, *, offset: int = 0, dtype: Any = None) -> ndarray:
    """Sums of the diagonals of the matrices in the last two axes.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.linalg.trace(np.array([[1, 2], [3, 4]]))
    array(5)
    """
    return array_sum(diagonal_view(_stack(x, "trace"), offset), axis=-1, dtype=dtype)


def _stack(x: Any, name: str) -> ndarray:
    array = as_array(x)
    if array.ndim < 2:
        raise ShapeError(located(f"{name}: an array of {array.ndim} axes has no diagonal", here()))
    return array


def multi_dot(arrays: Sequence[Any], *, out: ndarray | None = None) -> ndarray:
    """Product of several matrices, multiplied in the order of the smallest cost.

    Parameters
    ----------
    arrays : sequence of array_like
        Matrices of shapes that fit; the first may be a row, the last a column of one axis.
    out : ndarray, optional

    Returns
    -------
    ndarray
        The order is that of the matrix chain algorithm (Cormen et al., Introduction to Algorithms, section 15.2).

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.linalg.multi_dot([np.ones((2, 9)), np.ones((9, 9)), np.ones(9)])
    array([81., 81.], dtype=float32)
    """
    given = [as_array(one) for one in arrays]
    if len(given) < 2:
        raise ValueError(located("multi_dot: Expecting at least two arrays", here()))
    if len(given) == 2:
        return dot(*given, out=out)
    row, column = given[0].ndim == 1, given[-1].ndim == 1
    matrices = list(given)
    if row:
        matrices[0] = reshape(given[0], (1, -1))
    if column:
        matrices[-1] = reshape(given[-1], (-1, 1))
    for one, before in zip(matrices, given):
        if one.ndim != 2:
            raise LinAlgError(
                located(f"multi_dot: {before.ndim}-dimensional array given. Array must be two-dimensional", here())
            )
    lengths = [one.shape[0] for one in matrices] + [matrices[-1].shape[1]]
    product = _chain(matrices, _splits(lengths), 0, len(matrices) - 1)
    if row or column:
        product = reshape(product, [n for n, gone in zip(product.shape, (row, column)) if not gone])
    return finish(product, out)


def _splits(lengths: Sequence[int]) -> dict[tuple[int, int], int]:
    """For each run of factors, after which of them to split it."""
    count = len(lengths) - 1
    cost = {(place, place): 0 for place in range(count)}
    splits: dict[tuple[int, int], int] = {}
    for size in range(1, count):
        for first in range(count - size):
            last = first + size
            found = {
                middle: cost[first, middle] + cost[middle + 1, last]
                + lengths[first] * lengths[middle + 1] * lengths[last + 1]
                for middle in range(first, last)
            }  # fmt: skip
            splits[first, last] = min(found, key=found.__getitem__)
            cost[first, last] = found[splits[first, last]]
    return splits


def _chain(matrices: Sequence[ndarray], splits: dict[tuple[int, int], int], first: int, last: int) -> ndarray:
    if first == last:
        return matrices[first]
    middle = splits[first, last]
    return dot(_chain(matrices, splits, first, middle), _chain(matrices, splits, middle + 1, last))
