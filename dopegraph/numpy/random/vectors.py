"""Normal vectors with a given covariance."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy

from dopegraph import ops
from dopegraph.array import ndarray
from dopegraph.dispatch import apply
from dopegraph.numpy.random.arguments import floating, parameter, shape_for, values_of
from dopegraph.numpy.random.state import Source
from dopegraph.runtime.errors import ShapeError
from dopegraph.runtime.location import here, located

METHODS = ("svd", "eigh", "cholesky")


class Vectors(Source):
    """Normal vectors."""

    def _multivariate_normal(
        self, mean: Any, cov: Any, size: Any, check_valid: str, tol: float, method: str
    ) -> ndarray:
        name = "multivariate_normal"
        if method not in METHODS:
            raise ValueError(located(f"random.{name}: method must be one of {', '.join(METHODS)}", here()))
        _check(name, cov, check_valid, tol)
        chosen = floating(name, None)
        mean, cov = parameter(mean, chosen), parameter(cov, chosen)
        if mean.ndim != 1 or cov.shape != mean.shape * 2:
            message = f"a mean of shape {mean.shape} needs a covariance of {mean.shape * 2}, not {cov.shape}"
            raise ShapeError(located(f"random.{name}: {message}", here()))
        shape = shape_for(name, size)
        drawn = self._draw(ops.random_normal, shape=(*shape, *mean.shape), dtype=chosen)
        rows = drawn.reshape((math.prod(shape), *mean.shape))  # type: ignore[attr-defined]
        return apply(ops.correlated, rows, cov, method=method).reshape(drawn.shape) + mean  # type: ignore[attr-defined]


def _check(name: str, cov: Any, check_valid: str, tol: float) -> None:
    """Warn, or raise, if a known covariance is not symmetric and positive semidefinite."""
    if check_valid not in ("warn", "raise", "ignore"):
        raise ValueError(located(f"random.{name}: check_valid must be 'warn', 'raise' or 'ignore'", here()))
    known = values_of(cov)
    if check_valid == "ignore" or known is None or known.ndim != 2 or known.shape[0] != known.shape[1]:
        return
    if known.dtype.kind == "f":  # what the covariance itself is rounded by does not count
        tol = max(tol, 100 * float(numpy.finfo(known.dtype).eps))
    wide = known.astype(numpy.float64)
    least = numpy.linalg.eigvalsh(wide).min(initial=0) if numpy.isfinite(wide).all() else -numpy.inf
    if numpy.allclose(wide, wide.T, rtol=tol, atol=tol) and least >= -tol * max(1, abs(wide).max(initial=0)):
        return
    message = f"random.{name}: the covariance is not symmetric positive-semidefinite"
    if check_valid == "raise":
        raise ValueError(located(message, here()))
    warnings.warn(message, RuntimeWarning, stacklevel=4)
