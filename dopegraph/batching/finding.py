"""Rules of primitives that find elements by integers. Where every example has integers of its own, the examples lie one
after another along the axis, and each adds where it begins."""

from __future__ import annotations

from typing import Any

import numpy

from dopegraph.batching.call import Call, Rule, folded, lengths, moved, reshaped, transposed
from dopegraph.ir.graph import Value
from dopegraph.ops import (
    add,
    argsort,
    cast,
    concat,
    greater_equal,
    iota,
    less,
    logical_and,
    scatter,
    scatter_add,
    select,
    strided_slice,
    sub,
    take,
    take_scatter,
)
from dopegraph.ops.shape import inverse_permutation
from dopegraph.ops.typing import normalize_axis

_INT64 = numpy.dtype("int64")


def _numbers(size: int, ndim: int) -> Value:
    """0, 1, ... along axis 0, to be broadcast."""
    return reshaped(iota(size=size, dtype=_INT64), (size, *[1] * ndim))


def _places(indices: Value, length: int) -> Value:
    """Indices of examples (size, ...) that lie one after another; one outside its example lies outside of all."""
    size = indices.shape[0]
    given = cast(indices, dtype=_INT64)
    begin = _numbers(size, indices.ndim - 1) * length
    counted = select(less(given, 0), add(given, begin + length), add(given, begin))
    inside = logical_and(greater_equal(given, -length), less(given, length))
    result: Value = select(inside, counted, size * length)
    return result


def _take(call: Call) -> Any:
    axis = normalize_axis(call.attr("axis"), len(call.shape(0)))
    if call.mapped == (True, False):
        return call.emit(*call.operands, axis=axis + 1)
    if call.mapped == (False, True):
        return moved(call.emit(*call.operands, axis=axis), axis, 0)
    around = _around(call.operands[0], axis)
    found = take(folded(around), _places(call.operands[1], call.shape(0)[axis]), axis=0)
    # (size, *indices, *before, *behind) -> (size, *before, *indices, *behind)
    return _back(found, axis, len(call.shape(1)))


def _around(value: Value, axis: int) -> Value:
    """From (size, *before, length, *behind) to (size, length, *before, *behind)."""
    return moved(value, axis + 1, 1)


def _order(ndim: int, axis: int, count: int) -> tuple[int, ...]:
    """Of the axes of (size, *before, *indices, *behind): size, those of the indices, before, behind."""
    return (
        0,
        *range(1 + axis, 1 + axis + count),
        *range(1, 1 + axis),
        *range(1 + axis + count, ndim),
    )


def _front(value: Value, axis: int, count: int) -> Value:
    """From (size, *before, *indices, *behind) to (size, *indices, *before, *behind)."""
    return transposed(value, _order(value.ndim, axis, count))


def _back(value: Value, axis: int, count: int) -> Value:
    """The way back of `_front`."""
    return transposed(value, inverse_permutation(_order(value.ndim, axis, count)))


def _take_scatter(call: Call) -> Any:
    shape = call.attr("shape")
    axis = normalize_axis(call.attr("axis"), len(shape))
    if not call.mapped[1]:
        return call.emit(*call.operands, axis=axis + 1, shape=(call.size, *shape))
    length, rest = shape[axis], (*shape[:axis], *shape[axis + 1 :])
    found = take_scatter(
        _front(call.each(0), axis, len(call.shape(1))),
        _places(call.operands[1], length),
        axis=0,
        shape=(call.size * length, *rest),
    )
    return moved(reshaped(found, (call.size, length, *rest)), 1, axis + 1)


def _scatter(call: Call) -> Any:
    shape = call.shape(0)
    axis = normalize_axis(call.attr("axis"), len(shape))
    op = {"scatter": scatter, "scatter_add": scatter_add}[call.node.op.name]
    if not call.mapped[1]:
        return op(call.each(0), call.operands[1], call.each(2), axis=axis + 1)
    length, rest = shape[axis], (*shape[:axis], *shape[axis + 1 :])
    found = op(
        folded(_around(call.each(0), axis)),
        _places(call.operands[1], length),
        _front(call.each(2), axis, len(call.shape(1))),
        axis=0,
    )
    return moved(reshaped(found, (call.size, length, *rest)), 1, axis + 1)


def _searchsorted(call: Call) -> Any:
    """The place of a value among all, sorted stably, less its place among the values: it stands before equal elements
    of the array, or behind them."""
    if not call.mapped[0]:
        return call.emit(*call.operands)
    (length,), shape = call.shape(0), call.shape(1)
    count, right = lengths(shape), call.attr("right")
    values = reshaped(call.each(1), (call.size, count))
    both = (call.operands[0], values) if right else (values, call.operands[0])
    start = length if right else 0
    among_all = _part(_ranks(concat(*both, axis=1)), start, start + count)
    return reshaped(sub(among_all, _ranks(values)), (call.size, *shape))


def _ranks(x: Value) -> Value:
    """Where each element of a row stands in the sorted row."""
    result: Value = argsort(argsort(x, axis=1, kind="stable"), axis=1, kind="stable")
    return result


def _part(x: Value, start: int, stop: int) -> Value:
    result: Value = strided_slice(x, starts=(0, start), stops=(x.shape[0], stop), steps=(1, 1))
    return result


RULES: dict[str, Rule] = {
    "take": _take,
    "take_scatter": _take_scatter,
    "scatter": _scatter,
    "scatter_add": _scatter,
    "searchsorted": _searchsorted,
}
