"""Kernels whose time is that of memory: results that no cache holds are written past it, and what is read across its
rows is turned in squares first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from dopegraph.backends.codegen.blocks import transposition
from dopegraph.backends.codegen.expressions import memory_type
from dopegraph.backends.codegen.numbers import NumberWriter
from dopegraph.backends.codegen.team import CLOSE, OPEN
from dopegraph.passes.cells import Cell, Partition, Root
from dopegraph.passes.indices import Affine
from dopegraph.passes.kernels import Kernel

# Bytes of a kernel's arrays from which nothing is left in a cache for the next one.
PAST_CACHE = 32 << 20

# Elements that are computed before they are written past the cache, and the side of a square.
PIECE, SIDE = 512, 32

# Turned arrays that a kernel may have: their squares stay in the cache together.
MOST_SQUARES = 6

# A store that does not read the line first; other compilers and processors copy.
_STREAM = """
#if defined(__AVX512F__) && defined(__GNUC__) && !defined(__clang__)
typedef float line __attribute__((vector_size(64)));
#define STORE_LINE __builtin_ia32_movntps512
#elif defined(__AVX__) && defined(__GNUC__) && !defined(__clang__)
typedef float line __attribute__((vector_size(32)));
#define STORE_LINE __builtin_ia32_movntps256
#endif
#ifdef STORE_LINE
typedef float loose_line __attribute__((vector_size(sizeof(line)), aligned(1), may_alias));
UNUSED static void stream(void *to, const void *from, long size) {
  char *t = to;
  const char *f = from;
  long head = -(uintptr_t)t & (sizeof(line) - 1);
  if (head > size) head = size;
  memcpy(t, f, head);
  for (t += head, f += head, size -= head; size >= (long)sizeof(line); size -= sizeof(line)) {
    STORE_LINE((float *)t, (line)*(const loose_line *)f);
    t += sizeof(line), f += sizeof(line);
  }
  memcpy(t, f, size);
}
#define STREAMED() __builtin_ia32_sfence()
#else
#define stream memcpy
#define STREAMED()
#endif
"""


class TrafficWriter(NumberWriter):
    """Kernels of one pass over all elements."""

    def __init__(self, kernel: Kernel, partition: Partition, roots: Sequence[Root], cells: Sequence[Cell]) -> None:
        super().__init__(partition)
        self.helpers: list[str] = []
        self._square: tuple[tuple[int, int], tuple[int, int]] | None = None
        self._streamed: dict[Root, str] = {}
        self._kernel = kernel
        self._all = roots
        self._every_cell = cells

    def _plan_traffic(self, columns: list[tuple[int, int]]) -> None:
        """Choose how the loops over some columns, all there are, go through memory."""
        if not columns or self._kernel.elements < SIDE * SIDE:
            return
        last, length = columns[-1]
        lengths = dict(columns)
        across: dict[int, list[Cell]] = {}
        for cell in self._every_cell:
            if cell.kind == "load" and cell.offset[last] > 1 and cell.dtype.itemsize in (4, 8):
                across.setdefault(next((axis for axis in lengths if cell.offset[axis] == 1), -1), []).append(cell)
        across.pop(-1, None)
        if across:
            axis, cells = max(across.items(), key=lambda item: len(item[1]))
            if min(lengths[axis], length) >= SIDE // 2 and len(cells) <= MOST_SQUARES:
                self._turned = {cell: f"q{number}" for number, cell in enumerate(cells)}
                self._square = (axis, lengths[axis]), (last, length)
                self.helpers += dict.fromkeys(transposition(_moved(cell)) for cell in cells)
        elif (
            len(columns) == 1 and self._kernel.bytes >= PAST_CACHE and all(root.offset[last] == 1 for root in self._all)
        ):
            self._streamed = {root: f"s{number}" for number, root in enumerate(self._all)}
            self.helpers.append(_STREAM)

    def _body_in_squares(
        self, columns: list[tuple[int, int]], parallel: bool, sink: Callable[[Root, int], None]
    ) -> None:
        """Loops over squares; what is turned is read from a copy of its square."""
        assert self._square is not None
        pair = self._square
        if parallel:
            self._write(OPEN)
        outer = [loop for loop in columns if loop not in pair]
        self._open(outer)
        for axis, length in pair:
            self._open_piece(axis, length, SIDE)
        (row, _), (last, _) = pair
        for cell, name in self._turned.items():
            assert cell.value is not None
            kind, moved = memory_type(cell.dtype), _moved(cell)
            source = f"{self._pointer[cell.value]} + {self._start(cell.offset, (row, last))}"
            suffix = "f32" if moved == "float" else "f64"
            self._line(f"{kind} {name}[{SIDE * SIDE}];")
            lengths, target = f"e{last} - b{last}, e{row} - b{row}", f"({moved} *){name}, {SIDE}"
            source = f"(const {moved} *)({source}), {cell.offset[last]}"
            self._line(f"transpose_{suffix}({lengths}, {source}, {target});")
        self._line(f"for (long i{row} = b{row}; i{row} < e{row}; i{row}++) {{")
        self._innermost(last, sink)
        self._line("}")
        self._close([*pair, *outer])
        if parallel:
            self._line(CLOSE)

    def _body_in_streams(self, loop: tuple[int, int], parallel: bool, sink: Callable[[Root, int], None]) -> None:
        """Pieces of the only loop, computed into a small memory and written from there."""
        axis, length = loop
        if parallel:
            self._write(OPEN)
        self._open_piece(axis, length, PIECE)
        for root, name in self._streamed.items():
            self._line(f"{memory_type(root.request.target.type.dtype)} {name}[{PIECE}] __attribute__((aligned(64)));")
        self._innermost(axis, sink)
        for root, name in self._streamed.items():
            target = f"{self._pointer[root.request.target]} + {self._start(root.offset, (axis,))}"
            size = root.request.target.type.dtype.itemsize
            self._line(f"stream({target}, {name}, (e{axis} - b{axis}) * {size});")
        self._close([loop])
        self._line("STREAMED();")
        if parallel:
            self._line(CLOSE)

    def _open_piece(self, axis: int, length: int, size: int) -> None:
        self._line(f"for (long b{axis} = 0; b{axis} < {length}; b{axis} += {size}) {{")
        self._depth += 1
        self._line(f"const long e{axis} = b{axis} + {size} < {length} ? b{axis} + {size} : {length};")

    def _innermost(self, axis: int, sink: Callable[[Root, int], None]) -> None:
        self._line("#pragma omp simd")
        self._line(f"for (long i{axis} = b{axis}; i{axis} < e{axis}; i{axis}++) {{")
        self._depth += 1
        for root in self._all:
            sink(root, 0)
        self._depth -= 1
        self._line("}")

    def _start(self, offset: Affine, axes: Sequence[int]) -> str:
        """Where a piece begins."""
        text = self._at(offset)
        for axis in axes:
            text = re.sub(rf"\bi{axis}\b", f"b{axis}", text)
        return text

    def _from_square(self, cell: Cell) -> str:
        assert self._square is not None
        (row, _), (last, _) = self._square
        return f"{self._turned[cell]}[(i{row} - b{row}) * {SIDE} + i{last} - b{last}]"


def _moved(cell: Cell) -> str:
    """The type whose vectors move elements of this size."""
    return "float" if cell.dtype.itemsize == 4 else "double"
