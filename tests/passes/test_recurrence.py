"""Loops that Python unrolled are found in graphs: read from the printed graph, and computed by NumPy beside it."""

from __future__ import annotations

import numpy
import pytest

import dopegraph.ops  # noqa: F401  (declares the primitives)
from dopegraph.ir import Graph, Node, parse, verify
from dopegraph.ops.recurrence import body_of
from dopegraph.passes import optimize
from dopegraph.passes.periods import find_periods
from dopegraph.passes.recurrence import Recurrences
from tests.reference import evaluate, gradient_graph, random_arguments


def unrolled(steps: int, backwards: bool = False, results: str = "") -> Graph:
    """h = tanh(x[t] @ V + h @ W), all outputs summed: what a Python loop records."""
    lines = []
    number = 0

    def line(type: str, text: str) -> str:
        nonlocal number
        lines.append(f"  %{number}: f32[{type}] = {text}")
        number += 1
        return f"%{number - 1}"

    h, total = "%h", "%s"
    for step in range(steps):
        place = steps - 1 - step if backwards else step
        part = line(
            "1,4,3", f"strided_slice(%x) {{starts=({place}, 0, 0), stops=({place + 1}, 4, 3), steps=(1, 1, 1)}}"
        )
        x = line("4,3", f"reshape({part}) {{shape=(4, 3)}}")
        left = line("4,5", f"matmul({x}, %v)")
        right = line("4,5", f"matmul({h}, %w)")
        both = line("4,5", f"add({left}, {right})")
        h = line("4,5", f"tanh({both})")
        squared = line("4,5", f"square({h})")
        loss = line("", f"sum({squared}) {{axes=(0, 1)}}")
        total = line("", f"add({total}, {loss})")
    head = f"%x: f32[{steps},4,3], %v: f32[3,5], %w: f32[5,5], %h: f32[4,5], %s: f32[]"
    return parse(f"graph rnn({head}) {{\n" + "\n".join(lines) + f"\n  return {total}, {h}{results}\n}}")


def rolled(graph: Graph) -> Graph:
    found = graph.copy()
    assert Recurrences().run(found)
    verify(found)
    return optimize(found)


def loops(graph: Graph) -> list[Node]:
    return [node for node in graph.nodes if node.op.name == "recurrence"]


def same(one: Graph, other: Graph) -> None:
    arguments = [array * 0.3 for array in random_arguments(one, 0)]
    arguments = [numpy.asarray(a, v.type.dtype) for a, v in zip(arguments, one.arguments)]
    for found, wanted in zip(evaluate(other, arguments), evaluate(one, arguments)):
        assert (found.shape, found.dtype) == (wanted.shape, wanted.dtype)
        numpy.testing.assert_allclose(found, wanted, rtol=2e-5, atol=2e-5)


def derived(steps: int, backwards: bool = False, wrt: tuple[int, ...] = (1, 2)) -> Graph:
    graph = unrolled(steps, backwards)
    del graph.outputs[1]
    return gradient_graph(graph, wrt)


ROLLED = """graph rnn(%x: f32[6,4,3], %v: f32[3,5], %w: f32[5,5], %h: f32[4,5], %s: f32[]) {
  %0: f32[24,3] = reshape(%x) {shape=(24, 3)}
  %1: f32[24,5] = matmul(%0, %v)
  %2: f32[6,4,5] = reshape(%1) {shape=(6, 4, 5)}
  %3: f32[6,4,5], %4: f32[4,5] = recurrence(%w, %2, %h) {body="BODY", length=6, constants=1, sequences=1}
  %5: f32[6,4,5] = square(%3)
  %6: f32[6] = sum(%5) {axes=(1, 2)}
  %7: f32[] = sum(%6) {axes=(0,)}
  %8: f32[] = add(%s, %7)
  return %8, %4
}"""

BODY = """graph step(%c0: f32[5,5], %x0: f32[4,5], %h0: f32[4,5]) {
  %0: f32[4,5] = matmul(%h0, %c0)
  %1: f32[4,5] = add(%x0, %0)
  %2: f32[4,5] = tanh(%1)
  return %2, %2
}"""


def test_products_over_time_and_the_loop_that_is_left() -> None:
    """The product with the inputs is one, the loss is summed up over all steps; one step is left of the rest."""
    text = str(rolled(unrolled(6)))
    assert text == ROLLED.replace("BODY", BODY.replace("\n", "\\n"))


@pytest.mark.parametrize("steps", [4, 7, 20])
@pytest.mark.parametrize("backwards", [False, True])
def test_a_loop_gives_what_its_steps_gave(steps: int, backwards: bool) -> None:
    graph = unrolled(steps, backwards)
    found = rolled(graph)
    (loop,) = loops(found)
    assert loop.attrs["length"] == steps
    same(graph, found)


def test_the_size_does_not_depend_on_the_number_of_steps() -> None:
    sizes = {len(rolled(optimize(derived(steps))).nodes) for steps in (8, 16, 64)}
    assert len(sizes) == 1


