"""Large kernels are shared by threads, with the same results, also in processes that fork."""

from __future__ import annotations

import os

import numpy
import pytest

from dopegraph.backends.codegen import threads
from dopegraph.backends.codegen.executable import CodegenExecutable
from dopegraph.ir import parse
from dopegraph.runtime.buffer import Buffer
from tests.backends.codegen.programs import needs_compiler

pytestmark = needs_compiler

ROWS = "graph f(%x: f32[700,500]) { %0: f32[700,500] = softmax(%x) {axis=1} return %0 }"
LINE = "graph f(%x: f32[300007]) { %0: f32[300007] = exp(%x) %1: f32[300007] = mul(%0, %x) return %1 }"
TURNED = """graph f(%x: f32[700,500], %y: f32[500,700]) {
  %0: f32[500,700] = transpose(%x) {axes=(1, 0)} %1: f32[500,700] = exp(%0) %2: f32[500,700] = add(%1, %y) return %2
}"""
WHOLE = """graph f(%x: f32[1300,1007]) {
  %0: f32[1300,1007] = exp(%x) %1: f32[] = sum(%0) {axes=(0, 1)} %2: f32[] = max(%0) {axes=(0, 1)}
  %3: f32[] = add(%1, %2) return %3
}"""


@pytest.mark.parametrize("text", [ROWS, LINE, TURNED, WHOLE], ids=["rows", "line", "turned", "whole"])
def test_more_threads_give_the_same_bits(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    graph = parse(text)
    executable = CodegenExecutable(graph)
    assert "omp parallel" in executable.source.text
    random = numpy.random.default_rng(0)
    arguments = [Buffer(random.random(value.shape, "float32")) for value in graph.inputs]
    found = []
    for number in (1, 2, 3):
        monkeypatch.setattr(threads, "number", number)
        found.append(executable(arguments, [None])[0].array)
    assert numpy.array_equal(found[0], found[1])
    assert numpy.array_equal(found[0], found[2])


def test_reductions_to_one_number_in_pieces() -> None:
    """Sums are as exact as those of one thread; NaN and infinities win, wherever they are."""
    n = (1 << 22) + 5
    operations = {"sum": "f64", "prod": "f32", "max": "f32", "min": "f32"}
    for operation, dtype in operations.items():
        graph = parse(
            f"graph f(%x: {dtype}[{n}]) {{ %0: {dtype}[{n}] = mul(%x, %x) %1: {dtype}[] = {operation}(%0) {{axes=(0,)}}"
            " return %1 }"
        )
        executable = CodegenExecutable(graph)
        assert "omp parallel" in executable.source.text
        x = numpy.random.default_rng(1).uniform(0.9, 1.1, n).astype(executable.graph.inputs[0].type.dtype)
        for place, special in ((None, 0), (0, numpy.nan), (n - 1, numpy.nan), (n // 2, numpy.inf)):
            if place is not None:
                x[place] = special
            (found,) = executable([Buffer(x)], [None])
            with numpy.errstate(all="ignore"):
                wanted = getattr(numpy, operation)(numpy.longdouble(x) ** 2).astype(x.dtype)
            numpy.testing.assert_allclose(found.array, wanted, rtol=1e-4 if operation == "prod" else 1e-6)


def test_small_kernels_and_sums_into_one_array_are_not_shared() -> None:
    small = CodegenExecutable(parse("graph f(%x: f32[70]) { %0: f32[70] = exp(%x) return %0 }"))
    text = """graph f(%x: f32[700,500]) {
      %0: f32[700,500] = exp(%x) %1: f32[500] = sum(%0) {axes=(0,)} return %1
    }"""
    assert "omp parallel" not in small.source.text
    assert "omp parallel" not in CodegenExecutable(parse(text)).source.text


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_process_has_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    executable = CodegenExecutable(parse(LINE))
    argument = Buffer(numpy.ones(300007, "float32"))
    monkeypatch.setattr(threads, "number", 2)
    (wanted,) = executable([argument], [None])
    child = os.fork()
    if child == 0:
        (found,) = executable([argument], [None])
        os._exit(0 if threads.number == 1 and numpy.array_equal(found.array, wanted.array) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.parametrize(("chosen", "number"), [("3", 3), ("4,2", 4), ("0", None), ("many", None), (None, None)])
def test_the_number(chosen: str | None, number: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    if chosen is None:
        monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    else:
        monkeypatch.setenv("OMP_NUM_THREADS", chosen)
    found = threads._number()
    assert found == number if number is not None else found >= 1
