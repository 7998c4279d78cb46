"""Which nodes are computed together, and in which order: read from the plan's text."""

from __future__ import annotations

import pytest

import dopegraph.ops  # noqa: F401  (declares the primitives)
from dopegraph.ir import Graph, parse, verify
from dopegraph.passes.expand import Expand
from dopegraph.passes.fuse import Fusion, plan_fusion
from dopegraph.passes.kernels import Kernel


def planned(text: str) -> tuple[Graph, Fusion]:
    graph = parse(text)
    Expand().run(graph)
    verify(graph)
    return graph, plan_fusion(graph, lambda node: node.op.name == "matmul")


def shown(text: str) -> list[str]:
    """The steps: the shape of a kernel's loops and what it computes, or the name of a library's node."""
    _, fusion = planned(text)
    return [line.removeprefix("kernel ").partition(":")[0] for line in str(fusion).splitlines()]


def stored(text: str) -> int:
    """How many arrays kernels write."""
    _, fusion = planned(text)
    return sum(root.stored for kernel in fusion.kernels for root in kernel.roots)


def test_operation_folding() -> None:
    """The book's example: a product and a sum are one kernel, which reads each array once."""
    text = """graph f(%a: f32[10], %b: f32[10], %c: f32[10]) {
      %0: f32[10] = mul(%a, %b) %1: f32[10] = add(%0, %c) return %1
    }"""
    (kernel,) = planned(text)[1].kernels
    assert str(kernel) == "[10] mul add: 160 bytes, 50 operations"


def test_what_several_results_share_is_computed_once() -> None:
    text = """graph f(%x: f32[4,5]) {
      %0: f32[4,5] = exp(%x) %1: f32[4,5] = neg(%0) %2: f32[4,5] = sin(%0) return %1, %2
    }"""
    assert shown(text) == ["[4,5] exp neg sin"]
    assert stored(text) == 2  # exp needs no memory


def test_softmax_is_one_kernel() -> None:
    text = "graph f(%x: f32[4,5]) { %0: f32[4,5] = softmax(%x) {axis=-1} return %0 }"
    assert shown(text) == ["[4,5] max sub exp sum div"]
    assert stored(text) == 1


def test_softmax_with_the_sums_of_its_gradient() -> None:
    text = """graph f(%x: f32[8,5], %y: f32[8,5]) {
      %0: f32[8,5] = log_softmax(%x) {axis=1}
      %1: f32[8,5] = mul(%y, %0)
      %2: f32[] = sum(%1) {axes=(0, 1)}
      %3: f32[8,5] = exp(%0)
      %4: f32[8,5] = sub(%3, %y)
      %5: f32[5] = sum(%4) {axes=(0,)}
      return %2, %4, %5
    }"""
    (kernel,) = planned(text)[1].kernels
    kinds = [root.kind for root in kernel.roots if root.stored]
    assert sorted(kinds) == ["column", "map", "total"]


def test_a_number_for_each_row_joins_the_loops_that_sum_it() -> None:
    text = """graph f(%x: f32[8,5]) {
      %0: f32[8,1] = sum(%x) {axes=(1,), keepdims=true} %1: f32[8,1] = log(%0) %2: f32[8,5] = sub(%x, %1) return %2, %1
    }"""
    assert shown(text) == ["[8,5] sum log sub"]


def test_loops_over_rows_do_not_join_loops_over_columns() -> None:
    text = """graph f(%x: f32[8,5]) {
      %0: f32[5] = sum(%x) {axes=(0,)} %1: f32[8,5] = sub(%x, %0) %2: f32[8] = max(%1) {axes=(1,)} return %2
    }"""
    assert shown(text) == ["[8,5] sum", "[8,5] sub max"]


def test_products_stay_between_kernels_and_bias_and_relu_are_one() -> None:
    text = """graph f(%x: f32[8,3], %w: f32[3,5], %b: f32[5], %v: f32[5,2]) {
      %0: f32[8,5] = matmul(%x, %w) %1: f32[8,5] = add(%0, %b) %2: f32[8,5] = relu(%1) %3: f32[8,2] = matmul(%2, %v)
      %4: f32[8,2] = neg(%3) return %4
    }"""
    assert shown(text) == ["matmul f32[8,3], f32[3,5]", "[8,5] add relu", "matmul f32[8,5], f32[5,2]", "[8,2] neg"]


def test_no_cycle_through_what_is_outside() -> None:
    """b reads a and the product of a; it must not join the loops that make a, which come before the product."""
    text = """graph f(%x: f32[4,4]) {
      %a: f32[4,4] = exp(%x) %0: f32[4,4] = matmul(%a, %a) %b: f32[4,4] = add(%a, %0) return %b
    }"""
    assert shown(text) == ["[4,4] exp", "matmul f32[4,4], f32[4,4]", "[4,4] add"]


