"""Random orders and choices: permutations, shuffles in place, elements drawn from an array."""

from __future__ import annotations

import math
import operator
from collections.abc import MutableSequence
from typing import Any

import numpy

from dopegraph import ops
from dopegraph.array import ndarray
from dopegraph.numpy.assign import assign
from dopegraph.numpy.creation import shape_of
from dopegraph.numpy.indexing import take
from dopegraph.numpy.promotion import FLOAT64, as_array, convert
from dopegraph.numpy.random.arguments import integer
from dopegraph.numpy.random.state import Source
from dopegraph.numpy.shape import axis_of
from dopegraph.runtime.errors import DTypeError, ShapeError
from dopegraph.runtime.location import here, located

INT64 = numpy.dtype("int64")


class Permuting(Source):
    """Random orders and choices."""

    def _order(self, size: int) -> ndarray:
        return self._draw(ops.random_permutation, size=size)

    def _permutation(self, x: Any, axis: int) -> ndarray:
        if isinstance(x, (int, numpy.integer)):
            if x < 0:
                raise ShapeError(located(f"random.permutation: there are no {x} integers", here()))
            return self._order(operator.index(x))
        rows = as_array(x)
        if rows.ndim == 0:
            raise ShapeError(located("random.permutation: takes an integer or an array with axes", here()))
        along = axis_of(axis, rows.ndim, "random.permutation")
        return take(rows, self._order(rows.shape[along]), axis=along)

    def _shuffle(self, x: Any, axis: int) -> None:
        if isinstance(x, ndarray):
            if x.ndim == 0:
                raise ShapeError(located("random.shuffle: takes an array with axes", here()))
            assign(x, self._permutation(x, axis))
        elif isinstance(x, numpy.ndarray):
            x[...] = numpy.take(x, self._order(x.shape[axis])._look("value-escape", "shuffle"), axis=axis)
        elif isinstance(x, MutableSequence):
            x[:] = [x[place] for place in self._order(len(x)).tolist()]
        else:
            raise DTypeError(located(f"random.shuffle: cannot write into a {type(x).__name__}", here()))

    def _permuted(self, x: Any, axis: int | None, out: ndarray | None) -> ndarray:
        array = as_array(x)
        along = None if axis is None else axis_of(axis, array.ndim, "random.permuted")
        places = self._draw(ops.random_permuted, shape=array.shape, axis=along)
        moved = take(array.reshape(-1), places)  # type: ignore[attr-defined]
        if out is None:
            return moved
        if not isinstance(out, ndarray):
            raise DTypeError(located("random.permuted: out must be a dopegraph.ndarray", here()))
        if out.shape != moved.shape:
            raise ShapeError(located(f"random.permuted: out must be an array of shape {moved.shape}", here()))
        return assign(out, moved, "out")

    def _choice(self, a: Any, size: Any, replace: bool, p: Any, axis: int) -> ndarray:
        counted = isinstance(a, (int, numpy.integer))
        population = a if counted else as_array(a)
        lengths = (max(operator.index(a), 0),) if counted else population.shape
        if not lengths:
            raise ValueError(located("random.choice: takes an integer or an array with axes", here()))
        along = axis_of(axis, len(lengths), "random.choice")
        count = lengths[along]
        shape = () if size is None else shape_of(size)
        number = math.prod(shape)
        if count == 0 and (number or (counted and a < 0)):
            raise ValueError(located("random.choice: there is nothing to draw from", here()))
        if not replace and number > count:
            raise ValueError(located(f"random.choice: cannot draw {number} different ones of {count}", here()))
        if p is not None:
            p = convert(as_array(p), FLOAT64)
            if p.shape != (count,):
                message = f"random.choice: p has shape {p.shape}, there are {count} to draw from"
                raise ShapeError(located(message, here()))
            drawn = self._draw(ops.random_choice, p, shape=shape, replace=bool(replace))
        elif replace and count:
            drawn = self._draw(ops.random_integers, low=0, high=count, shape=shape, dtype=INT64)
        else:
            drawn = self._order(count)[:number].reshape(shape)  # type: ignore[index]
        return drawn if counted else take(population, drawn, axis=along)


def children(name: str, n: Any) -> int:
    """How many generators to spawn."""
    count = integer(name, n)
    if count < 0:
        raise ValueError(located(f"random.{name}: there are no {count} children", here()))
    return count
