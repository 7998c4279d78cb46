"""``dopegraph.numpy.random``: random numbers from one seeded state, the same eagerly and compiled, float32 by default.

Each draw takes the state's key and advances it; in a compiled function the state is read and written
like any other array.
"""

from __future__ import annotations

import operator
import os
from typing import Any

import numpy

from dopegraph import ops
from dopegraph.array import apply, ndarray, owned
from dopegraph.ir.primitive import Primitive
from dopegraph.numpy.assign import assign
from dopegraph.numpy.creation import arange, shape_of
from dopegraph.numpy.elementwise import call
from dopegraph.numpy.indexing import take
from dopegraph.numpy.promotion import as_array, convert, new
from dopegraph.numpy.reduction import cumsum
from dopegraph.numpy.reduction import sum as array_sum
from dopegraph.ops.typing import broadcast_shapes
from dopegraph.runtime.config import default_dtype
from dopegraph.runtime.errors import DTypeError, ShapeError
from dopegraph.runtime.location import here, located
from dopegraph.trace.recording import outside_recordings

__all__ = [
    "choice", "exponential", "get_state", "normal", "permutation", "rand", "randint", "randn", "random",
    "random_sample", "seed", "set_state", "shuffle", "standard_normal", "uniform",
]  # fmt: skip

STATE: ndarray = owned(numpy.array([int.from_bytes(os.urandom(8), "little"), 0], numpy.uint64))
"""The key of the next draw: seed and counter."""


def seed(seed: int | None = None) -> None:
    """Start the random numbers anew; without a number from the operating system's.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> np.random.seed(1); a = np.random.normal(size=3)
    >>> np.random.seed(1); bool((a == np.random.normal(size=3)).all())
    True
    """
    if seed is None:
        number = int.from_bytes(os.urandom(8), "little")
    else:
        number = operator.index(seed)
        if number < 0:
            raise ValueError(located("random.seed: the seed must not be negative", here()))
    assign(STATE, new(numpy.array([number % 2**64, 0], numpy.uint64)))


def get_state() -> tuple[int, int]:
    """Seed and counter, for `set_state`."""
    key = STATE._look("value-escape", "random.get_state")
    return int(key[0]), int(key[1])


def set_state(state: tuple[int, int]) -> None:
    """Go back to a state that `get_state` gave."""
    assign(STATE, new(numpy.array(state, numpy.uint64)))


def _draw(op: Primitive, **attrs: Any) -> ndarray:
    drawn = apply(op, STATE, **attrs)
    assign(STATE, apply(ops.random_advance, STATE))
    return drawn


def _size(size: Any, *parameters: Any) -> tuple[int, ...]:
    if size is not None:
        return shape_of(size)
    return broadcast_shapes(*(as_array(one).shape for one in parameters))


def _floating(dtype: Any) -> numpy.dtype:
    return default_dtype() if dtype is None else numpy.dtype(dtype)


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
    chosen = _floating(dtype)
    drawn = _draw(ops.random_uniform, shape=_size(size, low, high), dtype=chosen)
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
    chosen = _floating(dtype)
    drawn = _draw(ops.random_normal, shape=_size(size, loc, scale), dtype=chosen)
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
    chosen = _floating(dtype)
    drawn = _draw(ops.random_uniform, shape=_size(size, scale), dtype=chosen)
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
    return _draw(ops.random_integers, low=first, high=last, shape=shape, dtype=chosen)


def permutation(x: Any) -> ndarray:
    """The integers below a number, or the rows of an array, in random order.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> sorted(np.random.permutation(4).tolist())
    [0, 1, 2, 3]
    """
    if isinstance(x, (int, numpy.integer)):
        return _draw(ops.random_permutation, size=operator.index(x))
    rows = as_array(x)
    if rows.ndim == 0:
        raise ShapeError(located("random.permutation: takes an integer or an array with axes", here()))
    return take(rows, _draw(ops.random_permutation, size=rows.shape[0]), axis=0)


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
    if p._value is None:
        with outside_recordings():
            host = p._settled().array.astype(float)
        if (host < 0).any() or abs(host.sum() - 1) > 1e-3:
            raise ValueError(located("random.choice: probabilities must not be negative and must sum to 1", here()))
    if replace:
        # Inverse distribution function: how many cumulated probabilities lie at or below a uniform number.
        edges = cumsum(convert(p, numpy.dtype("float64")))
        drawn = random(shape, dtype="float64") * edges[-1]
        below = call("greater_equal", (drawn.reshape((*shape, 1)), edges))
        return call("minimum", (array_sum(below, axis=-1), count - 1))
    # The smallest of independent exponential times with rates p (Efraimidis and Spirakis, 2006).
    times = exponential(size=count, dtype="float64") / convert(p, numpy.dtype("float64"))
    order = numpy.argsort(times._look("host-call", "random.choice without replacement"), kind="stable")
    return new(order[:number].reshape(shape))
