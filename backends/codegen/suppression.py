"""Greedy non-maximum suppression of boxes, which are compared one after the other."""

from __future__ import annotations

from dopegraph.backends.codegen.expressions import C_TYPES
from dopegraph.ir.graph import Node
from dopegraph.ir.types import short_name

# `z` is 1 for all that may still be kept; each that is kept takes its place from later ones. Every comparison is false
# for NaN, as in NumPy, whose maximum keeps NaN.
_SUPPRESS = """
KERNEL void @N@(long outer, long count, @T@ threshold, const @T@ *boxes, const @J@ *groups, uint8_t *z) {
  for (long a = 0; a < outer; a++, boxes += 4 * count, groups += count, z += count) {
    long last = 0;
    for (long i = 0; i < count; i++) z[i] = groups[i] >= 0, last = z[i] ? i + 1 : last;
    for (long i = 0; i < last; i++) {
      if (!z[i]) continue;
      const @T@ *p = boxes + 4 * i;
      const @T@ area = (p[2] - p[0]) * (p[3] - p[1]);
      #pragma omp simd
      for (long j = i + 1; j < last; j++) {
        const @T@ *q = boxes + 4 * j;
        const @T@ width = (p[2] < q[2] ? p[2] : q[2]) - (p[0] > q[0] ? p[0] : q[0]);
        const @T@ height = (p[3] < q[3] ? p[3] : q[3]) - (p[1] > q[1] ? p[1] : q[1]);
        const @T@ shared = (width < 0 ? 0 : width) * (height < 0 ? 0 : height);
        const @T@ both = area + (q[2] - q[0]) * (q[3] - q[1]) - shared;
        z[j] &= !((both > 0) & (shared / both >= threshold) & (groups[j] == groups[i]));
      }
    }
  }
}
"""


def suppresses(node: Node) -> bool:
    """Whether a node is one of those that are written here."""
    return node.op.name == "suppress"


def suppression_of(node: Node) -> tuple[str, list[str]]:
    """The statement that runs a node, with the numbers of its operands and result in braces, and its function."""
    boxes, groups = (value.type for value in node.inputs)
    dtype, index = short_name(boxes.dtype), short_name(groups.dtype)
    function = f"suppress_{dtype}_{index}"
    count = groups.shape[-1]
    outer = groups.size // count if count else 0
    threshold = f"({C_TYPES[dtype]}){node.attrs['threshold']!r}"
    text = _SUPPRESS.replace("@N@", function).replace("@T@", C_TYPES[dtype]).replace("@J@", C_TYPES[index])
    return f"{function}({outer}, {count}, {threshold}, {{0}}, {{1}}, {{2}});", [text]
