"""Operands and attributes for the ONNX lowerings of primitives that MXNet has no operator for."""

from __future__ import annotations

from typing import Any

import numpy

from tests.backends.mxnet.cases import INTEGER_SPECIAL, SPECIAL, Case, floats, ints, pairs

_PAIRS = ("copysign", "fmod", "fmax", "fmin", "hypot", "heaviside", "logaddexp", "logaddexp2", "arctan2", "floor_div",
          "mod", "maximum", "minimum", "less", "equal")  # fmt: skip

CASES: dict[str, list[Any]] = {
    **{name: [Case(pairs(SPECIAL, "float32")), Case(pairs(SPECIAL, "float64"))] for name in _PAIRS},
    "signbit": [Case((numpy.float32([0.0, -0.0, 1, -1, numpy.inf, -numpy.inf]),))],
    "bitwise_and": [Case((ints(5), ints(5, seed=1)))],
    "bitwise_or": [Case((ints(5), ints(5, seed=1)))],
    "bitwise_xor": [Case((ints(5), ints(5, seed=1)))],
    "bitwise_not": [Case((ints(5),))],
    "take_along_axis": [
        Case((floats(3, 4), ints(3, 2, low=-4, high=4, dtype="int64")), {"axis": 1}),
        Case((floats(3, 4), ints(1, 4, low=-3, high=3, dtype="int64")), {"axis": 0}),
    ],
    "scatter_add_along_axis": [
        Case((floats(3, 5), ints(3, 5, low=0, high=4, dtype="int64")), {"axis": 1, "length": 4}),
    ],
    "scatter_add": [
        Case((floats(4, 3), ints(6, low=-4, high=4, dtype="int64"), floats(6, 3, seed=2)), {"axis": 0}),
        Case((floats(2, 4), ints(2, 3, low=0, high=4, dtype="int64"), floats(2, 2, 3, seed=2)), {"axis": 1}),
    ],
    "sort": [Case((floats(4, 5),), {"axis": 1}), Case((ints(7),), {"axis": 0}), Case((ints(3, 4),), {"axis": 0})],
    "argsort": [
        Case((floats(4, 5),), {"axis": 1, "kind": "stable"}),
        Case((ints(9, low=0, high=3),), {"axis": 0, "kind": "stable"}),
    ],
    "fmod": [Case(pairs(SPECIAL, "float32")), Case(pairs(INTEGER_SPECIAL, "int32"))],
    "degrees": [Case((floats(5),))],
    "radians": [Case((floats(5),))],
}
