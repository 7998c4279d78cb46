"""Products by one matrix that do not wait for each other are one, wherever they are; so is a sum of products."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import numpy
import pytest

import dopegraph
import dopegraph.numpy as np
from dopegraph.ir import Graph, parse, verify
from dopegraph.passes.batch_matmul import BatchMatmul
from dopegraph.passes.dead_code import DeadCode
from tests.passes.test_batch_matmul import batched, same


def products(graph: Graph) -> list[tuple[int, ...]]:
    """The shapes of the products that there are, by rows."""
    return sorted(node.output.shape for node in graph.nodes if node.op.name == "matmul")


def test_the_leaves_of_a_tree_and_then_what_is_above_them() -> None:
    graph = batched("""graph f(%a: f32[1,64], %b: f32[1,64], %c: f32[1,64], %w: f32[64,64]) {
      %0: f32[1,64] = matmul(%a, %w)
      %1: f32[1,64] = tanh(%0)
      %2: f32[1,64] = matmul(%1, %w)
      %3: f32[1,64] = sin(%b)
      %4: f32[1,64] = matmul(%3, %w)
      %5: f32[1,64] = sin(%c)
      %6: f32[1,64] = matmul(%5, %w)
      %7: f32[1,64] = add(%4, %6)
      %8: f32[1,64] = matmul(%7, %w)
      %9: f32[1,64] = sub(%2, %8)
      return %9
    }""")
    assert products(graph) == [(2, 64), (3, 64)]


def test_what_stands_behind_different_numbers_of_products_meets_at_the_end() -> None:
    """As cotangents of weights' operands do: their products have nothing behind them."""
    graph = batched("""graph f(%g: f32[1,64], %v: f32[64,64], %w: f32[64,64]) {
      %0: f32[1,64] = matmul(%g, %v)
      %1: f32[1,64] = matmul(%g, %w) {transpose_y=true}
      %2: f32[1,64] = matmul(%0, %w) {transpose_y=true}
      %3: f32[1,64] = tanh(%0)
      %4: f32[1,64] = matmul(%3, %v)
      %5: f32[1,64] = matmul(%4, %w) {transpose_y=true}
      return %1, %2, %5
    }""")
    assert products(graph) == [(1, 64), (1, 64), (3, 64)]


def test_groups_that_cross_make_no_cycle() -> None:
    """The second product by v waits for the first one by w, and the other way round."""
    graph = batched("""graph f(%a: f64[1,64], %b: f64[1,64], %v: f64[64,64], %w: f64[64,64]) {
      %0: f64[1,64] = matmul(%a, %v)
      %1: f64[1,64] = matmul(%b, %w)
      %2: f64[1,64] = matmul(%0, %w)
      %3: f64[1,64] = matmul(%1, %v)
      %4: f64[1,64] = sin(%a)
      %5: f64[1,64] = matmul(%4, %v)
      return %2, %3, %5
    }""")
    assert (2, 64) in products(graph)


@pytest.mark.parametrize("seed", range(12))
def test_graphs_of_chance(seed: int) -> None:
    chance = random.Random(seed)
    weights = ["%u", "%v", "%w"]
    values, nodes = ["%a", "%b"], []
    for number in range(40):
        name = f"%{number}"
        kind = chance.random()
        if kind < 0.5:
            turned = chance.choice(["true", "false"])
            call = f"matmul({chance.choice(values)}, {chance.choice(weights)}) {{transpose_y={turned}}}"
        elif kind < 0.7:
            call = f"add({chance.choice(values)}, {chance.choice(values)})"
        else:
            call = f"tanh({chance.choice(values)})"
        nodes.append(f"{name}: f64[2,16] = {call}")
        values.append(name)
    # The sum of outer products, as of the gradients of weights.
    terms = [chance.sample(values, 2) for _ in range(6)]
    for place, (x, y) in enumerate(terms):
        nodes.append(f"%{40 + 2 * place}: f64[16,16] = matmul({x}, {y}) {{transpose_x=true}}")
        if place:
            before = 41 + 2 * (place - 1) if place > 1 else 40
            nodes.append(f"%{41 + 2 * place}: f64[16,16] = add(%{before}, %{40 + 2 * place})")
    inputs = ", ".join(f"{name}: f64[{'2' if name in values else '16'},16]" for name in ("%a", "%b", *weights))
    results = ", ".join([f"%{number}" for number in chance.sample(range(40), 5)] + ["%51"])
    text = f"graph f({inputs}) {{ {' '.join(nodes)} return {results} }}"
    graph = parse(text)
    assert BatchMatmul().run(graph)
    DeadCode().run(graph)
    verify(graph)
    same(parse(text), graph)
    assert products(graph).count((16, 16)) == 1
    before = Counter(node.op.name for node in parse(text).nodes)["matmul"]
    assert Counter(node.op.name for node in graph.nodes)["matmul"] < before


