"""Einstein summation: pairs of operands become matrix products, in the order that NumPy's path search finds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy

from dopegraph.array import ndarray
from dopegraph.numpy.assign import finish
from dopegraph.numpy.linear import diagonal_view
from dopegraph.numpy.matmul import checked, matmul
from dopegraph.numpy.promotion import BOOL, as_array, as_operand, convert, dtype_of, promote
from dopegraph.numpy.reduction import any as array_any
from dopegraph.numpy.reduction import sum as array_sum
from dopegraph.numpy.shape import reshape, transpose
from dopegraph.runtime.errors import DTypeError, ShapeError
from dopegraph.runtime.location import here, located

__all__ = ["einsum", "einsum_path"]

# Numbers in place of letters: 0 is A, 26 is a, so that their order is that of the letters.
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def einsum(
    *operands: Any, out: ndarray | None = None, optimize: Any = False, dtype: Any = None, order: str = "K",
    casting: str = "safe",
) -> ndarray:  # fmt: skip
    """Einstein summation; operands are contracted in pairs, as matrix products.

    Parameters
    ----------
    *operands
        The subscripts, such as ``"ij,jk->ik"``, and the arrays; or arrays in turn with lists of integers (and
        ``Ellipsis``) in place of letters, and perhaps a last list for the result. Without ``->`` (or that list) the
        result has the letters that stand there once, in alphabetical order. ``...`` stands for axes that broadcast.
    out : ndarray, optional
    optimize : bool, str or sequence, optional
        ``"greedy"``, ``"optimal"``, or a path of `einsum_path`. By default, too, more than two operands are contracted
        in the order that the greedy search finds.
    dtype, casting : optional
        What to compute in, and which casts of the operands and of the result to `out` are allowed.
    order : {"C", "F", "A", "K"}, optional
        Taken as in NumPy; results are in C order or views.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.einsum("ij,ij->i", np.ones((2, 3)), np.ones((2, 3)))
    array([3., 3.], dtype=float32)
    >>> np.einsum(np.ones((2, 3)), [0, 1], [1])
    array([2., 2., 2.], dtype=float32)
    """
    if order not in ("C", "F", "A", "K"):
        raise ValueError(located(f"einsum: order must be 'C', 'F', 'A' or 'K', not {order!r}", here()))
    text, given = _read(operands)
    arrays = _cast(given, dtype, casting, out)
    inputs, output = _subscripts(text, arrays)
    terms = [_diagonal(x, labels) for x, labels in zip(arrays, inputs)]
    for group in _path(f"{','.join(inputs)}->{output}", arrays, optimize):
        picked = [terms[place] for place in sorted(group)]
        terms = [term for place, term in enumerate(terms) if place not in group]
        while len(picked) > 1:
            (x, xl), (y, yl) = picked.pop(0), picked.pop(0)
            kept = set(output).union(*(labels for _, labels in terms + picked))
            picked.insert(0, _pair(x, xl, y, yl, kept))
        terms.append(picked[0])
    x, labels = terms[0]
    x, labels = _sum_out(x, labels, set(output))
    if len(set(output)) != len(output) or set(labels) != set(output):
        raise ShapeError(
            located(f"einsum: the output {output!r} has letters twice, or letters that no operand has", here())
        )
    result = transpose(x, [labels.index(letter) for letter in output])
    return result if out is None else finish(result, checked(out, result.dtype, casting))


def einsum_path(*operands: Any, optimize: Any = "greedy", einsum_call: bool = False) -> tuple[list[Any], str]:
    """The order in which to contract the operands of an `einsum`, and a description of what it costs.

    It looks at shapes only. The parameters are those of ``numpy.einsum_path``.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.einsum_path("ij,jk,kl->il", np.ones((2, 9)), np.ones((9, 8)), np.ones((8, 3)))[0]
    ['einsum_path', (0, 1), (0, 1)]
    """
    text, given = _read(operands)
    arrays = promote(given)
    shapes = [numpy.broadcast_to(numpy.empty((), x.dtype), x.shape) for x in arrays]
    try:
        found: tuple[list[Any], str] = numpy.einsum_path(text, *shapes, optimize=optimize)
    except (ValueError, TypeError, KeyError) as cause:
        raise type(cause)(located(f"einsum_path: {cause}", here())) from cause
    return found


def _read(operands: Sequence[Any]) -> tuple[str, list[Any]]:
    """The subscripts as text, and the arrays, of either form of the arguments."""
    if not operands:
        raise ValueError(located("einsum: give the subscripts and at least one operand", here()))
    if isinstance(operands[0], str):
        return operands[0], [as_operand(x) for x in operands[1:]]
    paired = len(operands) // 2
    text = ",".join(_letters(labels) for labels in operands[1 : 2 * paired : 2])
    if len(operands) % 2:
        text += "->" + _letters(operands[-1])
    return text, [as_operand(x) for x in operands[: 2 * paired : 2]]


def _letters(labels: Any) -> str:
    if not isinstance(labels, (list, tuple, range)):
        raise DTypeError(
            located(f"einsum: after each array comes a list of integers or Ellipsis, not {labels!r}", here())
        )
    text = ""
    for label in labels:
        if label is Ellipsis:
            text += "..."
        elif isinstance(label, (int, numpy.integer)) and 0 <= label < len(_LETTERS):
            text += _LETTERS[label]
        else:
            raise ValueError(located(f"einsum: a label must be an integer from 0 to 51, not {label!r}", here()))
    return text


def _cast(given: Sequence[Any], dtype: Any, casting: str, out: Any) -> list[ndarray]:
    """The operands in the dtype to compute in: what they promote to, together with `out`."""
    if dtype is None:
        arrays = promote(given)
        if not isinstance(out, (ndarray, numpy.ndarray)) or not arrays:
            return arrays
        dtype = numpy.promote_types(arrays[0].dtype, out.dtype)
        return [convert(x, dtype) for x in arrays]
    wanted = dtype_of(dtype)
    arrays = [as_array(x) for x in given]
    for x in arrays:
        if not numpy.can_cast(x.dtype, wanted, casting):
            raise DTypeError(
                located(f"einsum: cannot cast an operand from {x.dtype} to {wanted} with casting={casting!r}", here())
            )
    return [convert(x, wanted) for x in arrays]


def _path(equation: str, arrays: Sequence[ndarray], optimize: Any) -> list[tuple[int, ...]]:
    """Which terms to contract, one group after the other; a result goes to the end of the list."""
    if len(arrays) < 3 and isinstance(optimize, (bool, str)):
        return [tuple(range(len(arrays)))]
    shapes = [numpy.broadcast_to(numpy.empty((), bool), x.shape) for x in arrays]
    try:
        path = numpy.einsum_path(equation, *shapes, optimize="greedy" if optimize is False else optimize)[0]
    except (ValueError, TypeError, KeyError) as cause:
        raise type(cause)(located(f"einsum: {cause}", here())) from cause
    return [tuple(group) for group in path[1:]]


def _subscripts(text: str, arrays: Sequence[ndarray]) -> tuple[list[str], str]:
    """Labels of each operand and of the result; an ellipsis becomes capital letters that are not used elsewhere."""
    text = text.replace(" ", "")
    left, arrow, output = text.partition("->")
    inputs = left.split(",")
    if len(inputs) != len(arrays):
        raise ShapeError(located(f"einsum: {text!r} names {len(inputs)} operands, {len(arrays)} are given", here()))
    letters = (left + output).replace("...", "").replace(",", "")
    if letters and not (letters.isalpha() and letters.isascii()):
        raise ShapeError(located(f"einsum: {text!r} may have letters, commas, '->' and '...' only", here()))
    spare = [letter for letter in _LETTERS if letter not in text] if "." in text else []
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
    """A letter that stands there twice picks a diagonal, which becomes the last axis."""
    for letter in dict.fromkeys(labels):
        while labels.count(letter) > 1:
            first = labels.index(letter)
            second = labels.index(letter, first + 1)
            if x.shape[first] != x.shape[second]:
                raise ShapeError(
                    located(f"einsum: {letter!r} stands for lengths {x.shape[first]} and {x.shape[second]}", here())
                )
            others = [place for place in range(x.ndim) if place not in (first, second)]
            x = diagonal_view(transpose(x, [*others, first, second]))
            labels = "".join(labels[place] for place in others) + letter
    return x, labels


def _sum_out(x: ndarray, labels: str, kept: set[str]) -> tuple[ndarray, str]:
    gone = tuple(place for place, letter in enumerate(labels) if letter not in kept)
    if not gone:
        return x, labels
    summed = array_any(x, axis=gone) if x.dtype == BOOL else array_sum(x, axis=gone, dtype=x.dtype)
    return summed, "".join(letter for letter in labels if letter in kept)


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
