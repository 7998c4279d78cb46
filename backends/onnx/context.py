"""What the lowering rules work with: the model being written, constants, and the few operators every rule needs.

Values are names, as in ONNX. Scalars stay scalars: elementwise operators broadcast as NumPy does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Union

import numpy

from dopegraph.backends.onnx import library
from dopegraph.ir.graph import Graph, Node, Value
from dopegraph.ir.types import Shape

Rule = Callable[["Context", Node], Union[str, tuple[str, ...]]]
"""Writes the operators for one node; the name of its result, or a tuple of names for several."""

DType = numpy.dtype[Any]

FLOAT32, INT64, BOOL = numpy.dtype("float32"), numpy.dtype("int64"), numpy.dtype("bool")

# Larger arrays of one number are made when the model runs.
_LARGEST_FILLED = 1024


class Context:
    """The model being written, and the name of every value written so far."""

    def __init__(self, graph: Graph) -> None:
        self.onnx = library.load()
        self.graph = graph
        self.nodes: list[Any] = []
        self.constants: dict[str, numpy.ndarray[Any, Any]] = {}
        self.names: dict[Value, str] = {}
        self.taken: set[str] = set()
        self._constant_of: dict[Any, str] = {}
        self._made: dict[Any, tuple[str, ...]] = {}
        self._counters: dict[str, int] = {}
        self._place = ""

    def begin(self, node: Node) -> None:
        """The operators that follow say which line they come from."""
        self._place = str(node.location) if node.location is not None else ""

    def __getitem__(self, value: Value) -> str:
        """The name of a value; arrays that are known become constants when they are first needed."""
        found = self.names.get(value)
        if found is None:
            assert value.node is not None
            if value.node.op.name == "full" and value.type.size > _LARGEST_FILLED:
                found = self.op("Expand", self.scalar(value.node.attrs["value"], value.type.dtype),
                                self.ints(value.shape))  # fmt: skip
            else:
                found = self.constant(value.node.op.kernel(**value.node.attrs), value.node.op.name)
            self.names[value] = found
        return found

    def unique(self, name: str) -> str:
        """A name that nothing has."""
        found = name
        while found in self.taken:
            number = self._counters[name] = self._counters.get(name, 0) + 1
            found = f"{name}_{number}"
        self.taken.add(found)
        return found

    def ops(self, kind: str, inputs: Sequence[str], outputs: int, attrs: dict[str, Any]) -> tuple[str, ...]:
        """An operator with several results; equal ones are written once."""
        key = (kind, tuple(inputs), outputs, repr(sorted(attrs.items())))
        found = self._made.get(key)
        if found is None:
            first = self.unique(kind.lower())
            found = (first, *[self.unique(f"{first}_{position}") for position in range(1, outputs)])
            node = self.onnx.helper.make_node(kind, list(inputs), list(found), name=first, **attrs)
            node.doc_string = self._place
            self.nodes.append(node)
            self._made[key] = found
        return found

    def op(self, kind: str, *inputs: str, **attrs: Any) -> str:
        """An operator with one result."""
        return self.ops(kind, inputs, 1, attrs)[0]

    # Constants ----------------------------------------------------------------------------------------------------

    def constant(self, array: Any, name: str = "constant") -> str:
        """An array that is part of the model."""
        array = numpy.ascontiguousarray(array).reshape(numpy.shape(array))
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self._constant_of:
            made = self._constant_of[key] = self.unique(name)
            self.constants[made] = array
        return self._constant_of[key]

    def scalar(self, number: Any, dtype: DType) -> str:
        with numpy.errstate(over="ignore"):
            return self.constant(numpy.array(number, dtype), "number")

    def ints(self, numbers: Sequence[int]) -> str:
        """Lengths, axes and the like."""
        return self.constant(numpy.array(numbers, INT64).reshape(len(numbers)), "shape")

    # Operators ----------------------------------------------------------------------------------------------------

    def cast(self, x: str, source: DType, dtype: DType) -> str:
        if source == dtype:
            return x
        return self.op("Cast", x, to=self.onnx.helper.np_dtype_to_tensor_dtype(dtype))

    def reshape(self, x: str, shape: Shape) -> str:
        # A length of 0 would be copied from the operand.
        return self.op("Reshape", x, self.ints(shape), **({"allowzero": 1} if 0 in shape else {}))

    def transpose(self, x: str, axes: Sequence[int]) -> str:
        return x if tuple(axes) == tuple(range(len(axes))) else self.op("Transpose", x, perm=list(axes))

    def where(self, condition: str, x: str, y: str) -> str:
        return self.op("Where", condition, x, y)

    def sum(self, x: str, axes: Sequence[int], keepdims: bool) -> str:
        return self.op("ReduceSum", x, self.ints(axes), keepdims=int(keepdims)) if axes else x
