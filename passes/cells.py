"""What a kernel is asked for and made of: requests, roots, the numbers of its body, and how its loops are nested."""

from __future__ import annotations

from dataclasses import dataclass

from dopegraph.ir.graph import Node, Value
from dopegraph.ir.types import DType, Shape
from dopegraph.passes.indices import Affine, squeezed

REDUCTIONS = ("sum", "prod", "max", "min", "all", "any")
VIEWS = ("transpose", "strided_slice", "flip", "broadcast_to")
SAME = ("identity", "stop_gradient", "barrier")
SOURCES = ("full", "iota")

# Operations that take as long as many additions.
COSTS = dict.fromkeys(("div", "sqrt", "reciprocal"), 4) | dict.fromkeys(("mod", "floor_div", "fmod"), 12)
COSTS |= dict.fromkeys(
    (
        "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctan2", "arctanh", "cbrt", "cos", "cosh", "erf", "exp",
        "exp2", "expm1", "hypot", "integer_pow", "log", "log10", "log1p", "log2", "pow", "sigmoid", "sin", "sinh",
        "tan", "tanh",
    ),
    16,
)  # fmt: skip


class NotFusableError(Exception):
    """A value cannot be computed by these loops."""


class Cell:
    """One number in the body of a kernel.

    Attributes
    ----------
    kind : {"load", "gather", "number", "count", "apply", "reduced"}
    value : Value or None
        What is loaded (by "gather" at a position that is its operand), or what a reduction gives.
    node : Node or None
        The operation of "apply", the literal of "number", or the ``iota`` of a "count" by steps that are not whole.
    operands : tuple of Cell
    offset : tuple of int
        Where to load, or what is counted.
    axes : frozenset of int
        The loops it depends on.
    phase : int
        The first pass over the columns that can compute it.
    cost : int
        As many additions take as long.
    """

    __slots__ = ("axes", "cost", "dtype", "kind", "node", "offset", "operands", "phase", "value")

    def __init__(
        self,
        kind: str,
        dtype: DType,
        axes: frozenset[int],
        *,
        value: Value | None = None,
        node: Node | None = None,
        operands: tuple[Cell, ...] = (),
        offset: Affine = (),
        phase: int = 0,
        cost: int = 0,
    ) -> None:
        self.kind = kind
        self.dtype = dtype
        self.axes = axes
        self.value = value
        self.node = node
        self.operands = operands
        self.offset = offset
        self.phase = phase
        self.cost = cost


@dataclass(frozen=True)
class Request:
    """A value that a kernel has to compute, and where: all of `target`, or the part that begins at `starts`."""

    source: Value
    target: Value
    starts: Shape | None = None
    steps: Shape = ()

    @property
    def reduces(self) -> bool:
        return self.starts is None and is_reduction(self.source)


@dataclass(eq=False)
class Root:
    """A result of a kernel: for each element of the domain ("map"), row, column, or for all of it ("total").

    `stored` is false for what is read inside the kernel only.
    """

    request: Request
    kind: str
    cell: Cell
    offset: Affine
    stored: bool = True

    @property
    def operation(self) -> str:
        """The reduction."""
        assert self.request.source.node is not None
        return self.request.source.node.op.name


def is_reduction(value: Value) -> bool:
    """Whether a value reduces something: a sum over axes of length 1 does not."""
    node = value.node
    if node is None or node.op.name not in REDUCTIONS:
        return False
    return any(node.inputs[0].shape[axis] != 1 for axis in node.attrs["axes"])


def domain_of(request: Request) -> Shape:
    """What the loops of a request run over."""
    source = request.source
    if request.reduces:
        assert source.node is not None
        source = source.node.inputs[0]
    return squeezed(source.shape)


@dataclass(frozen=True)
class Partition:
    """Which axes of the domain are batches, rows and columns."""

    batch: Shape
    rows: Shape
    columns: Shape


def partition_for(domain: Shape, reduced: frozenset[int]) -> tuple[Partition, str]:
    """How loops are nested for a reduction over some axes of a domain, and what the reduction is then."""
    every = range(len(domain))
    kept = tuple(axis for axis in every if axis not in reduced)
    over = tuple(axis for axis in every if axis in reduced)
    if len(domain) - 1 in reduced:
        return Partition((), kept, over), "row"
    first = len(domain)
    while first - 1 in kept:
        first -= 1
    return Partition(tuple(axis for axis in kept if axis < first), over, tuple(range(first, len(domain)))), "column"


def without_reshapes(value: Value) -> Value:
    """The value whose elements, in the same order, a value has."""
    while value.node is not None and (
        value.node.op.name in ("reshape", "barrier") or (value.node.op.name in REDUCTIONS and not is_reduction(value))
    ):
        value = value.node.inputs[0]
    return value
