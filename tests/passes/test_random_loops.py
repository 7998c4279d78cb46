"""Loops of chance, with their derivatives: what is left of them computes what the steps did, and they are loops."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy
import pytest

import dopegraph
import dopegraph.numpy as np
from dopegraph.ir import Graph, verify
from dopegraph.passes import pipeline, recurrence
from tests.reference import evaluate

ROWS, WIDTH = 3, 4


class Draw:
    """A loop: what every step does is drawn once, what is done with the outputs afterwards, too."""

    def __init__(self, seed: int) -> None:
        self.random = numpy.random.default_rng(seed)
        self.steps = int(self.random.integers(4, 9))
        self.states = int(self.random.integers(1, 4))
        self.recipe = [self._operation() for _ in range(int(self.random.integers(2, 7)))]
        self.handed_on = [int(self.random.integers(100)) for _ in range(self.states)]
        self.backwards = bool(self.random.integers(2))
        self.read = sorted({int(self.random.integers(self.steps)) for _ in range(int(self.random.integers(0, 3)))})
        self.as_list = bool(self.random.integers(2))
        self.output = int(self.random.integers(100))

    def _operation(self) -> tuple[str, int, int]:
        names = ["dot", "dot", "tanh", "add", "mul", "sub", "sigmoid", "mean", "turned", "shared", "scaled", "before"]
        return str(self.random.choice(names)), *self.random.integers(0, 100, 2).tolist()

    def arguments(self) -> list[Any]:
        random = numpy.random.default_rng(1)
        shapes = [(WIDTH, WIDTH), (WIDTH, WIDTH), (WIDTH,), (self.steps, ROWS, WIDTH)] + [(ROWS, WIDTH)] * self.states
        return [np.array(0.6 * random.standard_normal(shape), dtype="float64") for shape in shapes]

    def __call__(self, v: Any, w: Any, b: Any, x: Any, *states: Any) -> Any:
        held, outputs, total, last = list(states), [], 0.0, states[0]
        inputs = [x[t] for t in range(self.steps)] if self.as_list else x
        order = range(self.steps - 1, -1, -1) if self.backwards else range(self.steps)
        for t in order:
            values = [inputs[t], *held]
            for name, one, other in self.recipe:
                p, q = values[one % len(values)], values[other % len(values)]
                values.append(self._apply(name, p, q, (v, w)[other % 2], b, last))
            last = values[-1]
            held = [np.tanh(values[place % len(values)]) for place in self.handed_on]
            outputs.append(values[self.output % len(values)])
            total = total + (outputs[-1] ** 2).sum()
        for t in self.read:
            total = total + outputs[t].sum() * 0.1
        return total + held[0].mean()

    def _apply(self, name: str, p: Any, q: Any, weights: Any, b: Any, last: Any) -> Any:
        choices: dict[str, Callable[[], Any]] = {
            "dot": lambda: np.dot(p, weights) + b,
            "tanh": lambda: np.tanh(p),
            "add": lambda: p + q,
            "mul": lambda: p * q,
            "sub": lambda: p - q,
            "sigmoid": lambda: 1 / (1 + np.exp(-p)),
            "mean": lambda: p - p.mean(axis=1, keepdims=True),
            "turned": lambda: p[:, ::-1] * 0.5,
            "shared": lambda: p * b + q,
            "scaled": lambda: p * 0.5,
            "before": lambda: last * 0.5 + p,
        }
        return choices[name]()


def graph_of(drawn: Draw, derived: bool) -> tuple[Graph, list[Any]]:
    """What Python records, and its arguments."""
    arguments = drawn.arguments()
    function: Any = dopegraph.value_and_grad(drawn, argnums=tuple(range(len(arguments)))) if derived else drawn
    graph: Graph = dopegraph.trace(function)(*arguments)
    named = dict(zip("vwbx", arguments))
    given = [named.get(str(one.name)) for one in graph.arguments]
    rest = [int(str(one.name).rpartition("_")[2]) for one, array in zip(graph.arguments, given) if array is None]
    places = iter(rest)
    return graph, [numpy.asarray(arguments[next(places)] if array is None else array) for array in given]


@pytest.mark.parametrize("derived", [False, True])
@pytest.mark.parametrize("group", range(6))
def test_loops_of_chance(group: int, derived: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if group % 3:
        monkeypatch.setattr(recurrence, "MANY", 0)  # elementwise loops, too
        monkeypatch.setattr(pipeline, "LOOPS", 0)
    found = 0
    for seed in range(group * 8, group * 8 + 8):
        graph, arguments = graph_of(Draw(seed), derived)
        rolled = pipeline.optimize_loops(graph, lambda node: True)
        verify(rolled)
        found += any(node.op.name == "recurrence" for node in rolled.nodes)
        for one, wanted in zip(evaluate(rolled, arguments), evaluate(graph, arguments)):
            assert (one.dtype, one.shape) == (wanted.dtype, wanted.shape), seed
            numpy.testing.assert_allclose(one, wanted, rtol=1e-9, atol=1e-9, err_msg=str(seed))
    assert found >= (3 if group % 3 else 0)
