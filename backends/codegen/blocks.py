"""What loops over registers are made of: how large a block of results may be, vectors in C, small transpositions."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass

from dopegraph.backends.codegen.blas import has_avx512
from dopegraph.ir.types import DType

# Registers that hold results; what is multiplied stands in others.
_REGISTERS = {64: 24, 32: 12}

_HEAD = """
/* Blocks of results in registers: a product and its sum may be one operation, as they are in a BLAS. */
#if defined(__clang__)
#define FAST __attribute__((noinline))
#define CONTRACTED _Pragma("clang fp contract(fast)")
#else
#define FAST __attribute__((noinline, optimize("fp-contract=fast")))
#define CONTRACTED
#endif
#ifdef _OPENMP
#include <omp.h>
#define THREAD (omp_get_thread_num())
#else
#define THREAD 0
#endif
"""

_VECTOR = "typedef @T@ VEC_@S@ __attribute__((vector_size(@B@), aligned(@A@), may_alias));\n"

# A block of a matrix by shuffles of vectors; four of them for a pair of rows of blocks.
_TRANSPOSE = """
KERNEL void transpose_@S@(long rows, long columns, const @T@ *restrict x, long across, @T@ *restrict y, long down) {
  enum { SIZE = 8 };
  long r = 0;
  for (; r + SIZE <= rows; r += SIZE) {
    long c = 0;
    for (; c + SIZE <= columns; c += SIZE) {
      const @T@ *restrict from = x + r * across + c;
      @T@ *restrict to = y + c * down + r;
@BLOCK@
    }
    for (; c < columns; c++) for (long i = 0; i < SIZE; i++) y[c * down + r + i] = x[(r + i) * across + c];
  }
  if (r < rows) for (long c = 0; c < columns; c++) for (long i = r; i < rows; i++) y[c * down + i] = x[i * across + c];
}
"""


@dataclass(frozen=True)
class Tile:
    """A block of results: `height` numbers times `width` vectors."""

    height: int
    width: int

    def rows(self, count: int) -> Iterator[tuple[int, int, int]]:
        """How so many rows are covered: (start, stop, height)."""
        whole = count - count % self.height
        if whole:
            yield 0, whole, self.height
        if whole < count:
            yield whole, count, count - whole

    def columns(self, vectors: int) -> Iterator[tuple[int, int]]:
        """How so many vectors are covered: (start, width)."""
        for start in range(0, vectors, self.width):
            yield start, min(self.width, vectors - start)

    def sizes(self, count: int, vectors: int) -> list[tuple[int, int]]:
        """The blocks that there are."""
        heights = [height for _, _, height in self.rows(count)]
        return sorted({(height, width) for _, width in self.columns(vectors) for height in heights})


def best_tile(count: int, vectors: int, load: float = 0.5) -> Tile:
    """The block that covers a matrix in the fewest cycles: two products a cycle, two loads a cycle, four to wait.

    `load` is more where vectors come from the second cache.
    """

    def cycles(tile: Tile) -> float:
        total = 0.0
        for start, stop, height in tile.rows(count):
            for _, width in tile.columns(vectors):
                total += max(height * width / 2, (height + width) / 2, load * width, 4) * ((stop - start) // height)
        return total

    most = _REGISTERS[64 if has_avx512() else 32]
    tiles = [Tile(h, w) for w in range(1, min(vectors, 4) + 1) for h in range(1, min(count, most // w) + 1)]
    return min(tiles, key=lambda tile: (cycles(tile), -tile.height * tile.width))


def vector_lanes(dtype: DType) -> int:
    """Numbers in a vector."""
    return (64 if has_avx512() else 32) // dtype.itemsize


@functools.cache
def head(kind: str) -> str:
    """The macros and the type of vectors."""
    size = 4 if kind == "float" else 8
    vector = _VECTOR.replace("@T@", kind).replace("@S@", f"f{8 * size}").replace("@A@", str(size))
    return _HEAD + vector.replace("@B@", "64" if has_avx512() else "32")


@functools.cache
def transposition(kind: str) -> str:
    """The function ``transpose``: y[c, r] = x[r, c], with the distances of rows in both."""
    suffix = "f32" if kind == "float" else "f64"
    lines = [
        "      for (long i = 0; i < SIZE; i++) for (long j = 0; j < SIZE; j++) to[j * down + i] = from[i * across + j];"
    ]
    if kind == "float":
        lines = ["#if defined(__AVX__) && defined(__has_builtin) && __has_builtin(__builtin_shufflevector)",
                 *_block_of_eight(), "#else", *lines, "#endif"]  # fmt: skip
    return _TRANSPOSE.replace("@BLOCK@", "\n".join(lines)).replace("@T@", kind).replace("@S@", suffix)


def _block_of_eight() -> list[str]:
    """Eight rows of eight: halves, quarters and single numbers change places."""
    vector = "typedef float v8 __attribute__((vector_size(32), aligned(4), may_alias));"
    lines = [vector, *(f"const v8 a{i} = *(const v8 *)(from + {i} * across);" for i in range(8))]
    before, name = "a", "b"
    for distance, name in ((1, "b"), (2, "c"), (4, "d")):
        for i in range(8):
            if i & distance:
                continue
            low, high = [], []
            for lane in range(8):
                # Row i gets the even blocks of both rows, row i + distance the odd ones.
                low.append(lane if not lane & distance else 8 + lane - distance)
                high.append(lane + distance if not lane & distance else 8 + lane)
            for row, mask in ((i, low), (i + distance, high)):
                text = ", ".join(map(str, mask))
                pair = f"{before}{i}, {before}{i + distance}"
                lines.append(f"const v8 {name}{row} = __builtin_shufflevector({pair}, {text});")
        before = name
    lines += [f"*(v8 *)(to + {i} * down) = {before}{i};" for i in range(8)]
    return [f"      {line}" for line in lines]
