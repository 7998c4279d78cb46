"""Random counts, and random choices among positions: drawn by NumPy's generators from the stream of a key."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy

from dopegraph.ir.primitive import Primitive, not_differentiable, primitive
from dopegraph.ir.types import DType, Shape, TensorType
from dopegraph.ops.random import check_key, generator
from dopegraph.ops.typing import broadcast_shapes, require_kind, require_lengths
from dopegraph.runtime.errors import DTypeError, ShapeError

I64 = numpy.dtype("int64")
_COUNTS = not_differentiable("counts and positions are integers, which do not change smoothly")


def _check(key: TensorType, parameters: list[tuple[TensorType, str]], shape: Shape) -> None:
    """Parameters are floats ("f") or integers ("i") that broadcast to the result's shape."""
    check_key(key)
    require_lengths(shape)
    for one, kind in parameters:
        require_kind(one, kind, {"f": "floating parameters", "i": "signed integers"}[kind])
    if broadcast_shapes(shape, *(one.shape for one, _ in parameters)) != shape:
        shown = ", ".join(str(one.shape) for one, _ in parameters)
        raise ShapeError(f"parameters of shape {shown} do not broadcast to {shape}")


def _wide(x: Any) -> Any:
    return numpy.asarray(x, numpy.float64 if x.dtype.kind == "f" else numpy.int64)


def _counts(method: str, kinds: str) -> Primitive:
    """A primitive that draws counts by the method of NumPy's generators; `kinds` has a letter for each parameter."""

    def kernel(key: Any, *parameters: Any, shape: Shape) -> Any:
        return numpy.asarray(getattr(generator(key), method)(*map(_wide, parameters), size=shape), I64)

    return primitive(f"random_{method}", _rule(kinds), kernel, _COUNTS, random=True, raises=True)


def _rule(kinds: str) -> Callable[..., TensorType]:
    def one(key: TensorType, x: TensorType, *, shape: Shape) -> TensorType:
        _check(key, [(x, kinds)], shape)
        return TensorType(I64, shape)

    def two(key: TensorType, x: TensorType, y: TensorType, *, shape: Shape) -> TensorType:
        _check(key, list(zip((x, y), kinds)), shape)
        return TensorType(I64, shape)

    def three(key: TensorType, x: TensorType, y: TensorType, z: TensorType, *, shape: Shape) -> TensorType:
        _check(key, list(zip((x, y, z), kinds)), shape)
        return TensorType(I64, shape)

    return (one, two, three)[len(kinds) - 1]


random_poisson = _counts("poisson", "f")
random_binomial = _counts("binomial", "if")
random_negative_binomial = _counts("negative_binomial", "ff")
random_geometric = _counts("geometric", "f")
random_logseries = _counts("logseries", "f")
random_zipf = _counts("zipf", "f")
random_hypergeometric = _counts("hypergeometric", "iii")


# Counts of several kinds: the last axis of a parameter, and of the result ------------------------------------------


def _infer_multinomial(key: TensorType, n: TensorType, p: TensorType, *, shape: Shape) -> TensorType:
    if not p.ndim:
        raise ShapeError("probabilities need an axis")
    _check(key, [(n, "i"), (p.with_shape(p.shape[:-1]), "f")], shape)
    return TensorType(I64, (*shape, p.shape[-1]))


def _multinomial(key: Any, n: Any, p: Any, *, shape: Shape) -> Any:
    """Probabilities whose sum exceeds 1 by no more than their dtype rounds are scaled to 1."""
    wide = _wide(p)
    total = wide[..., :-1].sum(-1, keepdims=True)
    if (total > 1 + max(1e-12, p.shape[-1] * float(numpy.finfo(p.dtype).eps))).any():
        raise ValueError("the probabilities but the last must not sum to more than 1")
    return numpy.asarray(generator(key).multinomial(_wide(n), wide / numpy.maximum(total, 1), size=shape), I64)


random_multinomial = primitive(
    "random_multinomial", _infer_multinomial, _multinomial, _COUNTS, random=True, raises=True
)


def _infer_multivariate_hypergeometric(
    key: TensorType, colors: TensorType, *, nsample: int, shape: Shape, method: str = "marginals"
) -> TensorType:
    if colors.ndim != 1:
        raise ShapeError(f"colors has one axis, not shape {colors.shape}")
    _check(key, [(colors.with_shape(()), "i")], shape)
    return TensorType(I64, (*shape, colors.shape[0]))


random_multivariate_hypergeometric = primitive(
    "random_multivariate_hypergeometric",
    _infer_multivariate_hypergeometric,
    lambda key, colors, *, nsample, shape, method="marginals": numpy.asarray(
        generator(key).multivariate_hypergeometric(_wide(colors), nsample, size=shape, method=method), I64
    ),
    _COUNTS,
    random=True,
    raises=True,
)


# Integers with bounds that are arrays ------------------------------------------------------------------------------


