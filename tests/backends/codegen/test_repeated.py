"""Recurrences in generated C, beside the NumPy kernel: how values are handed on, stacked, and read again."""

from __future__ import annotations

import numpy
import pytest

from dopegraph.backends.codegen import blas, support
from dopegraph.backends.codegen.executable import CodegenExecutable
from dopegraph.ir import Graph, Node, parse, verify
from dopegraph.runtime.buffer import Buffer
from tests.backends.codegen.programs import needs_compiler
from tests.reference import evaluate, random_arguments

pytestmark = [needs_compiler, pytest.mark.skipif(blas.library() is None, reason="there is no BLAS")]


def recurrence(body: str, operands: str, results: str, attrs: str, dtype: str = "f32") -> Graph:
    """A graph of one recurrence: types of operands and results separated by spaces."""
    inputs = [f"%a{number}: {dtype}{type}" for number, type in enumerate(operands.split())]
    outputs = [f"%{number}: {dtype}{type}" for number, type in enumerate(results.split())]
    names = ", ".join(one.split(":")[0] for one in inputs)
    returned = ", ".join(f"%{number}" for number in range(len(outputs)))
    text = " ".join(body.replace("f32", dtype).split())
    graph = parse(
        f'graph f({", ".join(inputs)}) {{ {", ".join(outputs)} = recurrence({names}) {{body="{text}", {attrs}}} '
        f"return {returned} }}"
    )
    verify(graph)
    return graph


def check(graph: Graph, seed: int = 0) -> CodegenExecutable:
    arguments = [numpy.asarray(array * 0.4, array.dtype) for array in random_arguments(graph, seed)]
    executable = CodegenExecutable(graph)
    found = executable([Buffer(array) for array in arguments], [None] * len(graph.results))
    again = executable([Buffer(array) for array in arguments], [None] * len(graph.results))
    for one, two, wanted in zip(found, again, evaluate(graph, arguments)):
        assert (one.array.dtype, one.array.shape) == (wanted.dtype, wanted.shape)
        numpy.testing.assert_allclose(one.array, wanted, rtol=1e-5, atol=1e-5)
        assert one.array.tobytes() == two.array.tobytes()
    return executable


CELL = """graph step(%c: f32[20,20], %b: f32[20], %x: f32[7,20], %h: f32[7,20]) {
  %0: f32[7,20] = matmul(%h, %c)
  %1: f32[7,20] = add(%0, %x)
  %2: f32[7,20] = add(%1, %b)
  %3: f32[7,20] = tanh(%2)
  return %3 RETURNS
}"""


@pytest.mark.parametrize("dtype", ["f32", "f64"])
@pytest.mark.parametrize("reverse", ["false", "true"])
@pytest.mark.parametrize("length", [1, 2, 5])
@pytest.mark.parametrize(
    ("returns", "results"),
    [
        (", %3", "[T,7,20] [7,20]"),  # handed on from the stack
        ("", "[7,20]"),  # in two places in turn
        (", %2", "[T,7,20] [7,20]"),
        (", %3, %3", "[T,7,20] [T,7,20] [7,20]"),
        (", %x", "[T,7,20] [7,20]"),  # an operand of a step is copied
    ],
    ids=["stacked", "last", "other", "twice", "operand"],
)
def test_a_cell(returns: str, results: str, length: int, reverse: str, dtype: str) -> None:
    size = str(length)
    check(
        recurrence(
            CELL.replace(" RETURNS", returns),
            f"[20,20] [20] [{size},7,20] [7,20]",
            results.replace("T", size),
            f"length={size}, constants=2, sequences=1, reverse={reverse}",
            dtype,
        )
    )


def test_values_that_change_places() -> None:
    """Each step reads what the other one was before: none may be written over too soon."""
    body = """graph step(%h: f32[5], %g: f32[5]) {
      %0: f32[5] = sin(%g)
      return %0, %h
    }"""
    for length in (1, 2, 3, 4):
        check(recurrence(body, "[5] [5]", "[5] [5]", f"length={length}, constants=0, sequences=0"))


