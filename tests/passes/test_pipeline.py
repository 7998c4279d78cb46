from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dopegraph.ir import Graph, parse, verify
from dopegraph.passes import PIPELINE, Pass, optimize
from tests.reference import evaluate, evaluate_all, gradient_graph, lines, random_arguments
from tests.strategies import graphs

SETTINGS = settings(deadline=None, max_examples=200)


@given(graphs(), st.sampled_from(PIPELINE))
@SETTINGS
def test_every_pass_gives_a_valid_graph_and_says_whether_it_changed_it(graph: Graph, one: Pass) -> None:
    before = str(graph)
    changed = one.run(graph)
    verify(graph)
    assert changed or str(graph) == before


@given(graphs(), st.integers(0, 5))
@SETTINGS
def test_optimizing_keeps_the_values(graph: Graph, seed: int) -> None:
    arguments = random_arguments(graph, seed)
    largest = max(abs(array).max(initial=0) for array in evaluate_all(graph, arguments).values())
    assume(largest < 1e6)
    optimized = optimize(graph)
    verify(optimized)
    for found, expected in zip(evaluate(optimized, arguments), evaluate(graph, arguments)):
        assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
        numpy.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9 * max(1, largest))


@given(graphs(integers=True), st.integers(0, 5))
@SETTINGS
def test_optimizing_keeps_the_values_of_integers_exactly(graph: Graph, seed: int) -> None:
    arguments = random_arguments(graph, seed)
    for found, expected in zip(evaluate(optimize(graph), arguments), evaluate(graph, arguments)):
        assert found.dtype == expected.dtype
        numpy.testing.assert_array_equal(found, expected)


@given(graphs())
@SETTINGS
def test_optimizing_twice_changes_nothing_more(graph: Graph) -> None:
    once = optimize(graph)
    assert str(optimize(once)) == str(once)


@given(graphs())
@SETTINGS
def test_optimizing_never_adds_work_and_leaves_its_argument_alone(graph: Graph) -> None:
    before = str(graph)
    optimized = optimize(graph)
    assert str(graph) == before
    assert [value.type for value in optimized.arguments] == [value.type for value in graph.arguments]
    assert [value.name for value in optimized.arguments] == [value.name for value in graph.arguments]


MODEL = """\
graph loss(%x: f32[4,3], %labels: i32[4]; state %w: f32[3,2], %b: f32[2]) {
  %0: f32[4,2] = matmul(%x, %w)
  %1: f32[4,2] = add(%0, %b)
  %2: f32[4,2] = softmax(%1) {axis=1}
  %3: f32[4,2] = log(%2)
  %4: f32[4,2] = one_hot(%labels) {depth=2, dtype=f32}
  %5: f32[4,2] = mul(%3, %4)
  %6: f32[] = sum(%5) {axes=(0, 1)}
  return %6
}"""


def test_the_classifier_of_the_book_becomes_small() -> None:
    graph = optimize(parse(MODEL))
    assert [line.split(" = ")[1].split("(")[0] for line in lines(str(graph))[:-1]] == [
        "matmul", "add", "log_softmax", "one_hot", "mul", "sum",
    ]  # fmt: skip


def test_the_gradient_of_log_of_softmax_does_not_divide() -> None:
    graph = gradient_graph(parse(MODEL.replace("; state", ",")), [2, 3])
    assert not {node.op.name for node in optimize(graph).nodes} & {"div", "log"}


@pytest.mark.parametrize("function", ["softmax(%x) {axis=0}", "sigmoid(%x)"])
def test_gradients_of_logarithms_survive_underflow(function: str) -> None:
    graph = parse(f"graph f(%x: f64[2]) {{ %0: f64[2] = {function} %1: f64[2] = log(%0) return %1 }}")
    (found,) = evaluate(optimize(gradient_graph(graph, [0])), [numpy.array([-2000.0, 2000.0]), numpy.ones(2)])
    assert found.tolist() == ([1, -1] if "softmax" in function else [1, 0])


DRIVER = """
import sys
import dopegraph.ops
from dopegraph.ir import parse
from dopegraph.passes import optimize
print(optimize(parse(sys.stdin.read())))
"""


def optimized_elsewhere(text: str, seed: str, folder: Path) -> str:
    environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(
        [sys.executable, "-c", DRIVER],
        input=text,
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_the_result_does_not_depend_on_the_hash_seed(tmp_path: Path) -> None:
    text = str(gradient_graph(parse(MODEL.replace("; state", ",")), [0, 2, 3]))
    first, second = (optimized_elsewhere(text, seed, tmp_path) for seed in "12")
    assert first == second == f"{optimize(parse(text))}\n"


def test_the_text_after_every_pass_can_be_dumped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOPEGRAPH_DUMP", str(tmp_path))
    graph = parse("graph f(%x: f32[]) { %0: f32[] = identity(%x) %1: f32[] = neg(%0) %2: f32[] = neg(%1) return %2 }")
    graph.name = "<locals>/f"
    optimize(graph)
    optimize(graph)
    first, second = sorted(tmp_path.iterdir())
    assert first.name.split("-")[1] == second.name.split("-")[1] == "locals_f"
    assert [file.name for file in sorted(first.iterdir())] == [
        "00-input.txt", "01-canonicalize.txt", "02-simplify.txt", "03-dce.txt",
    ]  # fmt: skip
    assert "identity" in (first / "00-input.txt").read_text()
    assert lines((first / "03-dce.txt").read_text().strip()) == ["return %x"]
    assert all(str(parse(file.read_text())) for file in first.iterdir())


def test_nothing_is_dumped_unless_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DOPEGRAPH_DUMP", raising=False)
    monkeypatch.chdir(tmp_path)
    optimize(parse("graph f(%x: f32[]) { %0: f32[] = identity(%x) return %0 }"))
    assert list(tmp_path.iterdir()) == []


class _Restless(Pass):
    name = "restless"

    def __init__(self) -> None:
        self.runs = 0

    def run(self, graph: Graph) -> bool:
        self.runs += 1
        return True


def test_passes_that_never_settle_are_stopped() -> None:
    restless = _Restless()
    pipeline: Sequence[Pass] = (restless,)
    optimize(parse("graph f() { return }"), tuple(pipeline))
    assert restless.runs == 10
