"""Generated convolutions give what the NumPy kernels give, of any shape, and the same numbers with any threads."""

from __future__ import annotations

from typing import Any

import numpy
import pytest

from dopegraph.backends.codegen import convolutions, threads
from dopegraph.backends.codegen.executable import CodegenExecutable
from dopegraph.ir import parse
from dopegraph.runtime.buffer import Buffer
from tests.backends.codegen.programs import Sheet, needs_compiler

pytestmark = needs_compiler

ONE = {"stride": (1, 1), "pad": (0, 0), "dilate": (1, 1)}

# Data, weight, and what is not as usual; what each is about.
SHAPES: dict[str, tuple[tuple[int, ...], tuple[int, ...], dict[str, Any]]] = {
    "the book's first layer": ((3, 1, 28, 28), (20, 1, 3, 3), {}),
    "its second one": ((4, 20, 13, 13), (50, 20, 5, 5), {}),
    "padded": ((2, 17, 12, 11), (33, 17, 3, 3), {"pad": (1, 1)}),
    "padded more than needed": ((2, 16, 7, 9), (5, 16, 3, 3), {"pad": (3, 4)}),
    "strided": ((2, 20, 17, 20), (16, 20, 3, 3), {"stride": (2, 3), "pad": (1, 0)}),
    "steps that leave a rest": ((2, 12, 16, 18), (7, 12, 3, 2), {"stride": (3, 2)}),
    "dilated": ((2, 8, 15, 15), (9, 8, 3, 3), {"dilate": (2, 3), "pad": (2, 1)}),
    "dilated and strided": ((2, 3, 20, 19), (4, 3, 3, 2), {"dilate": (2, 2), "stride": (2, 3), "pad": (0, 1)}),
    "tiny images": ((7, 18, 4, 4), (40, 18, 3, 3), {"pad": (1, 1)}),
    "one pixel": ((130, 30, 3, 3), (10, 30, 3, 3), {}),
    "one by one": ((3, 40, 9, 8), (24, 40, 1, 1), {}),
    "one image": ((1, 3, 24, 24), (8, 3, 7, 7), {"stride": (2, 2), "pad": (3, 3)}),
    "one filter": ((2, 16, 10, 10), (1, 16, 3, 3), {}),
    "many pixels of one channel": ((2, 1, 50, 61), (3, 1, 4, 2), {"pad": (2, 1)}),
}


@pytest.mark.parametrize("what", SHAPES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_equals_the_numpy_kernel(what: str, dtype: str) -> None:
    data, weight, how = SHAPES[what]
    compare(data, weight, {**ONE, **how}, dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_sequences(dtype: str) -> None:
    compare((3, 20, 30), (6, 20, 5), {"stride": (2,), "pad": (2,), "dilate": (1,)}, dtype)
    compare((3, 2, 30), (6, 2, 5), {"stride": (1,), "pad": (0,), "dilate": (3,)}, dtype)


def compare(data: tuple[int, ...], weight: tuple[int, ...], how: dict[str, Any], dtype: str) -> None:
    random = numpy.random.default_rng(0)
    # What is not finite stays where it belongs.
    x, w = (random.standard_normal(shape).astype(dtype) for shape in (data, weight))
    x[(0,) * x.ndim], x[(-1,) * x.ndim] = numpy.nan, numpy.inf
    sheet = Sheet()
    result = sheet.add("conv", x, w, **how, groups=1)
    g = random.standard_normal(result.shape).astype(dtype)
    g[(0,) * g.ndim], g[(-1,) * g.ndim] = numpy.inf, numpy.nan
    sheet.add("conv_grad_data", g, w, shape=data, **how, groups=1)
    sheet.add("conv_grad_weight", g, x, shape=weight, **how, groups=1)
    finite = random.standard_normal(result.shape).astype(dtype)
    sheet.add("conv_grad_weight", finite, random.standard_normal(data).astype(dtype), shape=weight, **how, groups=1)
    for label, found, wanted in sheet.run():
        size = float(numpy.max(numpy.abs(wanted[numpy.isfinite(wanted)]), initial=0))
        rtol = 1e-5 if dtype == "float32" else 1e-13
        numpy.testing.assert_allclose(found, wanted, rtol, rtol * size, err_msg=label)


def test_more_threads_give_the_same_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "number", 2)
    monkeypatch.setattr(convolutions, "SHARED", 1)
    graph = parse("""graph f(%x: f32[9,20,13,13], %w: f32[50,20,5,5], %g: f32[9,50,9,9]) {
      %0: f32[9,50,9,9] = conv(%x, %w) {stride=(1, 1), pad=(0, 0), dilate=(1, 1)}
      %1: f32[9,20,13,13] = conv_grad_data(%g, %w) {shape=(9, 20, 13, 13), stride=(1, 1), pad=(0, 0), dilate=(1, 1)}
      %2: f32[50,20,5,5] = conv_grad_weight(%g, %x) {shape=(50, 20, 5, 5), stride=(1, 1), pad=(0, 0), dilate=(1, 1)}
      return %0, %1, %2
    }""")
    executable = CodegenExecutable(graph)
    assert executable.source.text.count("omp parallel") >= 4
    random = numpy.random.default_rng(0)
    arguments = [Buffer(random.random(value.shape, "float32")) for value in graph.inputs]
    found = []
    for number in (1, 2, 3):
        monkeypatch.setattr(threads, "number", number)
        found.append([one.array for one in executable(arguments, [None] * 3)])
    for one, two, three in zip(*found):
        assert numpy.array_equal(one, two)
        assert numpy.array_equal(one, three)


def test_convolutions_that_are_alike_share_a_function() -> None:
    graph = parse("""graph f(%x: f32[2,4,9,9], %w: f32[4,4,3,3]) {
      %0: f32[2,4,9,9] = conv(%x, %w) {stride=(1, 1), pad=(1, 1), dilate=(1, 1)}
      %1: f32[2,4,9,9] = conv(%0, %w) {stride=(1, 1), pad=(1, 1), dilate=(1, 1)}
      return %1
    }""")
    assert CodegenExecutable(graph).source.text.count("KERNEL void conv0(") == 1
