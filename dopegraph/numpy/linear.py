"""Products of matrices and tensors: everything becomes the one primitive `matmul`."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any

import numpy

from dopegraph import ops
from dopegraph.array import apply, ndarray
from dopegraph.numpy.assign import finish
from dopegraph.numpy.promotion import BOOL, INT64, as_array, convert, promote
from dopegraph.numpy.reduction import sum as array_sum
from dopegraph.numpy.shape import axis_of, reshape, transpose
from dopegraph.runtime.errors import ShapeError
from dopegraph.runtime.location import here, located

__all__ = ["dot", "einsum", "inner", "matmul", "outer", "tensordot", "trace", "vdot"]


def _numbers(*operands: Any) -> list[ndarray]:
    """Operands of one dtype; products of booleans are computed as integers and turned back by `_finish`."""
    arrays = promote(operands)
    return [convert(x, INT64) for x in arrays] if arrays[0].dtype == BOOL else arrays


def _finish(result: ndarray, operands: Sequence[Any], out: Any = None) -> ndarray:
    if all(as_array(x).dtype == BOOL for x in operands):
        result = convert(result, BOOL)
    return finish(result, out)


def _mismatch(name: str, x: ndarray, y: ndarray, first: int, second: int) -> ShapeError:
    return ShapeError(
        located(
            f"{name}: shapes {x.shape} and {y.shape} do not fit: axis {first} of the first has length "
            f"{x.shape[first]}, axis {second} of the second {y.shape[second]}",
            here(),
        )
    )


def matmul(x1: Any, x2: Any, /, out: ndarray | None = None) -> ndarray:
    """Matrix product; leading axes broadcast, a 1-d operand is a row (first) or a column (second).

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.matmul(np.ones((2, 3)), np.ones(3))
    array([3., 3.], dtype=float32)
    """
    x, y = _numbers(x1, x2)
    if x.ndim == 0 or y.ndim == 0:
        raise ShapeError(located("matmul: a 0-d operand has no axis to sum over; use multiply", here()))
    row, column = x.ndim == 1, y.ndim == 1
    if x.shape[-1] != y.shape[-1 if column else -2]:
        raise _mismatch("matmul", x, y, -1, -1 if column else -2)
    x = reshape(x, (1, x.shape[0])) if row else x
    y = reshape(y, (y.shape[0], 1)) if column else y
    result = apply(ops.matmul, x, y)
    shape = result.shape
    if row:
        shape = (*shape[:-2], shape[-1])
    if column:
        shape = shape[:-1]
    return _finish(reshape(result, shape) if row or column else result, (x1, x2), out)


def dot(a: Any, b: Any, out: ndarray | None = None) -> ndarray:
    """Sum over the last axis of the first and the second-last (or only) axis of the second operand.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.dot(np.array([1., 2.]), np.array([3., 4.]))
    array(11., dtype=float32)
    """
    x, y = as_array(a), as_array(b)
    if x.ndim == 0 or y.ndim == 0:
        return finish(x * y, out)
    if x.ndim <= 2 and y.ndim <= 2:
        if x.shape[-1] != y.shape[-2 if y.ndim > 1 else -1]:
            raise _mismatch("dot", x, y, -1, -2 if y.ndim > 1 else -1)
        return matmul(x, y, out)
    return finish(_contract("dot", x, y, [x.ndim - 1], [builtins.max(y.ndim - 2, 0)]), out)


def inner(a: Any, b: Any, /) -> ndarray:
    """Sum over the last axes of both."""
    x, y = as_array(a), as_array(b)
    if x.ndim == 0 or y.ndim == 0:
        return x * y
    return _contract("inner", x, y, [x.ndim - 1], [y.ndim - 1])


def outer(a: Any, b: Any, out: ndarray | None = None) -> ndarray:
    """All products of an element of the first (flattened) with one of the second."""
    x, y = as_array(a), as_array(b)
    return finish(reshape(x, (x.size, 1)) * reshape(y, (1, y.size)), out)


def vdot(a: Any, b: Any, /) -> ndarray:
    """Dot product of the flattened operands."""
    x, y = as_array(a), as_array(b)
    return dot(reshape(x, (x.size,)), reshape(y, (y.size,)))


def _contract(name: str, x: ndarray, y: ndarray, x_axes: list[int], y_axes: list[int]) -> ndarray:
    """Sum over pairs of axes: one matrix product of the operands seen as matrices."""
    for first, second in zip(x_axes, y_axes):
        if x.shape[first] != y.shape[second]:
            raise _mismatch(name, x, y, first, second)
    x_free = [axis for axis in range(x.ndim) if axis not in x_axes]
    y_free = [axis for axis in range(y.ndim) if axis not in y_axes]
    length = int(numpy.prod([x.shape[axis] for axis in x_axes], dtype=numpy.int64))
    x_shape, y_shape = [x.shape[axis] for axis in x_free], [y.shape[axis] for axis in y_free]
    left = reshape(transpose(x, x_free + x_axes), (_product(x_shape), length))
    right = reshape(transpose(y, y_axes + y_free), (length, _product(y_shape)))
    return reshape(matmul(left, right), (*x_shape, *y_shape))


def _product(lengths: Sequence[int]) -> int:
    return int(numpy.prod(lengths, dtype=numpy.int64))


def tensordot(a: Any, b: Any, axes: Any = 2) -> ndarray:
    """Sum over several pairs of axes: so many last of the first with first of the second, or the ones given."""
    x, y = as_array(a), as_array(b)
    if isinstance(axes, (tuple, list)):
        first, second = axes
        x_axes = [axis_of(one, x.ndim, "tensordot") for one in (first if isinstance(first, (tuple, list)) else [first])]
        y_axes = [axis_of(one, y.ndim, "tensordot") for one in (second if isinstance(second, (tuple, list)) else [second])]
        if len(x_axes) != len(y_axes):
            raise ShapeError(located("tensordot: axes must name as many axes of one operand as of the other", here()))
    else:
        if axes > builtins.min(x.ndim, y.ndim):
            raise ShapeError(located(f"tensordot: {axes} axes of arrays of {x.ndim} and {y.ndim} axes", here()))
        x_axes, y_axes = list(range(x.ndim - axes, x.ndim)), list(range(axes))
    return _contract("tensordot", x, y, x_axes, y_axes)


def trace(a: Any, offset: int = 0) -> ndarray:
    """Sum of the diagonal of a matrix (of each matrix of a stack, the last two axes)."""
    x = as_array(a)
    mask = numpy.eye(*x.shape[-2:], k=offset, dtype=bool)
    from dopegraph.numpy.elementwise import where

    return array_sum(where(mask, x, 0), axis=(-2, -1))


def einsum(subscripts: str, /, *operands: Any, optimize: Any = True) -> ndarray:
    """Einstein summation; operands are contracted in pairs, in the order that ``numpy.einsum_path`` finds.

    Parameters
    ----------
    subscripts : str
        Such as ``"ij,jk->ik"``; without ``->`` the letters that stand there once, in alphabetical order. ``...`` stands
        for axes that broadcast.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.einsum("ij,ij->i", np.ones((2, 3)), np.ones((2, 3)))
    array([3., 3.], dtype=float32)
    """
    arrays = promote(operands)
    inputs, output = _subscripts(subscripts, arrays)
    terms = [_diagonal(x, labels) for x, labels in zip(arrays, inputs)]
    if len(terms) > 2:
        shapes = [numpy.broadcast_to(numpy.empty((), bool), x.shape) for x in arrays]
        equation = f"{','.join(inputs)}->{output}"
        order = numpy.einsum_path(equation, *shapes, optimize="greedy" if optimize else False)[0][1:]
    else:
        order = [tuple(range(len(terms)))]
    for group in order:
        picked = [terms[place] for place in sorted(group)]
        terms = [term for place, term in enumerate(terms) if place not in group]
        while len(picked) > 1:
            (x, xl), (y, yl) = picked.pop(0), picked.pop(0)
            kept = set(output).union(*(labels for _, labels in terms + picked))
            picked.insert(0, _pair(x, xl, y, yl, kept))
        terms.append(picked[0])
    x, labels = terms[0]
    x, labels = _sum_out(x, labels, set(output))
    if set(labels) != set(output):
        raise ShapeError(located(f"einsum: the output {output!r} has letters that no operand has", here()))
    return transpose(x, [labels.index(letter) for letter in output])


def _subscripts(text: str, arrays: Sequence[ndarray]) -> tuple[list[str], str]:
    """Labels of each operand and of the result; an ellipsis becomes capital letters that are not used elsewhere."""
    text = text.replace(" ", "")
    left, arrow, output = text.partition("->")
    inputs = left.split(",")
    if len(inputs) != len(arrays):
        raise ShapeError(located(f"einsum: {text!r} names {len(inputs)} operands, {len(arrays)} are given", here()))
    spare = [chr(code) for code in [*range(65, 91), *range(97, 123)] if chr(code) not in text]
    hidden = [x.ndim - len(labels.replace("...", "")) for x, labels in zip(arrays, inputs)]
    for labels, extra, x in zip(inputs, hidden, arrays):
        if extra < 0 or (extra > 0 and "..." not in labels):
            raise ShapeError(located(f"einsum: {labels!r} does not name the {x.ndim} axes of shape {x.shape}", here()))
    longest = builtins.max([extra for extra, labels in zip(hidden, inputs) if "..." in labels], default=0)
    dots = "".join(spare[:longest])
    inputs = [labels.replace("...", dots[longest - extra :]) for labels, extra in zip(inputs, hidden)]
    if not arrow:
        every = "".join(inputs)
        output = dots + "".join(sorted(letter for letter in set(every) - set(dots) if every.count(letter) == 1))
    return inputs, output.replace("...", dots)


def _diagonal(x: ndarray, labels: str) -> tuple[ndarray, str]:
    """A letter that stands there twice picks a diagonal: mask, then sum."""
    for letter in dict.fromkeys(labels):
        while labels.count(letter) > 1:
            first = labels.index(letter)
            second = labels.index(letter, first + 1)
            if x.shape[first] != x.shape[second]:
                raise ShapeError(located(f"einsum: {letter!r} stands for lengths {x.shape[first]} and {x.shape[second]}", here()))
            shape = [1] * x.ndim
            shape[first] = shape[second] = x.shape[first]
            from dopegraph.numpy.elementwise import where

            x = array_sum(where(numpy.eye(x.shape[first], dtype=bool).reshape(shape), x, 0), axis=second)
            labels = labels[:second] + labels[second + 1 :]
    return x, labels


def _sum_out(x: ndarray, labels: str, kept: set[str]) -> tuple[ndarray, str]:
    gone = tuple(place for place, letter in enumerate(labels) if letter not in kept)
    if not gone:
        return x, labels
    return array_sum(x, axis=gone, dtype=x.dtype), "".join(letter for letter in labels if letter in kept)


def _pair(x: ndarray, xl: str, y: ndarray, yl: str, kept: set[str]) -> tuple[ndarray, str]:
    """Contract two operands: letters of both are batch axes when kept, summed by the matrix product otherwise."""
    x, xl = _sum_out(x, xl, kept | set(yl))
    y, yl = _sum_out(y, yl, kept | set(xl))
    for letter in set(xl) & set(yl):
        lengths = {x.shape[xl.index(letter)], y.shape[yl.index(letter)]} - {1}
        if len(lengths) > 1:
            raise ShapeError(located(f"einsum: {letter!r} stands for lengths {' and '.join(map(str, sorted(lengths)))}", here()))
    # Axes of length 1 against longer ones broadcast: they are no partners in a product.
    both = [letter for letter in xl if letter in yl]
    x, xl = _drop_ones(x, xl, y, yl)
    y, yl = _drop_ones(y, yl, x, xl)
    both = [letter for letter in both if letter in xl and letter in yl]
    batch = [letter for letter in both if letter in kept]
    summed = [letter for letter in both if letter not in kept]
    x_free = [letter for letter in xl if letter not in both]
    y_free = [letter for letter in yl if letter not in both]
    left = transpose(x, [xl.index(letter) for letter in batch + x_free + summed])
    right = transpose(y, [yl.index(letter) for letter in batch + summed + y_free])
    lengths = {**dict(zip(xl, x.shape)), **dict(zip(yl, y.shape))}

    def size(letters: Sequence[str]) -> int:
        return _product([lengths[letter] for letter in letters])

    result_shape = tuple(lengths[letter] for letter in batch + x_free + y_free)
    batches = tuple(lengths[letter] for letter in batch)
    if not summed and (not x_free or not y_free):
        left = reshape(left, (*batches, *(lengths[one] for one in x_free), *([1] * len(y_free))))
        right = reshape(right, (*batches, *([1] * len(x_free)), *(lengths[one] for one in y_free)))
        return left * right, "".join(batch + x_free + y_free)
    left = reshape(left, (*batches, size(x_free), size(summed)))
    right = reshape(right, (*batches, size(summed), size(y_free)))
    return reshape(matmul(left, right), result_shape), "".join(batch + x_free + y_free)


def _drop_ones(x: ndarray, xl: str, y: ndarray, yl: str) -> tuple[ndarray, str]:
    gone = [
        place
        for place, letter in enumerate(xl)
        if letter in yl and x.shape[place] == 1 and y.shape[yl.index(letter)] != 1
    ]
    if not gone:
        return x, xl
    kept = [place for place in range(x.ndim) if place not in gone]
    return reshape(x, tuple(x.shape[place] for place in kept)), "".join(xl[place] for place in kept)
