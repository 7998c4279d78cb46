"""Gamma numbers, and the distributions that are made of them: beta, chi-square, Student's t, F, Dirichlet.

Their derivatives follow from the implicit one of a gamma number by its shape parameter. Ratios are differences of
logarithms, which neither overflow nor vanish when the parameters are small.
"""

from __future__ import annotations

from typing import Any

import numpy

from dopegraph import ops
from dopegraph.array import ndarray
from dopegraph.dispatch import apply
from dopegraph.numpy.elementwise import call
from dopegraph.numpy.logic import where
from dopegraph.numpy.promotion import FLOAT64, convert
from dopegraph.numpy.random.arguments import (
    NOT_NEGATIVE,
    POSITIVE,
    begin,
    check,
    floating,
    parameter,
    shape_for,
)
from dopegraph.numpy.random.state import Source
from dopegraph.runtime.errors import ShapeError
from dopegraph.runtime.location import here, located

Shape = tuple[int, ...]


class Gammas(Source):
    """Distributions made of gamma numbers."""

    def _standard_gamma(self, shape: Any, size: Any, dtype: Any) -> ndarray:
        check("standard_gamma", NOT_NEGATIVE, shape=shape)
        lengths, _, (alpha,) = begin("standard_gamma", size, dtype, shape)
        return self._draw(ops.random_gamma, alpha, shape=lengths)

    def _log_gamma(self, alpha: ndarray, shape: Shape) -> ndarray:
        return self._draw(ops.random_gamma, alpha, shape=shape, log=True)

    def _chisquare(self, df: ndarray, shape: Shape) -> ndarray:
        return self._draw(ops.random_gamma, df / 2, shape=shape) * 2

    def gamma(self, shape: Any, scale: Any = 1.0, size: Any = None) -> ndarray:
        """Gamma numbers: sums of `shape` exponential ones of mean `scale`, for any `shape` of 0 or more.

        Parameters
        ----------
        shape, scale : array_like of float
        size : int or tuple of int, optional
            The shape of the result; by default the one that `shape` and `scale` broadcast to.

        Returns
        -------
        ndarray
            Of the default floating dtype. Its derivative by `shape` is implicit (Figurnov, Mohamed, Mnih, 2018).
        """
        check("gamma", NOT_NEGATIVE, shape=shape, scale=scale)
        lengths, _, (alpha, scale) = begin("gamma", size, None, shape, scale)
        return self._draw(ops.random_gamma, alpha, shape=lengths) * scale

    def chisquare(self, df: Any, size: Any = None) -> ndarray:
        """Sums of the squares of `df` standard normal numbers, for any `df` above 0; differentiable in it."""
        check("chisquare", POSITIVE, df=df)
        shape, _, (df,) = begin("chisquare", size, None, df)
        return self._chisquare(df, shape)

    def beta(self, a: Any, b: Any, size: Any = None) -> ndarray:
        """Numbers in [0, 1] of density proportional to x**(a - 1) (1 - x)**(b - 1), differentiable in `a` and `b`."""
        check("beta", POSITIVE, a=a, b=b)
        shape, _, (a, b) = begin("beta", size, None, a, b)
        return apply(ops.sigmoid, self._log_gamma(a, shape) - self._log_gamma(b, shape))

    def dirichlet(self, alpha: Any, size: Any = None) -> ndarray:
        """Probabilities of k kinds that sum to 1, of density proportional to the product of p**(alpha - 1).

        Parameters
        ----------
        alpha : array_like of float, shape (k,)
        size : int or tuple of int, optional

        Returns
        -------
        ndarray
            Of shape ``(*size, k)``; differentiable in `alpha`.
        """
        check("dirichlet", POSITIVE, alpha=alpha)
        alpha = parameter(alpha, floating("dirichlet", None))
        if alpha.ndim != 1:
            raise ShapeError(located(f"random.dirichlet: alpha has one axis, not shape {alpha.shape}", here()))
        shape = (*shape_for("dirichlet", size), *alpha.shape)
        return apply(ops.softmax, self._log_gamma(alpha, shape), axis=len(shape) - 1)

    def f(self, dfnum: Any, dfden: Any, size: Any = None) -> ndarray:
        """Ratios of chi-square numbers, each over its degrees of freedom; differentiable in both parameters."""
        check("f", POSITIVE, dfnum=dfnum, dfden=dfden)
        shape, _, (above, below) = begin("f", size, None, dfnum, dfden)
        ratio = self._log_gamma(above / 2, shape) - self._log_gamma(below / 2, shape)
        return call("exp", (ratio,)) * (below / above)

    def standard_t(self, df: Any, size: Any = None) -> ndarray:
        """Student's t: a standard normal number over the root of a chi-square one over `df`."""
        check("standard_t", POSITIVE, df=df)
        shape, chosen, (df,) = begin("standard_t", size, None, df)
        normal = self._draw(ops.random_normal, shape=shape, dtype=chosen)
        return normal * call("exp", ((call("log", (df / 2,)) - self._log_gamma(df / 2, shape)) / 2,))

    def _noncentral(self, df: ndarray, nonc: ndarray, shape: Shape, dtype: numpy.dtype) -> ndarray:
        """With more than one degree of freedom one normal number is moved; with fewer, their number is random.

        What is drawn must not depend on the parameters: recorded ones are not known.
        """
        many = call("greater", (df, 1))
        pairs = self._draw(ops.random_poisson, convert(where(many, 0.0, nonc / 2), FLOAT64), shape=shape)
        drawn = self._draw(ops.random_normal, shape=shape, dtype=dtype)
        rest = self._chisquare(where(many, df - 1, df + 2 * convert(pairs, dtype)), shape)
        moved = call("square", (drawn + call("sqrt", (where(many, nonc, 1.0),)),))
        return rest + where(many, moved, 0.0)

    def noncentral_chisquare(self, df: Any, nonc: Any, size: Any = None) -> ndarray:
        """Sums of the squares of `df` normal numbers of variance 1 whose squared means sum to `nonc`.

        Differentiable in `df`; in `nonc` where `df` is above 1.
        """
        check("noncentral_chisquare", POSITIVE, df=df)
        check("noncentral_chisquare", NOT_NEGATIVE, nonc=nonc)
        shape, chosen, (df, nonc) = begin("noncentral_chisquare", size, None, df, nonc)
        return self._noncentral(df, nonc, shape, chosen)

    def noncentral_f(self, dfnum: Any, dfden: Any, nonc: Any, size: Any = None) -> ndarray:
        """Ratios as `f` has them, with a noncentral chi-square number above."""
        check("noncentral_f", POSITIVE, dfnum=dfnum, dfden=dfden)
        check("noncentral_f", NOT_NEGATIVE, nonc=nonc)
        shape, chosen, (above, below, nonc) = begin("noncentral_f", size, None, dfnum, dfden, nonc)
        top = self._noncentral(above, nonc, shape, chosen)
        return top * (below / above) / self._chisquare(below, shape)
