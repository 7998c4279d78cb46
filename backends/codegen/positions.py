"""Loops that no kernel describes: writes at positions that are data, positions of extrema, sums so far.

Every array is seen as (outer, length, inner): the axis that it is about, and what lies before and behind it.
"""

from __future__ import annotations

import math

from dopegraph.backends.codegen.expressions import C_TYPES
from dopegraph.ir.graph import Node
from dopegraph.ir.types import DType, Shape, short_name
from dopegraph.ops.typing import normalize_axis

WRITES = {"take_scatter": "+=", "scatter_add": "+=", "scatter": "="}
SEARCHES = {"argmax": ">", "argmin": "<"}

# Negative positions count from the end; what is outside is found before anything is read or written.
_CHECK = """
UNUSED static int outside_@I@(long count, long length, const @J@ *positions) {
  int outside = 0;
  for (long j = 0; j < count; j++)
    outside |= positions[j] < 0 ? (int64_t)positions[j] < -length : (uint64_t)positions[j] >= (uint64_t)length;
  return outside;
}
"""

_WRITE = """
KERNEL void @N@(long outer, long length, long inner, long count, const @J@ *positions, const @T@ *values, @T@ *z) {
  for (long a = 0; a < outer; a++)
    for (long j = 0; j < count; j++) {
      const long at = (long)positions[j] + (positions[j] < 0 ? length : 0);
      const @T@ *restrict v = values + (a * count + j) * inner;
      @T@ *restrict to = z + (a * length + at) * inner;
      #pragma omp simd
      for (long c = 0; c < inner; c++) to[c] @STEP@ v[c];
    }
}
"""

# The first of equal ones; the first NaN before everything else.
_SEARCH = """
KERNEL void @N@(long outer, long length, long inner, const @T@ *x, int64_t *z) {
  for (long a = 0; a < outer; a++)
    for (long c = 0; c < inner; c++) {
      const @T@ *p = x + a * length * inner + c;
      long best = 0;
      @T@ found = p[0];
      for (long j = 1; j < length && found == found; j++) {
        const @T@ one = p[j * inner];
        if (one @STEP@ found || one != one) best = j, found = one;
      }
      z[a * inner + c] = best;
    }
}
"""

_CUMSUM = """
KERNEL void @N@(long outer, long length, long inner, const @T@ *x, @T@ *z) {
  for (long a = 0; a < outer; a++)
    for (long j = 0; j < length; j++) {
      const long at = (a * length + (@REVERSE@ ? length - 1 - j : j)) * inner, before = @REVERSE@ ? inner : -inner;
      for (long c = 0; c < inner; c++) z[at + c] = j ? (@T@)(z[at + before + c] + x[at + c]) : x[at + c];
    }
}
"""


def check_function(positions: DType) -> tuple[str, str]:
    """The name and the text of the function that tells whether a position is outside."""
    name = short_name(positions)
    return f"outside_{name}", _CHECK.replace("@I@", name).replace("@J@", C_TYPES[name])


def around(shape: Shape, axis: int) -> tuple[int, int, int]:
    """A shape as (outer, length, inner)."""
    axis = normalize_axis(axis, len(shape))
    return math.prod(shape[:axis]), shape[axis], math.prod(shape[axis + 1 :])


def runs_loops(node: Node) -> bool:
    """Whether a node is one of those that are written here."""
    return node.op.name in WRITES or node.op.name in SEARCHES or node.op.name == "cumsum"


def loops_of(node: Node) -> tuple[str, list[str]]:
    """The statement that runs a node, with the numbers of its operands and result in braces, and its functions."""
    name, x = node.op.name, node.inputs[0]
    dtype = short_name(x.type.dtype)
    if name in WRITES:
        return _writes(node)
    outer, length, inner = around(x.shape, node.attrs["axis"])
    reverse = "_back" if node.attrs.get("reverse") else ""
    function = f"{name}{reverse}_{dtype}"
    text = (_CUMSUM if name == "cumsum" else _SEARCH).replace("@N@", function).replace("@T@", C_TYPES[dtype])
    text = text.replace("@REVERSE@", str(int(bool(reverse)))).replace("@STEP@", SEARCHES.get(name, ""))
    return f"{function}({outer}, {length}, {inner}, {{0}}, {{1}});", [text]


def _writes(node: Node) -> tuple[str, list[str]]:
    name, result = node.op.name, node.output
    first = 0 if name == "take_scatter" else 1  # the place of the positions follows what is written into
    positions = node.inputs[1]
    values = node.inputs[0] if name == "take_scatter" else node.inputs[2]
    outer, length, inner = around(result.shape, node.attrs["axis"])
    count = positions.type.size
    dtype, index = short_name(values.type.dtype), short_name(positions.type.dtype)
    function = f"{name}_{dtype}_{index}"
    step = WRITES[name]
    text = _WRITE.replace("@N@", function).replace("@T@", C_TYPES[dtype]).replace("@J@", C_TYPES[index])
    check, checking = check_function(positions.type.dtype)
    size = result.type.nbytes
    begin = f"memcpy({{3}}, {{0}}, {size});" if first else f"memset({{2}}, 0, {size});"
    operands = "{1}, {2}, {3}" if first else "{1}, {0}, {2}"
    statement = (
        f"if ({check}({count}, {length}, {{1}})) return 1; {begin} "
        f"{function}({outer}, {length}, {inner}, {count}, {operands});"
    )
    return statement, [checking, text.replace("@STEP@", step)]
