from __future__ import annotations

import threading

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dopegraph.backends.numpy import NumpyExecutable
from dopegraph.ir import Graph, parse
from dopegraph.passes import optimize
from tests.ops.cases import CASES, Case
from tests.reference import Array, body, evaluate, random_arguments, single
from tests.strategies import graphs

X, Y = numpy.array([1, 2], "f4"), numpy.array([3, 5], "f4")


def run(text: str, *arguments: Array) -> list[list[float]]:
    return [result.tolist() for result in NumpyExecutable(parse(text)).run(arguments)]


def assert_same(found: tuple[Array, ...], expected: list[Array]) -> None:
    assert len(found) == len(expected)
    for one, other in zip(found, expected):
        assert type(one) is numpy.ndarray
        assert (one.dtype, one.shape) == (other.dtype, other.shape)
        numpy.testing.assert_array_equal(one, other)


@given(graphs(size=20), st.integers(0, 5), st.booleans())
@settings(deadline=None, max_examples=300)
def test_results_are_those_of_the_kernels_one_by_one(graph: Graph, seed: int, optimized: bool) -> None:
    graph = optimize(graph) if optimized else graph
    arguments = random_arguments(graph, seed)
    assert_same(NumpyExecutable(graph).run(arguments), evaluate(graph, arguments))


@given(graphs(integers=True, size=20), st.integers(0, 5))
@settings(deadline=None)
def test_results_of_integers_are_those_of_the_kernels(graph: Graph, seed: int) -> None:
    arguments = random_arguments(graph, seed)
    assert_same(NumpyExecutable(graph).run(arguments), evaluate(graph, arguments))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_primitive_runs_alone(case: Case) -> None:
    graph = single(case.primitive, case.types, case.attrs)
    arguments = case.arrays()
    assert_same(NumpyExecutable(graph).run(arguments), evaluate(graph, arguments))


@given(graphs(size=20))
@settings(deadline=None, max_examples=200)
def test_results_share_memory_with_nothing(graph: Graph) -> None:
    executable = NumpyExecutable(graph)
    arguments = random_arguments(graph, 0)
    kept = [argument.copy() for argument in arguments]
    first = executable.run(arguments)
    expected = [result.copy() for result in first]
    second = executable.run([argument + 1 for argument in arguments])
    held = [*arguments, *first, *second]
    for position, one in enumerate(held):
        assert not any(numpy.shares_memory(one, other) for other in held[:position])
    assert_same(first, expected)
    for argument, before in zip(arguments, kept):
        numpy.testing.assert_array_equal(argument, before)


ALIASES = {
    "an argument": "return %x",
    "an argument twice": "return %x, %x",
    "a view of an argument": "%0: f32[1,2] = reshape(%x) {shape=(1, 2)} return %0",
    "a view of a view": (
        "%0: f32[1,2] = reshape(%x) {shape=(1, 2)} %1: f32[2,1] = transpose(%0) {axes=(1, 0)} return %0, %1"
    ),
    "a broadcast argument": "%0: f32[3,2] = broadcast_to(%x) {shape=(3, 2)} return %0",
    "a result twice": "%0: f32[2] = exp(%x) return %0, %0",
    "a result and a view of it": "%0: f32[2] = exp(%x) %1: f32[2] = flip(%0) {axes=(0,)} return %0, %1",
    "two views of one value": (
        "%0: f32[2] = exp(%x) %1: f32[2] = flip(%0) {axes=(0,)} %2: f32[1,2] = reshape(%0) {shape=(1, 2)}"
        " return %1, %2"
    ),
    "a constant": "%0: f32[2] = constant() {value=dense(f32[2], 1.0, 2.0)} return %0",
    "a number": "%0: f32[] = full() {value=1.0, shape=(), dtype=f32} return %0, %0",
    "a filled array": "%0: f32[2] = full() {value=1.0, shape=(2,), dtype=f32} return %0",
}  # fmt: skip


@pytest.mark.parametrize("text", ALIASES.values(), ids=ALIASES)
def test_a_result_may_be_overwritten_that_is(text: str) -> None:
    executable = NumpyExecutable(parse(body(text)))
    expected = [result.copy() for result in executable.run([X, Y])]
    for result in executable.run([X, Y]):
        result[...] = -1
    assert X.tolist() == [1, 2]
    assert_same(executable.run([X, Y]), expected)
    spoiled, *others = executable.run([X, Y])
    spoiled[...] = -1
    for other, right in zip(others, expected[1:]):
        numpy.testing.assert_array_equal(other, right)


def test_new_values_of_state_come_after_the_outputs() -> None:
    text = "graph f(%x: f32[2]; state %w: f32[2]) { %0: f32[2] = add(%w, %x) return %x; %w <- %0 }"
    assert run(text, X, Y) == [[1, 2], [4, 7]]


