"""Recurrences whose rows never meet: which ones are found, and what threads make of them."""

from __future__ import annotations

import numpy
import pytest

from dopegraph.backends.codegen import blas, repeated, threads
from dopegraph.backends.codegen.executable import CodegenExecutable
from dopegraph.backends.codegen.sections import division, sections
from dopegraph.ir import parse
from dopegraph.runtime.buffer import Buffer
from tests.backends.codegen.programs import needs_compiler
from tests.backends.codegen.test_repeated import recurrence
from tests.reference import evaluate, random_arguments

# What a step of [16, 12] and a constant [12, 12] may do, and whether its rows stay apart.
STEPS = {
    "product": ("%0: f32[16,12] = matmul(%h, %c)", True),
    "turned": ("%0: f32[16,12] = matmul(%h, %c) {transpose_y=true}", True),
    "broadcast": ("%1: f32[1,12] = max(%c) {axes=(0,), keepdims=true} %0: f32[16,12] = add(%h, %1)", True),
    "rows": ("%1: f32[16] = sum(%h) {axes=(1,)} %2: f32[16,1] = reshape(%1) {shape=(16, 1)} "
             "%0: f32[16,12] = sub(%h, %2)", True),
    "softmax": ("%0: f32[16,12] = softmax(%h) {axis=1}", True),
    "heads": ("%1: f32[48,4] = reshape(%h) {shape=(48, 4)} %2: f32[48,4] = softmax(%1) {axis=1} "
              "%0: f32[16,12] = reshape(%2) {shape=(16, 12)}", True),
    "parts": ("%1: f32[16,4] = strided_slice(%h) {starts=(0, 2), stops=(16, 6), steps=(1, 1)} "
              "%2: f32[16,12] = unslice(%1) {shape=(16, 12), starts=(0, 8), stops=(16, 12), steps=(1, 1)} "
              "%0: f32[16,12] = concat(%1, %1, %1) {axis=1}", True),
    "stacks": ("%1: f32[16,1,12] = reshape(%h) {shape=(16, 1, 12)} %2: f32[16,12,12] = mul(%1, %c) "
               "%3: f32[16,1,12] = matmul(%1, %2) %0: f32[16,12] = reshape(%3) {shape=(16, 12)}", True),
    "flipped": ("%1: f32[16,12] = flip(%h) {axes=(1,)} %0: f32[16,12] = tanh(%1)", True),
    "full": ("%1: f32[16,12] = full() {value=0.5, shape=(16, 12), dtype=f32} %0: f32[16,12] = mul(%h, %1)", True),
    "transposed": ("%1: f32[16,3,4] = reshape(%h) {shape=(16, 3, 4)} %2: f32[16,4,3] = transpose(%1) {axes=(0, 2, 1)} "
                   "%0: f32[16,12] = reshape(%2) {shape=(16, 12)}", True),
    "sum over rows": ("%1: f32[12] = sum(%h) {axes=(0,)} %0: f32[16,12] = sub(%h, %1)", False),
    "softmax over rows": ("%0: f32[16,12] = softmax(%h) {axis=0}", False),
    "product of rows": ("%1: f32[16,16] = matmul(%h, %h) {transpose_y=true} %0: f32[16,12] = matmul(%1, %h)", False),
    "rows in another order": ("%0: f32[16,12] = flip(%h) {axes=(0,)}", False),
    "rows moved": ("%1: f32[15,12] = strided_slice(%h) {starts=(1, 0), stops=(16, 12), steps=(1, 1)} "
                   "%0: f32[16,12] = unslice(%1) {shape=(16, 12), starts=(0, 0), stops=(15, 12), steps=(1, 1)}", False),
    "mixed": ("%1: f32[12,16] = transpose(%h) {axes=(1, 0)} %0: f32[16,12] = reshape(%1) {shape=(16, 12)}", False),
    "taken out": ("%1: f32[12] = sum(%h) {axes=(0,)} %0: f32[16,12] = tanh(%h)", True),
}  # fmt: skip


def body(step: str) -> str:
    inputs = "%c: f32[12,12], %x: f32[16,12], %h: f32[16,12]"
    return f"graph step({inputs}) {{ {step} %9: f32[16,12] = add(%0, %x) return %9, %9 }}"


@pytest.mark.parametrize("name", STEPS)
def test_which_rows_never_meet(name: str) -> None:
    text, apart = STEPS[name]
    graph = parse(body(text))
    if name == "taken out":
        graph.nodes = [node for node in graph.nodes if node.op.name != "sum"]
    divided = division(graph, 1)
    assert (divided is not None) == apart
    if divided is None:
        return
    arguments = [array * 0.3 for array in random_arguments(graph, 1)]
    whole = evaluate(graph, arguments)
    values = dict(zip(graph.inputs, arguments))
    for row, rows in ((0, 16), (0, 1), (3, 2), (11, 5)):
        part = [array[row : row + rows] if value in divided.values else array for value, array in values.items()]
        for one, wanted in zip(evaluate(divided.of(rows), part), whole):
            numpy.testing.assert_allclose(one, wanted[row : row + rows], rtol=1e-6, atol=1e-7)