def _infer_between(key: TensorType, low: TensorType, last: TensorType, *, shape: Shape, dtype: DType) -> TensorType:
    _check(key, [(low, "i"), (last, "i")], shape)
    result = TensorType(dtype, shape)
    require_kind(result, "iu", "an integer dtype")
    return result


def _between(key: Any, low: Any, last: Any, *, shape: Shape, dtype: DType) -> Any:
    limits, low, last = numpy.iinfo(dtype), _wide(low), _wide(last)
    if numpy.any(low > last):
        raise ValueError("no integer lies between some bounds")
    if numpy.any(low < max(limits.min, -(2**63))) or numpy.any(last > min(limits.max, 2**63 - 1)):
        raise ValueError(f"{dtype} does not hold all integers between the bounds")
    return numpy.asarray(generator(key).integers(low, last, shape, numpy.int64, endpoint=True)).astype(dtype)


random_between = primitive("random_between", _infer_between, _between, _COUNTS, random=True, raises=True)


# Positions ---------------------------------------------------------------------------------------------------------


def _infer_permuted(key: TensorType, *, shape: Shape, axis: int | None = None) -> TensorType:
    check_key(key)
    if axis is not None and not 0 <= axis < len(shape):
        raise ShapeError(f"an array of shape {shape} has no axis {axis}")
    return TensorType(I64, require_lengths(shape))


def _permuted(key: Any, *, shape: Shape, axis: int | None = None) -> Any:
    places = numpy.arange(math.prod(shape), dtype=numpy.int64).reshape(shape)
    return generator(key).permuted(places, axis=axis) if shape else places


random_permuted = primitive("random_permuted", _infer_permuted, _permuted, _COUNTS, random=True)


def _infer_choice(key: TensorType, p: TensorType, *, shape: Shape, replace: bool = True) -> TensorType:
    check_key(key)
    require_kind(p, "f", "floating probabilities")
    if p.ndim != 1 or (p.shape[0] == 0 and math.prod(shape)):
        raise ShapeError(f"takes a list of probabilities, not {p}")
    return TensorType(I64, require_lengths(shape))


def _choice(key: Any, p: Any, *, shape: Shape, replace: bool = True) -> Any:
    p, size = _wide(p), math.prod(shape)
    if not (p >= 0).all() or not abs(p.sum() - 1) <= 1e-3:
        raise ValueError("probabilities must not be negative and must sum to 1")
    if replace:
        # Inverse distribution function: how many cumulated probabilities lie at or below a uniform number.
        edges = numpy.cumsum(p)
        places = numpy.searchsorted(edges, generator(key).random(shape) * edges[-1], side="right")
        return numpy.minimum(places, numpy.flatnonzero(p)[-1])
    if (p > 0).sum() < size:
        raise ValueError(f"{size} different ones, but fewer probabilities are not 0")
    # The smallest of independent exponential times with rates p (Efraimidis and Spirakis, 2006).
    with numpy.errstate(divide="ignore", invalid="ignore"):
        times = numpy.where(p > 0, -numpy.log1p(-generator(key).random(p.shape)) / p, numpy.inf)
    return numpy.argsort(times, kind="stable")[:size].reshape(shape)


random_choice = primitive("random_choice", _infer_choice, _choice, _COUNTS, random=True, raises=True)


def _infer_categorical(key: TensorType, logits: TensorType, *, shape: Shape) -> TensorType:
    if not logits.ndim or not logits.shape[-1]:
        raise ShapeError(f"takes logits of one or more categories, not {logits}")
    _check(key, [(logits.with_shape(logits.shape[:-1]), "f")], shape)
    if logits.dtype.kind != "f":
        raise DTypeError("takes floating logits")
    return TensorType(I64, shape)


def _categorical(key: Any, logits: Any, *, shape: Shape) -> Any:
    """By the inverse distribution function; that of row i goes from i to i + 1, so that one search does for all."""
    wide = _wide(logits)
    with numpy.errstate(invalid="ignore"):
        p = numpy.exp(wide - wide.max(-1, keepdims=True)).reshape(-1, wide.shape[-1])
    uniform, (rows, count) = generator(key).random(shape), p.shape
    if not numpy.isfinite(p).all():
        raise ValueError("logits must not be NaN, and one in each row must be greater than minus infinity")
    edges = numpy.cumsum(p, axis=-1)
    row = numpy.broadcast_to(numpy.arange(rows).reshape(wide.shape[:-1]), shape)
    places = numpy.searchsorted((edges / edges[:, -1:] + numpy.arange(rows)[:, None]).ravel(), uniform + row, "right")
    last = count - 1 - numpy.argmax(p[:, ::-1] > 0, axis=-1)  # rounding must not reach what has no probability
    return numpy.asarray(numpy.minimum(places - row * count, last[row]), I64)


random_categorical = primitive(
    "random_categorical", _infer_categorical, _categorical, _COUNTS, random=True, raises=True
)
