from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy
import pytest

from dopegraph import ops
from dopegraph.ir import Builder, TensorType, Value, current_builder
from dopegraph.runtime.errors import DTypeError, GraphError, ShapeError
from dopegraph.runtime.location import Location

HERE, THERE = Location("a.py", 1, "f"), Location("b.py", 2, "g")


def vector(builder: Builder, dtype: str = "f32") -> Value:
    return builder.input(TensorType(dtype, (3,)), "x")


def test_emitting_checks_types_and_fills_in_defaults() -> None:
    builder = Builder()
    node = builder.emit_node(ops.sum, [vector(builder)], {"axes": (0,)})
    assert node.attrs == {"axes": (0,), "keepdims": False} and str(node.output.type) == "f32[]"
    assert builder.nodes == [node]


def test_nothing_is_appended_when_the_type_rule_rejects() -> None:
    builder = Builder()
    with pytest.raises(ShapeError):
        builder.emit(ops.matmul, [vector(builder), vector(builder)], {})
    assert builder.nodes == []


def test_an_attribute_without_default_must_be_given() -> None:
    builder = Builder()
    with pytest.raises(GraphError, match=r"sum does not take .*axes"):
        builder.emit(ops.sum, [vector(builder)], {})


def test_a_node_gets_the_given_location_then_the_blocks_then_the_builders() -> None:
    builder = Builder(locate=lambda: HERE)
    x = vector(builder)
    builder.emit(ops.exp, [x], {})
    with builder.at(THERE):
        builder.emit(ops.exp, [x], {})
        builder.emit(ops.exp, [x], {}, location=HERE)
        with builder.at(None):
            builder.emit(ops.exp, [x], {})
    builder.emit(ops.exp, [x], {})
    assert [node.location for node in builder.nodes] == [HERE, THERE, HERE, None, HERE]


def test_the_location_of_a_block_ends_with_an_error_too() -> None:
    builder = Builder(locate=lambda: HERE)
    with pytest.raises(ShapeError), builder.at(THERE):
        raise ShapeError
    assert builder.locate() is HERE


def test_primitives_emit_into_the_innermost_builder() -> None:
    outer, inner = Builder(), Builder()
    x = vector(outer)
    with outer:
        with inner:
            ops.exp(x)
        ops.tanh(x)
    assert [node.op.name for node in outer.nodes + inner.nodes] == ["tanh", "exp"]


def test_without_a_builder_there_is_an_error() -> None:
    with pytest.raises(GraphError, match="no builder is active"):
        ops.exp(vector(Builder()))


def test_builders_are_active_in_their_thread_only() -> None:
    errors = []

    def other() -> None:
        try:
            current_builder()
        except GraphError as error:
            errors.append(error)

    with Builder():
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert len(errors) == 1


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda x: x + 1, "add"),
        (lambda x: 1 + x, "add"),
        (lambda x: x - 1, "sub"),
        (lambda x: 1 - x, "sub"),
        (lambda x: x * 2, "mul"),
        (lambda x: 2 * x, "mul"),
        (lambda x: x / 2, "div"),
        (lambda x: 2 / x, "div"),
        (lambda x: -x, "neg"),
    ],
)
def test_arithmetic_on_values_emits_nodes(make: Callable[[Any], Any], expected: str) -> None:
    builder = Builder()
    x = vector(builder)
    with builder:
        assert make(x).node.op.name == expected
    assert [x in node.inputs for node in builder.nodes if node.op.name == expected] == [True]


def test_a_number_first_stays_first() -> None:
    builder = Builder()
    x = vector(builder)
    with builder:
        y = 1 - x
    assert y.node is not None and y.node.inputs[1] is x


def test_numbers_take_the_dtype_of_the_value_beside_them() -> None:
    builder = Builder()
    with builder:
        y = vector(builder, "f16") * 0.1
    assert builder.nodes[0].attrs == {"value": float(numpy.float16(0.1)), "shape": (), "dtype": numpy.dtype("f2")}
    assert str(y.type) == "f16[3]"


def test_numbers_beside_a_condition_take_the_dtype_of_the_other_branch() -> None:
    builder = Builder()
    condition, x = vector(builder, "bool"), vector(builder)
    with builder:
        assert str(ops.select(condition, x, 0.0).type) == str(ops.select(condition, 0.0, x).type) == "f32[3]"


def test_a_number_too_large_becomes_infinite() -> None:
    builder = Builder()
    value = builder.scalar(1e300, numpy.dtype("float32"))
    assert value.node is not None and value.node.attrs["value"] == float("inf")


def test_a_fraction_beside_integers_is_an_error() -> None:
    builder = Builder()
    with builder, pytest.raises(DTypeError, match=r"0\.5 is no int32; cast the array first"):
        vector(builder, "i32") * 0.5


def test_an_operation_on_numbers_alone_is_an_error() -> None:
    with Builder(), pytest.raises(GraphError, match="at least one value"):
        ops.add(1.0, 2.0)
