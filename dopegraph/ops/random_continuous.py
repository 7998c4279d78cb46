"""Random numbers that are no transformation of uniform ones: gamma, von Mises, inverse Gaussian; normal vectors.

Their derivatives are implicit: the distribution function of a number stays the same while the parameter changes
(Figurnov, Mohamed, Mnih: Implicit reparameterization gradients, NeurIPS 2018).
"""

from __future__ import annotations

import math
from typing import Any

import numpy

from dopegraph.ir.primitive import Primitive, primitive
from dopegraph.ir.types import Shape, TensorType
from dopegraph.ops.circular import vonmises_tail
from dopegraph.ops.elementwise import equal, select, sqrt
from dopegraph.ops.elementwise import log as logarithm
from dopegraph.ops.matmul import matmul
from dopegraph.ops.random import check_key, generator
from dopegraph.ops.reduction import sum_to_shape
from dopegraph.ops.shape import transpose
from dopegraph.ops.special import erfcx, gamma_tail
from dopegraph.ops.typing import broadcast_shapes, require_kind, require_lengths, same_dtype
from dopegraph.runtime.errors import ShapeError


def drawn_type(key: TensorType, parameters: tuple[TensorType, ...], shape: Shape) -> TensorType:
    """The type of numbers of the given shape, to which the parameters broadcast."""
    check_key(key)
    require_lengths(shape)
    for one in parameters:
        require_kind(one, "f", "real floating numbers")
    if broadcast_shapes(shape, *(one.shape for one in parameters)) != shape:
        shown = ", ".join(str(one.shape) for one in parameters)
        raise ShapeError(f"parameters of shape {shown} do not broadcast to {shape}")
    return TensorType(same_dtype(parameters), shape)


def _infer_gamma(key: TensorType, alpha: TensorType, *, shape: Shape, log: bool = False) -> TensorType:
    return drawn_type(key, (alpha,), shape)


def _gamma(key: Any, alpha: Any, *, shape: Shape, log: bool = False) -> Any:
    """A gamma number is one of alpha + 1 times a uniform number to the power 1 / alpha; its logarithm is always finite.

    From Marsaglia and Tsang, A simple method for generating gamma variables (2000), section 6.
    """
    random, a = generator(key), numpy.asarray(alpha, numpy.float64)
    if (a < 0).any():
        raise ValueError("the shape parameter must not be negative")
    larger, exponential = random.standard_gamma(a + 1, shape), random.standard_exponential(shape)
    with numpy.errstate(all="ignore"):
        less = numpy.where(a > 0, exponential / a, numpy.inf)
        drawn = numpy.log(larger) - less if log else larger * numpy.exp(-less)
        return numpy.asarray(drawn).astype(alpha.dtype)


def _gamma_gradient(g: Any, y: Any, key: Any, alpha: Any, *, shape: Shape, log: bool = False) -> Any:
    if log:
        return sum_to_shape(-g * gamma_tail(alpha, y, order=1), alpha.shape)
    lost = equal(y, 0.0)  # too small for the dtype
    found = -y * gamma_tail(alpha, logarithm(select(lost, 1.0, y)), order=1)
    return sum_to_shape(g * select(lost, 0.0, found), alpha.shape)


random_gamma = primitive("random_gamma", _infer_gamma, _gamma, [None, _gamma_gradient], random=True, raises=True)


def _infer_wald(key: TensorType, mean: TensorType, scale: TensorType, *, shape: Shape) -> TensorType:
    return drawn_type(key, (mean, scale), shape)


def _wald(key: Any, mean: Any, scale: Any, *, shape: Shape) -> Any:
    wide = [numpy.asarray(one, numpy.float64) for one in (mean, scale)]
    return numpy.asarray(generator(key).wald(*wide, size=shape)).astype(mean.dtype)


def _wald_tail(x: Any, mean: Any, scale: Any) -> Any:
    """2/mean exp(2 scale/mean) times the normal distribution function at -sqrt(scale/x) (x/mean + 1), over the density.

    From the distribution function in Chhikara and Folks, The inverse Gaussian distribution (1989), section 2.
    """
    inside = sqrt(scale / x) * (x / mean + 1.0)
    return erfcx(inside * math.sqrt(0.5)) * sqrt(x * x * x / scale) * math.sqrt(2 * math.pi) / mean


