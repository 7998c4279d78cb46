"""``dopegraph.numpy.random``: random numbers from one seeded state, the same eagerly and compiled, float32 by default.

Each draw takes the state's key and advances it; in a compiled function the state is read and written
like any other array.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy

from dopegraph import ops
from dopegraph.array import ndarray
from dopegraph.numpy import host
from dopegraph.numpy.assign import assign
from dopegraph.numpy.creation import dtype_or_default, shape_of
from dopegraph.numpy.elementwise import call
from dopegraph.numpy.indexing import take
from dopegraph.numpy.promotion import FLOAT64, as_array, convert
from dopegraph.numpy.random_state import STATE, draw, get_state, seed, set_state
from dopegraph.numpy.ranges import arange
from dopegraph.numpy.reduction import cumsum
from dopegraph.numpy.reduction import sum as array_sum
from dopegraph.ops.typing import broadcast_shapes
from dopegraph.runtime.errors import DTypeError, ShapeError
from dopegraph.runtime.location import here, located
from dopegraph.trace.recording import active_recording

__all__ = [
    "STATE", "choice", "exponential", "get_state", "normal", "permutation", "rand", "randint", "randn", "random",
    "random_sample", "seed", "set_state", "shuffle", "standard_normal", "uniform",
]  # fmt: skip


def _shape(name: str, size: Any, *parameters: Any) -> tuple[int, ...]:
    """The shape of what is drawn: the given one, to which parameters must broadcast, or the one they broadcast to."""
    try:
        shape = broadcast_shapes(*(as_array(one).shape for one in parameters))
        if size is None:
            return shape
        wanted = shape_of(size)
        if broadcast_shapes(shape, wanted) != wanted:
            raise ShapeError(f"parameters of shape {shape} do not broadcast to size={wanted}")
        return wanted
    except ShapeError as cause:
        raise cause if "\n  at " in str(cause) else ShapeError(located(f"random.{name}: {cause}", here())) from None


def _floating(name: str, dtype: Any) -> numpy.dtype:
    chosen = dtype_or_default(dtype)
    if chosen.kind != "f":
        raise DTypeError(located(f"random.{name}: {chosen} is not a floating dtype", here()))
    return chosen


def _check_scale(name: str, scale: Any) -> None:
    """A Python number is looked at; what an array holds is not."""
    if type(scale) in (int, float) and scale < 0:
        raise ValueError(located(f"random.{name}: the scale must not be negative, it is {scale}", here()))


def uniform(low: Any = 0.0, high: Any = 1.0, size: Any = None, dtype: Any = None) -> ndarray:
    """Uniform numbers in [low, high); bounds may be arrays.

    Parameters
    ----------
    low, high : array_like of float
    size : int or tuple of int, optional
        The shape; by default the one the bounds broadcast to.
    dtype : dtype, optional
        The default floating dtype.
    """
    chosen = _floating("uniform", dtype)
    drawn = draw(ops.random_uniform, shape=_shape("uniform", size, low, high), dtype=chosen)
    if type(low) in (int, float) and type(high) in (int, float) and (low, high) == (0, 1):
        return drawn
    return convert(drawn * (as_array(high, chosen) - as_array(low, chosen)) + as_array(low, chosen), chosen)


def normal(loc: Any = 0.0, scale: Any = 1.0, size: Any = None, dtype: Any = None) -> ndarray:
    """Normal numbers; mean and standard deviation may be arrays, and have derivatives.

    Parameters
    ----------
    loc, scale : array_like of float
    size : int or tuple of int, optional
        The shape; by default the one `loc` and `scale` broadcast to.
    dtype : dtype, optional
        The default floating dtype.
    """
    chosen = _floating("normal", dtype)
    _check_scale("normal", scale)
    drawn = draw(ops.random_normal, shape=_shape("normal", size, loc, scale), dtype=chosen)
    if not (type(scale) in (int, float) and scale == 1):
        drawn = drawn * as_array(scale, chosen)
    if not (type(loc) in (int, float) and loc == 0):
        drawn = drawn + as_array(loc, chosen)
    return drawn


def standard_normal(size: Any = None, dtype: Any = None) -> ndarray:
    """Normal numbers of mean 0 and standard deviation 1."""
    return normal(size=() if size is None else size, dtype=dtype)


def exponential(scale: Any = 1.0, size: Any = None, dtype: Any = None) -> ndarray:
    """Exponentially distributed numbers of mean `scale`."""
    chosen = _floating("exponential", dtype)
    _check_scale("exponential", scale)
    drawn = draw(ops.random_uniform, shape=_shape("exponential", size, scale), dtype=chosen)
    return -call("log1p", (-drawn,)) * as_array(scale, chosen)


def random(size: Any = None, dtype: Any = None) -> ndarray:
    """Uniform numbers in [0, 1)."""
    return uniform(size=() if size is None else size, dtype=dtype)


random_sample = random


def rand(*shape: int) -> ndarray:
    """Uniform numbers in [0, 1) of a shape given as separate integers."""
    return random(shape)


def randn(*shape: int) -> ndarray:
    """Normal numbers of a shape given as separate integers."""
    return standard_normal(shape)


def randint(low: int, high: int | None = None, size: Any = None, dtype: Any = int) -> ndarray:
    """Uniform integers in [low, high), or in [0, low) when `high` is not given.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> rolls = np.random.randint(1, 7, size=1000)
    >>> int(rolls.min()), int(rolls.max())
    (1, 6)
    """
    first, last = (0, operator.index(low)) if high is None else (operator.index(low), operator.index(high))
    chosen = numpy.dtype(dtype)
    if chosen.kind not in "iu":
        raise DTypeError(located(f"random.randint: {chosen} is not an integer dtype", here()))
    if last <= first:
        raise ValueError(located(f"random.randint: no integer lies in [{first}, {last})", here()))
    limits = numpy.iinfo(chosen)
    if first < limits.min or last - 1 > limits.max:
        raise ValueError(located(f"random.randint: [{first}, {last}) does not fit into {chosen}", here()))
    shape = () if size is None else shape_of(size)
    return draw(ops.random_integers, low=first, high=last, shape=shape, dtype=chosen)


def permutation(x: Any) -> ndarray:
    """The integers below a number, or the rows of an array, in random order.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> sorted(np.random.permutation(4).tolist())
    [0, 1, 2, 3]
    """
    if isinstance(x, (int, numpy.integer)):
        if x < 0:
            raise ShapeError(located(f"random.permutation: there are no {x} integers", here()))
        return draw(ops.random_permutation, size=operator.index(x))
    rows = as_array(x)
    if rows.ndim == 0:
        raise ShapeError(located("random.permutation: takes an integer or an array with axes", here()))
    return take(rows, draw(ops.random_permutation, size=rows.shape[0]), axis=0)


def shuffle(x: ndarray) -> None:
    """Put the rows of an array in random order, in place."""
    if not isinstance(x, ndarray):
        raise DTypeError(located(f"random.shuffle: takes an ndarray, not a {type(x).__name__}", here()))
    assign(x, permutation(x))


def choice(a: Any, size: Any = None, replace: bool = True, p: Any = None) -> ndarray:
    """Elements drawn from an array, or integers below a number.

    Parameters
    ----------
    a : int or array_like
        What to draw from (the rows, if it has several axes).
    size : int or tuple of int, optional
    replace : bool, optional
        Whether an element can be drawn twice.
    p : array_like of float, optional
        Probabilities; they must sum to 1.
    """
    population = arange(operator.index(a)) if isinstance(a, (int, numpy.integer)) else as_array(a)
    count = population.shape[0] if population.ndim else 0
    if count == 0:
        raise ValueError(located("random.choice: there is nothing to draw from", here()))
    shape = () if size is None else shape_of(size)
    number = int(numpy.prod(shape, dtype=numpy.int64))
    if not replace and number > count:
        raise ValueError(located(f"random.choice: cannot draw {number} different ones of {count}", here()))
    if p is None:
        drawn = randint(0, count, size=shape) if replace else permutation(count)[:number].reshape(shape)
        return take(population, drawn, axis=0)
    return take(population, _weighted(as_array(p), count, shape, number, replace), axis=0)


def _weighted(p: ndarray, count: int, shape: tuple[int, ...], number: int, replace: bool) -> ndarray:
    if p.shape != (count,):
        raise ShapeError(located(f"random.choice: p has shape {p.shape}, there are {count} to draw from", here()))
    p = convert(p, FLOAT64)
    if active_recording() is None:
        _check_probabilities(p.asnumpy(), number, replace)
    if replace:
        # Inverse distribution function: how many cumulated probabilities lie at or below a uniform number.
        edges = cumsum(p)
        drawn = random(shape, dtype="float64") * edges[-1]
        below = call("greater_equal", (drawn.reshape((*shape, 1)), edges))
        return call("minimum", (array_sum(below, axis=-1), count - 1))
    # The smallest of independent exponential times with rates p (Efraimidis and Spirakis, 2006).
    with numpy.errstate(divide="ignore"):
        times = exponential(size=count, dtype="float64") / p
    return host.call("random.choice without replacement", numpy.argsort, times, kind="stable")[:number].reshape(shape)


def _check_probabilities(p: numpy.ndarray, number: int, replace: bool) -> None:
    if (p < 0).any() or abs(p.sum() - 1) > 1e-3:
        raise ValueError(located("random.choice: probabilities must not be negative and must sum to 1", here()))
    if not replace and (p > 0).sum() < number:
        raise ValueError(located(f"random.choice: {number} different ones, but p has fewer that are not 0", here()))
