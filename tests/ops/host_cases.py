"""Cases of `host_call`; see `cases`. The function is x * x * y, with derivatives up to the third, each by itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy

from dopegraph.ops import host

Arrays = Sequence[Any]


def _product(operands: Arrays) -> Arrays:
    x, y = operands
    return [x * x * y]


def _first(operands: Arrays) -> Arrays:
    g, _, x, y = operands
    return [2 * x * y * g, x * x * g]


def _second(operands: Arrays) -> Arrays:
    h, k, _, _, g, r, x, y = operands
    return [2 * x * y * h + x * x * k, 0 * r, 2 * y * g * h + 2 * x * g * k, 2 * x * g * h]


def _third(operands: Arrays) -> Arrays:
    a, _, b, c = operands[:4]  # cotangents of what `_second` gives, whose results follow
    h, k, r, s, g, t, x, y = operands[8:]
    return [
        2 * x * y * a + 2 * y * g * b + 2 * x * g * c,
        x * x * a + 2 * x * g * b,
        0 * r,
        0 * s,
        2 * y * h * b + 2 * x * k * b + 2 * x * h * c,
        0 * t,
        2 * y * h * a + 2 * x * k * a + 2 * g * k * b + 2 * g * h * c,
        2 * x * h * a + 2 * g * h * b,
    ]


_NAME: str | None = None
for _run in (_third, _second, _first, _product):
    _NAME = host.register(f"tests.{_run.__name__}", _run, _NAME)

_F64 = numpy.dtype("float64")
_PAIR = host.register("tests.sum_and_count", lambda operands: [operands[0].sum(axis=0), numpy.int64(operands[0].size)])

_F32, _I64 = numpy.dtype("float32"), numpy.dtype("int64")
CASES: list[tuple[Any, ...]] = [
    ("host_call", "f64[2,3] f64[2,3]", {"callback": _NAME, "types": ((_F64, (2, 3)),), "call": 1}),
    ("host_call", "f64[] f64[]", {"callback": _NAME, "types": ((_F64, ()),), "call": 2}),
    ("host_call", "f32[2,3]", {"callback": _PAIR, "types": ((_F32, (3,)), (_I64, ())), "call": 0}),
]
