"""Products of matrices in C of our own: blocks of results in registers, operands packed in the order they are read.

A BLAS packs the second operand in every call, which for a few rows takes as long as the product. In a loop over time
steps the weights are packed once. The scheme is that of Goto and van de Geijn, Anatomy of high-performance matrix
multiplication (2008); sums over k are those of a BLAS, a product and its sum in one operation.
"""

from __future__ import annotations

import math

from dopegraph.backends.codegen import threads
from dopegraph.backends.codegen.packed_text import DEEP, HIGH, NEAR, ROWS, VECTOR, VECTORS, WIDE, suffix_of
from dopegraph.ir.graph import Node, Value
from dopegraph.ir.types import Shape

# Fewer rows, columns or terms are left to the BLAS; in loops, where packing costs nothing, so many rows suffice.
LEAST, LEAST_ROWS = 16, 4

# Multiplications from which threads share a product, and that take as long as packing one number.
LEAST_SHARED, COPY = 1 << 22, 16


def kind_of(value: Value) -> str:
    """The C type of the numbers of a floating value."""
    return "float" if value.type.dtype.itemsize == 4 else "double"


def lengths(node: Node) -> tuple[int, int, int, Shape]:
    """Rows, terms and columns of a ``matmul``, and the shape of the stack of products that it is."""
    x, y, z = (*node.inputs, node.outputs[0])
    m, n = z.shape[-2:]
    k = x.shape[-2] if node.attrs["transpose_x"] else x.shape[-1]
    batch = z.shape[:-2]
    if y.ndim == 2 and x.shape[:-2] == batch and not node.attrs["transpose_x"]:
        m, batch = math.prod(batch) * m, ()  # one tall matrix
    return m, k, n, batch


def is_large(node: Node) -> bool:
    """Whether packing both operands of a product pays."""
    m, k, n, batch = lengths(node)
    return batch == () and min(m, k, n) >= LEAST


def takes_packed(node: Node) -> bool:
    """Whether a product in a loop is faster with a second operand that was packed before."""
    m, k, n, batch = lengths(node)
    return batch == () and node.inputs[1].ndim == 2 and m >= LEAST_ROWS and min(k, n) >= LEAST


def room(node: Node) -> int:
    """Bytes of workspace of a product with packed rows, at most."""
    _, k, _, _ = lengths(node)
    return (HIGH + ROWS) * min(DEEP, k) * node.inputs[0].type.dtype.itemsize


def packed_bytes(node: Node) -> int:
    """Bytes of the packed second operand, at most."""
    _, k, n, _ = lengths(node)
    size = node.inputs[1].type.dtype.itemsize
    panel = VECTORS * VECTOR // size
    return -(-n // panel) * panel * k * size


def whole_bytes(node: Node) -> int:
    """Bytes of workspace of a product of which nothing is packed."""
    own = WIDE * DEEP * node.inputs[1].type.dtype.itemsize + -(-room(node) // VECTOR) * VECTOR
    return own * (threads.number if shares(node) else 1)


def shares(node: Node) -> bool:
    """Whether threads share a product of our own."""
    m, k, n, _ = lengths(node)
    return threads.number > 1 and m * k * n >= LEAST_SHARED


def whole(node: Node) -> str:
    """The statement of a product. Braces: operands, result, workspace."""
    return _whole(node, ("{0}", "{1}", "0", "{2}", "{3}"))


def taken_away(node: Node) -> str:
    """The statement that takes a product from an array. Braces: operands, the array, the result, workspace."""
    return _whole(node, ("{0}", "{1}", "{2}", "{3}", "{4}"))


def _whole(node: Node, pointers: tuple[str, ...]) -> str:
    m, k, n, _ = lengths(node)
    tx, ty = int(node.attrs["transpose_x"]), int(node.attrs["transpose_y"])
    x, y, minus, z, work = pointers
    suffix = suffix_of(kind_of(node.outputs[0]))
    if shares(node):
        own = whole_bytes(node) // threads.number // node.output.type.dtype.itemsize
        count = f"threads < {threads.number} ? threads : {threads.number}"
        return (
            f"product_shared_{suffix}({int(_is_wide(node))}, {tx}, {ty}, {m}, {k}, {n}, {x}, {y}, {minus}, {z}, "
            f"{work}, {own}, {count});"
        )
    rows = f"{x}, {m if tx else k}, {y}, {k if ty else n}, {minus}, {z}, {n}, {work}"
    return f"product_whole_{suffix}({tx}, {ty}, {m}, {k}, {n}, {rows});"


def _is_wide(node: Node) -> bool:
    """Whether threads take columns; otherwise rows: what they compute beyond their share, and pack each for itself."""
    m, k, n, _ = lengths(node)
    tx, ty = node.attrs["transpose_x"], node.attrs["transpose_y"]
    count, panel = threads.number, VECTORS * VECTOR // node.output.type.dtype.itemsize
    blocks, panels = -(-m // ROWS), -(-n // panel)
    packs = ty or (m > HIGH and min(k, DEEP) * n * node.output.type.dtype.itemsize > NEAR)
    columns = blocks * ROWS * -(-panels // count) * panel * k + COPY * k * (packs * n / count + tx * m)
    rows = -(-blocks // count) * ROWS * panels * panel * k + COPY * k * (packs * n + tx * m / count)
    return columns < rows


def with_packed(node: Node) -> str:
    """The statement of a product. Braces: first operand, packed second operand, result, workspace."""
    m, k, n, _ = lengths(node)
    tx = int(node.attrs["transpose_x"])
    return f"product_packed_{suffix_of(kind_of(node.outputs[0]))}({tx}, {m}, {k}, {n}, {{0}}, {{1}}, {{2}}, {{3}});"


def packing(node: Node) -> str:
    """The statement that packs the second operand. Braces: the operand, where it goes."""
    _, k, n, _ = lengths(node)
    ty = int(node.attrs["transpose_y"])
    return f"product_pack_{suffix_of(kind_of(node.outputs[0]))}({ty}, {k}, {n}, {{0}}, {{1}});"
