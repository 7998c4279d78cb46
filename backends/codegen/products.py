"""Matrix products in a generated file: calls of a BLAS through pointers that the loader fills in."""

from __future__ import annotations

import math

from dopegraph.backends.codegen import blas, threads
from dopegraph.backends.codegen.packed import LEAST_SHARED
from dopegraph.backends.codegen.team import SECTIONS
from dopegraph.ir.graph import Node, Value
from dopegraph.passes.indices import strides_of

# Every row-major case by one function; a vector by gemv, as NumPy does. Nothing summed up is 0.
_FUNCTIONS = """
typedef void (*gemm_@S@)(int, int, int, BLASINT, BLASINT, BLASINT, @T@, const @T@ *, BLASINT, const @T@ *, BLASINT,
                         @T@, @T@ *, BLASINT);
typedef void (*gemv_@S@)(int, int, BLASINT, BLASINT, @T@, const @T@ *, BLASINT, const @T@ *, BLASINT, @T@, @T@ *,
                         BLASINT);
static gemm_@S@ blas_gemm_@S@;
static gemv_@S@ blas_gemv_@S@;

KERNEL void product_@S@(int tx, int ty, long m, long k, long n, const @T@ *x, const @T@ *y, @T@ *z) {
  enum { ROWS = 101, PLAIN = 111, TRANSPOSED = 112 };
  if (m == 0 || n == 0) return;
  if (k == 0 || n == 1 || m == 1) memset(z, 0, m * n * sizeof(@T@));
  if (k == 0) return;
  if (n == 1)
    blas_gemv_@S@(ROWS, tx ? TRANSPOSED : PLAIN, tx ? k : m, tx ? m : k, 1, x, tx ? m : k, y, 1, 0, z, 1);
  else if (m == 1)
    blas_gemv_@S@(ROWS, ty ? PLAIN : TRANSPOSED, ty ? n : k, ty ? k : n, 1, y, ty ? k : n, x, 1, 0, z, 1);
  else
    blas_gemm_@S@(ROWS, tx ? TRANSPOSED : PLAIN, ty ? TRANSPOSED : PLAIN, m, n, k, 1, x, tx ? m : k, y, ty ? k : n, 0,
                  z, n);
}
"""

LINK = """
void link_blas(void *const *functions) {
  blas_gemm_f32 = (gemm_f32)functions[0];
  blas_gemm_f64 = (gemm_f64)functions[1];
  blas_gemv_f32 = (gemv_f32)functions[2];
  blas_gemv_f64 = (gemv_f64)functions[3];
}
"""


def product_functions(integer: str) -> str:
    """The C functions that products call; `integer` is the C type of the BLAS's integers."""
    both = "".join(
        _FUNCTIONS.replace("@S@", suffix).replace("@T@", kind) for suffix, kind in (("f32", "float"), ("f64", "double"))
    )
    return f"\n#define BLASINT {integer}{both}{LINK}"


def product(node: Node) -> str:
    """The statement that computes a ``matmul`` node, with the numbers of its operands and result in braces."""
    x, y, z = (*node.inputs, node.output)
    suffix = "f32" if z.type.dtype.itemsize == 4 else "f64"
    tx, ty = int(node.attrs["transpose_x"]), int(node.attrs["transpose_y"])
    m, n = z.shape[-2:]
    k = x.shape[-2] if tx else x.shape[-1]
    batch = z.shape[:-2]
    if y.ndim == 2 and x.shape[:-2] == batch and not tx:
        m, batch = math.prod(batch) * m, ()  # one tall matrix
    loops = "".join(f"for (long i{axis} = 0; i{axis} < {length}; i{axis}++) " for axis, length in enumerate(batch))
    kind = "float" if suffix == "f32" else "double"
    operands = [
        f"({kind} *){{{number}}}{_offset(value, len(batch))}" if batch else f"{{{number}}}"
        for number, value in enumerate((x, y, z))
    ]
    return f"{loops}product_{suffix}({tx}, {ty}, {m}, {k}, {n}, {', '.join(operands)});"


def is_shared(node: Node) -> bool:
    """Whether threads share a stack of products, each of which is done by a BLAS with one thread."""
    z = node.output
    terms = node.inputs[0].shape[-2 if node.attrs["transpose_x"] else -1]
    found = blas.library()
    own = found is not None and found.own
    return own and threads.number > 1 and z.type.size * terms >= LEAST_SHARED and math.prod(z.shape[:-2]) > 1


def shared_product(node: Node) -> tuple[str, str]:
    """The statement that computes a stack of products, and the function that it calls."""
    x, y, z = (*node.inputs, node.output)
    double = z.type.dtype.itemsize == 8
    suffix, kind = ("f64", "double") if double else ("f32", "float")
    tx, ty = int(node.attrs["transpose_x"]), int(node.attrs["transpose_y"])
    batch = z.shape[:-2]
    m, n = z.shape[-2:]
    k = x.shape[-2] if tx else x.shape[-1]
    shapes = "__".join("_".join(map(str, value.shape)) for value in (x, y))
    name = f"stack_{suffix}_{tx}{ty}_{shapes}"
    places = [
        f"      const long i{axis} = i / {math.prod(batch[axis + 1 :])} % {length};"
        for axis, length in enumerate(batch)
    ]
    operands = ", ".join(f"{letter}{_offset(value, len(batch))}" for letter, value in zip("xyz", (x, y, z)))
    lines = [
        f"static void {name}(const {kind} *x, const {kind} *y, {kind} *z, int threads) {{",
        "  const int here = PROCESSOR();",
        SECTIONS,
        "  for (int t = 0; t < threads; t++) {",
        "    apart(here);",
        f"    for (long i = {math.prod(batch)}L * t / threads; i < {math.prod(batch)}L * (t + 1) / threads; i++) {{",
        *places,
        f"      product_{suffix}({tx}, {ty}, {m}, {k}, {n}, {operands});",
        "    }",
        "  }",
        "}",
    ]
    return f"{name}({{0}}, {{1}}, {{2}}, threads);", "\n".join(lines)


def _offset(value: Value, batch: int) -> str:
    """Where the matrix of a batch begins; axes of length 1 are broadcast."""
    shape = value.shape[:-2] if batch else ()
    matrix = math.prod(value.shape[-2:])
    first = batch - len(shape)
    parts = [
        f"{stride * matrix} * i{first + axis}"
        for axis, (length, stride) in enumerate(zip(shape, strides_of(shape)))
        if length != 1
    ]
    return "".join(f" + {part}" for part in parts)