def test_constants_with_rows_are_divided_too() -> None:
    graph = parse(
        "graph step(%m: f32[16,7,3], %b: f32[16,1], %i: i64[16], %w: f32[9,3], %h: f32[16,3]) { "
        "%0: f32[16,1,3] = reshape(%h) {shape=(16, 1, 3)} %1: f32[16,7,3] = mul(%m, %0) "
        "%2: f32[16,3] = sum(%1) {axes=(1,)} %3: f32[16,3] = add(%2, %b) %4: f32[16,3] = take(%w, %i) {axis=0} "
        "%5: f32[16,3] = add(%3, %4) return %5 }"
    )
    divided = division(graph, 1)
    assert divided is not None
    assert [value in divided.values for value in graph.inputs] == [True, True, True, False, True]
    assert [value.shape for value in divided.of(5).inputs] == [(5, 7, 3), (5, 1), (5,), (9, 3), (5, 3)]


def test_what_is_handed_on_needs_rows() -> None:
    for shape in ("[]", "[1,1]", "[0,3]", "[7]"):
        nodes = f"%0: f32{shape} = tanh(%h) %1: f32[5,2] = tanh(%g)"
        graph = parse(f"graph step(%h: f32{shape}, %g: f32[5,2]) {{ {nodes} return %0, %1 }}")
        assert division(graph, 2) is None


def test_sections_are_as_equal_as_can_be() -> None:
    assert sections(32, 2) == [(0, 16), (16, 16)]
    assert sections(50, 3) == [(0, 16), (16, 17), (33, 17)]
    assert sections(15, 4) == [(0, 15)]
    assert sections(64, 1) == [(0, 64)]


LSTM = """graph step(
  %c0: f32[24,24], %c1: f32[24], %c2: f32[24,24], %x0: f32[B,24], %x1: f32[B,24], %h: f32[B,24], %g: f32[B,24]
) {
  %0: f32[B,24] = matmul(%h, %c0) %1: f32[B,24] = add(%0, %x0) %2: f32[B,24] = add(%1, %c1) %3: f32[B,24] = sigmoid(%2)
  %4: f32[B,24] = matmul(%h, %c2) {transpose_y=true} %5: f32[B,24] = add(%4, %x1) %6: f32[B,24] = tanh(%5)
  %7: f32[B,24] = mul(%3, %g) %8: f32[B,24] = add(%7, %6) %9: f32[B,24] = tanh(%8)
  return %9, %8, %3, %9
}"""


@needs_compiler
@pytest.mark.skipif(blas.library() is None, reason="there is no BLAS")
@pytest.mark.parametrize("dtype", ["f32", "f64"])
@pytest.mark.parametrize("reverse", ["false", "true"])
@pytest.mark.parametrize(("rows", "count"), [(16, 2), (33, 2), (50, 3), (17, 2)])
def test_threads_take_rows(rows: int, count: int, reverse: str, dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repeated, "SHARED", 1)
    monkeypatch.setattr(threads, "number", count)
    graph = recurrence(
        LSTM.replace("B", str(rows)),
        "[24,24] [24] [24,24] [6,B,24] [6,B,24] [B,24] [B,24]".replace("B", str(rows)),
        "[6,B,24] [6,B,24] [B,24] [B,24]".replace("B", str(rows)),
        f"length=6, constants=3, sequences=2, reverse={reverse}",
        dtype,
    )
    executable = CodegenExecutable(graph)
    assert "schedule(static, 1) if (threads > 1) reduction" in executable.source.text
    arguments = [numpy.asarray(array * 0.4, array.dtype) for array in random_arguments(graph, 2)]
    runs = []
    for number in (count, count, 1, count + 2):  # a team may be smaller or larger than asked for
        monkeypatch.setattr(threads, "number", number)
        runs.append(executable([Buffer(array) for array in arguments], [None] * len(graph.results)))
    for one, *others, wanted in zip(*runs, evaluate(graph, arguments)):
        numpy.testing.assert_allclose(one.array, wanted, rtol=1e-5, atol=1e-5)
        assert all(other.array.tobytes() == one.array.tobytes() for other in others)


@needs_compiler
def test_a_position_outside_is_refused_by_whoever_finds_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repeated, "SHARED", 1)
    monkeypatch.setattr(threads, "number", 2)
    nodes = "%0: f32[16,3] = take(%w, %i) {axis=0} %1: f32[16,3] = add(%h, %0)"
    step = f"graph step(%w: f32[4,3], %i: i64[16], %h: f32[16,3]) {{ {nodes} return %1 }}"
    attrs = f'body="{step}", length=5, constants=1, sequences=1'
    graph = parse(
        f"graph f(%w: f32[4,3], %i: i64[5,16], %h: f32[16,3]) {{ "
        f"%0: f32[16,3] = recurrence(%w, %i, %h) {{{attrs}}} return %0 }}"
    )
    executable = CodegenExecutable(graph)
    assert "omp parallel" in executable.source.text
    w, h, positions = numpy.ones((4, 3), "float32"), numpy.zeros((16, 3), "float32"), numpy.zeros((5, 16), "int64")
    (found,) = executable([Buffer(w), Buffer(positions), Buffer(h)], [None])
    assert (found.array == 5).all()
    for row in (2, 15):
        wrong = positions.copy()
        wrong[3, row] = 4
        with pytest.raises(IndexError):
            executable([Buffer(w), Buffer(wrong), Buffer(h)], [None])