@pytest.mark.parametrize("transpose_x", [False, True])
@pytest.mark.parametrize("transpose_y", [False, True])
def test_a_sum_of_products_is_one_and_keeps_its_other_terms(transpose_x: bool, transpose_y: bool) -> None:
    flags = f"{{transpose_x={str(transpose_x).lower()}, transpose_y={str(transpose_y).lower()}}}"
    inputs, nodes = ["%c: f32[40,30]"], []
    for number, k in enumerate((1, 3, 2)):
        inputs.append(f"%x{number}: f32[{f'{k},40' if transpose_x else f'40,{k}'}]")
        inputs.append(f"%y{number}: f32[{f'30,{k}' if transpose_y else f'{k},30'}]")
        nodes.append(f"%{number}: f32[40,30] = matmul(%x{number}, %y{number}) {flags}")
    nodes.append("%3: f32[40,30] = add(%0, %c) %4: f32[40,30] = add(%1, %2) %5: f32[40,30] = add(%3, %4)")
    graph = batched(f"graph f({', '.join(inputs)}) {{ {' '.join(nodes)} return %5 }}")
    counts = Counter(node.op.name for node in graph.nodes)
    assert (counts["matmul"], counts["add"], counts["concat"]) == (1, 1, 2)


@pytest.mark.parametrize(
    "nodes",
    [
        # A product that something else reads has to be there by itself.
        "%2: f32[9,9] = add(%0, %1) %3: f32[9,9] = mul(%0, %1) return %2, %3",
        # Sums of results that are results.
        "%2: f32[9,9] = add(%0, %1) return %0, %1, %2",
    ],
)
def test_products_that_others_read(nodes: str) -> None:
    head = "%0: f32[9,9] = matmul(%x, %x) {transpose_x=true} %1: f32[9,9] = matmul(%y, %y) {transpose_x=true}"
    assert not BatchMatmul().run(parse(f"graph f(%x: f32[1,9], %y: f32[1,9]) {{ {head} {nodes} }}"))


def test_long_products_are_not_copied() -> None:
    head = "%0: f32[9,9] = matmul(%x, %x) {transpose_x=true} %1: f32[9,9] = matmul(%y, %y) {transpose_x=true}"
    text = f"graph f(%x: f32[90,9], %y: f32[90,9]) {{ {head} %2: f32[9,9] = add(%0, %1) return %2 }}"
    assert not BatchMatmul().run(parse(text))


def test_a_recursion_over_a_tree_has_its_gradient() -> None:
    def state(tree: Any, words: Any, W: Any, U: Any) -> Any:
        word, children = tree
        h = words[word] @ W
        for child in children:
            h = h + np.tanh(state(child, words, W, U) @ U)
        return np.tanh(h)

    tree = (0, [(1, [(2, []), (3, [(0, [])])]), (4, []), (3, [(1, []), (2, [(4, [])])])])
    draw = numpy.random.RandomState(0)
    arrays = [draw.normal(size=shape).astype("float32") / 3 for shape in ((5, 30), (30, 40), (40, 40))]

    def loss(*arrays: Any) -> Any:
        return (state(tree, *arrays) ** 2).sum()

    given = [np.array(one) for one in arrays]
    compiled = dopegraph.compile(dopegraph.grad(loss, argnums=(0, 1, 2)))
    with dopegraph.policy("prefer_mxnet"), dopegraph.codegen("always"):
        found = compiled(*given)
    program = compiled.plans[0].program
    if program.kernels is not None:
        assert len(products(program.graph)) < 14  # 10 words and 9 children, forwards and twice backwards
    with dopegraph.policy("only_numpy"):
        wanted = dopegraph.grad(loss, argnums=(0, 1, 2))(*given)
    for one, other in zip(found, wanted):
        numpy.testing.assert_allclose(one.asnumpy(), other.asnumpy(), rtol=1e-4, atol=1e-5)
