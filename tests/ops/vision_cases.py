"""Cases of the primitives of pictures; see `cases`."""

from __future__ import annotations

from typing import Any

from dopegraph.runtime.errors import DTypeError, ShapeError
from tests.ops.cases import Case

# Groups are drawn from -1 to 1.
CASES: list[Case] = [
    Case("suppress", operands, {"threshold": threshold}, low=-1, high=1)
    for operands, threshold in [
        ("f32[7,4] i64[7]", 0.1), ("f64[30,4] i32[30]", 0.5), ("f32[2,3,9,4] i64[2,3,9]", 0.0),
        ("f32[0,4] i64[0]", 0.5),
        ("f32[2,0,4] i64[2,0]", 0.5), ("f16[5,4] i8[5]", 0.2), ("f64[0,3,4] u8[0,3]", 1.0), ("f32[1,4] u8[1]", 1.0),
    ]
]  # fmt: skip

REJECTED: list[tuple[Any, ...]] = [
    ("suppress", "i32[3,4] i64[3]", {"threshold": 0.5}, DTypeError, "floating numbers"),
    ("suppress", "f32[3,4] f32[3]", {"threshold": 0.5}, DTypeError, "integers"),
    ("suppress", "f32[3,3] i64[3]", {"threshold": 0.5}, ShapeError, "a group"),
    ("suppress", "f32[4] i64[]", {"threshold": 0.5}, ShapeError, "a group"),
    ("suppress", "f32[3,4] i64[3]", {"threshold": 1.5}, ShapeError, "from 0 to 1"),
]
