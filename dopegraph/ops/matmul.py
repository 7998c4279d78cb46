"""The matrix product, batched, with transposed operands as attributes so that no transpose is ever executed for it."""

from __future__ import annotations

from typing import Any

import numpy

from dopegraph.ir.graph import Value
from dopegraph.ir.primitive import Primitive, primitive
from dopegraph.ir.types import TensorType
from dopegraph.ops.typing import broadcast_shapes, require_kind, same_dtype
from dopegraph.runtime.errors import ShapeError


def _infer_matmul(x: TensorType, y: TensorType, *, transpose_x: bool = False, transpose_y: bool = False) -> TensorType:
    dtype = same_dtype((x, y))
    require_kind(x, "iufc", "numbers (cast booleans first)")
    if x.ndim < 2 or y.ndim < 2:
        raise ShapeError(f"{x} and {y} are not both matrices (or stacks of matrices)")
    m, k = x.shape[-2:] if not transpose_x else x.shape[:-3:-1]
    k2, n = y.shape[-2:] if not transpose_y else y.shape[:-3:-1]
    if k != k2:
        raise ShapeError(
            f"shapes {x.shape} and {y.shape} do not fit for a matrix product: "
            f"axis {-2 if transpose_x else -1} of the first has length {k}, "
            f"axis {-1 if transpose_y else -2} of the second {k2}"
        )
    return TensorType(dtype, (*broadcast_shapes(x.shape[:-2], y.shape[:-2]), m, n))


def _matmul(x: Any, y: Any, *, transpose_x: bool = False, transpose_y: bool = False, out: Any = None) -> Any:
    x = numpy.swapaxes(x, -1, -2) if transpose_x else x
    y = numpy.swapaxes(y, -1, -2) if transpose_y else y
    return numpy.matmul(x, y, out=out)


def _gradient(
    g: Value, z: Value, x: Value, y: Value, *, transpose_x: bool = False, transpose_y: bool = False
) -> tuple[Value, Value]:
    from dopegraph.ops.reduction import sum_to_shape

    if transpose_x:
        of_x = matmul(y, g, transpose_x=transpose_y, transpose_y=True)
    else:
        of_x = matmul(g, y, transpose_x=False, transpose_y=not transpose_y)
    if transpose_y:
        of_y = matmul(g, x, transpose_x=True, transpose_y=transpose_x)
    else:
        of_y = matmul(x, g, transpose_x=not transpose_x, transpose_y=False)
    return sum_to_shape(of_x, x.shape), sum_to_shape(of_y, y.shape)


matmul: Primitive = primitive("matmul", _infer_matmul, _matmul, _gradient, out=True)
