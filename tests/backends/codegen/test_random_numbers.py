"""Generated code draws the numbers that NumPy's kernels draw, to the last bit."""

from __future__ import annotations

import numpy
import pytest

import dopegraph
import dopegraph.numpy as np
from dopegraph.backends.codegen import numpy_loops, random_numbers, threads
from dopegraph.backends.codegen.executable import CodegenExecutable
from dopegraph.backends.program import Program
from dopegraph.ir import parse
from dopegraph.runtime.buffer import Buffer
from tests.backends.codegen.programs import Sheet, needs_compiler

pytestmark = needs_compiler

KEY = numpy.array([2**63 + 12345, 7], "uint64")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_length_has_the_same_bits(dtype: str) -> None:
    sheet = Sheet()
    for shape in [(), (1,), (2,), (7,), (8,), (9,), (0,), (3, 0), (5, 67), (1023,), (1024,), (2049,), (100_001,)]:
        for name in ("random_uniform", "random_normal"):
            sheet.add(name, KEY, shape=shape, dtype=numpy.dtype(dtype))
    for label, found, wanted in sheet.run():
        assert found.dtype == wanted.dtype, label
        numpy.testing.assert_array_equal(found, wanted, label)


def test_keys_of_the_next_draws() -> None:
    sheet = Sheet()
    sheet.add("random_advance", sheet.add("random_advance", KEY))
    sheet.add("random_advance", numpy.array([3, 2**64 - 1], "uint64"))
    for label, found, wanted in sheet.run():
        numpy.testing.assert_array_equal(found, wanted, label)


def test_more_threads_give_the_same_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "number", 2)
    monkeypatch.setattr(random_numbers, "SHARED", 1)
    graph = parse("""graph f(%k: u64[2]) {
      %0: f32[20001] = random_normal(%k) {shape=(20001,), dtype=f32}
      %1: f64[20001] = random_uniform(%k) {shape=(20001,), dtype=f64} return %0, %1 }""")
    executable = CodegenExecutable(graph)
    assert executable.source.text.count("omp parallel") == 2
    found = []
    for number in (1, 3):
        monkeypatch.setattr(threads, "number", number)
        found.append([one.array for one in executable([Buffer(KEY)], [None, None])])
    for one, many in zip(*found):
        assert numpy.array_equal(one, many)


def test_numpy_without_such_loops_draws_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    normal = parse("graph f(%k: u64[2]) { %0: f32[9] = random_normal(%k) {shape=(9,), dtype=f32} return %0 }")
    assert random_numbers.draws(normal.nodes[0])
    monkeypatch.setattr(random_numbers, "addresses", lambda: None)
    assert not random_numbers.draws(normal.nodes[0])


def test_a_loop_that_computes_something_else_is_refused() -> None:
    assert numpy_loops._loop(numpy.log, "f") is not None
    log, exp = (numpy_loops._Ufunc.from_address(id(one)) for one in (numpy.log, numpy.exp))
    place = numpy.exp.types.index("f->f")
    other = exp.functions[place], exp.data[place] if exp.data else None
    assert not numpy_loops._computes(*other, numpy.log, "f")
    assert log.ntypes == numpy.log.ntypes


def test_a_step_with_dropout_is_one_stage_with_the_numbers_of_an_eager_one(monkeypatch: pytest.MonkeyPatch) -> None:
    programs: list[Program] = []
    original = Program.__init__

    def noted(self: Program, *args: object) -> None:
        original(self, *args)  # type: ignore[arg-type]
        programs.append(self)

    monkeypatch.setattr(Program, "__init__", noted)

    def step(x: np.ndarray) -> np.ndarray:
        kept = np.random.uniform(size=x.shape) < 0.75
        return np.where(kept, x / 0.75, 0) + np.random.normal(size=x.shape)

    x = np.ones((300, 200))
    np.random.seed(5)
    wanted = [step(x), step(x)]
    np.random.seed(5)
    compiled = dopegraph.compile(step)
    found = [compiled(x), compiled(x)]
    for one, other in zip(found, wanted):
        assert numpy.array_equal(numpy.asarray(one), numpy.asarray(other))
    assert [stage.backend for stage in programs[-1].stages] == ["codegen"]
