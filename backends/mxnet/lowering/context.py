"""What the lowering rules work with: a graph's values as MXNet entries, and the few operators every rule needs.

Shapes are MXNet's: () is (1,). Booleans are carried as float32 zeros and ones.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Union

import numpy

from dopegraph.backends.mxnet.symbol_writer import Entry, SymbolNode, SymbolWriter, has_gradient
from dopegraph.ir.graph import Graph, Node, Value
from dopegraph.ir.types import Shape, TensorType
from dopegraph.ops.typing import broadcast_shapes

__all__ = [
    "BOOL", "FLOAT32", "INT32", "INT64", "Context", "Entry", "Number", "Rule", "carried_dtype", "carried_shape",
    "is_source", "number_of", "permuted_groups", "result_type",
]  # fmt: skip

FLOAT32 = numpy.dtype("float32")
INT32 = numpy.dtype("int32")
INT64 = numpy.dtype("int64")
BOOL = numpy.dtype("bool")
Number = Union[int, float]

Rule = Callable[["Context", Node], Union[Entry, tuple[Entry, ...]]]
"""Writes the operators for one node and returns the entry of its result, or a tuple of entries for several."""


def carried_shape(shape: Shape) -> Shape:
    """MXNet has no 0-d arrays."""
    return shape or (1,)


def carried_dtype(dtype: numpy.dtype[Any]) -> numpy.dtype[Any]:
    return FLOAT32 if dtype == BOOL else dtype


def is_source(value: Value, name: str) -> bool:
    return value.node is not None and value.node.op.name == name


def number_of(value: Value) -> Number | None:
    """The number that a `full` is filled with, if MXNet's scalar operators (a double) can hold it exactly."""
    if not is_source(value, "full"):
        return None
    assert value.node is not None
    number = value.type.dtype.type(value.node.attrs["value"]).item()
    if isinstance(number, (bool, int)):
        return int(number) if abs(number) <= 2**53 else None
    # MXNet's parser refuses numbers below the normal range of a double.
    return number if not math.isfinite(number) or number == 0 or abs(number) >= 2.3e-308 else None


