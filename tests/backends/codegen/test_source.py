"""The C that is written for a small graph, as a whole.

``python -m tests.backends.codegen.test_source`` writes golden.c anew.
"""

from __future__ import annotations

from pathlib import Path

import dopegraph.ops  # noqa: F401  (declares the primitives)
from dopegraph.backends.codegen.source import write_source
from dopegraph.ir import parse

GOLDEN = Path(__file__).parent / "golden.c"

TEXT = """graph layer(%x: f32[64,20], %w: f32[20,10], %b: f32[10], %y: f32[64,10]) {
  %0: f32[64,10] = matmul(%x, %w)
  %1: f32[64,10] = add(%0, %b)
  %2: f32[64,10] = softmax(%1) {axis=-1}
  %3: f32[64,10] = sub(%2, %y)
  %4: f32[10] = sum(%3) {axes=(0,)}
  %5: f32[64,20] = matmul(%3, %w) {transpose_y=true}
  %6: f32[20,64] = transpose(%5) {axes=(1, 0)}
  %7: f32[20,64] = mul(%6, %6)
  return %2, %4, %7
}"""


def written() -> str:
    return write_source(parse(TEXT), "int").text


def test_the_file_of_a_layer() -> None:
    assert written() == GOLDEN.read_text(encoding="utf-8")


def test_the_same_graph_gives_the_same_text() -> None:
    assert written() == written()


def test_kernels_that_are_written_alike_are_one_function() -> None:
    text = """graph f(%x: f32[9], %y: f32[9], %v: f32[3,3]) {
      %0: f32[9] = sub(%x, %y)
      %1: f32[3,3] = reshape(%0) {shape=(3, 3)}
      %2: f32[3,3] = matmul(%1, %v)
      %3: f32[9] = reshape(%2) {shape=(9,)}
      %4: f32[9] = sub(%3, %y)
      return %4
    }"""
    found = write_source(parse(text)).text
    assert found.count("KERNEL void k") == 1
    assert found.count("  k0(") == 2


if __name__ == "__main__":
    GOLDEN.write_text(written(), encoding="utf-8")