def test_the_same_is_handed_on_twice() -> None:
    body = """graph step(%x: f32[5], %h: f32[5], %g: f32[5]) {
      %0: f32[5] = add(%h, %x) %1: f32[5] = mul(%0, %g)
      return %1, %1
    }"""
    for length in (1, 2, 5):
        text = f"length={length}, constants=0, sequences=1"
        check(recurrence(body, f"[{length},5] [5] [5]", "[5] [5]", text))


def test_weights_in_several_forms_are_packed_once_each() -> None:
    body = """graph step(%c: f32[20,20], %d: f32[20,33], %x: f32[9,20], %h: f32[9,20]) {
      %0: f32[9,20] = matmul(%h, %c)
      %1: f32[9,20] = matmul(%x, %c) {transpose_y=true}
      %2: f32[9,20] = add(%0, %1)
      %3: f32[9,33] = matmul(%2, %d)
      %4: f32[9,20] = matmul(%3, %d) {transpose_y=true}
      %5: f32[9,20] = matmul(%4, %c)
      %6: f32[9,20] = tanh(%5)
      return %6, %3
    }"""
    text = "length=4, constants=2, sequences=1"
    executable = check(recurrence(body, "[20,20] [20,33] [4,9,20] [9,20]", "[4,9,33] [9,20]", text, "f64"))
    assert executable.source.text.count("  product_pack_f64(") == 4


def test_nan_and_infinity_stay_in_their_rows() -> None:
    graph = recurrence(
        CELL.replace(" RETURNS", ", %0"), "[20,20] [20] [3,7,20] [7,20]", "[3,7,20] [7,20]",
        "length=3, constants=2, sequences=1",
    )  # fmt: skip
    arguments = random_arguments(graph, 1)
    arguments[2][0, 2, 3] = numpy.nan
    arguments[3][5, 1] = numpy.inf
    found = CodegenExecutable(graph)([Buffer(array) for array in arguments], [None, None])
    for one, wanted in zip(found, evaluate(graph, arguments)):
        numpy.testing.assert_array_equal(numpy.isnan(one.array), numpy.isnan(wanted))
    assert not numpy.isnan(found[0].array[0, [0, 1, 3, 4, 6]]).any()


def test_positions_outside_are_refused() -> None:
    graph = parse(
        'graph f(%w: f32[4,3], %i: i64[5,2], %h: f32[2,3]) { %0: f32[2,3] = recurrence(%w, %i, %h) {body="'
        "graph step(%w: f32[4,3], %i: i64[2], %h: f32[2,3]) { %0: f32[2,3] = take(%w, %i) {axis=0} "
        '%1: f32[2,3] = add(%h, %0) return %1 }", length=5, constants=1, sequences=1} return %0 }'
    )
    executable = CodegenExecutable(graph)
    w, h = numpy.ones((4, 3), "float32"), numpy.zeros((2, 3), "float32")
    positions = numpy.array([[0, 1], [2, -1], [3, 3], [-4, 0], [1, 1]])
    (found,) = executable([Buffer(w), Buffer(positions), Buffer(h)], [None])
    assert found.array.tolist() == [[5, 5, 5]] * 2
    positions[3, 0] = 4
    with pytest.raises(IndexError):
        executable([Buffer(w), Buffer(positions), Buffer(h)], [None])


def test_what_the_body_needs_decides_who_runs_it() -> None:
    def loop(step: str) -> Node:
        body = f"graph step(%h: f32[3]) {{ %0: f32[3] = {step} return %0 }}"
        return recurrence(body, "[3]", "[3]", "length=5, constants=0, sequences=0").nodes[0]

    assert support.runs(loop("tanh(%h)"))
    assert not support.runs(loop("cumprod(%h) {axis=0}"))
    step = parse("graph f(%h: f32[3]) { %0: f32[3] = tanh(%h) return %0 }")
    assert support.work([loop("tanh(%h)")]) == 5 * support.work(step.nodes)