NAMES = [
    "v0", "v1", "out", "out0", "fresh0", "dtype_f32", "empty", "copy", "asarray", "class", "lambda", "None", "in",
        "in_x",
    "in_in", "add", "exp", "f", "graph", "print", "__builtins__", "numpy", "x", "v0_axes", "max", "sum", "return",
        "state",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_an_input_may_have_any_name(name: str) -> None:
    graph = parse(
        body("%0: f32[2] = add(%x, %y) %1: f32[] = sum(%0) {axes=(0,)} %2: f32[2] = mul(%1, %x) return %2, %0")
    )
    graph.inputs[0].name = name
    found = NumpyExecutable(graph).run([X, Y])
    assert [result.tolist() for result in found] == [[11, 22], [4, 7]]


def test_inputs_may_have_all_these_names_at_once() -> None:
    declared = ", ".join(f"%a{number}: f32[]" for number in range(len(NAMES)))
    nodes = [f"%{n}: f32[] = add(%{n - 1 if n else 'a0'}, %a{n + 1})" for n in range(len(NAMES) - 1)]
    graph = parse(f"graph f({declared}) {{ {' '.join(nodes)} return %{len(nodes) - 1} }}")
    for value, name in zip(graph.inputs, NAMES):
        value.name = name
    (found,) = NumpyExecutable(graph).run([numpy.array(2.0**n, "f4") for n in range(len(NAMES))])
    assert found == 2.0 ** len(NAMES) - 1


@pytest.mark.parametrize("name", [*NAMES, "<lambda>", "☃", ""])
def test_a_graph_may_have_any_name(name: str) -> None:
    graph = parse(
        body("%0: f32[2] = exp(%x) %1: f32[2] = add(%0, %y) %2: f32[1,2] = reshape(%1) {shape=(1, 2)} return %2")
    )
    graph.name = name
    (found,) = NumpyExecutable(graph).run([numpy.zeros(2, "f4"), Y])
    assert found.tolist() == [[4, 6]]


SCALARS = {
    "with out=": "%0: f32[] = add(%x, %x) return %0",
    "of a reduction": "%0: f32[3] = broadcast_to(%x) {shape=(3,)} %1: f32[] = sum(%0) {axes=(0,)} return %1",
    "of a kernel that takes what a kernel gave": (
        "%0: f32[1] = reshape(%x) {shape=(1,)} %1: f32[] = sum(%0) {axes=(0,)} %2: f32[] = relu(%1)"
        " %3: f32[] = erf(%2) %4: f64[] = cast(%3) {dtype=f64} %5: f64[] = sigmoid(%4) return %5, %2"
    ),
    "of views": "%0: f32[1] = reshape(%x) {shape=(1,)} %1: f32[] = reshape(%0) {shape=()} return %1",
    "of a position": "%0: f32[3] = broadcast_to(%x) {shape=(3,)} %1: i64[] = argmax(%0) {axis=0} return %1",
}


@pytest.mark.parametrize("text", SCALARS.values(), ids=SCALARS)
def test_results_without_axes_are_arrays(text: str) -> None:
    graph = parse(f"graph f(%x: f32[]) {{ {text} }}")
    arguments = [numpy.array(0.5, "f4")]
    assert_same(NumpyExecutable(graph).run(arguments), evaluate(graph, arguments))


def test_arguments_may_be_read_only_and_need_not_be_contiguous() -> None:
    executable = NumpyExecutable(parse(body("%0: f32[2] = exp(%x) %1: f32[2] = add(%0, %y) return %1, %x")))
    strided = numpy.array([1, 9, 2, 9], "f4")[::2]
    frozen = Y.copy()
    frozen.flags.writeable = False
    backwards = numpy.array([2, 1], "f4")[::-1]
    expected = [result.copy() for result in executable.run([X, Y])]
    assert_same(executable.run([strided, frozen]), expected)
    assert_same(executable.run([backwards, frozen]), expected)
    assert all(result.flags.writeable for result in executable.run([frozen, frozen]))


def test_no_warning_escapes() -> None:
    with numpy.errstate(all="raise"):
        assert run(body("%0: f32[2] = log(%x) return %0"), numpy.array([0, 1], "f4"), Y) == [[-numpy.inf, 0]]


def test_the_slot_of_a_result_may_hold_another_dtype_before() -> None:
    text = "%0: f32[2] = exp(%x) %1: bool[2] = isnan(%0) %2: bool[2] = isinf(%x) return %1, %2"
    executable = NumpyExecutable(parse(body(text)))
    slots = [executable.plan.slot_of[node.output] for node in executable.graph.nodes]
    assert slots == [0, 1, 0]
    assert_same(executable.run([X, Y]), [numpy.zeros(2, bool), numpy.zeros(2, bool)])


def test_threads_do_not_disturb_each_other() -> None:
    text = (
        "graph f(%x: f64[2000]) { %0: f64[2000] = neg(%x) %1: f64[2000] = square(%0)"
        " %2: f64[] = sum(%1) {axes=(0,)} return %2 }"
    )
    executable = NumpyExecutable(parse(text))
    wrong = []

    def work(number: int) -> None:
        argument = numpy.full(2000, float(number))
        for _ in range(200):
            (found,) = executable.run([argument])
            if found != 2000 * number**2:
                wrong.append(found)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(1, 6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_the_text_shows_the_memory_plan() -> None:
    executable = NumpyExecutable(
        parse(body("%0: f32[2] = exp(%x) %1: f32[2] = add(%0, %y) %2: f32[] = sum(%1) {axes=(0,)} return %2, %y"))
    )
    assert executable.source.split("\n") == [
        "def f(x, y):",
        "    v0 = exp(x, out=out0)",
        "    v1 = add(v0, y, out=v0)",
        "    v2 = sum(v1, axes=(0,))",
        "    return asarray(v2), copy(y),",
    ]


def test_a_graph_without_anything_gives_nothing() -> None:
    assert NumpyExecutable(parse("graph f() { return }")).run([]) == ()
