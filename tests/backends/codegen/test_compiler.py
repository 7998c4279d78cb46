"""Long sources are compiled in several files beside each other; what they compute stays the same."""

from __future__ import annotations

from pathlib import Path

import numpy
import pytest

from dopegraph.backends.codegen import compiler
from dopegraph.backends.codegen.compiler import PART, CompilerError, files_of, find_compiler
from dopegraph.backends.codegen.executable import CodegenExecutable
from dopegraph.backends.codegen.source import write_source
from dopegraph.ir import parse
from dopegraph.runtime.buffer import Buffer
from tests.backends.codegen.programs import needs_compiler
from tests.reference import evaluate

pytestmark = needs_compiler

# Kernels that call what they share, a product, a convolution, positions, random numbers.
TEXT = """graph f(%x: f32[2,3,20,40], %w: f32[4,3,3,3], %i: i64[5], %k: u64[2]) {
  %0: f32[2,4,18,38] = conv(%x, %w) {stride=(1, 1), pad=(0, 0), dilate=(1, 1)}
  %1: f32[2,4,9,19] = max_pool(%0) {kernel=(2, 2), stride=(2, 2), pad=(0, 0)}
  %2: f32[72,19] = reshape(%1) {shape=(72, 19)}
  %3: f32[19,72] = transpose(%2) {axes=(1, 0)}
  %4: f32[19,72] = exp(%3)
  %5: f32[72,72] = matmul(%2, %4)
  %6: f32[5,72] = take(%5, %i) {axis=0}
  %7: f32[72] = random_normal(%k) {shape=(72,), dtype=f32}
  %8: f32[5,72] = mul(%6, %7)
  %9: f32[72,72] = take_scatter(%8, %i) {axis=0, shape=(72, 72)}
  %10: f32[72,72] = softmax(%9) {axis=1}
  return %4, %8, %10
}"""


def test_several_files_compute_what_one_does(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    graph = parse(TEXT)
    random = numpy.random.default_rng(0)
    arrays = [random.random((2, 3, 20, 40), "float32"), random.random((4, 3, 3, 3), "float32") * 0.1]
    arrays += [numpy.array([3, 0, -1, 71, 3]), numpy.array([1, 2], "uint64")]
    monkeypatch.setattr(compiler, "LONG", 1000)
    monkeypatch.setattr(compiler, "processors", lambda: 3)
    source = write_source(graph).text
    files = files_of(source, 3)
    assert len(files) == 4
    name = "together.so"
    library = find_compiler().compile(source, tmp_path, name)
    assert [path.name for path in tmp_path.iterdir()] == [name] and library == tmp_path / name
    executable = CodegenExecutable(parse(TEXT.replace("graph f", "graph several")))
    found = executable([Buffer(array) for array in arrays], [None] * 3)
    for one, wanted in zip(found, evaluate(graph, arrays)):
        numpy.testing.assert_allclose(one.array, wanted, 2e-5, 1e-5)


def test_how_files_are_divided() -> None:
    functions = [f"KERNEL void k{number}(int x) {{\n{'x' * number * 9000}\n}}" for number in range(12)]
    source = PART.join(["HEAD", *functions, "int run() {}"])
    assert files_of(source, 1) == [source]
    assert files_of("int run() {}", 4) == ["int run() {}"]
    *files, last = files_of(source, 4)
    assert len(files) == 4
    assert sorted(name for name in functions for file in files if name in file) == sorted(functions)
    assert max(map(len, files)) < 1.2 * min(map(len, files))
    assert all(f"KERNEL void k{number}(int x);" in last for number in range(12)) and last.endswith("int run() {}")


def test_an_error_in_one_of_the_files_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(compiler, "LONG", 10)
    monkeypatch.setattr(compiler, "processors", lambda: 2)
    source = PART.join(
        ["#define KERNEL static", "KERNEL void a(void) {\n}", "KERNEL void b(void) {\n nothing; }", "int c;"]
    )
    with pytest.raises(CompilerError, match="nothing"):
        find_compiler().compile(source, tmp_path, "wrong.so")
    assert list(tmp_path.iterdir()) == []
