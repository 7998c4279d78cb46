"""Reductions in C: a variable of the vectorized loop, and partial results of a row, or of all rows, around it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy

from dopegraph.backends.codegen.expressions import literal, memory_type
from dopegraph.ir.types import DType
from dopegraph.passes.cells import Root


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


class Lane:
    """One reduction of a kernel.

    Attributes
    ----------
    root : Root
    name : str
        The variable of the vectorized loop.
    """

    def __init__(self, root: Root, number: int) -> None:
        self.root = root
        self.name = f"r{number}"
        self._number = number
        self._dtype = root.cell.dtype
        self._rule = REDUCTIONS[root.operation]
        self._type = memory_type(self._dtype)
        self._is_float = self._dtype.kind == "f"
        self._notes_nan = self._is_float and bool(self._rule.among_numbers)
        # Partial sums are summed up in double precision, and beyond.
        self._is_float_sum = root.operation == "sum" and self._is_float

    # In the loop -------------------------------------------------------------------------------------------------

    def begin(self) -> list[str]:
        """What stands before the vectorized loop."""
        lines = [f"{self._type} {self.name} = {start_of(self.root.operation, self._dtype)};"]
        if self._notes_nan:
            lines.append(f"int{8 * self._dtype.itemsize}_t nan{self._number} = 0;")
        return lines

    @property
    def clauses(self) -> str:
        """What OpenMP is told."""
        clause = self._rule.float_clause if self._is_float else self._rule.integer_clause
        return f" reduction({clause}:{self.name})" + (f" reduction(|:nan{self._number})" if self._notes_nan else "")

    def take(self, number: str) -> list[str]:
        """What the loop does with an element."""
        if not self._notes_nan:
            return [f"{self.name} = {self.step(self.name, number)};"]
        return [
            f"{self.name} = {self._rule.among_numbers.format(x=self.name, y=number)};",
            f"nan{self._number} |= {number} != {number};",
        ]

    def end(self) -> list[str]:
        """What stands behind the loop."""
        return [f"if (nan{self._number}) {self.name} = NAN;"] if self._notes_nan else []

    def step(self, x: str, y: str) -> str:
        """Two numbers made one."""
        template = self._rule.step if self._is_float else self._rule.among_numbers or self._rule.step
        return f"({self._type})({template.format(x=x, y=y)})"

    # Around it: `what` is "row" or "total" ------------------------------------------------------------------------

    def begin_partial(self, what: str) -> str:
        """The variables of partial results."""
        if self._is_float_sum:
            return f"double {what}_sum{self._number} = 0, {what}_rest{self._number} = 0;"
        return f"{self._type} {what}{self._number} = {start_of(self.root.operation, self._dtype)};"

    def accumulate(self, what: str, number: str) -> str:
        """A partial result more."""
        if self._is_float_sum:
            return f"add_exactly(&{what}_sum{self._number}, &{what}_rest{self._number}, {number});"
        return f"{what}{self._number} = {self.step(f'{what}{self._number}', number)};"

    # Pieces that threads share: each has partial results of a row of its own, which are put together in order.

    def begin_pieces(self, count: int) -> str:
        """The variables of the results of pieces."""
        if self._is_float_sum:
            return f"double piece_sum{self._number}[{count}], piece_rest{self._number}[{count}];"
        return f"{self._type} piece{self._number}[{count}];"

    def end_piece(self, piece: str) -> str:
        """What becomes of the partial results of a piece."""
        if not self._is_float_sum:
            return f"piece{self._number}[{piece}] = row{self._number};"
        parts = (f"piece_{part}{self._number}[{piece}] = row_{part}{self._number};" for part in ("sum", "rest"))
        return " ".join(parts)

    def add_piece(self, piece: str) -> str:
        """A piece more."""
        if not self._is_float_sum:
            return self.accumulate("row", f"piece{self._number}[{piece}]")
        rest = f"row_rest{self._number} += piece_rest{self._number}[{piece}];"
        return f"{self.accumulate('row', f'piece_sum{self._number}[{piece}]')} {rest}"

    def value(self, what: str) -> str:
        """All partial results together."""
        if self._is_float_sum:
            return f"({self._type})rounded({what}_sum{self._number}, {what}_rest{self._number})"
        return f"{what}{self._number}"

    def whole(self, what: str) -> tuple[str, str]:
        """A variable for them, and the line that sets it."""
        name = f"v{self._number}"
        return name, f"const {self._type} {name} = {self.value(what)};"
