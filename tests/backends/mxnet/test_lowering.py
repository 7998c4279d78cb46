"""What the lowering does with more than one node: operators that are shared or fused, and what it says it lacks."""

from __future__ import annotations

import json
from typing import Any

import numpy
import pytest

import dopegraph.ops as ops
from dopegraph.autodiff import pullback
from dopegraph.backends.mxnet import library
from dopegraph.backends.mxnet.executable import MXNetExecutable
from dopegraph.backends.mxnet.lowering import lacking, lower
from dopegraph.ir import Graph, parse
from dopegraph.ir.builder import Builder
from dopegraph.ir.graph import extract
from dopegraph.ir.types import TensorType
from dopegraph.runtime.buffer import Buffer
from tests.backends.mxnet.cases import floats
from tests.reference import evaluate, random_arguments

needs_mxnet = pytest.mark.skipif(not library.available(), reason="MXNet is not installed")


def operators(graph: Graph, target: str = "tuned") -> list[str]:
    return [node["op"] for node in json.loads(lower(graph, target).json)["nodes"] if node["op"] != "null"]


def step(pool: Any, bias: bool = True, dtype: str = "f32") -> Graph:
    """Loss and gradients of two convolutions with pooling, and of all that stands between."""
    builder = Builder()
    shapes = {"x": (4, 2, 10, 10), "k": (3, 2, 3, 3), "b": (3, 1, 1), "l": (4, 3, 2, 2), "c": (1, 4, 1, 1)}
    x, k, b, second, c = (builder.input(TensorType(dtype, shape), name) for name, shape in shapes.items())
    how = {"stride": (1, 1), "pad": (1, 1), "dilate": (1, 1)}
    window = {"kernel": (2, 2), "stride": (2, 2), "pad": (0, 0)}
    with builder:
        h = ops.conv(x, k, **how)
        h = pool(ops.relu(h + b if bias else h), **window)
        h = ops.conv(h, second, **how)
        h = pool(ops.relu(h + c if bias else h), **window)
        loss = ops.sum(ops.square(h), axes=(0, 1, 2, 3))
        one = builder.scalar(1.0, x.type.dtype)
    wrt = [k, second, *([b, c] if bias else [])]
    gradients = [found for found in pullback(builder, {loss: one}, wrt) if found is not None]
    return extract("step", builder.nodes, [x, k, b, second, c], (), [loss, *gradients])


@needs_mxnet
@pytest.mark.parametrize("dtype", ["f32", "f64"])
@pytest.mark.parametrize("bias", [False, True], ids=["plain", "bias"])
@pytest.mark.parametrize("pool", [ops.max_pool, ops.avg_pool], ids=["max", "avg"])
def test_a_convolutional_step(pool: Any, bias: bool, dtype: str) -> None:
    graph = step(pool, bias, dtype)
    arguments = random_arguments(graph, 0)
    executable = MXNetExecutable(graph)
    wanted = evaluate(graph, arguments)
    for _ in range(2):
        found = executable([Buffer(array) for array in arguments], [None] * len(wanted))
        for one, other in zip(found, wanted):
            scale = numpy.abs(other).max()
            numpy.testing.assert_allclose(one.array, other, rtol=1e-4, atol=1e-5 * scale)


def test_data_and_weight_gradients_share_an_operator() -> None:
    found = operators(step(ops.avg_pool))
    assert found.count("_backward_Convolution") == 2
    assert found.count("Convolution") == 2
    assert "Deconvolution" not in found


def test_a_bias_goes_into_the_convolution() -> None:
    assert "broadcast_add" not in operators(step(ops.avg_pool))
    shared = parse("""graph f(%x: f32[1,1,3,3], %w: f32[2,1,1,1], %b: f32[2,1,1]) {
      %0: f32[1,2,3,3] = conv(%x, %w) {stride=(1, 1), pad=(0, 0), dilate=(1, 1)}
      %1: f32[1,2,3,3] = add(%0, %b)
      return %1, %0
    }""")
    assert "broadcast_add" in operators(shared)  # the sum without it is needed too


def test_portable_symbols_use_no_hidden_operators() -> None:
    for pool in (ops.max_pool, ops.avg_pool):
        found = operators(step(pool), "portable")
        assert not any(name.startswith("_backward_") for name in found)


GUARDED = """graph f(%x: f32[6]) {{
  %0: f32[] = full() {{value=0.0, shape=(), dtype=f32}}
  %1: bool[6] = greater(%x, %0)
  %2: f32[6] = {}
  %3: f32[6] = select(%1, %2, %0)
  %4: f32[6] = relu(%x)
  %5: f32[6] = add(%3, %4)
  return %5
}}"""


