"""Recurrent networks from scratch, compiled: a step of training is what NumPy makes of it, and its code stays small."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy
import pytest

import dopegraph
import dopegraph.numpy as np
from dopegraph.backends.codegen import blas
from dopegraph.backends.codegen.executable import CodegenExecutable
from tests.backends.codegen.programs import needs_compiler

BATCH, HIDDEN, SYMBOLS = 8, 24, 17


def sigmoid(x: Any) -> Any:
    return 1.0 / (1.0 + np.exp(-x))


def softmax(y: Any) -> Any:
    y = y - np.max(y, axis=1).reshape((-1, 1))
    powers = np.exp(y)
    return powers / np.sum(powers, axis=1).reshape((-1, 1))


def rnn(x: Any, h: Any, c: Any, w: dict[str, Any]) -> Any:
    return np.tanh(np.dot(x, w["xh"]) + np.dot(h, w["hh"]) + w["bh"]), c


def gru(x: Any, h: Any, c: Any, w: dict[str, Any]) -> Any:
    z = sigmoid(np.dot(x, w["xz"]) + np.dot(h, w["hz"]) + w["bz"])
    r = sigmoid(np.dot(x, w["xr"]) + np.dot(h, w["hr"]) + w["br"])
    g = np.tanh(np.dot(x, w["xh"]) + np.dot(r * h, w["hh"]) + w["bh"])
    return z * h + (1 - z) * g, c


def lstm(x: Any, h: Any, c: Any, w: dict[str, Any]) -> Any:
    g = np.tanh(np.dot(x, w["xg"]) + np.dot(h, w["hg"]) + w["bg"])
    i = sigmoid(np.dot(x, w["xi"]) + np.dot(h, w["hi"]) + w["bi"])
    f = sigmoid(np.dot(x, w["xf"]) + np.dot(h, w["hf"]) + w["bf"])
    o = sigmoid(np.dot(x, w["xo"]) + np.dot(h, w["ho"]) + w["bo"])
    c = f * c + i * g
    return o * np.tanh(c), c


CELLS = {"rnn": (rnn, "h"), "gru": (gru, "zrh"), "lstm": (lstm, "gifo")}


def weights(gates: str) -> dict[str, Any]:
    random = numpy.random.default_rng(0)
    shapes = {f"x{gate}": (SYMBOLS, HIDDEN) for gate in gates} | {f"h{gate}": (HIDDEN, HIDDEN) for gate in gates}
    shapes |= {f"b{gate}": (HIDDEN,) for gate in gates} | {"hy": (HIDDEN, SYMBOLS), "by": (SYMBOLS,)}
    return {name: np.array(0.3 * random.standard_normal(shape)).astype("float32") for name, shape in shapes.items()}


def trained(cell: str, steps: int, clip: bool, one_array: bool, run: Callable[[Any], Any]) -> tuple[list[Any], Any]:
    """Three steps of training; what each returned, and the weights. `run` makes the step what is called."""
    step_of, gates = CELLS[cell]
    w = weights(gates)
    random = numpy.random.default_rng(1)
    places = random.integers(0, SYMBOLS, (steps + 1, BATCH))
    rows = numpy.eye(SYMBOLS, dtype="float32")[places]
    x, y = np.array(rows[:-1]), np.array(rows[1:])
    inputs: Any = x if one_array else [np.array(one) for one in rows[:-1]]
    h, c = (np.zeros((BATCH, HIDDEN), dtype="float32") for _ in range(2))
    for array in w.values():
        array.attach_grad()

    def step(inputs: Any, y: Any, h: Any, c: Any, rate: float) -> Any:
        with dopegraph.record():
            total = 0.0
            for t in range(steps):
                h, c = step_of(inputs[t], h, c, w)
                guess = softmax(np.dot(h, w["hy"]) + w["by"])
                total = total - np.mean(np.sum(y[t] * np.log(guess), axis=1))
            loss = total / steps
        loss.backward()
        scale = 1.0
        if clip:
            norm = np.sqrt(sum((array.grad**2).sum() for array in w.values()))
            scale = np.where(norm > 0.1, 0.1 / norm, 1.0)
        for array in w.values():
            array[:] = array - rate * scale * array.grad
        return loss, h, c

    called = run(step)
    found = []
    for _ in range(3):
        loss, h, c = called(inputs, y, h, c, 0.5)
        found.append(float(loss))
    return [*found, numpy.array(h), numpy.array(c)], {name: numpy.array(array) for name, array in w.items()}


@needs_compiler
@pytest.mark.skipif(blas.library() is None, reason="there is no BLAS")
@pytest.mark.parametrize("clip", [False, True])
@pytest.mark.parametrize("one_array", [False, True])
@pytest.mark.parametrize("cell", CELLS)
def test_training_is_what_numpy_makes_of_it(cell: str, one_array: bool, clip: bool) -> None:
    with dopegraph.codegen("always"):
        found, new = trained(cell, 10, clip, one_array, dopegraph.compile)
    with dopegraph.policy("only_numpy"):
        wanted, expected = trained(cell, 10, clip, one_array, lambda step: step)
    for one, two in zip(found, wanted):
        numpy.testing.assert_allclose(one, two, rtol=2e-4, atol=2e-5)
    for name, array in expected.items():
        numpy.testing.assert_allclose(new[name], array, rtol=2e-4, atol=2e-5, err_msg=name)


@needs_compiler
@pytest.mark.skipif(blas.library() is None, reason="there is no BLAS")
@pytest.mark.parametrize("cell", CELLS)
def test_the_code_does_not_grow_with_the_steps(cell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[CodegenExecutable] = []
    init = CodegenExecutable.__init__
    monkeypatch.setattr(CodegenExecutable, "__init__", lambda self, graph: (made.append(self), init(self, graph))[1])
    sizes = set()
    for steps in (9, 13):
        made.clear()
        with dopegraph.codegen("always"):
            trained(cell, steps, False, True, dopegraph.compile)
        step = max(made, key=lambda one: len(one.graph.nodes))
        loops = [node for node in step.graph.nodes if node.op.name == "recurrence"]
        assert [node.attrs["length"] for node in loops] == [steps, steps]
        sizes.add((len(step.graph.nodes), len(step.source.fusion.kernels)))
    assert len(sizes) == 1
