"""Continuous distributions that are transformations of uniform and normal numbers.

All are differentiable in their parameters: the uniform numbers stay, the transformation moves.
"""

from __future__ import annotations

import math
from typing import Any

import numpy

from dopegraph import ops
from dopegraph.array import ndarray
from dopegraph.dispatch import apply
from dopegraph.numpy.elementwise import call
from dopegraph.numpy.logic import where
from dopegraph.numpy.promotion import convert, scalar
from dopegraph.numpy.random.arguments import (
    NOT_NEGATIVE,
    POSITIVE,
    begin,
    check,
    floating,
    is_number,
    known_together,
    refuse,
    shape_for,
)
from dopegraph.numpy.random.state import Source
from dopegraph.runtime.location import here, located

# Half of the smallest uniform number that is not 0.
_LEAST = {"float16": 2.0**-24, "float32": 2.0**-25, "float64": 2.0**-54}

Shape = tuple[int, ...]


class Continuous(Source):
    """Distributions by transformation."""

    # What the transformations start from -------------------------------------------------------------------------

    def _open_uniform(self, shape: Shape, dtype: numpy.dtype) -> ndarray:
        """Uniform numbers that are neither 0 nor 1."""
        drawn = self._draw(ops.random_uniform, shape=shape, dtype=dtype)
        return apply(ops.maximum, drawn, scalar(_LEAST[dtype.name], dtype))

    def _positive_exponential(self, shape: Shape, dtype: numpy.dtype) -> ndarray:
        """Exponential numbers of mean 1, none of them 0."""
        return -call("log", (self._open_uniform(shape, dtype),))

    def _exponential(self, scale: Any, size: Any, dtype: Any) -> ndarray:
        check("exponential", NOT_NEGATIVE, scale=scale)
        shape, chosen, (scale,) = begin("exponential", size, dtype, scale)
        return self._standard_exponential(shape, chosen) * scale

    def _standard_exponential(self, shape: Shape, dtype: numpy.dtype) -> ndarray:
        return -call("log1p", (-self._draw(ops.random_uniform, shape=shape, dtype=dtype),))

    def _uniform(self, low: Any, high: Any, size: Any, dtype: Any) -> ndarray:
        simple = is_number(low, 0) and is_number(high, 1)
        known = None if simple else known_together(low, high)
        if known is not None:
            with numpy.errstate(over="ignore", invalid="ignore"):
                width = known[1].astype(numpy.float64) - known[0]
            if not numpy.isfinite(width).all():
                raise OverflowError(located("random.uniform: the range from low to high must be finite", here()))
        shape, chosen, (low, high) = begin("uniform", size, dtype, low, high)
        drawn = self._draw(ops.random_uniform, shape=shape, dtype=chosen)
        return drawn if simple else convert(drawn * (high - low) + low, chosen)

    def _normal(self, name: str, loc: Any, scale: Any, size: Any, dtype: Any, label: str = "scale") -> ndarray:
        check(name, NOT_NEGATIVE, **{label: scale})
        unscaled, unmoved = is_number(scale, 1), is_number(loc, 0)
        shape, chosen, (loc, scale) = begin(name, size, dtype, loc, scale)
        drawn = self._draw(ops.random_normal, shape=shape, dtype=chosen)
        drawn = drawn if unscaled else drawn * scale
        return drawn if unmoved else drawn + loc

    # Distributions -----------------------------------------------------------------------------------------------

    def uniform(self, low: Any = 0.0, high: Any = 1.0, size: Any = None) -> ndarray:
        """Uniform numbers in [low, high).

        Parameters
        ----------
        low, high : array_like of float
        size : int or tuple of int, optional
            The shape; by default the one the bounds broadcast to.

        Returns
        -------
        ndarray
            Of the default floating dtype; differentiable in the bounds.
        """
        return self._uniform(low, high, size, None)

    def normal(self, loc: Any = 0.0, scale: Any = 1.0, size: Any = None) -> ndarray:
        """Normal numbers of mean `loc` and standard deviation `scale`.

        Parameters
        ----------
        loc, scale : array_like of float
        size : int or tuple of int, optional
            The shape; by default the one `loc` and `scale` broadcast to.

        Returns
        -------
        ndarray
            Of the default floating dtype; differentiable in `loc` and `scale`.
        """
        return self._normal("normal", loc, scale, size, None)

    def exponential(self, scale: Any = 1.0, size: Any = None) -> ndarray:
        """Exponential numbers of mean `scale`, in which they are differentiable."""
        return self._exponential(scale, size, None)

    def standard_cauchy(self, size: Any = None) -> ndarray:
        """Cauchy numbers around 0: half of them lie between -1 and 1."""
        chosen = floating("standard_cauchy", None)
        angle = (self._open_uniform(shape_for("standard_cauchy", size), chosen) - 0.5) * math.pi
        return call("tan", (angle,))

    def laplace(self, loc: Any = 0.0, scale: Any = 1.0, size: Any = None) -> ndarray:
        """Numbers of density exp(-|x - loc| / scale) / (2 scale), differentiable in both parameters."""
        check("laplace", NOT_NEGATIVE, scale=scale)
        shape, chosen, (loc, scale) = begin("laplace", size, None, loc, scale)
        two = self._standard_exponential((2, *shape), chosen)
        return loc + scale * (two[0] - two[1])  # type: ignore[index]

    def logistic(self, loc: Any = 0.0, scale: Any = 1.0, size: Any = None) -> ndarray:
        """Numbers of distribution function sigmoid((x - loc) / scale), differentiable in both parameters."""
        check("logistic", NOT_NEGATIVE, scale=scale)
        shape, chosen, (loc, scale) = begin("logistic", size, None, loc, scale)
        u = self._open_uniform(shape, chosen)
        return loc + scale * (call("log", (u,)) - call("log1p", (-u,)))

    def gumbel(self, loc: Any = 0.0, scale: Any = 1.0, size: Any = None) -> ndarray:
        """Numbers of distribution function exp(-exp(-(x - loc) / scale)), differentiable in both parameters."""
        check("gumbel", NOT_NEGATIVE, scale=scale)
        shape, chosen, (loc, scale) = begin("gumbel", size, None, loc, scale)
        return loc - scale * call("log", (self._positive_exponential(shape, chosen),))

    def lognormal(self, mean: Any = 0.0, sigma: Any = 1.0, size: Any = None) -> ndarray:
        """Numbers whose logarithms are normal with the given mean and standard deviation."""
        return call("exp", (self._normal("lognormal", mean, sigma, size, None, "sigma"),))

    def rayleigh(self, scale: Any = 1.0, size: Any = None) -> ndarray:
        """Lengths of vectors of two independent normal numbers of standard deviation `scale`."""
        check("rayleigh", NOT_NEGATIVE, scale=scale)
        shape, chosen, (scale,) = begin("rayleigh", size, None, scale)
        return scale * call("sqrt", (2 * self._positive_exponential(shape, chosen),))

    def weibull(self, a: Any, size: Any = None) -> ndarray:
        """Exponential numbers to the power 1 / a; zeros for a = 0, as NumPy has it."""
        check("weibull", NOT_NEGATIVE, a=a)
        shape, chosen, (a,) = begin("weibull", size, None, a)
        none = call("equal", (a, 0))
        powers = call("exp", (call("log", (self._positive_exponential(shape, chosen),)) / where(none, 1.0, a),))
        return where(none, scalar(0.0, chosen), powers)

    def pareto(self, a: Any, size: Any = None) -> ndarray:
        """Numbers of density a / (1 + x)**(a + 1) above 0 (Lomax's form, which begins at 0, as NumPy has it)."""
        check("pareto", POSITIVE, a=a)
        shape, chosen, (a,) = begin("pareto", size, None, a)
        return call("expm1", (self._standard_exponential(shape, chosen) / a,))

    def power(self, a: Any, size: Any = None) -> ndarray:
        """Numbers in [0, 1] of density a x**(a - 1)."""
        check("power", POSITIVE, a=a)
        shape, chosen, (a,) = begin("power", size, None, a)
        return call("exp", (call("log", (self._open_uniform(shape, chosen),)) / a,))

    def triangular(self, left: Any, mode: Any, right: Any, size: Any = None) -> ndarray:
        """Numbers whose density rises in a line from `left` to `mode` and falls in one to `right`."""
        known = known_together(left, mode, right)
        if known is not None:
            refuse("triangular", known[0] > known[1], "left must not be greater than mode")
            refuse("triangular", known[1] > known[2], "mode must not be greater than right")
            refuse("triangular", known[0] == known[2], "left must not equal right")
        shape, chosen, (left, mode, right) = begin("triangular", size, None, left, mode, right)
        u = self._open_uniform(shape, chosen)
        width = right - left
        rising = call("less", (u, (mode - left) / width))
        # The side that is not taken must have a derivative, too.
        below = call("sqrt", (where(rising, u * width * (mode - left), scalar(1.0, chosen)),))
        above = call("sqrt", (where(rising, scalar(1.0, chosen), (1 - u) * width * (right - mode)),))
        return where(rising, left + below, right - above)

    def vonmises(self, mu: Any, kappa: Any, size: Any = None) -> ndarray:
        """Angles in [-pi, pi] of density proportional to exp(kappa cos(x - mu)), differentiable in both parameters."""
        check("vonmises", NOT_NEGATIVE, kappa=kappa)
        shape, _, (mu, kappa) = begin("vonmises", size, None, mu, kappa)
        drawn = self._draw(ops.random_vonmises, kappa, shape=shape)
        return call("remainder", (drawn + mu + math.pi, 2 * math.pi)) - math.pi

    def wald(self, mean: Any, scale: Any, size: Any = None) -> ndarray:
        """Inverse Gaussian numbers; differentiable in both parameters, implicitly."""
        check("wald", POSITIVE, mean=mean, scale=scale)
        shape, _, (mean, scale) = begin("wald", size, None, mean, scale)
        return self._draw(ops.random_wald, mean, scale, shape=shape)
