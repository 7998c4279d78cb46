"""Writes the numbers of a kernel's body: each is computed once, as far outside in the loops as it can be."""

from __future__ import annotations

from collections.abc import Sequence

import numpy

from dopegraph.backends.codegen.expressions import c_type, expression, literal
from dopegraph.backends.codegen.positions import around
from dopegraph.ir.graph import Value
from dopegraph.ir.types import DType
from dopegraph.passes.cells import Cell, Partition
from dopegraph.passes.indices import Affine


class NumberWriter:
    """Lines of C with the variables in them.

    Attributes
    ----------
    lines : list of str
    """

    def __init__(self, partition: Partition) -> None:
        self.lines: list[str] = []
        self._partition = partition
        self._depth = 1
        self._variables = 0
        self._pointer: dict[Value, str] = {}
        self._names: dict[Cell, str] = {}
        self._kept: dict[Cell, tuple[str, Affine]] = {}
        self._reduced: dict[Value, str] = {}
        self._turned: dict[Cell, str] = {}
        self._joined: set[int] = set()  # axes whose loop another's counter runs through, too

    def _line(self, text: str) -> None:
        self.lines.append("  " * self._depth + text)

    def _write(self, lines: Sequence[str]) -> None:
        for text in lines:
            self._line(text)

    def _open(self, loops: Sequence[tuple[int, int]]) -> None:
        for axis, length in loops:
            self._line(f"for (long i{axis} = 0; i{axis} < {length}; i{axis}++) {{")
            self._depth += 1

    def _close(self, loops: Sequence[tuple[int, int]]) -> None:
        for _ in loops:
            self._depth -= 1
            self._line("}")

    def _at(self, offset: Affine) -> str:
        parts = []
        for axis, coefficient in enumerate(offset[:-1]):
            if coefficient and axis not in self._joined:
                parts.append(f"i{axis}" if offset[axis] == 1 else f"{offset[axis]} * i{axis}")
        if offset[-1] or not parts:
            parts.append(str(offset[-1]))
        return " + ".join(parts)

    def _level(self, cell: Cell) -> str:
        if not cell.axes and not cell.phase:
            return "kernel"
        return "row" if cell.axes.isdisjoint(self._partition.columns) else "cell"

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
            assert cell.value is not None
            return self._reduced[cell.value]
        if phase is not None and cell in self._kept and cell.phase < phase:
            pointer, offset = self._kept[cell]
            text = _loaded(f"{pointer}[{self._at(offset)}]", cell.dtype)
        elif cell in self._turned:
            text = self._from_square(cell)
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

    def _from_square(self, cell: Cell) -> str:
        raise NotImplementedError

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
