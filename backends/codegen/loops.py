"""Writes a kernel as a C function: loops over batch, rows and columns; one vectorized loop over columns a phase."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy

from dopegraph.backends.codegen.expressions import C_TYPES, c_type, expression, literal
from dopegraph.backends.codegen.positions import around
from dopegraph.ir.types import DType, short_name
from dopegraph.passes.indices import Affine, strides_of
from dopegraph.passes.kernels import Cell, Kernel, Partition, Root

# Computed again in a later phase when that is no more work than this; otherwise kept for the row.
AGAIN = 6

# A sum of more numbers is one of partial sums, so that rounding errors do not add up.
BLOCK = 512

# Work, in additions, from which threads share a kernel: about a millisecond. Threads that have been woken wait for more
# work for a while, which slows down the matrix product that comes next; it has threads of its own.
PARALLEL = 1 << 22

# Elements of one piece of a long loop that threads share.
PIECE = 1 << 15

# Numbers of a row that are kept: on the stack up to so many bytes, otherwise in the workspace.
STACK = 16384


_SHARED = "#pragma omp parallel for num_threads(threads) if (threads > 1)"


@dataclass(frozen=True)
class Reduction:
    """How a reduction begins, goes on, and what OpenMP calls it for floats and for integers.

    Where NaN has to win, a vectorized loop goes on `among_numbers` and notes beside it whether there was a NaN: that is
    one instruction each.
    """

    float_start: str
    integer_start: str
    step: str
    float_clause: str
    integer_clause: str
    among_numbers: str = ""


REDUCTIONS = {
    "sum": Reduction("0", "0", "{x} + {y}", "+", "+"),
    "prod": Reduction("1", "1", "{x} * {y}", "*", "*"),
    "max": Reduction("-INFINITY", "{lowest}", "LARGER({x}, {y})", "larger", "max", "{y} > {x} ? {y} : {x}"),
    "min": Reduction("INFINITY", "{highest}", "SMALLER({x}, {y})", "smaller", "min", "{y} < {x} ? {y} : {x}"),
    "all": Reduction("", "1", "{x} & {y}", "", "&"),
    "any": Reduction("", "0", "{x} | {y}", "", "|"),
}


def start_of(name: str, dtype: DType) -> str:
    """What a reduction of nothing begins with."""
    rule = REDUCTIONS[name]
    if dtype.kind == "f":
        return rule.float_start
    if dtype.kind == "b":
        return {"max": "0", "min": "1"}.get(name, rule.integer_start)
    limits = numpy.iinfo(dtype)
    return rule.integer_start.format(lowest=literal(limits.min, dtype), highest=literal(limits.max, dtype))


def memory_type(dtype: DType) -> str:
    """The C type of an element in memory."""
    return C_TYPES[short_name(dtype)]


class KernelWriter:
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
    """

    def __init__(self, kernel: Kernel, name: str) -> None:
        self.kernel = kernel
        axes = tuple(range(len(kernel.domain)))
        self.partition = kernel.partition or Partition((), (), axes)
        self.workspace = 0
        self._roots = [root for root in kernel.roots if root.stored or root.kind == "row"]
        self._cells = _reachable(self._roots)
        loaded = {cell.value for cell in self._cells if cell.kind in ("load", "gather")}
        self.reads = [array for array in kernel.loaded if array in loaded]
        self.writes = list(dict.fromkeys(root.request.target for root in self._roots if root.stored))
        gathers = [cell.node for cell in self._cells if cell.kind == "gather" and cell.node is not None]
        self.positions = [
            (node.inputs[1], around(node.inputs[0].shape, node.attrs["axis"])[1]) for node in dict.fromkeys(gathers)
        ]
        self._pointer = {value: f"p{number}" for number, value in enumerate(self.reads)}
        self._pointer |= {value: f"o{number}" for number, value in enumerate(self.writes)}
        self._number = {root: number for number, root in enumerate(self._roots)}
        self._names: dict[Cell, str] = {}
        self._kept: dict[Cell, tuple[str, Affine]] = {}
        self._lines: list[str] = []
        self._declarations: list[str] = []
        self._variables = 0
        self._depth = 1
        self._phases = max((root.cell.phase for root in self._roots), default=0) + 1
        self._batch, self._rows, self._columns = (
            self._loops(group) for group in (self.partition.batch, self.partition.rows, self.partition.columns)
        )
        self._keep_what_is_read_later()
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
        self.text = "\n".join([*head, *self._lines, "}"])

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
                    continue
            loops.append((axis, length))
        return loops

    def _at(self, offset: Affine) -> str:
        parts = []
        for axis, _ in (*self._batch, *self._rows, *self._columns):
            if offset[axis]:
                parts.append(f"i{axis}" if offset[axis] == 1 else f"{offset[axis]} * i{axis}")
        if offset[-1] or not parts:
            parts.append(str(offset[-1]))
        return " + ".join(parts)

    def _line(self, text: str) -> None:
        self._lines.append("  " * self._depth + text)

    def _open(self, loops: Sequence[tuple[int, int]]) -> None:
        for axis, length in loops:
            self._line(f"for (long i{axis} = 0; i{axis} < {length}; i{axis}++) {{")
            self._depth += 1

    def _close(self, loops: Sequence[tuple[int, int]]) -> None:
        for _ in loops:
            self._depth -= 1
            self._line("}")

    def _can_be_shared(self) -> bool:
        """Whether threads may take different rows, or pieces of the only loop, and whether that pays."""
        if self.kernel.operations < PARALLEL or self.workspace or self._batch:
            return False
        kinds = {root.kind for root in self._roots}
        if self._rows:
            return kinds.isdisjoint({"column", "total"}) and self._rows[0][1] > 1
        return kinds == {"map"} and self._phases == 1

    # What is kept for a row --------------------------------------------------------------------------------------

    def _level(self, cell: Cell) -> str:
        if not cell.axes and not cell.phase:
            return "kernel"
        return "row" if cell.axes.isdisjoint(self.partition.columns) else "cell"

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
        self._open(self._batch)
        self._begin_columns()
        totals = [root for root in self._roots if root.kind == "total"]
        for root in totals:
            self._begin(root, "total")
        if self.parallel and self._rows:
            self._line(_SHARED)
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
        for root in totals:
            self._store(root, self._value(root, "total"))
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
        reductions = [root for root in roots if root.kind in ("row", "total")]
        sinks = [*(root.cell for root in roots), *(cell for cell, _ in kept)]
        for cell in self._outside(sinks, phase):
            self._name(cell)
        length = self._columns[-1][1] if self._columns else 1
        partial = len(self._columns) > 1 or length > BLOCK
        for root in reductions:
            if partial:
                self._begin(root, "row")
            else:
                self._begin_lane(root)
        before = dict(self._names)
        pieces = self.parallel and not self._rows
        if pieces:
            self._line(_SHARED)
        self._open(self._columns[:-1])
        blocks = length > BLOCK and any(root.operation == "sum" for root in reductions)
        size = BLOCK if blocks else PIECE if pieces and len(self._columns) == 1 else 0
        if self._columns:
            axis = self._columns[-1][0]
            low, high = "0", str(length)
            if size:
                low, high = f"b{axis}", f"e{axis}"
                self._line(f"for (long {low} = 0; {low} < {length}; {low} += {size}) {{")
                self._depth += 1
                self._line(f"const long {high} = {low} + {size} < {length} ? {low} + {size} : {length};")
            if partial:
                for root in reductions:
                    self._begin_lane(root)
            clauses = [f" reduction({self._clause(root)}:r{self._number[root]})" for root in reductions]
            clauses += [f" reduction(|:nan{self._number[root]})" for root in reductions if self._notes_nan(root)]
            if length > 1:
                self._line(f"#pragma omp simd{''.join(clauses)}")
            self._line(f"for (long i{axis} = {low}; i{axis} < {high}; i{axis}++) {{")
            self._depth += 1
        for root in roots:
            self._sink(root, phase)
        for cell, (pointer, offset) in kept:
            if not pointer.startswith("o"):
                self._line(f"{pointer}[{self._at(offset)}] = {self._name(cell, phase)};")
        if self._columns:
            self._depth -= 1
            self._line("}")
            for root in reductions:
                if self._notes_nan(root):
                    self._line(f"if (nan{self._number[root]}) r{self._number[root]} = NAN;")
            if partial:
                for root in reductions:
                    self._accumulate(root, f"r{self._number[root]}", "row")
            if size:
                self._depth -= 1
                self._line("}")
        self._close(self._columns[:-1])
        self._names = before
        for root in reductions:
            if root.kind == "total":
                self._accumulate(root, self._value(root, "row") if partial else f"r{self._number[root]}", "total")
            elif partial:
                self._line(f"const {self._lane_type(root)} v{self._number[root]} = {self._value(root, 'row')};")
            if root.kind == "row" and root.stored:
                self._store(root, self._reduced(root))

    def _sink(self, root: Root, phase: int) -> None:
        name = self._name(root.cell, phase)
        if root.kind == "map":
            self._store(root, name)
        elif root.kind == "column":
            old = f"{self._pointer[root.request.target]}[{self._at(root.offset)}]"
            self._store(root, self._step(root, old, name))
        else:
            lane = f"r{self._number[root]}"
            if self._notes_nan(root):
                self._line(f"{lane} = {REDUCTIONS[root.operation].among_numbers.format(x=lane, y=name)};")
                self._line(f"nan{self._number[root]} |= {name} != {name};")
            else:
                self._line(f"{lane} = {self._step(root, lane, name)};")

    def _store(self, root: Root, text: str) -> None:
        if root.stored:
            self._line(f"{self._pointer[root.request.target]}[{self._at(root.offset)}] = {text};")

    # Reductions --------------------------------------------------------------------------------------------------

    def _is_partial(self) -> bool:
        return len(self._columns) > 1 or self._columns[-1][1] > BLOCK

    def _reduced(self, root: Root) -> str:
        """The variable that has a row's number."""
        return f"{'v' if self._is_partial() else 'r'}{self._number[root]}"

    def _step(self, root: Root, x: str, y: str) -> str:
        dtype = root.cell.dtype
        template = REDUCTIONS[root.operation].step
        if dtype.kind != "f":
            template = REDUCTIONS[root.operation].among_numbers or template
        return f"({self._lane_type(root)})({template.format(x=x, y=y)})"

    def _clause(self, root: Root) -> str:
        rule = REDUCTIONS[root.operation]
        return rule.float_clause if root.cell.dtype.kind == "f" else rule.integer_clause

    def _lane_type(self, root: Root) -> str:
        return memory_type(root.cell.dtype)

    def _notes_nan(self, root: Root) -> bool:
        return root.cell.dtype.kind == "f" and bool(REDUCTIONS[root.operation].among_numbers)

    def _begin_lane(self, root: Root) -> None:
        if self._notes_nan(root):
            self._line(f"int{8 * root.cell.dtype.itemsize}_t nan{self._number[root]} = 0;")
        start = start_of(root.operation, root.cell.dtype)
        self._line(f"{self._lane_type(root)} r{self._number[root]} = {start};")

    def _begin(self, root: Root, what: str) -> None:
        """Variables for a sum of partial sums: double for floats, two doubles for doubles."""
        number, start = self._number[root], start_of(root.operation, root.cell.dtype)
        if root.operation == "sum" and root.cell.dtype.kind == "f":
            self._line(f"double {what}_sum{number} = 0, {what}_rest{number} = 0;")
        else:
            self._line(f"{self._lane_type(root)} {what}{number} = {start};")

    def _accumulate(self, root: Root, lane: str, what: str) -> None:
        number = self._number[root]
        if root.operation == "sum" and root.cell.dtype.kind == "f":
            self._line(f"add_exactly(&{what}_sum{number}, &{what}_rest{number}, {lane});")
        else:
            self._line(f"{what}{number} = {self._step(root, f'{what}{number}', lane)};")

    def _value(self, root: Root, what: str) -> str:
        number = self._number[root]
        if root.operation == "sum" and root.cell.dtype.kind == "f":
            return f"({self._lane_type(root)})rounded({what}_sum{number}, {what}_rest{number})"
        return f"{what}{number}"

    # Cells -------------------------------------------------------------------------------------------------------

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

    def _name(self, cell: Cell, phase: int | None = None) -> str:
        """The variable (or literal) that has a cell's number, computed before where it is not yet."""
        if cell in self._names:
            return self._names[cell]
        if cell.kind == "number":
            assert cell.node is not None
            text = literal(_number_of(cell), cell.dtype)
            self._names[cell] = text
            return text
        if cell.kind == "reduced":
            root = next(root for root in self._roots if root.kind == "row" and root.request.source is cell.value)
            self._names[cell] = name = self._reduced(root)
            return name
        if phase is not None and cell in self._kept and cell.phase < phase:
            pointer, offset = self._kept[cell]
            text = _loaded(f"{pointer}[{self._at(offset)}]", cell.dtype)
        elif cell.kind == "load":
            assert cell.value is not None
            text = _loaded(f"{self._pointer[cell.value]}[{self._at(cell.offset)}]", cell.dtype)
        elif cell.kind == "gather":
            text = _loaded(self._gathered(cell, phase), cell.dtype)
        elif cell.kind == "count":
            text = f"({c_type(cell.dtype)})({self._counted(cell)})"
        else:
            assert cell.node is not None
            text = expression(cell.node, [self._name(operand, phase) for operand in cell.operands])
        name = f"t{self._variables}"
        self._variables += 1
        self._line(f"const {c_type(cell.dtype)} {name} = {text};")
        self._names[cell] = name
        return name

    def _gathered(self, cell: Cell, phase: int | None) -> str:
        assert cell.node is not None and cell.value is not None
        source = cell.node.inputs[0]
        _, length, inner = around(source.shape, cell.node.attrs["axis"])
        (position,) = cell.operands
        name = self._name(position, phase)
        place = f"((long){name} + ({name} < 0 ? {length} : 0))"
        return f"{self._pointer[cell.value]}[{self._at(cell.offset)} + {inner} * {place}]"

    def _counted(self, cell: Cell) -> str:
        count = self._at(cell.offset)
        if cell.node is None:
            return count
        start, step = (literal(cell.node.attrs[name], _DOUBLE) for name in ("start", "step"))
        return f"{start} + {step} * ({count})"


_DOUBLE = numpy.dtype("float64")


def _number_of(cell: Cell) -> object:
    assert cell.node is not None
    attrs = cell.node.attrs
    if cell.node.op.name == "full":
        return attrs["value"]
    if cell.node.op.name == "constant" and cell.node.outputs[0].type.size == 1:
        return attrs["value"].reshape(()).item()
    return 0  # stands in loops that never run


def _loaded(text: str, dtype: DType) -> str:
    return f"{text} != 0" if dtype.kind == "b" else text


def _reachable(roots: Sequence[Root]) -> list[Cell]:
    found: dict[Cell, None] = {}
    rest = [root.cell for root in roots]
    while rest:
        cell = rest.pop()
        if cell not in found:
            found[cell] = None
            rest.extend(cell.operands)
    return list(found)
