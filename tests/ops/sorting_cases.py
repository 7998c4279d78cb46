"""Cases of the primitives that order, look up along an axis, accumulate, and refuse; see `cases`."""

from __future__ import annotations

from typing import Any

from dopegraph.runtime.errors import AxisError, DTypeError, ShapeError
from tests.ops.cases import Case

_DTYPES = (
    "f64[3,4]",
    "f32[3,4]",
    "f16[4,1]",
    "c64[3,4]",
    "c128[2,3]",
    "i8[3,4]",
    "u64[3,4]",
    "bool[3,4]",
    "f64[0,3]",
    "f64[3,0]",
)
_ARRANGED = [(one, {"axis": axis}) for one in _DTYPES for axis in (0, 1)] + [("f64[5]", {"axis": 0})]
# Operands and indices; integers are drawn from -1 to 1.
_BESIDE = [
    ("f64[3,4]", "i64[3,2]", 1), ("f64[3,4]", "i64[5,4]", 0), ("f64[3]", "i32[4]", 0), ("f32[2,3]", "i8[2,3]", 1),
    ("c64[2,3]", "i64[2,1]", 1), ("f64[0,3]", "i64[0,2]", 1), ("f64[2,3]", "i64[2,0]", 1),
    ("f16[2,3,2]", "i64[2,4,2]", 1),
]  # fmt: skip

CASES: list[Case] = [
    *[Case(name, one, attrs) for name in ("sort", "argsort") for one, attrs in _ARRANGED],
    *[
        Case(name, "f64[3,4]", {"axis": 1, "kind": kind})
        for name in ("sort", "argsort") for kind in ("stable", "heapsort")
    ],
    *[
        Case(name, one, {**attrs, "kth": kth})
        for name in ("partition", "argpartition")
        for one, attrs, kth in [
            *((one, {"axis": 0}, (0, 1)) for one in _DTYPES[:-2]),
            ("f64[3,4]", {"axis": 1}, (2,)),
            ("f64[7]", {"axis": 0}, (0, 3, 6)),
            ("f64[0,3]", {"axis": 0}, ()),
            ("f64[0,3]", {"axis": 1}, (1,)),
        ]
    ],
    *[Case("searchsorted", one, {"right": right})
      for one in ("f64[3] f64[2,2]", "f32[4] f32[]", "i64[3] i64[0]", "c64[2] c64[3]", "f64[0] f64[2]",
                  "bool[2] bool[1]")
      for right in (False, True)],
    *[Case("take_along_axis", f"{x} {indices}", {"axis": axis}, low=-1, high=1) for x, indices, axis in _BESIDE],
    Case("take_along_axis", "u8[2,3] u64[2,1]", {"axis": 1}, low=0, high=2),
    Case("take_along_axis", "bool[2,3] i64[2,1]", {"axis": 1}, low=-1, high=1),
    *[
        Case("scatter_add_along_axis", f"{x.replace(x[x.index('['):], indices[indices.index('['):])} {indices}",
             {"axis": axis, "length": 3}, low=-1, high=1)
        for x, indices, axis in _BESIDE
    ],
    Case("scatter_add_along_axis", "i32[2,3] i64[2,3]", {"axis": 1, "length": 3}, low=-1, high=1),
    *[
        Case("put_along_axis", f"{x} {indices} {x.replace(x[x.index('['):], indices[indices.index('['):])}",
             {"axis": axis}, low=-1, high=1)
        for x, indices, axis in _BESIDE
    ],
    Case("put_along_axis", "bool[2,3] i64[2,1] bool[2,1]", {"axis": 1}, low=-1, high=1),
    *[Case("cumprod", one, {"axis": axis})
      for one in ("f64[3,4]", "f32[2,3]", "i64[2,3]", "c128[2,3]", "f64[0,2]", "f64[2,0]") for axis in (0, 1)],
    *[Case("cumprod", f"f64[{n}]", {"axis": 0}) for n in (1, 2, 3, 5, 8, 9)],
    *[Case(name, one, {"axis": axis}) for name in ("cummax", "cummin")
      for one in ("f64[3,4]", "f32[2,3]", "i8[2,3]", "bool[2,2]", "f64[0,2]", "f64[1,3]") for axis in (0, 1)],
    *[Case("checked", one, {"error": "ValueError", "message": "no"}) for one in (
        "f64[2,3] bool[0]", "f32[] bool[0,2]", "i64[2] bool[0]", "bool[] bool[0]")],
]  # fmt: skip

REJECTED: list[tuple[str, str, dict[str, Any], type[Exception], str]] = [
    ("sort", "f32[]", {"axis": 0}, AxisError, "0 dimensions"),
    ("sort", "f32[2]", {"axis": 0, "kind": "fast"}, ShapeError, "kind must be one of"),
    ("argsort", "f32[2]", {"axis": 1}, AxisError, "axis 1"),
    ("partition", "f32[2,3]", {"axis": 0, "kth": (2,)}, ShapeError, "the place 2 lies outside the axis 0"),
    ("argpartition", "f32[2]", {"axis": 0, "kth": (-1,)}, ShapeError, "lies outside"),
    ("searchsorted", "f32[2,2] f32[2]", {}, ShapeError, "sorted array of one axis"),
    ("searchsorted", "f32[2] i32[2]", {}, DTypeError, "cast them to one"),
    ("take_along_axis", "f32[2,3] i64[3]", {"axis": 0}, ShapeError, "may differ on axis 0 only"),
    ("take_along_axis", "f32[2,3] i64[2,2]", {"axis": 0}, ShapeError, "may differ on axis 0 only"),
    ("take_along_axis", "f32[2] f32[2]", {"axis": 0}, DTypeError, "integer indices"),
    ("scatter_add_along_axis", "f32[2] i64[3]", {"axis": 0, "length": 4}, ShapeError, "for indices of shape"),
    ("scatter_add_along_axis", "f32[2] i64[2]", {"axis": 0, "length": -1}, ShapeError, "negative length"),
    ("scatter_add_along_axis", "bool[2] i64[2]", {"axis": 0, "length": 1}, DTypeError, "numbers"),
    ("put_along_axis", "f32[2] i64[2] f64[2]", {"axis": 0}, DTypeError, "cast them to one"),
    ("put_along_axis", "f32[2] i64[2] f32[1]", {"axis": 0}, ShapeError, "for indices of shape"),
    ("cumprod", "bool[2]", {"axis": 0}, DTypeError, "numbers, not bool"),
    ("cummax", "c64[2]", {"axis": 0}, DTypeError, "have an order"),
    ("cummin", "f32[2]", {"axis": 1}, AxisError, "axis 1"),
    ("checked", "f32[2] f32[2]", {"error": "ValueError", "message": ""}, DTypeError, "boolean condition"),
    ("checked", "f32[2] bool[]", {"error": "OSError", "message": ""}, ShapeError, "error must be one of"),
]
