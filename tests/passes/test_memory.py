from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dopegraph.ir import Graph, Value, parse
from dopegraph.passes import MemoryPlan, memory_report, plan_memory
from dopegraph.passes.memory import is_planned, storage_of
from tests.reference import body
from tests.strategies import graphs

# The chapter on hybrid blocks: a, b, c and d of ten doubles.
BOOK = """\
graph f(%a: f64[10], %b: f64[10]) {
  %c: f64[10] = mul(%b, %a)
  %one: f64[] = full() {value=1.0, shape=(), dtype=f64}
  %d: f64[10] = add(%c, %one)
  return %d
}"""


@pytest.mark.parametrize(("donate", "planned"), [([], 240), (["b"], 160), (["a", "b"], 160)])
def test_the_example_of_the_book(donate: list[str], planned: int) -> None:
    report = memory_report(parse(BOOK), donate)
    assert (report.imperative, report.planned, report.arguments) == (320, planned, 160)


def test_a_report_says_so_in_words() -> None:
    assert str(memory_report(parse(BOOK), ["b"])) == (
        "320 bytes with an array for every value, 160 planned (160 of them arguments, 1 buffers)"
    )


def test_an_unknown_name_cannot_be_donated() -> None:
    with pytest.raises(ValueError, match="memory: f has no input named c, d"):
        memory_report(parse(BOOK), ["a", "d", "c"])


def slots(text: str, *donate: str, arguments: str | None = None) -> list[int | None]:
    """The slot of each node's result, None for what needs none."""
    graph = parse(f"graph f({arguments}) {{ {text} }}" if arguments else body(text))
    plan = plan_memory(graph, [value for value in graph.arguments if value.name in donate])
    check(graph, plan, donate)
    return [plan.slot_of.get(node.output) for node in graph.nodes]


def check(graph: Graph, plan: MemoryPlan, donate: tuple[str, ...] = ()) -> None:
    """An independent check: while one value of a slot is needed, nothing else is written into that slot."""
    for value, slot in plan.slot_of.items():
        assert value.type.nbytes <= plan.slots[slot].nbytes
        assert value.node is None or is_planned(value)
    planned = {value for node in graph.nodes for value in node.outputs if is_planned(value)}
    given = {value for value in graph.arguments if value.name in donate}
    assert set(plan.slot_of) == planned | given

    readers: dict[Value, list[int]] = {value: [] for value in plan.slot_of}
    for position, node in enumerate(graph.nodes):
        for operand in node.inputs:
            if storage_of(operand) in readers:
                readers[storage_of(operand)].append(position)
    for result in graph.results:
        if storage_of(result) in readers:
            readers[storage_of(result)].append(len(graph.nodes))

    born = {value: graph.nodes.index(value.node) if value.node is not None else -1 for value in plan.slot_of}
    for first in plan.slot_of:
        for second in plan.slot_of:
            if first is second or plan.slot_of[first] != plan.slot_of[second] or born[first] > born[second]:
                continue
            dead = max(readers[first], default=born[first])
            assert dead <= born[second], f"{second} overwrites {first}"
            if dead == born[second]:  # written while it is read: in place
                assert second.node is not None
                node = second.node
                assert node.op.elementwise and node.op.out and first.type == second.type
                assert all(operand is first or storage_of(operand) is not first for operand in node.inputs)
    for value in graph.results:
        storage = storage_of(value)
        assert storage not in plan.slot_of or plan.slots[plan.slot_of[storage]].result


@given(graphs(size=20), st.sets(st.sampled_from("xyz")))
@settings(deadline=None, max_examples=300)
def test_no_two_live_values_share_a_slot(graph: Graph, donate: set[str]) -> None:
    donated = [value for value in graph.arguments if value.name in donate]
    check(graph, plan_memory(graph, donated), tuple(donate))


@given(graphs(size=20))
@settings(deadline=None)
def test_a_plan_never_needs_more_than_an_array_for_every_value(graph: Graph) -> None:
    report = memory_report(graph)
    assert report.arguments <= report.planned <= report.imperative


