"""Cases of the diagonal, of positions, and of convolution; see `cases`."""

from __future__ import annotations

from typing import Any

from dopegraph.runtime.errors import AxisError, DTypeError, ShapeError

# (name, operand types, attributes), and the interval of the operands where it matters.
CASES: list[tuple[Any, ...]] = [
    ("diagonal", "f64[3,3]"),
    ("diagonal", "f64[3,4]", {"offset": 1}),
    ("diagonal", "f64[4,3]", {"offset": -2}),
    ("diagonal", "f64[2,3]", {"offset": 7}),
    ("diagonal", "f64[2,3,4]", {"offset": 1, "axis1": 0, "axis2": 2}),
    ("diagonal", "f64[2,3,4]", {"offset": -1, "axis1": 2, "axis2": 0}),
    ("diagonal", "f64[2,3,4,2]", {"axis1": -1, "axis2": 1}),
    ("diagonal", "f64[0,3]"),
    ("diagonal", "bool[2,2]"),
    ("diagonal", "c64[2,2]"),
    ("unravel_index", "i64[3]", {"shape": (2, 3)}, 0, 5),
    ("unravel_index", "u8[2,2]", {"shape": (7,), "order": "F"}, 0, 6),
    ("unravel_index", "i32[]", {"shape": (2, 3, 2), "order": "F"}, 0, 5),
    ("unravel_index", "i64[0]", {"shape": (2, 3)}),
    ("ravel_multi_index", "i64[3] i64[3]", {"dims": (3, 3), "modes": ("raise", "raise")}, 0, 2),
    ("ravel_multi_index", "i64[2,1] i32[3]", {"dims": (2, 3), "modes": ("wrap", "clip"), "order": "F"}, -9, 9),
    ("ravel_multi_index", "u8[]", {"dims": (4,), "modes": ("raise",)}, 0, 3),
    ("convolve", "f64[5] f64[3]"),
    ("convolve", "f64[2] f64[4]"),
    ("convolve", "f64[1] f64[1]"),
    ("convolve", "f64[5] f64[3]", {"full": False}),
    ("convolve", "f64[4] f64[4]", {"full": False}),
    ("convolve", "f32[5] f32[3]"),
    ("convolve", "i32[4] i32[2]"),
    ("convolve", "bool[4] bool[2]"),
    ("convolve", "c64[4] c64[2]"),
    ("convolve", "f16[4] f16[2]", {"full": False}),
]

_RAISE = {"dims": (2, 2), "modes": ("raise", "raise")}

REJECTED: list[tuple[Any, ...]] = [
    ("diagonal", "f32[2]", {}, AxisError, "1 dimension"),
    ("diagonal", "f32[2,2]", {"axis1": 1, "axis2": -1}, ShapeError, "twice along axis 1"),
    ("unravel_index", "f32[2]", {"shape": (2,)}, DTypeError, "integers, not float32"),
    ("unravel_index", "i64[2]", {"shape": (-2,)}, ShapeError, "negative length"),
    ("ravel_multi_index", "i64[2] f32[2]", _RAISE, DTypeError, "integers, not float32"),
    ("ravel_multi_index", "i64[2]", _RAISE, ShapeError, "1 arrays of positions for the 2 axes"),
    ("ravel_multi_index", "i64[2] i64[3]", _RAISE, ShapeError, "do not broadcast"),
    ("convolve", "f32[2] f64[2]", {}, DTypeError, "cast them to one"),
    ("convolve", "f32[2] f32[0]", {}, ShapeError, "not empty"),
    ("convolve", "f32[2,2] f32[2]", {}, ShapeError, "two sequences"),
    ("convolve", "f32[2] f32[3]", {"full": False}, ShapeError, "must not be longer"),
]