def test_updates_of_different_arrays_are_loops_of_their_own() -> None:
    text = """graph f(%g: f32[9], %h: f32[9]; state %w: f32[9], %v: f32[9]) {
      %0: f32[9] = sub(%w, %g) %1: f32[9] = sub(%v, %h) return ; %w <- %0, %v <- %1
    }"""
    assert shown(text) == ["[9] sub", "[9] sub"]


@pytest.mark.parametrize(
    "view",
    [
        "transpose(%0) {axes=(1, 0)}", "strided_slice(%0) {starts=(1, 0), stops=(5, 5), steps=(1, 1)}",
        "flip(%0) {axes=(1,)}",
    ],
)  # fmt: skip
def test_views_are_index_arithmetic(view: str) -> None:
    shape = "4,5" if "slice" in view else "5,5"
    text = f"""graph f(%x: f32[5,5]) {{
      %0: f32[5,5] = exp(%x) %1: f32[{shape}] = {view} %2: f32[{shape}] = neg(%1) return %2
    }}"""
    assert shown(text) == [f"[{shape}] exp neg"]


def test_a_reshape_that_joins_axes_needs_its_operand_in_memory() -> None:
    text = """graph f(%x: f32[2,3], %y: f32[6]) {
      %0: f32[2,3] = exp(%x) %1: f32[6] = reshape(%0) {shape=(6,)} %2: f32[6] = add(%1, %y) return %2
    }"""
    assert shown(text) == ["[2,3] exp", "[6] add"]


def test_a_reshape_that_splits_axes_is_index_arithmetic() -> None:
    text = """graph f(%x: f32[6], %y: f32[2,3]) {
      %0: f32[6] = exp(%x) %1: f32[2,3] = reshape(%0) {shape=(2, 3)} %2: f32[2,3] = add(%1, %y) return %2
    }"""
    assert shown(text) == ["[2,3] exp add"]


def test_a_concatenation_is_written_part_by_part() -> None:
    text = """graph f(%x: f32[2,3], %y: f32[2,4]) {
      %0: f32[2,3] = exp(%x) %1: f32[2,7] = concat(%0, %y) {axis=1} return %1
    }"""
    assert shown(text) == ["[2,3] exp", "[2,4] copy"]


def test_expensive_numbers_are_not_computed_for_each_row() -> None:
    text = """graph f(%x: f32[9,5], %b: f32[5]) {
      %0: f32[5] = exp(%b) %1: f32[9,5] = add(%x, %0) return %1
    }"""
    assert shown(text) == ["[5] exp", "[9,5] add"]


def test_cheap_numbers_are_computed_again_for_another_kernel() -> None:
    text = """graph f(%x: f32[9,5], %w: f32[5,5]) {
      %0: f32[9,5] = neg(%x)
      %1: f32[9,5] = sin(%0)
      %2: f32[9,5] = matmul(%1, %w)
      %3: f32[9,5] = mul(%2, %0)
      return %3
    }"""
    assert shown(text) == ["[9,5] neg sin", "matmul f32[9,5], f32[5,5]", "[9,5] neg mul"]


def test_positions_are_in_memory_before_they_are_used() -> None:
    text = """graph f(%x: f32[9], %i: i64[9]) {
      %0: i64[9] = add(%i, %i) %1: f32[9] = take(%x, %0) {axis=0} %2: i64[9] = neg(%0) return %1, %2
    }"""
    assert shown(text) == ["[9] add", "[9] take neg"]


def test_a_result_and_a_reshape_of_it_have_memory_of_their_own() -> None:
    text = """graph f(%x: f32[6]) {
      %0: f32[6] = exp(%x) %1: f32[2,3] = reshape(%0) {shape=(2, 3)} %2: f32[3,2] = reshape(%0) {shape=(3, 2)}
      return %1, %0, %2
    }"""
    assert shown(text) == ["[6] exp", "[2,3] copy", "[3,2] copy"]
    graph, fusion = planned(text)
    assert [fusion.memory[result] for result in graph.results] == graph.results


def test_a_kernel_does_not_grow_without_bound() -> None:
    names = [f"%x{number}" for number in range(60)]
    header = ", ".join(f"{name}: f32[7]" for name in names)
    nodes = " ".join(f"%{number}: f32[7] = mul(%x0, {name})" for number, name in enumerate(names))
    results = ", ".join(f"%{number}" for number in range(60))
    _, fusion = planned(f"graph f({header}) {{ {nodes} return {results} }}")
    assert 3 <= len(fusion.kernels) <= 8
    assert all(isinstance(step, Kernel) and len(step.arrays) <= 26 for step in fusion.steps)
