"""Convolution of two sequences; its gradients are convolutions again."""

from __future__ import annotations

from typing import Any

import numpy

from dopegraph.ir.graph import Value
from dopegraph.ir.primitive import Primitive, primitive
from dopegraph.ir.types import TensorType
from dopegraph.ops.shape import flip
from dopegraph.ops.typing import require_kind, same_dtype
from dopegraph.runtime.errors import ShapeError


def _infer_convolve(x: TensorType, y: TensorType, *, full: bool = True) -> TensorType:
    same_dtype((x, y))
    require_kind(x, "biufc", "numbers or booleans")
    if x.ndim != 1 or y.ndim != 1 or not x.size or not y.size:
        raise ShapeError(f"takes two sequences that are not empty, not {x} and {y}")
    if not full and x.size < y.size:
        raise ShapeError(f"the second sequence, {y}, must not be longer than the first, {x}")
    return x.with_shape((x.size + y.size - 1 if full else x.size - y.size + 1,))


def _convolve(x: Any, y: Any, *, full: bool = True) -> Any:
    return numpy.convolve(x, y, "full" if full else "valid")


def _reversed(x: Value) -> Value:
    return flip(x, axes=(0,))


def _gradient(g: Value, z: Value, x: Value, y: Value, *, full: bool = True) -> tuple[Value, Value]:
    """From z[k] = sum of x[i] y[k - i]: each operand's cotangent is g correlated with the other one."""
    if full:
        return convolve(g, _reversed(y), full=False), convolve(g, _reversed(x), full=False)
    return convolve(g, _reversed(y), full=True), _reversed(convolve(x, _reversed(g), full=False))


# All places where the second sequence, reversed, meets the first (`full`), or those where it lies inside.
convolve: Primitive = primitive("convolve", _infer_convolve, _convolve, _gradient)
