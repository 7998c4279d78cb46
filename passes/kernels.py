"""A kernel: loops that compute several values of a graph at once, each element from elements at linear positions.

Loops run over *batch*, *rows* and *columns* of a domain. A sum over the columns is a number of the row, which the
columns may read in a later *phase*; sums over rows, or over both, are results only.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dopegraph.ir.graph import Node, Value
from dopegraph.ir.types import Shape
from dopegraph.ops.typing import normalize_axis
from dopegraph.passes.cells import (
    COSTS,
    REDUCTIONS,
    SAME,
    VIEWS,
    Cell,
    NotFusableError,
    Partition,
    Request,
    Root,
    is_reduction,
    partition_for,
    without_reshapes,
)
from dopegraph.passes.indices import (
    Affine,
    Index,
    linear,
    long_axes,
    of_operand,
    scaled,
    spread_over,
    squeezed,
    through_reshape,
    through_view,
    zero,
)

# What a kernel may hold at most: more arrays than this are not prefetched, more operations not kept in registers.
MOST_ARRAYS, MOST_CELLS = 24, 256


class Kernel:
    """Loops over a domain that grow by requests.

    Parameters
    ----------
    domain : tuple of int
    in_memory : callable
        Whether a value is stored, so that it is loaded instead of computed.
    """

    def __init__(self, domain: Shape, in_memory: Callable[[Value], bool]) -> None:
        self.domain = domain
        self.in_memory = in_memory
        self.partition: Partition | None = None
        self.roots: list[Root] = []
        self.arrays: dict[Value, None] = {}
        self._local: dict[Value, tuple[Index, Root]] = {}
        self._targets: dict[Value, None] = {}
        self._cells: dict[tuple[Value, Index], Cell] = {}
        self._new: list[tuple[Value, Index]] = []

    @property
    def loaded(self) -> list[Value]:
        """The arrays that are read."""
        return [array for array in self.arrays if array not in self._targets]

    def add(self, request: Request, must_share: bool) -> bool:
        """Compute a request here, too; false, and nothing changed, if these loops cannot or need not."""
        arrays, partition = dict(self.arrays), self.partition
        self._new = []
        try:
            root, index = self._root(request)
            fits = len(self.arrays) < MOST_ARRAYS and len(self._cells) < MOST_CELLS
            if self.roots and not (fits and (not must_share or self._shares(root.cell, arrays))):
                raise NotFusableError
        except NotFusableError:
            self.arrays, self.partition = arrays, partition
            for key in self._new:
                del self._cells[key]
            return False
        self.roots.append(root)
        self._targets[request.target] = None
        self.arrays[request.target] = None
        if request.starts is None:
            self._local[request.source] = index, root
        return True

    def _shares(self, cell: Cell, before: dict[Value, None]) -> bool:
        """Whether a cell reads an array of more than one element that was read before, or what is computed here."""
        seen, rest = set(), [cell]
        while rest:
            one = rest.pop()
            if one in seen:
                continue
            seen.add(one)
            if one.kind == "reduced" or any(one is root.cell for root in self.roots if root.kind == "map"):
                return True
            if one.kind in ("load", "gather") and one.value in before and one.value.type.size > 1:
                return True
            rest.extend(one.operands)
        return False

    # Roots -------------------------------------------------------------------------------------------------------

    def _root(self, request: Request) -> tuple[Root, Index]:
        source, axes = request.source, len(self.domain)
        if request.target in self._targets:
            raise NotFusableError
        if request.reduces:
            return self._reduction(request)
        shape = squeezed(source.shape)
        if shape == self.domain:
            counters = tuple(range(axes))
        elif self.partition is not None and self._of_rows(shape):
            counters = (*self.partition.batch, *self.partition.rows)
        else:
            raise NotFusableError
        index = spread_over(source.shape, counters, axes)
        if request.starts is None:
            cell, place = self._define(source, index), index
        else:
            cell = self.cell(source, index)
            place = tuple(scaled(one, step, start) for one, start, step in zip(index, request.starts, request.steps))
        if shape != self.domain:
            assert self.partition is not None
            if not cell.axes.isdisjoint(self.partition.columns):
                raise NotFusableError
        kind = "map" if shape == self.domain else "row map"
        return Root(request, kind, cell, linear(request.target.shape, place, axes)), index

    def _of_rows(self, shape: Shape) -> bool:
        assert self.partition is not None
        return not self.partition.batch and shape == tuple(self.domain[axis] for axis in self.partition.rows)

    def _reduction(self, request: Request) -> tuple[Root, Index]:
        node, axes = request.source.node, len(self.domain)
        assert node is not None
        operand = node.inputs[0]
        long = long_axes(operand.shape)
        if squeezed(operand.shape) != self.domain:
            raise NotFusableError
        reduced = frozenset(long.index(axis) for axis in node.attrs["axes"] if axis in long)
        partition, kind = partition_for(self.domain, reduced)
        if self.partition is None:
            self.partition = partition
        elif len(reduced) == axes and not self.partition.batch and self.partition.rows:
            kind = "total"
        elif self.partition != partition:
            raise NotFusableError
        kept = tuple(axis for axis in range(axes) if axis not in reduced)
        index = spread_over(request.source.shape, kept, axes)
        cell = self.cell(operand, spread_over(operand.shape, tuple(range(axes)), axes))
        return Root(request, kind, cell, linear(request.source.shape, index, axes)), index

    # Cells -------------------------------------------------------------------------------------------------------

    def cell(self, value: Value, index: Index) -> Cell:
        """The number that stands at an index of a value."""
        key = value, index
        if key not in self._cells:
            cell = self._find(value, index)
            self._cells[key] = cell
            self._new.append(key)
        return self._cells[key]

    def _find(self, value: Value, index: Index) -> Cell:
        if value in self._local:
            where, root = self._local[value]
            if where != index or root.kind in ("column", "total"):
                raise NotFusableError
            if root.kind != "row":
                return root.cell
            assert self.partition is not None
            rows = frozenset((*self.partition.batch, *self.partition.rows))
            return Cell(
                "reduced", value.type.dtype, rows, value=value, operands=(root.cell,), phase=root.cell.phase + 1
            )
        if self.in_memory(value):
            return self._load(value, linear(value.shape, index, len(self.domain)))
        return self._define(value, index)

    def _load(self, value: Value, offset: Affine) -> Cell:
        if value in self._targets:
            raise NotFusableError  # it is being written by this kernel
        self.arrays[value] = None
        return Cell("load", value.type.dtype, _axes(offset), value=value, offset=offset, cost=1)

    def _define(self, value: Value, index: Index) -> Cell:
        """The number, computed here."""
        node, axes = value.node, len(self.domain)
        if node is None:
            return self._load(value, linear(value.shape, index, axes))
        name, operands = node.op.name, node.inputs
        if value.type.size == 0 or name in ("full", "constant"):
            return Cell("number", value.type.dtype, frozenset(), node=node)
        if name == "iota":
            start, step = node.attrs["start"], node.attrs["step"]
            if isinstance(start, int) and isinstance(step, int):
                offset = scaled(index[0], step, start)
                return Cell("count", value.type.dtype, _axes(offset), offset=offset)
            return Cell("count", value.type.dtype, _axes(index[0]), node=node, offset=index[0])
        if name in SAME:
            return self.cell(operands[0], index)
        if name in VIEWS:
            return self.cell(operands[0], through_view(name, node.attrs, operands[0].shape, index, axes))
        if name == "reshape" or (name in REDUCTIONS and not is_reduction(value)):
            return self._reshaped(operands[0], value.shape, index)
        if name == "take":
            return self._gather(node, index)
        if name == "one_hot":
            position = Cell("count", operands[0].type.dtype, _axes(index[-1]), offset=index[-1])
            return self._apply(node, (self.cell(operands[0], index[:-1]), position))
        if node.op.elementwise:
            return self._apply(node, tuple(self.cell(one, of_operand(one.shape, index, axes)) for one in operands))
        raise NotFusableError

    def _gather(self, node: Node, index: Index) -> Cell:
        """An element at a position that is data; both arrays are in memory."""
        source, positions = node.inputs
        axes, axis = len(self.domain), normalize_axis(node.attrs["axis"], source.ndim)
        after = axis + positions.ndim
        position = self.cell(positions, index[axis:after])
        rest = (*index[:axis], zero(axes), *index[after:])
        base = without_reshapes(source)
        if without_reshapes(positions) in self._local:
            raise NotFusableError  # they are checked before the kernel runs
        if base in self._local or not self.in_memory(base):
            raise NotFusableError
        load = self._load(base, linear(source.shape, rest, axes))
        return Cell(
            "gather",
            source.type.dtype,
            load.axes | position.axes,
            value=base,
            node=node,
            operands=(position,),
            offset=load.offset,
            phase=position.phase,
            cost=2 + position.cost,
        )

    def _apply(self, node: Node, cells: tuple[Cell, ...]) -> Cell:
        return Cell(
            "apply",
            node.outputs[0].type.dtype,
            frozenset().union(*(cell.axes for cell in cells)),
            node=node,
            operands=cells,
            phase=max(cell.phase for cell in cells),
            cost=COSTS.get(node.op.name, 1) + sum(cell.cost for cell in cells),
        )

    def _reshaped(self, old: Value, shape: Shape, index: Index) -> Cell:
        axes = len(self.domain)
        found = through_reshape(old.shape, shape, index, axes)
        if found is not None:
            return self.cell(old, found)
        base = without_reshapes(old)
        if base in self._local or not self.in_memory(base):
            raise NotFusableError
        return self._load(base, linear(shape, index, axes))

    # What it costs -----------------------------------------------------------------------------------------------

    @property
    def elements(self) -> int:
        """How often the innermost body runs."""
        product = 1
        for length in self.domain:
            product *= length
        return product

    @property
    def bytes(self) -> int:
        """Bytes read and written."""
        stored = {root.request.target for root in self.roots if root.stored}
        return sum(array.type.nbytes for array in (*self.loaded, *stored))

    @property
    def operations(self) -> int:
        """Work, in additions."""
        return self.elements * sum(root.cell.cost for root in self.roots)

    @property
    def names(self) -> list[str]:
        """The primitives it computes, in the order they are computed."""
        seen: dict[Any, None] = {}

        def visit(cell: Cell) -> None:
            if cell in seen:
                return
            for operand in cell.operands:
                visit(operand)
            seen[cell] = None

        found = []
        for root in self.roots:
            before = len(seen)
            visit(root.cell)
            found += [cell.node.op.name for cell in list(seen)[before:] if cell.kind in ("apply", "gather")]
            if root.kind in ("row", "column", "total"):
                found.append(root.operation)
        return found

    def __str__(self) -> str:
        names = " ".join(self.names) or "copy"
        shape = ",".join(map(str, self.domain))
        return f"[{shape}] {names}: {self.bytes} bytes, {self.operations} operations"


def _axes(offset: Affine) -> frozenset[int]:
    return frozenset(axis for axis, coefficient in enumerate(offset[:-1]) if coefficient)
