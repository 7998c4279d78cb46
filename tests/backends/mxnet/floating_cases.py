"""Operands for the lowerings of the primitives of floating numbers beyond arithmetic and of bits."""

from __future__ import annotations

import numpy

from tests.backends.mxnet.cases import FLOATS, INTEGERS, Case, binary, extremes, ints, pairs, unary

CASES: dict[str, list[Case]] = {
    **{name: binary() for name in ("hypot", "logaddexp", "logaddexp2", "heaviside")},
    **{name: binary("fi") for name in ("fmax", "fmin")},
    **{name: unary() for name in ("degrees", "radians")},
    **{name: binary("i") for name in ("bitwise_and", "bitwise_or", "bitwise_xor")},
    "bitwise_not": [
        *(Case((ints(4, 3, dtype=dtype),)) for dtype in INTEGERS),
        *(Case((extremes(dtype),)) for dtype in INTEGERS),
    ],
}
CASES["hypot"] += [Case(pairs([1e30, 1e-30, -1e30], dtype)) for dtype in FLOATS if dtype != "float16"]
CASES["hypot"] += [Case((numpy.array([3.0, 5.0], "float32"), numpy.array([4.0, 12.0], "float32")))]
