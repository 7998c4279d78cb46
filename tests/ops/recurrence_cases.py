"""Recurrences: bodies with constants, sequences, and what steps hand on."""

from __future__ import annotations

from typing import Any

from dopegraph.runtime.errors import ShapeError
from tests.ops.cases import Case

_CELL = """graph step(%c: f32[2], %x: f32[2], %h: f32[2]) {
  %0: f32[2] = mul(%h, %c)
  %1: f32[2] = add(%0, %x)
  %2: f32[2] = tanh(%1)
  return %1, %2, %1
}"""
_SUM = "graph step(%x: f32[2], %h: f32[2]) { %0: f32[2] = add(%h, %x) return %0 }"
_COUNTS: dict[str, Any] = {"body": _CELL, "length": 3, "constants": 1, "sequences": 1}

CASES = [
    Case("recurrence", "f32[2] f32[3,2] f32[2]", _COUNTS),
    Case("recurrence", "f32[2] f32[3,2] f32[2]", {**_COUNTS, "reverse": True}),
    Case("recurrence", "f32[4,2] f32[2]", {"body": _SUM, "length": 4, "constants": 0, "sequences": 1}),
]

REJECTED: list[tuple[str, str, dict[str, Any], type[Exception], str]] = [
    ("recurrence", "f32[2] f32[2,2] f32[2]", _COUNTS, ShapeError, r"its body needs f32\[3,2\]"),
    ("recurrence", "f32[2] f32[3,2] f32[4]", _COUNTS, ShapeError, r"operand 2 of a recurrence is f32\[4\]"),
    ("recurrence", "f32[2] f32[3,2]", _COUNTS, ShapeError, "2 operands for a body of 3"),
]
