"""Writes a kernel as a C function: loops over batch, rows and columns; one vectorized loop over columns a phase."""

from __future__ import annotations

from collections.abc import Sequence

import numpy

from dopegraph.backends.codegen.expressions import memory_type
from dopegraph.backends.codegen.positions import around
from dopegraph.backends.codegen.reductions import Lane, start_of
from dopegraph.backends.codegen.team import CLOSE, OPEN
from dopegraph.backends.codegen.traffic import TrafficWriter
from dopegraph.passes.cells import Cell, Partition, Root
from dopegraph.passes.indices import strides_of
from dopegraph.passes.kernels import Kernel

# Computed again in a later phase when that is no more work than this; otherwise kept for the row.
AGAIN = 6

# A sum of more numbers is one of partial sums, so that rounding errors do not add up.
BLOCK = 512

# Work, in additions, from which threads share a kernel: 50 to 100 microseconds. Waking a thread takes 40, less if the
# loop before was shared, too.
PARALLEL = 1 << 20

# Elements of one piece of a long loop that threads share.
PIECE = 1 << 15

# Numbers of a row that are kept: on the stack up to so many bytes, otherwise in the workspace.
STACK = 16384


class KernelWriter(TrafficWriter):
    """The C text of a kernel.

    Attributes
    ----------
    text : str
        A static function of pointers: first `reads`, then `writes`, then the workspace.
    reads, writes : list of Value
        The arrays that the function gets.
    workspace : int
        Bytes that it needs for rows.
    positions : list of (Value, int)
        Arrays of positions that the caller has to check first, with the length of the axis that they are of.
    parallel : bool
        Whether the function's last parameter is a number of threads.
    helpers : list of str
        Functions that it calls.
    """

    def __init__(self, kernel: Kernel, name: str) -> None:
        self.kernel = kernel
        axes = tuple(range(len(kernel.domain)))
        self.workspace = 0
        self._roots = [root for root in kernel.roots if root.stored or root.kind == "row"]
        self._cells = _reachable(self._roots)
        super().__init__(kernel, kernel.partition or Partition((), (), axes), self._roots, self._cells)
        loaded = {cell.value for cell in self._cells if cell.kind in ("load", "gather")}
        self.reads = [array for array in kernel.loaded if array in loaded]
        self.writes = list(dict.fromkeys(root.request.target for root in self._roots if root.stored))
        gathers = [cell.node for cell in self._cells if cell.kind == "gather" and cell.node is not None]
        self.positions = [
            (node.inputs[1], around(node.inputs[0].shape, node.attrs["axis"])[1]) for node in dict.fromkeys(gathers)
        ]
        self._pointer = {value: f"p{number}" for number, value in enumerate(self.reads)}
        self._pointer |= {value: f"o{number}" for number, value in enumerate(self.writes)}
        self._lanes = {root: Lane(root, number) for number, root in enumerate(self._roots) if "map" not in root.kind}
        self._declarations: list[str] = []
        self._phases = max((root.cell.phase for root in self._roots), default=0) + 1
        self._batch, self._rows, self._columns = (
            self._loops(group) for group in (self._partition.batch, self._partition.rows, self._partition.columns)
        )
        self._keep_what_is_read_later()
        if not (self._batch or self._rows) and self._phases == 1 and all(root.kind == "map" for root in self._roots):
            self._plan_traffic(self._columns)
        self.parallel = self._can_be_shared()
        self._body()
        parameters = [f"const {memory_type(value.type.dtype)} *restrict {self._pointer[value]}" for value in self.reads]
        parameters += [f"{memory_type(value.type.dtype)} *restrict {self._pointer[value]}" for value in self.writes]
        if self.workspace:
            parameters.append("char *restrict workspace")
        if self.parallel:
            parameters.append("int threads")
        title = " ".join(kernel.names) or "copy"
        shape = ", ".join(map(str, kernel.domain))
        head = [f"/* {title} over [{shape}] */", f"KERNEL void {name}({', '.join(parameters)}) {{"]
        self.text = "\n".join([*head, *self.lines, "}"])

    # Loops -------------------------------------------------------------------------------------------------------

    def _loops(self, group: Sequence[int]) -> list[tuple[int, int]]:
        """The loops over some axes as (axis, length): neighbours that every offset runs through as one are joined."""
        offsets = [cell.offset for cell in self._cells if cell.kind in ("load", "gather", "count")]
        offsets += [root.offset for root in self._roots]
        loops: list[tuple[int, int]] = []
        for axis in group:
            length = self.kernel.domain[axis]
            if loops:
                outer, before = loops[-1]
                if all(offset[outer] == offset[axis] * length for offset in offsets):
                    loops[-1] = axis, before * length
                    self._joined.add(outer)
                    continue
            loops.append((axis, length))
        return loops

    def _can_be_shared(self) -> bool:
        """Whether threads may take different rows, or pieces of the only loop, and whether that pays."""
        if self.kernel.operations < PARALLEL or self.workspace or self._batch:
            return False
        kinds = {root.kind for root in self._roots}
        if self._rows:
            return kinds.isdisjoint({"column", "total"}) and self._rows[0][1] > 1
        if any(root.cell.phase for root in self._roots if root.kind != "row map"):
            return False
        return kinds == {"map"} or (kinds <= {"map", "row", "row map"} and len(self._columns) == 1)

    # What is kept for a row --------------------------------------------------------------------------------------

    def _keep_what_is_read_later(self) -> None:
        """Find the expensive numbers of columns that a later phase reads; they are stored, or kept for the row."""
        lengths = tuple(length for _, length in self._columns)
        place = [0] * (len(self.kernel.domain) + 1)
        for (axis, _), stride in zip(self._columns, strides_of(lengths)):
            place[axis] = stride
        count = int(numpy.prod(lengths, dtype=numpy.int64))
        stored = {root.cell: root for root in reversed(self._roots) if root.kind == "map" and root.stored}
        seen: set[tuple[Cell, int]] = set()
        rest = [(root.cell, root.cell.phase) for root in self._roots if root.kind != "row map"]
        while rest:
            cell, phase = rest.pop()
            if (cell, phase) in seen or self._level(cell) != "cell":
                continue
            seen.add((cell, phase))
            if cell.phase < phase and cell.kind == "apply" and cell.cost > AGAIN:
                if cell not in self._kept:
                    if cell in stored:
                        root = stored[cell]
                        self._kept[cell] = self._pointer[root.request.target], root.offset
                    else:
                        self._kept[cell] = self._row_memory(cell, count), tuple(place)
                rest.append((cell, cell.phase))
            else:
                rest.extend((operand, phase) for operand in cell.operands)

    def _row_memory(self, cell: Cell, count: int) -> str:
        kind, name = memory_type(cell.dtype), f"kept{len(self._kept)}"
        size = count * cell.dtype.itemsize
        if size <= STACK:
            self._declarations.append(f"{kind} {name}[{max(count, 1)}];")
        else:
            self._declarations.append(f"{kind} *restrict {name} = ({kind} *)(workspace + {self.workspace});")
            self.workspace += -(-size // 64) * 64
        return name

    # The body ----------------------------------------------------------------------------------------------------

    def _body(self) -> None:
        for cell in reversed(self._cells):
            if self._level(cell) == "kernel" and cell.kind != "number":
                self._name(cell)
        if self._square is not None:
            self._body_in_squares(self._columns, self.parallel, self._sink)
            return
        if self._streamed:
            self._body_in_streams(self._columns[0], self.parallel, self._sink)
            return
        self._open(self._batch)
        self._begin_columns()
        totals = [root for root in self._roots if root.kind == "total"]
        for root in totals:
            self._line(self._lanes[root].begin_partial("total"))
        if self.parallel and self._rows:
            self._write(OPEN)
        self._open(self._rows)
        for text in self._declarations:
            self._line(text)
        outer = dict(self._names)
        for phase in range(self._phases):
            self._phase(phase)
        for root in self._roots:
            if root.kind == "row map":
                self._store(root, self._name(root.cell))
        self._names = outer
        self._close(self._rows)
        if self.parallel and self._rows:
            self._line(CLOSE)
        for root in totals:
            self._store(root, self._lanes[root].value("total"))
        self._close(self._batch)

    def _begin_columns(self) -> None:
        roots = [root for root in self._roots if root.kind == "column"]
        if roots:
            self._open(self._columns)
            for root in roots:
                self._store(root, start_of(root.operation, root.request.target.type.dtype))
            self._close(self._columns)

    def _phase(self, phase: int) -> None:
        """One pass over the columns of a row."""
        roots = [root for root in self._roots if root.kind != "row map" and root.cell.phase == phase]
        kept = [(cell, place) for cell, place in self._kept.items() if cell.phase == phase]
        if not roots and not kept:
            return
        lanes = [self._lanes[root] for root in roots if root.kind in ("row", "total")]
        sinks = [*(root.cell for root in roots), *(cell for cell, _ in kept)]
        for cell in self._outside(sinks, phase):
            self._name(cell)
        length = self._columns[-1][1] if self._columns else 1
        partial = len(self._columns) > 1 or length > BLOCK
        for lane in lanes:
            self._write([lane.begin_partial("row")] if partial else lane.begin())
        before = dict(self._names)
        pieces = self.parallel and not self._rows
        low, high = "0", str(length)
        if pieces and lanes:
            low, high = self._open_pieces(length, lanes)
        elif pieces:
            self._write(OPEN)
        self._open(self._columns[:-1])
        size = PIECE if pieces and not lanes and len(self._columns) == 1 else 0
        if length > BLOCK and any(lane.root.operation == "sum" for lane in lanes):
            size = BLOCK
        if self._columns:
            self._open_last(size, lanes, partial, low, high)
        for root in roots:
            self._sink(root, phase)
        for cell, (pointer, offset) in kept:
            if not pointer.startswith("o"):
                self._line(f"{pointer}[{self._at(offset)}] = {self._name(cell, phase)};")
        if self._columns:
            self._close([self._columns[-1]])
            for lane in lanes:
                self._write(lane.end())
                if partial:
                    self._line(lane.accumulate("row", lane.name))
            self._close([self._columns[-1]] if size else [])
        self._close(self._columns[:-1])
        if pieces and not lanes:
            self._line(CLOSE)
        self._names = before
        if pieces and lanes:
            self._close_pieces(length, lanes)
        for lane in lanes:
            self._finish(lane, partial)

    def _open_pieces(self, length: int, lanes: Sequence[Lane]) -> tuple[str, str]:
        """Pieces of a row that threads share, and their bounds: as many however many threads there are."""
        size = _piece(length)
        for lane in lanes:
            self._line(lane.begin_pieces(-(-length // size)))
        self._write(OPEN)
        self._line(f"for (long piece = 0; piece < {-(-length // size)}; piece++) {{")
        self._depth += 1
        self._line(f"const long low = piece * {size}, high = low + {size} < {length} ? low + {size} : {length};")
        self._write([lane.begin_partial("row") for lane in lanes])
        return "low", "high"

    def _close_pieces(self, length: int, lanes: Sequence[Lane]) -> None:
        self._write([lane.end_piece("piece") for lane in lanes])
        self._depth -= 1
        self._line("}")
        self._line(CLOSE)
        adding = " ".join(lane.add_piece("piece") for lane in lanes)
        self._line(f"for (long piece = 0; piece < {-(-length // _piece(length))}; piece++) {{ {adding} }}")

    def _open_last(self, size: int, lanes: Sequence[Lane], partial: bool, low: str, high: str) -> None:
        """The vectorized loop between two bounds, in pieces of a size where that is not 0."""
        axis, length = self._columns[-1]
        if size:
            first, end, low, high = low, high, f"b{axis}", f"e{axis}"
            self._line(f"for (long {low} = {first}; {low} < {end}; {low} += {size}) {{")
            self._depth += 1
            self._line(f"const long {high} = {low} + {size} < {end} ? {low} + {size} : {end};")
        if partial:
            for lane in lanes:
                self._write(lane.begin())
        if length > 1:
            self._line(f"#pragma omp simd{''.join(lane.clauses for lane in lanes)}")
        self._line(f"for (long i{axis} = {low}; i{axis} < {high}; i{axis}++) {{")
        self._depth += 1

    def _finish(self, lane: Lane, partial: bool) -> None:
        """What becomes of a row's reduction."""
        root, name = lane.root, lane.name
        if root.kind == "total":
            self._line(lane.accumulate("total", lane.value("row") if partial else name))
            return
        if partial:
            name, line = lane.whole("row")
            self._line(line)
        self._reduced[root.request.source] = name
        self._store(root, name)

    def _sink(self, root: Root, phase: int) -> None:
        name = self._name(root.cell, phase)
        if root.kind == "map":
            self._store(root, name)
        elif root.kind == "column":
            old = f"{self._pointer[root.request.target]}[{self._at(root.offset)}]"
            self._store(root, self._lanes[root].step(old, name))
        else:
            self._write(self._lanes[root].take(name))

    def _store(self, root: Root, text: str) -> None:
        if root in self._streamed:
            axis = self._columns[0][0]
            self._line(f"{self._streamed[root]}[i{axis} - b{axis}] = {text};")
        elif root.stored:
            self._line(f"{self._pointer[root.request.target]}[{self._at(root.offset)}] = {text};")

    def _outside(self, sinks: Sequence[Cell], phase: int) -> list[Cell]:
        """The numbers of the row, or of all rows, that a pass over the columns reads."""
        found: dict[Cell, None] = {}
        seen: set[Cell] = set()

        def visit(cell: Cell) -> None:
            if cell in seen:
                return
            seen.add(cell)
            if self._level(cell) != "cell":
                if cell.kind != "number":
                    found[cell] = None
            elif not (cell in self._kept and cell.phase < phase):
                for operand in cell.operands:
                    visit(operand)

        for sink in sinks:
            visit(sink)
        return list(found)


def _piece(length: int) -> int:
    """How many elements of a reduction one thread takes at once: blocks, at most some hundred pieces."""
    return max(PIECE, -(-length // (256 * BLOCK)) * BLOCK)


def _reachable(roots: Sequence[Root]) -> list[Cell]:
    found: dict[Cell, None] = {}
    rest = [root.cell for root in roots]
    while rest:
        cell = rest.pop()
        if cell not in found:
            found[cell] = None
            rest.extend(cell.operands)
    return list(found)
