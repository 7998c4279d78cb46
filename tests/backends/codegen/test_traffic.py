"""Kernels that are written past the cache, or read in squares, compute what others do."""

from __future__ import annotations

from typing import Any

import numpy
import pytest

from dopegraph.backends.codegen import traffic
from dopegraph.backends.codegen.executable import CodegenExecutable
from dopegraph.ir import parse, primitives
from tests.backends.codegen.programs import Sheet, needs_compiler

pytestmark = needs_compiler

DTYPES = ["float32", "float64", "int32", "uint64", "int16", "bool"]


def array(shape: tuple[int, ...], dtype: str) -> Any:
    numbers = numpy.random.default_rng(0).integers(-100, 100, shape)
    return (numbers > 0 if dtype == "bool" else numbers).astype(dtype)


def agree(sheet: Sheet) -> str:
    for label, found, wanted in sheet.run():
        assert found.dtype == wanted.dtype, label
        numpy.testing.assert_array_equal(found, wanted, label)
    return CodegenExecutable(sheet.graph).source.text


@pytest.mark.parametrize("dtype", DTYPES)
def test_turned_arrays(dtype: str) -> None:
    sheet = Sheet()
    for shape in [(33, 70), (64, 32), (17, 200), (100, 16), (3, 40)]:
        x, y = array(shape, dtype), array(shape[::-1], dtype)
        turned = sheet.builder.emit_node(primitives["transpose"], [sheet.input(x)], {"axes": (1, 0)}).output
        sheet.add("equal", turned, y)
        sheet.add("select", array(shape[::-1], "bool"), turned, y)
    text = agree(sheet)
    assert ("transpose_f" in text) == (numpy.dtype(dtype).itemsize in (4, 8))


@pytest.mark.parametrize("axes", [(0, 2, 1), (2, 1, 0), (1, 2, 0), (2, 0, 1), (1, 0, 2)])
def test_axes_in_any_order_and_parts_of_arrays(axes: tuple[int, ...]) -> None:
    sheet = Sheet()
    x = array((20, 35, 50), "float32")
    value = sheet.input(x)
    turned = sheet.builder.emit_node(primitives["transpose"], [value], {"axes": axes}).output
    other = array(turned.shape, "float32")
    sheet.add("add", turned, other)
    part = {"starts": (1, 2, 3), "stops": tuple(turned.shape), "steps": (1, 2, 1)}
    cut = sheet.builder.emit_node(primitives["strided_slice"], [turned], part).output
    sheet.add("mul", cut, array(cut.shape, "float32"))
    agree(sheet)


def test_a_matrix_and_its_transpose() -> None:
    graph = """graph f(%x: f32[90,90], %y: f32[90]) {
      %0: f32[90,90] = transpose(%x) {axes=(1, 0)} %1: f32[90,90] = add(%x, %0) %2: f32[90,90] = mul(%1, %y)
      return %2
    }"""
    text = CodegenExecutable(parse(graph)).source.text
    assert text.count("transpose_f32(e") == 1


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("count", [1024, 5000, 5001, 30_007])
def test_results_past_the_cache(dtype: str, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traffic, "PAST_CACHE", 1)
    sheet = Sheet()
    x, y = array((count,), dtype), array((count,), dtype)
    sheet.add("not_equal", x, y)
    sheet.add("select", array((count,), "bool"), x, y)
    sheet.add("concat", x, y, x, axis=0)  # places that are not aligned
    assert "stream(o" in agree(sheet)


def test_only_results_that_no_cache_holds_are_written_past_it() -> None:
    text = "graph f(%x: f32[N]) { %0: f32[N] = add(%x, %x) return %0 }"
    assert "stream(o" not in CodegenExecutable(parse(text.replace("N", "100000"))).source.text
    assert "stream(o" in CodegenExecutable(parse(text.replace("N", "10000000"))).source.text
