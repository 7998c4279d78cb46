"""Hypothesis strategies for random typed graphs."""

from __future__ import annotations

import math
from typing import Any, Callable

import numpy
from hypothesis import strategies as st

from dopegraph import ops
from dopegraph.ir import Builder, Graph, TensorType, Value
from dopegraph.ir.graph import extract

Draw = Callable[[st.SearchStrategy[Any]], Any]

SHAPES: list[tuple[int, ...]] = [(), (1,), (3,), (2, 3), (3, 2), (1, 3), (2, 1), (2, 2, 3)]
NUMBERS = [0.0, -0.0, 1.0, -1.0, 2.0, 0.5]
INTEGERS = [0, 1, -1, 2, 3]


@st.composite
def graphs(draw: Draw, integers: bool = False, size: int = 12) -> Graph:
    """A graph of float64 (or int64) values: elementwise operators, reductions, movements, products, choices.

    The functions are smooth or have kinks only: conditions compare inputs, so that they do not flip by rounding.
    """
    builder = Builder()
    dtype = numpy.dtype("int64" if integers else "float64")
    inputs = [builder.input(TensorType(dtype, draw(st.sampled_from(SHAPES))), name) for name in "xyz"]
    maker = _Maker(draw, inputs, integers)
    with builder:
        for _ in range(draw(st.integers(1, size))):
            maker.step()
    outputs = draw(st.lists(st.sampled_from(maker.values), min_size=1, max_size=3))
    state = draw(st.integers(0, 2))
    updates = []
    for old in inputs[len(inputs) - state :]:
        fitting = [value for value in maker.values if value.type == old.type]
        updates.append((old, draw(st.sampled_from(fitting))))
    return extract("f", builder.nodes, inputs[: len(inputs) - state], inputs[len(inputs) - state :], outputs, updates)


