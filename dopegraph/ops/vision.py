"""Of overlapping boxes the best: greedy non-maximum suppression."""

from __future__ import annotations

from typing import Any

import numpy

from dopegraph.ir.primitive import Primitive, not_differentiable, primitive
from dopegraph.ir.types import TensorType
from dopegraph.ops.typing import require_kind
from dopegraph.runtime.errors import ShapeError

_BOOL = numpy.dtype("bool")


def _infer_suppress(boxes: TensorType, groups: TensorType, *, threshold: float) -> TensorType:
    require_kind(boxes, "f", "floating numbers")
    require_kind(groups, "iu", "integers")
    if boxes.shape != (*groups.shape, 4) or not groups.ndim:
        raise ShapeError(f"takes boxes (..., n, 4) with a group (..., n) for each, not {boxes} and {groups}")
    if not 0 <= threshold <= 1:
        raise ShapeError(f"the threshold is a share, from 0 to 1, not {threshold}")
    return groups.with_dtype(_BOOL)


def _suppress(boxes: Any, groups: Any, *, threshold: float) -> Any:
    boxes, groups = numpy.asarray(boxes), numpy.asarray(groups)
    kept = numpy.zeros(groups.shape, bool)
    if groups.size:
        count = groups.shape[-1]
        for found, corners, kinds in zip(
            kept.reshape(-1, count), boxes.reshape(-1, count, 4), groups.reshape(-1, count)
        ):
            _suppress_one(found, corners, kinds, boxes.dtype.type(threshold))
    return kept


def _suppress_one(kept: Any, boxes: Any, groups: Any, threshold: Any) -> None:
    left, top, right, bottom = boxes.T
    with numpy.errstate(all="ignore"):
        areas = (right - left) * (bottom - top)
        waiting = numpy.flatnonzero(groups >= 0)
        while waiting.size:
            one, waiting = waiting[0], waiting[1:]
            kept[one] = True
            width = numpy.minimum(right[one], right[waiting]) - numpy.maximum(left[one], left[waiting])
            height = numpy.minimum(bottom[one], bottom[waiting]) - numpy.maximum(top[one], top[waiting])
            shared = numpy.maximum(width, 0) * numpy.maximum(height, 0)
            union = areas[one] + areas[waiting] - shared
            overlaps = (union > 0) & (shared / union >= threshold)
            waiting = waiting[~(overlaps & (groups[waiting] == groups[one]))]


# Boxes (left, top, right, bottom) stand in order, the best first. One is kept unless its group is negative, or an
# earlier one of its group that is kept has that share in common with it: of the area that either of both covers.
suppress: Primitive = primitive("suppress", _infer_suppress, _suppress, not_differentiable("the result is a choice"))