@needs_mxnet
def test_relu_gradients_are_one_operator_and_guards_are_exact() -> None:
    guarded = parse(GUARDED.format("log(%x)"))
    assert "where" in operators(guarded)
    x = numpy.array([1, 0, -1, 2, -0.0, 3], "float32")
    found = MXNetExecutable(guarded)([Buffer(x)], [None])[0].array
    numpy.testing.assert_allclose(found, evaluate(guarded, [x])[0], rtol=1e-6)
    assert "where" not in operators(parse(GUARDED.format("mul(%x, %x)")))
    assert "where" in operators(parse(GUARDED.format("mul(%x, %x)").replace("f32", "f64")))
    assert "where" in operators(parse(GUARDED.format("mul(%x, %x)")), "portable")


@needs_mxnet
def test_long_sums_are_as_accurate_as_numpys() -> None:
    x = floats(1 << 21) + 1
    graph = parse(f"graph f(%x: f32[{x.size}]) {{ %0: f32[] = sum(%x) {{axes=(0,)}} return %0 }}")
    found = MXNetExecutable(graph)([Buffer(x)], [None])[0].array
    exact = x.astype("float64").sum()
    assert abs(found - exact) / exact < 1e-6


@needs_mxnet
def test_scattering_is_deterministic() -> None:
    """Whatever the number of threads, and equal to NumPy, which adds in the order of the indices."""
    text = """graph f(%g: f32[5000,4], %i: i64[5000]) {
      %0: f32[9,4] = take_scatter(%g, %i) {axis=0, shape=(9, 4)}
      return %0
    }"""
    executable = MXNetExecutable(parse(text))
    g, i = floats(5000, 4), numpy.random.RandomState(0).randint(-9, 9, 5000)
    results = [executable([Buffer(g), Buffer(i)], [None])[0].array for _ in range(20)]
    assert len({array.tobytes() for array in results}) == 1
    numpy.testing.assert_array_equal(results[0], evaluate(parse(text), [g, i])[0])


@needs_mxnet
def test_the_gradient_of_an_embedding() -> None:
    builder = Builder()
    x, i = builder.input(TensorType("f32", (7, 3)), "x"), builder.input(TensorType("i64", (2, 4)), "i")
    with builder:
        y = ops.sum(ops.square(ops.take(x, i, axis=0)), axes=(0, 1, 2))
        one = builder.scalar(1.0, x.type.dtype)
    (gradient,) = pullback(builder, {y: one}, [x])
    graph = extract("f", builder.nodes, [x, i], (), [y, gradient])
    arguments = [floats(7, 3), numpy.array([[0, -1, 2, 2], [6, 2, 3, -7]])]
    found = MXNetExecutable(graph)([Buffer(array) for array in arguments], [None, None])
    for one_found, wanted in zip(found, evaluate(graph, arguments)):
        numpy.testing.assert_allclose(one_found.array, wanted, rtol=1e-6)


@needs_mxnet
def test_deep_graphs_need_no_recursion() -> None:
    builder = Builder()
    x = builder.input(TensorType("f32", (2,)), "x")
    value = x
    with builder:
        for _ in range(3000):
            value = ops.neg(value)
    graph = extract("deep", builder.nodes, [x], (), [value])
    assert len(operators(graph)) == 3001  # and one that blocks, or passes, the gradient
    found = MXNetExecutable(graph)([Buffer(floats(2))], [None])[0].array
    numpy.testing.assert_array_equal(found, floats(2))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("graph f(%x: u16[2]) { %0: u16[2] = neg(%x) return %0 }", "dtype"),
        ("graph f(%x: c64[2]) { %0: c64[2] = neg(%x) return %0 }", "dtype"),
        ("graph f(%x: i32[2,2]) { %0: i32[2,2] = matmul(%x, %x) return %0 }", "dtype"),
        ("graph f(%x: f16[2,2]) { %0: f16[2,2] = matmul(%x, %x) return %0 }", "dtype"),
        ("graph f(%x: i64[2]) { %0: i64[2] = pow(%x, %x) return %0 }", "dtype"),
        ("graph f(%x: f32[0,2]) { %0: f32[0,2] = neg(%x) return %0 }", "empty-array"),
        ("graph f(%x: f32[0,2]) { %0: f32[2] = sum(%x) {axes=(0,)} return %0 }", "empty-array"),
        ("graph f(%x: f32[1,1,1,1,1,1,2]) { %0: f32[1,1,1,1,1,1,2] = neg(%x) return %0 }", "too-many-axes"),
        ("graph f(%x: f32[2,1,2,1,2,1], %y: f32[1,2,1,2,1,2]) { %0: f32[2,2,2,2,2,2] = add(%x, %y) return %0 }",
         "too-many-axes"),
        ("graph f(%k: u64[2]) { %0: f32[2] = random_normal(%k) {shape=(2,), dtype=f32} return %0 }", "random-numbers"),
        ("graph f(%x: f32[2]) { %0: f32[2] = neg(%x) return %0 }", None),
        ("graph f(%x: f16[2]) { %0: f16[2] = exp(%x) return %0 }", None),
    ],
)  # fmt: skip
def test_what_is_lacking_has_a_stable_reason(text: str, reason: str | None) -> None:
    (node,) = parse(text).nodes
    found = lacking(node)
    assert (found.reason if found is not None else None) == reason
    assert found is None or not found.detail.endswith(".")