class _Maker:
    """Appends random nodes to the current builder."""

    def __init__(self, draw: Draw, inputs: list[Value], integers: bool) -> None:
        self.draw = draw
        self.inputs = inputs
        self.values = list(inputs)
        self.integers = integers
        self.makers: list[Callable[[], Value]] = [
            self.unary, self.binary, self.binary, self.number, self.reduction, self.reshape, self.transpose,
            self.broadcast, self.slice, self.matmul, self.choice, self.concat, self.flip,
        ]  # fmt: skip
        if not integers:
            self.makers += [self.normalized, self.logarithm]

    def step(self) -> None:
        self.values.append(self.draw(st.sampled_from(self.makers))())

    def value(self, values: list[Value] | None = None) -> Value:
        """Any value, recent ones more often; small ones only."""
        found: Value = self.draw(st.sampled_from(values or [*self.values, *self.values[-3:]]))
        return found

    def with_axes(self) -> Value:
        return self.value(
            [value for value in self.values if value.ndim] or [ops.broadcast_to(self.value(), shape=(3,))]
        )

    def axes(self, value: Value) -> tuple[int, ...]:
        chosen = self.draw(st.sets(st.integers(0, value.ndim - 1))) if value.ndim else set()
        return tuple(sorted(chosen))

    def unary(self) -> Value:
        functions = [ops.neg, ops.square, ops.abs, ops.relu, ops.identity]
        if not self.integers:
            functions += [ops.exp, ops.tanh, ops.sin, ops.cos, ops.sigmoid, ops.arctan, ops.stop_gradient]
        function = self.draw(st.sampled_from(functions))
        if function in (ops.exp, ops.square) and not self.integers:  # keep numbers small
            return function(ops.tanh(self.value()))
        return function(self.value())

    def binary(self) -> Value:
        functions = [ops.add, ops.sub, ops.mul, ops.maximum, ops.minimum]
        x = self.value()
        fitting = [value for value in self.values if _broadcast(x.shape, value.shape)]
        return self.draw(st.sampled_from(functions))(x, self.value(fitting))

    def number(self) -> Value:
        function = self.draw(st.sampled_from([ops.add, ops.sub, ops.mul, ops.maximum]))
        number = self.draw(st.sampled_from(INTEGERS if self.integers else NUMBERS))
        operands = [self.value(), number]
        if self.draw(st.booleans()):
            operands.reverse()
        return function(*operands)

    def reduction(self) -> Value:
        x = self.value()
        functions = [ops.sum, ops.max, ops.min] + ([] if self.integers else [ops.prod])
        function = self.draw(st.sampled_from(functions))
        return function(x, axes=self.axes(x), keepdims=self.draw(st.booleans()))

    def reshape(self) -> Value:
        x = self.value()
        size = math.prod(x.shape)
        shapes = [shape for shape in [*SHAPES, (size,), (1, size), (size, 1, 1)] if math.prod(shape) == size]
        return ops.reshape(x, shape=self.draw(st.sampled_from(shapes)))

    def transpose(self) -> Value:
        x = self.value()
        return ops.transpose(x, axes=tuple(self.draw(st.permutations(range(x.ndim)))))

    def broadcast(self) -> Value:
        x = self.value()
        fitting = [shape for shape in [x.shape, *SHAPES] if _broadcast(x.shape, shape) == shape]
        return ops.broadcast_to(x, shape=self.draw(st.sampled_from(fitting)))

    def slice(self) -> Value:
        x = self.value()
        bounds = [sorted((self.draw(st.integers(0, n - 1)), self.draw(st.integers(1, n)))) for n in x.shape]
        starts, stops = tuple(b[0] for b in bounds), tuple(max(b[1], b[0] + 1) for b in bounds)
        steps = tuple(self.draw(st.integers(1, 2)) for _ in bounds)
        return ops.strided_slice(x, starts=starts, stops=stops, steps=steps)

    def matmul(self) -> Value:
        x, y = (ops.reshape(value, shape=_matrix(value.shape)) for value in (self.value(), self.value()))
        flags = {"transpose_x": self.draw(st.booleans()), "transpose_y": self.draw(st.booleans())}
        inner = x.shape[0 if flags["transpose_x"] else 1], y.shape[1 if flags["transpose_y"] else 0]
        if inner[0] != inner[1]:
            x = ops.sum(x, axes=(0 if flags["transpose_x"] else 1,), keepdims=True)
            y = ops.sum(y, axes=(1 if flags["transpose_y"] else 0,), keepdims=True)
        product = ops.matmul(x, y, **flags)
        return product if self.integers else ops.tanh(product)

    def choice(self) -> Value:
        x = self.value()
        fitting = [value for value in self.values if _broadcast(x.shape, value.shape)]
        y = self.value(fitting)
        compare = self.draw(st.sampled_from([ops.greater, ops.less_equal, ops.equal]))
        (first,), second = self.inputs[:1], self.value(self.inputs)
        scalars = [ops.sum(value, axes=tuple(range(value.ndim))) for value in (first, second)]
        condition = compare(*scalars)
        if self.draw(st.booleans()):
            condition = ops.logical_not(condition)
        return ops.select(condition, x, y)

    def concat(self) -> Value:
        x = self.with_axes()
        fitting = [x, *(value for value in self.values if value.type == x.type)]
        return ops.concat(x, self.value(fitting), axis=self.draw(st.integers(0, x.ndim - 1)))

    def flip(self) -> Value:
        x = self.value()
        return ops.flip(x, axes=self.axes(x))

    def normalized(self) -> Value:
        x = self.with_axes()
        axis = self.draw(st.integers(0, x.ndim - 1))
        return self.draw(st.sampled_from([ops.softmax, ops.log_softmax]))(x, axis=axis)

    def logarithm(self) -> Value:
        x = self.with_axes()
        axis = self.draw(st.integers(0, x.ndim - 1))
        positive = [
            lambda: ops.softmax(x, axis=axis),
            lambda: ops.sigmoid(x),
            lambda: ops.square(x) + 1.0,
            lambda: ops.exp(ops.tanh(x)) / ops.sum(ops.exp(ops.tanh(x)), axes=(axis,), keepdims=True),
        ]
        return ops.log(self.draw(st.sampled_from(positive))())


def _broadcast(x: tuple[int, ...], y: tuple[int, ...]) -> tuple[int, ...] | None:
    try:
        return numpy.broadcast_shapes(x, y)
    except ValueError:
        return None


def _matrix(shape: tuple[int, ...]) -> tuple[int, int]:
    return (shape[0], math.prod(shape[1:])) if shape else (1, 1)
