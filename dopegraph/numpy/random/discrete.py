"""Distributions of integers: counts, numbers between bounds, categories. None has derivatives."""

from __future__ import annotations

from typing import Any

import numpy

from dopegraph import ops
from dopegraph.array import ndarray
from dopegraph.ir.primitive import Primitive
from dopegraph.numpy.elementwise import call
from dopegraph.numpy.promotion import BOOL, FLOAT64, as_array, bounds_of, convert
from dopegraph.numpy.random.arguments import NOT_NEGATIVE, PROBABILITY, check, integer, parameter, shape_for, whole
from dopegraph.numpy.random.state import Source
from dopegraph.numpy.shape import moveaxis
from dopegraph.runtime.errors import DTypeError, ShapeError
from dopegraph.runtime.location import here, located


class Discrete(Source):
    """Distributions of integers; the results are int64."""

    def _count(self, name: str, op: Primitive, size: Any, *parameters: ndarray) -> ndarray:
        shape = shape_for(name, size, *(one.shape for one in parameters))
        return self._draw(op, *parameters, shape=shape)

    def poisson(self, lam: Any = 1.0, size: Any = None) -> ndarray:
        """Counts of events that are independent of each other, `lam` on average."""
        check("poisson", NOT_NEGATIVE, lam=lam)
        return self._count("poisson", ops.random_poisson, size, parameter(lam, FLOAT64))

    def binomial(self, n: Any, p: Any, size: Any = None) -> ndarray:
        """Counts of successes in `n` independent trials that succeed with probability `p`."""
        check("binomial", NOT_NEGATIVE, n=n)
        check("binomial", PROBABILITY, p=p)
        return self._count("binomial", ops.random_binomial, size, whole("binomial", "n", n), parameter(p, FLOAT64))

    def negative_binomial(self, n: Any, p: Any, size: Any = None) -> ndarray:
        """Counts of failures before `n` successes (any number above 0), each of probability `p`."""
        op = ops.random_negative_binomial
        return self._count("negative_binomial", op, size, parameter(n, FLOAT64), parameter(p, FLOAT64))

    def geometric(self, p: Any, size: Any = None) -> ndarray:
        """Counts of trials until the first that succeeds, each with probability `p`."""
        return self._count("geometric", ops.random_geometric, size, parameter(p, FLOAT64))

    def hypergeometric(self, ngood: Any, nbad: Any, nsample: Any, size: Any = None) -> ndarray:
        """How many of `nsample` items, drawn from `ngood` good and `nbad` bad ones without putting back, are good."""
        labels = {"ngood": ngood, "nbad": nbad, "nsample": nsample}
        counts = [whole("hypergeometric", label, x) for label, x in labels.items()]
        return self._count("hypergeometric", ops.random_hypergeometric, size, *counts)

    def logseries(self, p: Any, size: Any = None) -> ndarray:
        """Integers k from 1 on with probabilities proportional to p**k / k."""
        return self._count("logseries", ops.random_logseries, size, parameter(p, FLOAT64))

    def zipf(self, a: Any, size: Any = None) -> ndarray:
        """Integers k from 1 on with probabilities proportional to k**-a, for `a` above 1."""
        return self._count("zipf", ops.random_zipf, size, parameter(a, FLOAT64))

    def multinomial(self, n: Any, pvals: Any, size: Any = None) -> ndarray:
        """How often each of k kinds comes up in `n` independent trials.

        Parameters
        ----------
        n : array_like of int
        pvals : array_like of float, shape (..., k)
            The probabilities; what they lack to 1 belongs to the last.
        size : int or tuple of int, optional

        Returns
        -------
        ndarray
            Of int64 and shape ``(*size, k)``.
        """
        p = pvals if isinstance(pvals, ndarray) and pvals.dtype.kind == "f" else as_array(pvals, FLOAT64)
        if not p.ndim:
            raise ShapeError(located("random.multinomial: pvals has an axis of probabilities", here()))
        check("multinomial", PROBABILITY, pvals=p)
        number = whole("multinomial", "n", n)
        shape = shape_for("multinomial", size, number.shape, p.shape[:-1])
        return self._draw(ops.random_multinomial, number, p, shape=shape)

    def _multivariate_hypergeometric(self, colors: Any, nsample: int, size: Any, method: str) -> ndarray:
        name = "multivariate_hypergeometric"
        counts, number = whole(name, "colors", colors), integer(name, nsample)
        if counts.ndim != 1:
            raise ShapeError(located(f"random.{name}: colors has one axis, not shape {counts.shape}", here()))
        op, shape = ops.random_multivariate_hypergeometric, shape_for(name, size)
        return self._draw(op, counts, nsample=number, shape=shape, method=method)

    def categorical(self, logits: Any = None, axis: int = -1, size: Any = None, *, p: Any = None) -> ndarray:
        """Numbers of categories whose probabilities, or the logarithms of them, lie along an axis.

        Parameters
        ----------
        logits : array_like of float
            Logarithms of probabilities, to which any constant may be added; minus infinity for what cannot happen.
        axis : int, optional
        size : int or tuple of int, optional
            The shape of the result, to which the other axes broadcast; by default their lengths.
        p : array_like of float, optional
            Probabilities, in place of `logits`.

        Returns
        -------
        ndarray
            Of int64.

        Examples
        --------
        >>> import dopegraph.numpy as np
        >>> np.random.categorical([[0.0, -np.inf], [-np.inf, 0.0]]).tolist()
        [0, 1]
        """
        if (logits is None) == (p is None):
            raise ValueError(located("random.categorical: takes either logits or p", here()))
        if p is not None:
            check("categorical", NOT_NEGATIVE, p=p)
            with numpy.errstate(divide="ignore"):
                logits = call("log", (_floats(p),))
        else:
            logits = _floats(logits)
        if not logits.ndim:
            raise ShapeError(located("random.categorical: takes an array with axes", here()))
        last = moveaxis(logits, axis, -1)
        shape = shape_for("categorical", size, last.shape[:-1])
        return self._draw(ops.random_categorical, last, shape=shape)

    def _integers(self, name: str, low: Any, high: Any, size: Any, dtype: Any, endpoint: bool = False) -> ndarray:
        chosen = numpy.dtype(dtype)
        if chosen == BOOL:
            return convert(self._integers(name, low, high, size, numpy.int8, endpoint), BOOL)
        if chosen.kind not in "iu":
            raise DTypeError(located(f"random.{name}: {chosen} is not an integer dtype", here()))
        first, last = (0, low) if high is None else (low, high)
        if _has_axes(first) or _has_axes(last):
            lowest = whole(name, "low", first)
            highest = whole(name, "high", last)
            highest = highest if endpoint else highest - 1
            shape = shape_for(name, size, lowest.shape, highest.shape)
            return self._draw(ops.random_between, lowest, highest, shape=shape, dtype=chosen)
        first, last = integer(name, first), integer(name, last) + bool(endpoint)
        if last <= first:
            raise ValueError(located(f"random.{name}: no integer lies in [{first}, {last})", here()))
        least, most = bounds_of(chosen)
        if first < least or last - 1 > most:
            raise ValueError(located(f"random.{name}: [{first}, {last}) does not fit into {chosen}", here()))
        shape = shape_for(name, size)
        return self._draw(ops.random_integers, low=first, high=last, shape=shape, dtype=chosen)

    def bytes(self, length: int) -> bytes:
        """Random bytes, as Python has them."""
        count = integer("bytes", length)
        if count < 0:
            raise ValueError(located(f"random.bytes: there are no {count} bytes", here()))
        drawn = self._draw(ops.random_integers, low=0, high=256, shape=(count,), dtype=numpy.dtype("uint8"))
        return drawn._look("value-escape", "random.bytes").tobytes()


def _floats(x: Any) -> ndarray:
    array = x if isinstance(x, ndarray) else as_array(x)
    return array if array.dtype.kind == "f" else as_array(array, FLOAT64)


def _has_axes(x: Any) -> bool:
    return isinstance(x, (ndarray, numpy.ndarray, list, tuple))
