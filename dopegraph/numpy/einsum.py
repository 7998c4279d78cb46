"""Einstein summation: pairs of operands become matrix products, in the order that NumPy's path search finds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy

from dopegraph.array import ndarray
from dopegraph.numpy.assign import finish
from dopegraph.numpy.linear import matmul
from dopegraph.numpy.logic import where
from dopegraph.numpy.promotion import new, promote
from dopegraph.numpy.reduction import sum as array_sum
from dopegraph.numpy.shape import reshape, transpose
from dopegraph.runtime.errors import ShapeError
from dopegraph.runtime.location import here, located

__all__ = ["einsum"]


def einsum(subscripts: str, /, *operands: Any, out: ndarray | None = None, optimize: Any = True) -> ndarray:
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
    return finish(transpose(x, [labels.index(letter) for letter in output]), out)


def _subscripts(text: str, arrays: Sequence[ndarray]) -> tuple[list[str], str]:
    """Labels of each operand and of the result; an ellipsis becomes capital letters that are not used elsewhere."""
    text = text.replace(" ", "")
    left, arrow, output = text.partition("->")
    inputs = left.split(",")
    if len(inputs) != len(arrays):
        raise ShapeError(located(f"einsum: {text!r} names {len(inputs)} operands, {len(arrays)} are given", here()))
    if not (left + output).replace("...", "").replace(",", "").isalpha() and (left + output).strip(",."):
        raise ShapeError(located(f"einsum: {text!r} may have letters, commas, '->' and '...' only", here()))
    spare = [chr(code) for code in [*range(65, 91), *range(97, 123)] if chr(code) not in text]
    hidden = [x.ndim - len(labels.replace("...", "")) for x, labels in zip(arrays, inputs)]
    for labels, extra, x in zip(inputs, hidden, arrays):
        if extra < 0 or (extra > 0 and "..." not in labels):
            raise ShapeError(located(f"einsum: {labels!r} does not name the {x.ndim} axes of shape {x.shape}", here()))
    longest = max([extra for extra, labels in zip(hidden, inputs) if "..." in labels], default=0)
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
                raise ShapeError(
                    located(f"einsum: {letter!r} stands for lengths {x.shape[first]} and {x.shape[second]}", here())
                )
            shape = [1] * x.ndim
            shape[first] = shape[second] = x.shape[first]
            mask = new(numpy.eye(x.shape[first], dtype=bool).reshape(shape))
            x = array_sum(where(mask, x, 0), axis=second)
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
            raise ShapeError(
                located(f"einsum: {letter!r} stands for lengths {' and '.join(map(str, sorted(lengths)))}", here())
            )
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
        return math.prod([lengths[letter] for letter in letters])

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
