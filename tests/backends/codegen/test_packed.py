"""Products of our own beside NumPy's: every remainder of rows, columns and terms, both operands transposed or not."""

from __future__ import annotations

import dataclasses

import numpy
import pytest

import dopegraph.ops  # noqa: F401  (declares the primitives)
from dopegraph.backends.codegen import blas, packed, products, threads
from dopegraph.backends.codegen.executable import CodegenExecutable
from dopegraph.backends.codegen.packed import DEEP, HIGH, WIDE, is_large, lengths
from dopegraph.ir import Builder, TensorType, Value
from dopegraph.ir.graph import extract
from dopegraph.ops import exp, matmul, transpose
from dopegraph.ops import sum as total
from dopegraph.runtime.buffer import Buffer
from tests.backends.codegen.programs import needs_compiler
from tests.reference import evaluate

pytestmark = [needs_compiler, pytest.mark.skipif(blas.library() is None, reason="there is no BLAS")]

# Rows, terms, columns.
SIZES = [
    (16, 16, 16), (17, 19, 33), (23, 31, 47), (HIGH + 3, DEEP, 32), (HIGH, DEEP + 1, 31), (40, 2 * DEEP + 5, WIDE + 17),
    (2 * HIGH + 8, 64, 64), (64, 784, 256),
]  # fmt: skip


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_products_of_all_sizes(dtype: str, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """With more threads they are shared, by rows or columns."""
    monkeypatch.setattr(threads, "number", count)
    monkeypatch.setattr(packed, "LEAST_SHARED", 1)
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
    executable = CodegenExecutable(graph)
    assert ("omp parallel" in executable.source.text) == (count > 1)
    found = executable([Buffer(array) for array in arrays], [None] * len(outputs))
    again = executable([Buffer(array) for array in arrays], [None] * len(outputs))
    assert all(one.array.tobytes() == two.array.tobytes() for one, two in zip(found, again))
    for one, two in zip(found, wanted):
        scale = abs(two).max()
        numpy.testing.assert_allclose(one.array / scale, two / scale, atol=2e-6 if dtype == "float32" else 1e-14)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("left", "right"),
    [
        ((6, 5, 33, 20), (6, 5, 20, 17)),
        ((6, 1, 33, 20), (1, 5, 20, 17)),
        ((7, 33, 20), (1, 20, 17)),
        ((20, 9), (3, 9, 8)),
    ],
)
def test_threads_share_stacks_of_products(
    left: tuple[int, ...], right: tuple[int, ...], dtype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = blas.library()
    assert found is not None
    monkeypatch.setattr(blas, "library", lambda: dataclasses.replace(found, own=True))
    monkeypatch.setattr(products, "LEAST_SHARED", 1)
    random = numpy.random.default_rng(0)
    for tx in (False, True):
        for ty in (False, True):
            x, y = random.standard_normal(left).astype(dtype), random.standard_normal(right).astype(dtype)
            x, y = (numpy.ascontiguousarray(a.swapaxes(-1, -2)) if t else a for a, t in ((x, tx), (y, ty)))
            builder = Builder()
            values = [builder.input(TensorType(one.dtype, one.shape), name) for one, name in ((x, "x"), (y, "y"))]
            with builder:
                z = matmul(*values, transpose_x=tx, transpose_y=ty)
            graph = extract("stack", builder.nodes, values, (), [z])
            results = []
            for count in (1, 2, 3):
                monkeypatch.setattr(threads, "number", count)
                executable = CodegenExecutable(graph)
                assert ("omp parallel" in executable.source.text) == (count > 1)
                results.append(executable([Buffer(x), Buffer(y)], [None])[0].array)
            assert results[0].tobytes() == results[1].tobytes() == results[2].tobytes()
            numpy.testing.assert_allclose(results[0], evaluate(graph, [x, y])[0], rtol=2e-5, atol=2e-5)


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


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("count", [1, 2])
def test_products_that_are_taken_away(dtype: str, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """As weights are updated: the same numbers as a product and a difference."""
    monkeypatch.setattr(threads, "number", count)
    monkeypatch.setattr(packed, "LEAST_SHARED", 1)
    random = numpy.random.default_rng(0)
    builder, inputs, arrays, outputs = Builder(), [], [], []

    def given(*shape: int) -> Value:
        array = random.standard_normal(shape).astype(dtype)
        arrays.append(array)
        inputs.append(builder.input(TensorType(array.dtype, shape), f"x{len(inputs)}"))
        return inputs[-1]

    plain = []
    for m, k, n in SIZES:
        for tx in (False, True):
            for ty in (False, True):
                operands = given(*((k, m) if tx else (m, k))), given(*((n, k) if ty else (k, n)))
                old = given(m, n)
                with builder:
                    outputs.append(old - matmul(*operands, transpose_x=tx, transpose_y=ty))
                    plain.append(matmul(*operands, transpose_x=tx, transpose_y=ty))
    buffers = [Buffer(array) for array in arrays]
    graph = extract("updates", builder.nodes, inputs, (), outputs)
    executable = CodegenExecutable(graph)
    assert len(executable.source.calls) == len(outputs)
    found = executable(buffers, [None] * len(outputs))
    apart = CodegenExecutable(extract("apart", builder.nodes, inputs, (), plain))(buffers, [None] * len(plain))
    for one, product, old in zip(found, apart, arrays[2::3]):
        numpy.testing.assert_array_equal(one.array, old - product.array)


def test_products_that_others_read_too_or_that_are_no_update() -> None:
    builder = Builder()
    x, y, w, row = (
        builder.input(TensorType("f32", shape), name)
        for name, shape in zip("xywr", ((20, 20), (20, 20), (20, 20), (20,)))
    )
    with builder:
        z = matmul(x, y)
        shared = [w - z, z * 2]
        turned = matmul(x, w) - y
        broadcast = row - matmul(w, y)
        across = w - transpose(matmul(y, y), axes=(1, 0))
        result = matmul(y, w)
        both = [result, x - result]
        itself = matmul(w, w)
        twice = itself - itself
    outputs = [*shared, turned, broadcast, across, *both, twice]
    graph = extract("others", builder.nodes, [x, y, w, row], (), outputs)
    random = numpy.random.default_rng(1)
    arrays = [random.standard_normal(value.shape).astype("float32") for value in graph.arguments]
    executable = CodegenExecutable(graph)
    assert not any("threads != 1" in call.statement for call in executable.source.calls)
    found = executable([Buffer(array) for array in arrays], [None] * len(outputs))
    for one, two in zip(found, evaluate(graph, arrays)):
        numpy.testing.assert_allclose(one.array, two, rtol=1e-4, atol=1e-4)


def test_operands_of_an_update_stay_until_it_is_made() -> None:
    """What is computed between a product and its update must not be put into the memory of the operands."""
    builder = Builder()
    x, y, w = (builder.input(TensorType("f32", (32, 32)), name) for name in "xyw")
    with builder:
        left, right = exp(x), exp(y)
        product = matmul(left, right)
        between = matmul(matmul(x, y), y)
        other = exp(between) * 0.5
        last = matmul(other, between) + total(other, axes=(0, 1))
        update = w - product
    graph = extract("late", builder.nodes, [x, y, w], (), [last, update])
    random = numpy.random.default_rng(2)
    arrays = [random.uniform(-0.2, 0.2, value.shape).astype("float32") for value in graph.arguments]
    found = CodegenExecutable(graph)([Buffer(array) for array in arrays], [None] * 2)
    for one, two in zip(found, evaluate(graph, arrays)):
        numpy.testing.assert_allclose(one.array, two, rtol=1e-4, atol=1e-5)
