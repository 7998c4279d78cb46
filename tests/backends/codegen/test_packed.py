"""Products of our own beside NumPy's: every remainder of rows, columns and terms, both operands transposed or not."""

from __future__ import annotations

import numpy
import pytest

import dopegraph.ops  # noqa: F401  (declares the primitives)
from dopegraph.backends.codegen import blas, threads
from dopegraph.backends.codegen.executable import CodegenExecutable
from dopegraph.backends.codegen.packed import DEEP, HIGH, WIDE, is_large, lengths
from dopegraph.ir import Builder, TensorType
from dopegraph.ir.graph import extract
from dopegraph.ops import matmul
from dopegraph.runtime.buffer import Buffer
from tests.backends.codegen.programs import needs_compiler

pytestmark = [needs_compiler, pytest.mark.skipif(blas.library() is None, reason="there is no BLAS")]

# Rows, terms, columns.
SIZES = [
    (16, 16, 16), (17, 19, 33), (23, 31, 47), (HIGH + 3, DEEP, 32), (HIGH, DEEP + 1, 31), (40, 2 * DEEP + 5, WIDE + 17),
    (2 * HIGH + 8, 64, 64), (64, 784, 256),
]  # fmt: skip


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("count", [1, 2])
def test_products_of_all_sizes(dtype: str, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """With one thread they are our own, with more the BLAS's."""
    monkeypatch.setattr(threads, "number", count)
    random = numpy.random.default_rng(0)
    builder, inputs, arrays, outputs, wanted = Builder(), [], [], [], []
    for m, k, n in SIZES:
        for tx in (False, True):
            for ty in (False, True):
                x = random.standard_normal((k, m) if tx else (m, k)).astype(dtype)
                y = random.standard_normal((n, k) if ty else (k, n)).astype(dtype)
                values = [
                    builder.input(TensorType(one.dtype, one.shape), f"x{len(inputs)}_{i}")
                    for i, one in enumerate((x, y))
                ]
                with builder:
                    outputs.append(matmul(*values, transpose_x=tx, transpose_y=ty))
                inputs += values
                arrays += [x, y]
                wanted.append((x.T if tx else x).astype("float64") @ (y.T if ty else y))
    graph = extract("products", builder.nodes, inputs, (), outputs)
    assert all(map(is_large, graph.nodes))
    found = CodegenExecutable(graph)([Buffer(array) for array in arrays], [None] * len(outputs))
    for one, two in zip(found, wanted):
        scale = abs(two).max()
        numpy.testing.assert_allclose(one.array / scale, two / scale, atol=2e-6 if dtype == "float32" else 1e-14)


def test_stacks_of_rows_are_one_product() -> None:
    builder = Builder()
    x, y = builder.input(TensorType("f32", (4, 8, 20))), builder.input(TensorType("f32", (20, 30)))
    with builder:
        z = matmul(x, y)
        w = matmul(y, y, transpose_x=True)
    assert lengths(z.node) == (32, 20, 30, ())
    assert lengths(w.node) == (30, 20, 30, ())


def test_numbers_that_are_none_stay_where_they_are() -> None:
    builder = Builder()
    values = [builder.input(TensorType("f32", (20, 20)), name) for name in "xy"]
    with builder:
        z = matmul(*values)
    executable = CodegenExecutable(extract("product", builder.nodes, values, (), [z]))
    x, y = numpy.ones((20, 20), "float32"), numpy.ones((20, 20), "float32")
    x[19, 3], y[2, 19] = numpy.nan, numpy.inf
    (found,) = executable([Buffer(x), Buffer(y)], [None])
    assert numpy.isnan(found.array[19]).all()
    assert numpy.isposinf(found.array[:19, 19]).all()
    assert (found.array[:19, :19] == 20).all()
