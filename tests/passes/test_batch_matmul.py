"""Products that share an operand, or have one-hot rows: read from the printed graph, and computed by NumPy."""

from __future__ import annotations

import numpy
import pytest

import dopegraph.ops  # noqa: F401  (declares the primitives)
from dopegraph.ir import Graph, parse, verify
from dopegraph.passes.batch_matmul import BatchMatmul
from dopegraph.passes.dead_code import DeadCode
from tests.reference import evaluate, random_arguments


def batched(text: str) -> Graph:
    graph = parse(text)
    assert BatchMatmul().run(graph)
    DeadCode().run(graph)
    verify(graph)
    same(parse(text), graph)
    return graph


def same(one: Graph, other: Graph) -> None:
    arguments = random_arguments(one, 0)
    for found, wanted in zip(evaluate(other, arguments), evaluate(one, arguments)):
        assert (found.shape, found.dtype) == (wanted.shape, wanted.dtype)
        numpy.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-5)


def test_two_heads_are_one_product() -> None:
    graph = batched("""graph f(%x: f32[64,256], %v: f32[256,10], %w: f32[256,4]) {
      %0: f32[64,10] = matmul(%x, %v)
      %1: f32[64,10] = tanh(%0)
      %2: f32[64,4] = matmul(%x, %w)
      return %1, %2
    }""")
    assert (
        str(graph)
        == """graph f(%x: f32[64,256], %v: f32[256,10], %w: f32[256,4]) {
  %0: f32[256,14] = concat(%v, %w) {axis=1}
  %1: f32[64,14] = matmul(%x, %0)
  %2: f32[64,10] = strided_slice(%1) {starts=(0, 0), stops=(64, 10), steps=(1, 1)}
  %3: f32[64,4] = strided_slice(%1) {starts=(0, 10), stops=(64, 14), steps=(1, 1)}
  %4: f32[64,10] = tanh(%2)
  return %4, %3
}"""
    )


@pytest.mark.parametrize("transpose_x", ["false", "true"])
@pytest.mark.parametrize("transpose_y", ["false", "true"])
@pytest.mark.parametrize("shared", [0, 1])
def test_all_transpositions(transpose_x: str, transpose_y: str, shared: int) -> None:
    m, n = ((64,) * 3, (3, 7, 5)) if shared == 0 else ((1, 2, 1), (64,) * 3)
    x = ["64,{}" if transpose_x == "true" else "{},64"] * 3
    y = ["{},64" if transpose_y == "true" else "64,{}"] * 3
    inputs = [f"%a{i}: f32[{(y[i].format(n[i]) if shared == 0 else x[i].format(m[i]))}]" for i in range(3)]
    inputs.append(f"%b: f32[{x[0].format(m[0]) if shared == 0 else y[0].format(n[0])}]")
    nodes = [
        f"%{i}: f32[{m[i]},{n[i]}] = matmul({f'%b, %a{i}' if shared == 0 else f'%a{i}, %b'}) "
        f"{{transpose_x={transpose_x}, transpose_y={transpose_y}}}"
        for i in range(3)
    ]
    graph = batched(f"graph f({', '.join(inputs)}) {{ {' '.join(nodes)} return %0, %1, %2 }}")
    assert [node.op.name for node in graph.nodes].count("matmul") == 1


@pytest.mark.parametrize(
    "nodes",
    [
        # Copying the weights would take as long as the product.
        "%0: f32[32,256] = matmul(%x, %v) %1: f32[32,256] = matmul(%x, %w) return %0, %1",
        # The second needs the first.
        "%0: f32[32,256] = matmul(%x, %v) %1: f32[256,256] = matmul(%x, %0) {transpose_x=true} return %1",
    ],
)
def test_what_does_not_pay_or_cannot_be(nodes: str) -> None:
    graph = parse(f"graph f(%x: f32[32,256], %v: f32[256,256], %w: f32[256,256]) {{ {nodes} }}")
    before = str(graph)
    assert not BatchMatmul().run(graph)
    assert str(graph) == before


def test_a_one_hot_matrix_times_a_matrix_is_a_gather() -> None:
    graph = batched("""graph f(%i: i64[5], %w: f32[7,3]) {
      %0: f32[5,7] = one_hot(%i) {depth=7, dtype=f32} %1: f32[5,3] = matmul(%0, %w) return %1
    }""")
    names = [node.op.name for node in graph.nodes]
    assert "take" in names
    assert not {"one_hot", "matmul"} & set(names)


def test_its_derivative_adds_rows_up() -> None:
    graph = batched("""graph f(%i: i32[5], %g: f32[5,3]) {
      %0: f32[5,7] = one_hot(%i) {depth=7, dtype=f32}
      %1: f32[7,3] = matmul(%0, %g) {transpose_x=true}
      return %1
    }""")
    names = [node.op.name for node in graph.nodes]
    assert "take_scatter" in names
    assert not {"one_hot", "matmul"} & set(names)


def test_steps_of_one_hot_rows_and_indices_outside() -> None:
    """Rows of all steps; an index outside is a row of zeros, also a negative one."""
    graph = parse("""graph f(%i: i64[2,3], %w: f32[4,3]) {
      %0: f32[2,3,4] = one_hot(%i) {depth=4, dtype=f32}
      %1: f32[6,4] = reshape(%0) {shape=(6, 4)}
      %2: f32[6,3] = matmul(%1, %w)
      return %2
    }""")
    arguments = [numpy.array([[0, 3, 4], [-1, 2, 99]]), numpy.arange(1, 13, dtype="float32").reshape(4, 3)]
    (wanted,) = evaluate(graph, arguments)
    assert BatchMatmul().run(graph)
    (found,) = evaluate(graph, arguments)
    numpy.testing.assert_array_equal(found, wanted)
    assert not found[[2, 3, 5]].any()


def test_a_reshape_that_is_no_list_of_rows() -> None:
    graph = parse("""graph f(%i: i64[6], %w: f32[12,3]) {
      %0: f32[6,4] = one_hot(%i) {depth=4, dtype=f32}
      %1: f32[2,12] = reshape(%0) {shape=(2, 12)}
      %2: f32[2,3] = matmul(%1, %w)
      return %2
    }""")
    assert not BatchMatmul().run(graph)