@pytest.mark.parametrize("backwards", [False, True])
def test_derivatives(backwards: bool) -> None:
    """Forward and backward are a loop each, and the gradient of the weights is one product over time."""
    graph = optimize(derived(8, backwards))
    found = rolled(graph)
    forward, backward = loops(found)
    assert not forward.attrs["reverse"]
    assert backward.attrs["reverse"]
    assert [node.attrs["length"] for node in (forward, backward)] == [8, 8]
    inside = [one.op.name for node in (forward, backward) for one in body_of(node.attrs["body"]).nodes]
    assert inside.count("matmul") == 2  # h @ W, and the derivative of h
    outside = [node for node in found.nodes if node.op.name == "matmul"]
    assert sorted(node.output.shape for node in outside) == [(3, 5), (5, 5), (32, 5)]
    same(graph, found)


@pytest.mark.parametrize("wrt", [(0,), (0, 1, 2, 3), (3,)])
def test_derivatives_with_respect_to_what_the_steps_slice(wrt: tuple[int, ...]) -> None:
    graph = optimize(derived(8, wrt=wrt))
    found = rolled(graph)
    assert len(found.nodes) < 40  # what is written into the slices is written at once
    same(graph, found)


def test_what_is_read_in_between() -> None:
    """Outputs of single steps are read from the stack of all."""
    graph = unrolled(8, results=", %14, %32")
    found = rolled(graph)
    assert "strided_slice" in str(found)
    same(graph, found)


def test_sums_that_are_read_in_between_stay_a_loop() -> None:
    graph = unrolled(8, results=", %26")
    changed = graph.copy()
    Recurrences().run(changed)
    verify(changed)
    same(graph, changed)


def test_rejected_loops() -> None:
    """Elementwise chains are left to fusion, and so is what a backend does not run."""
    chain = "\n".join(f"%{n}: f32[8] = {op}(%{n - 1})" for n, op in enumerate(["tanh", "exp"] * 20, 1))
    graph = parse(f"graph f(%x: f32[8]) {{ %0: f32[8] = sin(%x) {chain} return %40 }}")
    before = str(graph)
    assert not Recurrences().run(graph)
    assert str(graph) == before
    assert not Recurrences(lambda node: node.op.name != "tanh").run(unrolled(8))


def test_layers_with_weights_of_their_own_are_no_loop() -> None:
    """Their weights would have to be copied into one array."""
    steps = "\n".join(
        f"%{2 * n}: f32[2,64] = matmul(%{2 * n - 1 if n else 'x'}, %w{n}) %{2 * n + 1}: f32[2,64] = tanh(%{2 * n})"
        for n in range(8)
    )
    weights = ", ".join(f"%w{n}: f32[64,64]" for n in range(8))
    assert not Recurrences().run(parse(f"graph f(%x: f32[2,64], {weights}) {{ {steps} return %15 }}"))


def test_inputs_that_are_a_list_of_arrays() -> None:
    steps = "\n".join(
        f"%{3 * n}: f32[32,64] = matmul({f'%{3 * n - 1}' if n else '%h'}, %w) "
        f"%{3 * n + 1}: f32[32,64] = add(%{3 * n}, %x{n}) %{3 * n + 2}: f32[32,64] = tanh(%{3 * n + 1})"
        for n in range(8)
    )
    given = ", ".join(f"%x{n}: f32[32,64]" for n in range(8))
    graph = parse(f"graph f(%h: f32[32,64], %w: f32[64,64], {given}) {{ {steps} return %23 }}")
    found = rolled(graph)
    assert [node.op.name for node in found.nodes].count("concat") == 1
    same(graph, found)


def test_periods() -> None:
    graph = unrolled(9)
    (period,) = find_periods(graph.nodes)
    assert (period.start, period.length, period.count) == (0, 9, 9)


def test_two_layers_are_two_loops() -> None:
    """The second layer's product with the first one's outputs is one product over time."""
    lines, number = [], 0
    h, g = "%h", "%g"
    for step in range(6):
        starts = f"{{starts=({step}, 0, 0), stops=({step + 1}, 4, 5), steps=(1, 1, 1)}}"
        lines += [
            f"%{number}: f32[1,4,5] = strided_slice(%x) {starts}",
            f"%{number + 1}: f32[4,5] = reshape(%{number}) {{shape=(4, 5)}}",
            f"%{number + 2}: f32[4,5] = matmul({h}, %w)",
            f"%{number + 3}: f32[4,5] = add(%{number + 1}, %{number + 2})",
            f"%{number + 4}: f32[4,5] = tanh(%{number + 3})",
            f"%{number + 5}: f32[4,5] = matmul(%{number + 4}, %v)",
            f"%{number + 6}: f32[4,5] = matmul({g}, %u)",
            f"%{number + 7}: f32[4,5] = add(%{number + 5}, %{number + 6})",
            f"%{number + 8}: f32[4,5] = tanh(%{number + 7})",
        ]
        h, g, number = f"%{number + 4}", f"%{number + 8}", number + 9
    head = "%x: f32[6,4,5], %w: f32[5,5], %v: f32[5,5], %u: f32[5,5], %h: f32[4,5], %g: f32[4,5]"
    graph = parse(f"graph f({head}) {{ {' '.join(lines)} return {h}, {g} }}")
    found = rolled(graph)
    assert len(loops(found)) == 2
    assert [node.output.shape for node in found.nodes if node.op.name == "matmul"] == [(24, 5)]
    same(graph, found)