class Context:
    """The symbol being written, and the entry of every value written so far."""

    def __init__(self, graph: Graph, target: str) -> None:
        self.graph = graph
        self.portable = target == "portable"
        self.writer = SymbolWriter()
        self.constants: dict[str, numpy.ndarray[Any, Any]] = {}
        self.entries: dict[Value, Entry] = {}
        self.users = graph.uses()
        self.biased: dict[Value, Entry] = {}
        self._constant_of: dict[Any, Entry] = {}
        self._name = ""

    def begin(self, node: Node) -> None:
        """Name the operators that follow after the node's primitive."""
        self._name = node.op.name

    def __getitem__(self, value: Value) -> Entry:
        """The entry of a value; numbers and constants are written when they are first needed as arrays."""
        found = self.entries.get(value)
        if found is None:
            node = value.node
            assert node is not None
            if number_of(value) is not None:
                found = self.full(node.attrs["value"], carried_shape(value.shape), carried_dtype(value.type.dtype))
            else:
                found = self.constant(node.op.kernel(**node.attrs), node.op.name)
            self.entries[value] = found
        return found

    # Operators ----------------------------------------------------------------------------------------------------

    def node(
        self, name: str, inputs: Sequence[Entry], attrs: dict[str, Any], deps: Sequence[SymbolNode] = ()
    ) -> SymbolNode:
        return self.writer.node(name, self._name, inputs, attrs, deps)

    def op(
        self,
        name: str,
        *inputs: Entry,
        shape: Shape | None = None,
        dtype: numpy.dtype[Any] | None = None,
        attrs: dict[str, Any] | None = None,
        **more: Any,
    ) -> Entry:
        """An operator with one output, by default of the type of its first operand."""
        node = self.node(name, inputs, {**(attrs or {}), **more})
        made = Entry(node, 0, inputs[0].shape if shape is None else shape, inputs[0].dtype if dtype is None else dtype)
        return made if has_gradient(name) else self.writer.block(made)

    def full(self, value: Number, shape: Shape, dtype: numpy.dtype[Any]) -> Entry:
        """An array of one number."""
        node = self.node("_full", (), {"shape": shape, "dtype": dtype.name, "value": float(value)})
        return Entry(node, 0, shape, dtype)

    def constant(self, array: Any, name: str = "constant") -> Entry:
        """An array known now; it becomes an argument that the executor (or the parameter file) supplies."""
        array = numpy.asarray(array)
        key = (array.dtype.str, array.shape, array.tobytes())
        found = self._constant_of.get(key)
        if found is None:
            carried = numpy.array(array, carried_dtype(array.dtype), order="C").reshape(carried_shape(array.shape))
            known = ("shape", "dtype") if self.portable else ()
            found = self.writer.argument(f"{name}_value", carried.shape, carried.dtype, known)
            self._constant_of[key] = found
            self.constants[found.node.name] = carried
        return found

    def cast(self, x: Entry, dtype: numpy.dtype[Any]) -> Entry:
        return x if x.dtype == dtype else self.op("Cast", x, dtype=dtype, attrs={"dtype": dtype.name})

    def reshape(self, x: Entry, shape: Shape) -> Entry:
        # No length is 0 or negative, so MXNet's special codes cannot occur.
        return x if x.shape == shape else self.op("Reshape", x, shape=shape, attrs={"shape": shape})

    def binary(self, same: str, broadcast: str, x: Entry, y: Entry) -> Entry:
        """`same` for operands of one shape, `broadcast` for others."""
        if x.shape == y.shape:
            return self.op(same, x, y)
        return self.op(broadcast, x, y, shape=broadcast_shapes(x.shape, y.shape))

    def add(self, x: Entry, y: Entry) -> Entry:
        return self.binary("elemwise_add", "broadcast_add", x, y)

    def sub(self, x: Entry, y: Entry) -> Entry:
        return self.binary("elemwise_sub", "broadcast_sub", x, y)

    def mul(self, x: Entry, y: Entry) -> Entry:
        return self.binary("elemwise_mul", "broadcast_mul", x, y)

    def div(self, x: Entry, y: Entry) -> Entry:
        return self.binary("elemwise_div", "broadcast_div", x, y)

    def scalar(self, name: str, x: Entry, number: Number) -> Entry:
        return self.op(name, x, scalar=float(number) if x.dtype.kind == "f" else number)

    def where(self, condition: Entry, x: Entry, y: Entry) -> Entry:
        """MXNet's `where` takes equal shapes only."""
        shape = broadcast_shapes(condition.shape, x.shape, y.shape)
        condition, x, y = (self.broadcast_to(one, shape) for one in (condition, x, y))
        return self.op("where", condition, x, y, shape=shape, dtype=x.dtype)

    def broadcast_to(self, x: Entry, shape: Shape) -> Entry:
        if x.shape == shape:
            return x
        aligned = self.reshape(x, (1,) * (len(shape) - len(x.shape)) + x.shape)
        return self.op("broadcast_to", aligned, shape=shape, attrs={"shape": shape})

    def slice(self, x: Entry, starts: Shape, stops: Shape, steps: Shape) -> Entry:
        shape = tuple(len(range(*bounds)) for bounds in zip(starts, stops, steps))
        return self.op("slice", x, shape=shape, begin=starts, end=stops, step=steps)

    def with_bias(self, product: Value, bias: Value) -> Entry:
        """The operator that made a value, again, with a bias; the one without is not written if nobody reads it."""
        plain = self[product]
        single = self.reshape(self[bias], (product.shape[1],))
        node = plain.node
        name, attrs = node.op, {**node.attrs, "no_bias": False}
        fused = self.op(name, *node.inputs, single, shape=plain.shape, dtype=plain.dtype, attrs=attrs)
        self.biased[product] = fused
        return fused

    def transpose(self, x: Entry, axes: Sequence[int]) -> Entry:
        """Moved with as few axes as possible: lengths 1 are dropped, axes that stay neighbours become one."""
        shape = tuple(x.shape[axis] for axis in axes)
        groups = permuted_groups(x.shape, axes)
        original = sorted(groups)
        order = tuple(original.index(group) for group in groups)
        if order == tuple(range(len(order))):
            return self.reshape(x, shape)
        lengths = tuple(math.prod(x.shape[axis] for axis in group) for group in original)
        moved = tuple(lengths[position] for position in order)
        flat = self.op("transpose", self.reshape(x, lengths), shape=moved, axes=order)
        return self.reshape(flat, shape)


def permuted_groups(shape: Shape, axes: Sequence[int]) -> list[tuple[int, ...]]:
    """The axes of a transposition in their new order: without those of length 1, neighbours that stay so joined."""
    groups: list[tuple[int, ...]] = []
    long = [axis for axis in range(len(shape)) if shape[axis] != 1]
    after = dict(zip(long, long[1:]))
    for axis in axes:
        if shape[axis] == 1:
            continue
        if groups and after.get(groups[-1][-1]) == axis:
            groups[-1] += (axis,)
        else:
            groups.append((axis,))
    return groups


def result_type(node: Node) -> TensorType:
    return node.outputs[0].type