random_wald = primitive(
    "random_wald",
    _infer_wald,
    _wald,
    [
        None,
        lambda g, x, key, m, s, *, shape: sum_to_shape(g * _wald_tail(x, m, s) * s / m, m.shape),
        lambda g, x, key, m, s, *, shape: sum_to_shape(g * (x / s - _wald_tail(x, m, s)), s.shape),
    ],
    random=True,
    raises=True,
)


def _vonmises(key: Any, kappa: Any, *, shape: Shape) -> Any:
    wide = numpy.asarray(kappa, numpy.float64)
    return numpy.asarray(generator(key).vonmises(0.0, wide, size=shape)).astype(kappa.dtype)


random_vonmises = primitive(
    "random_vonmises",
    lambda key, kappa, *, shape: drawn_type(key, (kappa,), shape),
    _vonmises,
    [None, lambda g, x, key, kappa, *, shape: sum_to_shape(-g * vonmises_tail(x, kappa, order=1), kappa.shape)],
    random=True,
    raises=True,
)


# Normal vectors ----------------------------------------------------------------------------------------------------


def _check_covariance(cov: TensorType) -> None:
    require_kind(cov, "f", "real floating numbers")
    if cov.ndim != 2 or cov.shape[0] != cov.shape[1]:
        raise ShapeError(f"takes a square matrix, not {cov}")


def _infer_correlated(z: TensorType, cov: TensorType, *, method: str = "svd") -> TensorType:
    _check_covariance(cov)
    same_dtype((z, cov))
    if z.ndim != 2 or z.shape[1] != cov.shape[0]:
        raise ShapeError(f"takes vectors for a covariance of shape {cov.shape}, not {z}")
    return z


def _correlated(z: Any, cov: Any, *, method: str = "svd") -> Any:
    """Vectors times the transpose of a matrix whose product with its own transpose is the covariance."""
    wide = numpy.asarray(cov, numpy.float64)
    if not numpy.isfinite(wide).all():
        return numpy.full(z.shape, numpy.nan, z.dtype)
    if method == "cholesky":
        root = numpy.linalg.cholesky(wide)
    else:
        vectors, values = numpy.linalg.svd(wide)[:2] if method == "svd" else numpy.linalg.eigh(wide)[::-1]
        root = vectors * numpy.sqrt(numpy.abs(values))
    return (numpy.asarray(z, numpy.float64) @ root.T).astype(z.dtype)


def _correlated_gradient(g: Any, x: Any, z: Any, cov: Any, *, method: str = "svd") -> Any:
    """The velocity of x is half the covariance's times its inverse times x: that moves the density as it should.

    It needs no derivative of the factor, which has none where eigenvalues meet, and depends on x alone, so that the
    same is true of its own derivative.
    """
    y = matmul(x, covariance_inverse(cov))
    return (matmul(g, y, transpose_x=True) + matmul(y, g, transpose_x=True)) * 0.25


correlated = primitive("correlated", _infer_correlated, _correlated, [None, _correlated_gradient], raises=True)


def _infer_inverse(cov: TensorType) -> TensorType:
    _check_covariance(cov)
    return cov


def _inverse(cov: Any) -> Any:
    wide = numpy.asarray(cov, numpy.float64)
    if not numpy.isfinite(wide).all():
        return numpy.full(cov.shape, numpy.nan, cov.dtype)
    return numpy.linalg.pinv((wide + wide.T) / 2, hermitian=True).astype(cov.dtype)


def _inverse_gradient(g: Any, y: Any, cov: Any) -> Any:
    both = (g + transpose(g, axes=(1, 0))) * -0.5
    return matmul(matmul(y, both), y)


# The inverse of a symmetric matrix, on what it maps to.
covariance_inverse: Primitive = primitive("covariance_inverse", _infer_inverse, _inverse, [_inverse_gradient])