PLANS = {
    "a chain of elementwise operators runs in place": (
        "%0: f32[2] = exp(%x) %1: f32[2] = neg(%0) %2: f32[2] = tanh(%1) return %2", [0, 0, 0],
    ),
    "a value that is read again is not overwritten": (
        "%0: f32[2] = exp(%x) %1: f32[2] = neg(%0) %2: f32[2] = add(%0, %1) return %2", [0, 1, 0],
    ),
    "an operator without out= does not run in place": (
        "%0: f32[2] = exp(%x) %1: f32[2] = softmax(%0) {axis=0} %2: f32[2] = neg(%1) return %2", [0, 1, 0],
    ),
    "an operand of another type is not overwritten": (
        "%0: f32[2] = exp(%x) %1: bool[2] = isnan(%0) return %1", [0, 1],
    ),
    "a result is not overwritten": ("%0: f32[2] = exp(%x) %1: f32[2] = neg(%0) return %0, %1", [0, 1]),
    "a result is not overwritten through a view": (
        "%0: f32[2] = exp(%x) %1: f32[1,2] = reshape(%0) {shape=(1, 2)} %2: f32[2] = neg(%0) return %1, %2", [0, None,
        1],
    ),
    "views extend the life of what they look at": (
        "%0: f32[2] = exp(%x) %1: f32[2,1] = reshape(%0) {shape=(2, 1)} %2: f32[2] = neg(%y)"
        " %3: f32[1,2] = transpose(%1) {axes=(1, 0)} %4: f32[1,2] = abs(%3) return %2, %4",
        [0, None, 1, None, 2],
    ),
    "what a view beside it still reads is not overwritten": (
        "%0: f32[2] = exp(%x) %1: f32[2] = flip(%0) {axes=(0,)} %2: f32[2] = add(%0, %1) return %2", [0, None, 1],
    ),
    "what nobody reads is free at once": ("%0: f32[2] = exp(%x) %1: f32[2] = neg(%y) return %1", [0, 0]),
    "numbers need no slot": (
        "%0: f32[] = full() {value=1.0, shape=(), dtype=f32} %1: f32[2] = constant() {value=dense(f32[2], 1.0, 2.0)}"
        " %2: f32[2] = full() {value=1.0, shape=(2,), dtype=f32} return %0, %1, %2",
        [None, None, 0],
    ),
    "a smaller value fits into a larger slot": (
        "%0: f32[2] = exp(%x) %1: f32[] = sum(%0) {axes=(0,)} %2: f32[] = neg(%1)"
        " %3: f32[1] = sum(%y) {axes=(0,), keepdims=true}"
        " return %2, %3",
        [0, 1, 0, 1],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), PLANS.values(), ids=PLANS)
def test_plans(text: str, expected: list[int | None]) -> None:
    assert slots(text) == expected


def test_the_smallest_slot_that_fits_is_taken() -> None:
    text = "%0: f32[4] = exp(%y) %1: f32[8] = exp(%x) %2: f32[8] = neg(%x) %3: f32[3] = exp(%z) return %2, %3"
    assert slots(text, arguments="%x: f32[8], %y: f32[4], %z: f32[3]") == [0, 1, 1, 0]


def test_a_donated_input_is_overwritten_once_it_is_dead() -> None:
    text = "%0: f32[2] = exp(%x) %1: f32[2] = add(%0, %x) %2: f32[2] = mul(%1, %y) return %2"
    assert slots(text, "x") == [1, 1, 1]  # exp leaves x alone: it is read again
    assert slots(text.replace("add(%0, %x)", "neg(%0)"), "x") == [0, 0, 0]


def test_a_donated_input_that_nobody_reads_is_free_from_the_start() -> None:
    assert slots("%0: f32[2] = exp(%x) return %0", "y") == [0]


def test_a_donated_input_that_is_a_result_is_not_overwritten() -> None:
    assert slots("%0: f32[2] = exp(%x) return %0, %x", "x") == [1]


def test_donated_memory_does_not_count() -> None:
    graph = parse(body("%0: f32[2] = exp(%x) return %0"))
    assert plan_memory(graph).nbytes == 8
    assert plan_memory(graph, graph.inputs).nbytes == 0
