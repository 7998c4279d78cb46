"""Graphs that compute little run on NumPy, and say so; larger ones, and those with convolutions, on MXNet."""

from __future__ import annotations

import warnings

import numpy
import pytest

import dopegraph
import dopegraph.numpy as np
from dopegraph import nn
from dopegraph.backends import placement
from dopegraph.backends.mxnet import library
from dopegraph.transform.compiled import PATIENCE
from tests.backends.codegen.programs import needs_compiler

pytestmark = pytest.mark.skipif(not library.installed(), reason="MXNet is not installed")


@pytest.fixture(autouse=True)
def threshold(monkeypatch):
    monkeypatch.setattr(placement, "SMALL", 1000)
    dopegraph.programs.clear()
    yield
    dopegraph.programs.clear()


def explained(function, *arrays):
    with dopegraph.policy("prefer_mxnet"):
        return dopegraph.explain(function)(*arrays)


def test_a_small_graph_runs_on_numpy_and_says_why():
    found = explained(lambda x: np.exp(x), np.ones(100))
    assert found.replayed
    assert found.symbols == 0
    assert not found.fallbacks
    assert [(one.id, one.kind) for one in found.reasons] == [("small-graph", "on NumPy")]
    assert "small-graph" in str(found)
    numpy.testing.assert_allclose(found.result.asnumpy(), numpy.exp(1), rtol=1e-6)


def test_a_larger_graph_is_a_symbol():
    with dopegraph.codegen("never"):
        found = explained(lambda x: np.exp(x) + 1, np.ones(600))
    assert found.symbols == 1
    assert not found.reasons


def test_a_long_graph_of_tiny_arrays_runs_on_numpy_where_symbols_would_be_interrupted():
    def filtered(x, p):
        for _ in range(30):
            x = np.linalg.qr(p + np.tanh(x))[0] * 2
        return x

    found = explained(filtered, np.ones((4, 4)), np.eye(4))
    assert found.replayed
    assert (found.symbols, [one.id for one in found.reasons]) == (0, ["small-graph"])
    assert explained(filtered, np.ones((40, 40)), np.eye(40)).symbols > 0


def test_a_convolution_is_a_symbol():
    found = explained(lambda x, w: nn.conv(x, w), np.ones((1, 1, 4, 4)), np.ones((1, 1, 2, 2)))
    assert found.symbols == 1


def test_only_mxnet_is_only_mxnet():
    with dopegraph.policy("only_mxnet"):
        assert dopegraph.explain(lambda x: np.exp(x) + 1)(np.ones(3)).symbols == 1


def test_derivatives_without_compile_use_it_too():
    with dopegraph.policy("prefer_mxnet"), dopegraph.op_stats() as stats:
        found = dopegraph.grad(lambda x: np.exp(x).sum())(np.zeros(3))
    assert found.tolist() == [1, 1, 1]
    assert stats.numpy["exp"] == 1
    assert not stats.mxnet


@needs_compiler
def test_many_small_operations_that_somebody_compiled_are_one_c_function():
    def steps(x, w):
        for _ in range(10):
            x = np.tanh(x * w) + x
        return x.sum()

    x, w = np.ones(3), np.ones(3) / 2
    wanted = float(steps(x, w))
    for function, generated in ((steps, True), (lambda x, w: np.tanh(x), False)):
        found = explained(function, x, w)
        assert found.symbols == 0
        assert (not found.reasons) == generated
        compiled = dopegraph.compile(function)
        with dopegraph.policy("prefer_mxnet"):
            result = compiled(x, w)
            assert [stage.backend for stage in compiled.plans[0].program.stages] == [
                "codegen" if generated else "numpy"
            ]
        if generated:
            numpy.testing.assert_allclose(float(result), wanted, rtol=1e-6)
    # Nobody says of a recording that it will be made often.
    with dopegraph.policy("prefer_mxnet"):
        assert abs(float(dopegraph.value_and_grad(steps)(x, w)[0]) - wanted) < 1e-5
    assert {stage.backend for program in dopegraph.programs.programs() for stage in program.stages} >= {"numpy"}


@needs_compiler
def test_what_is_compiled_is_c_though_it_has_many_elements_and_little_work():
    # As a recommender's step: tables of which few rows are read. It once was a symbol, ten times as slow as NumPy.
    def step(table, rows):
        def loss(table):
            return (table[rows] ** 2).sum()

        return table - 0.1 * dopegraph.grad(loss)(table)

    table, rows = numpy.arange(1500, dtype="float32").reshape(300, 5), numpy.array([3, 7, 3])
    wanted = table.copy()
    numpy.subtract.at(wanted, rows, numpy.float32(0.2) * table[rows])
    compiled = dopegraph.compile(step)
    with dopegraph.policy("prefer_mxnet"):
        numpy.testing.assert_allclose(compiled(np.array(table), np.array(rows)).asnumpy(), wanted, rtol=1e-6)
    assert [stage.backend for stage in compiled.plans[0].program.stages] == ["codegen"]


def test_views_of_many_elements_are_no_work():
    x = np.ones((50, 50))
    with dopegraph.codegen("never"):
        assert explained(lambda x: np.exp(x.T[:10, ::5].reshape(5, 20).T[0]), x).symbols == 0


@needs_compiler
def test_shapes_that_keep_changing_are_not_worth_a_compiler():
    compiled = dopegraph.compile(lambda x: np.tanh(x) * 2 + x)
    with dopegraph.policy("prefer_mxnet"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for length in range(1, PATIENCE + 4):
            compiled(np.ones(length))
    backends = [plan.program.stages[0].backend for plan in reversed(compiled.plans)]
    assert backends == ["codegen"] * PATIENCE + ["numpy"] * 3


@needs_compiler
def test_one_operation_that_c_lacks_leaves_a_small_graph_to_numpy():
    def steps(x):
        for _ in range(10):
            x = np.tanh(x * 2) + x
        return np.linalg.qr(x)[1]

    found = explained(steps, np.eye(3))
    assert [one.id for one in found.reasons] == ["small-graph"]


@needs_compiler
def test_steps_of_a_loop_over_tiny_arrays_are_one_loop():
    def steps(x, w):
        for t in range(40):
            x = np.tanh(w @ x + t % 2)
        return x.sum()

    with dopegraph.policy("prefer_mxnet"):
        compiled = dopegraph.compile(dopegraph.value_and_grad(steps))
        found, slope = compiled(np.ones(3), np.eye(3) / 2)
        program = compiled.plans[0].program
    assert [stage.backend for stage in program.stages] == ["codegen"]
    wanted, slope_wanted = dopegraph.value_and_grad(steps)(np.ones(3), np.eye(3) / 2)
    numpy.testing.assert_allclose(float(found), float(wanted), rtol=1e-5)
    numpy.testing.assert_allclose(slope.asnumpy(), slope_wanted.asnumpy(), rtol=1e-4, atol=1e-6)
