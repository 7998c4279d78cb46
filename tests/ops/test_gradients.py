"""Gradients of every primitive against central differences, to second order, and the conventions at ties and edges."""

from __future__ import annotations

import math
from typing import Any

import numpy
import pytest

from dopegraph.ir import primitives
from dopegraph.ir.primitive import NotDifferentiable
from tests.ops.cases import CASES, FOREIGN, Case
from tests.ops.random_cases import IMPLICIT
from tests.ops.test_complex import COMPLEX
from tests.reference import assert_gradient, evaluate, functional_of, gradient_graph, single, types

SMOOTH = [case for case in CASES if case.smooth]


def test_every_differentiable_primitive_has_cases() -> None:
    differentiable = {op.name for op in primitives.values() if not isinstance(op.gradient, NotDifferentiable)}
    assert {case.op for case in (*SMOOTH, *COMPLEX)} | IMPLICIT == differentiable - FOREIGN


def test_every_other_primitive_says_why() -> None:
    reasons = [op.gradient.reason for op in primitives.values() if isinstance(op.gradient, NotDifferentiable)]
    assert all(len(reason) > 10 for reason in reasons)


@pytest.mark.parametrize("case", SMOOTH, ids=str)
def test_first_and_second_derivatives_are_those_of_central_differences(case: Case) -> None:
    arrays, wrt = case.arrays(), case.smooth
    gradient = assert_gradient(case.graph(), arrays, wrt)
    assert_gradient(gradient, [*arrays, numpy.array(1.0)], wrt, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    "case", {case.op: case for case in SMOOTH if 0 < sum(r.size for r in case.results) < 30}.values(), ids=str
)
def test_third_derivatives_are_those_of_central_differences(case: Case) -> None:
    arrays, wrt = case.arrays(), case.smooth
    one = numpy.array(1.0)
    first = gradient_graph(functional_of(case.graph(), seed=1), wrt)
    second = gradient_graph(functional_of(first, seed=2), wrt)
    assert_gradient(second, [*arrays, one, one], wrt, rtol=1e-4, atol=1e-4)


def derivative(op: str, *operands: Any, wrt: int = 0, **attrs: Any) -> Any:
    """The gradient of the sum of an operator's result by one operand."""
    arrays = [numpy.asarray(operand) for operand in operands]
    text = " ".join(f"{'bool' if a.dtype == bool else 'f64'}[{','.join(map(str, a.shape))}]" for a in arrays)
    graph = gradient_graph(single(primitives[op], types(text), attrs), [wrt])
    return evaluate(graph, [*arrays, numpy.ones(graph.inputs[-1].shape)])[0].tolist()


TIES: list[tuple[str, list[Any], dict[str, Any], Any]] = [
    ("relu", [[-1.0, -0.0, 0.0, 1.0]], {}, [0, 0, 0, 1]),
    ("abs", [[-2.0, 0.0, 2.0]], {}, [-1, 0, 1]),
    ("maximum", [[1.0, 2.0, 3.0], [2.0, 2.0, 2.0]], {}, [0, 0.5, 1]),
    ("maximum", [[1.0, 2.0, 3.0], [2.0, 2.0, 2.0]], {"wrt": 1}, [1, 0.5, 0]),
    ("minimum", [[1.0, 2.0, 3.0], [2.0, 2.0, 2.0]], {}, [1, 0.5, 0]),
    ("minimum", [[1.0, 2.0, 3.0], [2.0, 2.0, 2.0]], {"wrt": 1}, [0, 0.5, 1]),
    ("max", [[3.0, 1.0, 3.0]], {"axes": (0,)}, [0.5, 0, 0.5]),
    ("min", [[[1.0, 1.0], [1.0, 2.0]]], {"axes": (0, 1)}, [[1 / 3, 1 / 3], [1 / 3, 0]]),
    ("pow", [[0.0, 0.0, 0.0, 2.0], [0.0, 1.0, 2.0, 0.0]], {}, [0, 1, 0, 0]),
    ("pow", [[0.0, 0.0, 2.0], [0.0, 2.0, 0.0]], {"wrt": 1}, [0, 0, math.log(2)]),
    ("integer_pow", [[0.0, -2.0]], {"exponent": 0}, [0, 0]),
    ("integer_pow", [[0.0, -2.0]], {"exponent": 1}, [1, 1]),
    ("prod", [[2.0, 0.0, 5.0]], {"axes": (0,)}, [0, 10, 0]),
    ("prod", [[2.0, 0.0, 0.0]], {"axes": (0,)}, [0, 0, 0]),
    ("prod", [[[2.0, 3.0], [0.0, 5.0]]], {"axes": (0, 1)}, [[0, 0], [30, 0]]),
    ("max_pool", [[[[2.0, 2.0, 1.0]]]], {"kernel": (2,), "stride": (1,), "pad": (0,)}, [[[1, 1, 0]]]),
    ("select", [[True, False], [1.0, 2.0], [3.0, 4.0]], {"wrt": 1}, [1, 0]),
    ("sigmoid", [[-1000.0, 0.0, 1000.0]], {}, [0, 0.25, 0]),
    ("log_softmax", [[1000.0, -1000.0]], {"axis": 0}, [-1, 1]),
]


@pytest.mark.parametrize(("op", "operands", "attrs", "expected"), TIES)
def test_the_convention_at_ties_and_edges(op: str, operands: list[Any], attrs: dict[str, Any], expected: Any) -> None:
    assert derivative(op, *operands, **attrs) == expected


@pytest.mark.parametrize("zeros", [(), (1,), (1, 3)], ids=["no", "one", "two"])
def test_derivatives_of_products_are_right_at_zeros(zeros: tuple[int, ...]) -> None:
    x = numpy.array([2.0, 3.0, 5.0, 7.0, 11.0])
    x[list(zeros)] = 0
    graph = gradient_graph(single(primitives["prod"], types("f64[5]"), {"axes": (0,)}), [0])
    assert_gradient(graph, [x, numpy.array(1.0)], [0])
    others = [math.prod(x[k] for k in range(5) if k != i) for i in range(5)]
    assert evaluate(graph, [x, numpy.array(1.0)])[0].tolist() == others
