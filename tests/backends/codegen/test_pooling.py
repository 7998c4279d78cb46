"""Generated pooling gives what the NumPy kernels give: windows of all kinds, NaN, infinities, equal maxima."""

from __future__ import annotations

from typing import Any

import numpy
import pytest

from dopegraph.backends.codegen import pooling, threads
from dopegraph.backends.codegen.executable import CodegenExecutable
from dopegraph.ir import parse
from dopegraph.runtime.buffer import Buffer
from tests.backends.codegen.programs import Sheet, needs_compiler

pytestmark = needs_compiler

# Data, kernel, stride and pad.
WINDOWS: list[tuple[Any, ...]] = [
    ((3, 4, 26, 26), (2, 2), (2, 2), (0, 0)),
    ((3, 4, 9, 9), (2, 2), (2, 2), (0, 0)),  # leaves a rest
    ((2, 3, 13, 14), (3, 3), (2, 2), (0, 0)),  # overlaps
    ((2, 3, 13, 14), (3, 2), (2, 1), (1, 1)),
    ((2, 3, 12, 12), (3, 3), (3, 3), (1, 1)),
    ((2, 3, 11, 17), (2, 2), (3, 4), (0, 0)),  # leaves gaps
    ((5, 2, 7, 7), (7, 7), (1, 1), (0, 0)),
    ((2, 2, 20), (3,), (2,), (1,)),
    ((2, 2, 21), (2,), (2,), (0,)),
]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_equals_the_numpy_kernel(dtype: str) -> None:
    random = numpy.random.default_rng(0)
    sheet = Sheet()
    for shape, kernel, stride, pad in WINDOWS:
        how = {"kernel": kernel, "stride": stride, "pad": pad}
        # Few different numbers: many windows have their maximum twice.
        x = random.integers(-3, 4, shape).astype(dtype)
        special = x.copy()
        special[random.random(shape) < 0.1] = numpy.nan
        special[random.random(shape) < 0.2] = -numpy.inf
        special[random.random(shape) < 0.05] = numpy.inf
        special[0] = -numpy.inf
        for data in (x, special):
            result = sheet.add("max_pool", data, **how)
            g = random.standard_normal(result.shape).astype(dtype)
            sheet.add("max_pool_grad", g, data, **how)
            sheet.add("max_pool_take", random.standard_normal(shape).astype(dtype), data, **how)
            for counted in (True, False):
                sheet.add("avg_pool", data, **how, count_include_pad=counted)
                sheet.add("avg_pool_grad", g, shape=shape, **how, count_include_pad=counted)
    for label, found, wanted in sheet.run():
        rtol = 1e-6 if dtype == "float32" else 1e-15
        exact = "max_pool(" in label or "take" in label
        numpy.testing.assert_allclose(found, wanted, 0 if exact else rtol, 0 if exact else 8 * rtol, err_msg=label)


def test_more_threads_give_the_same_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "number", 2)
    monkeypatch.setattr(pooling, "SHARED", dict.fromkeys(pooling.POOLS, 1))
    graph = parse("""graph f(%x: f32[9,5,13,13], %g: f32[9,5,6,6]) {
      %0: f32[9,5,6,6] = max_pool(%x) {kernel=(3, 3), stride=(2, 2), pad=(0, 0)}
      %1: f32[9,5,13,13] = max_pool_grad(%g, %x) {kernel=(3, 3), stride=(2, 2), pad=(0, 0)}
      return %0, %1
    }""")
    executable = CodegenExecutable(graph)
    assert executable.source.text.count("omp parallel") == 2
    random = numpy.random.default_rng(0)
    arguments = [Buffer(random.random(value.shape, "float32")) for value in graph.inputs]
    found = []
    for number in (1, 3):
        monkeypatch.setattr(threads, "number", number)
        found.append([one.array for one in executable(arguments, [None] * 2)])
    for one, many in zip(*found):
        assert numpy.array_equal(one, many)
