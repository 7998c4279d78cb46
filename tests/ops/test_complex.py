"""Gradients through complex numbers, to second order, against differences in the real and in the imaginary direction.

The convention is that of JAX: for a real function f of z = x + iy the gradient is df/dx - i df/dy.
"""

from __future__ import annotations

from typing import Any

import numpy
import pytest

from dopegraph.autodiff import pullback
from dopegraph.ir import Builder, Graph, TensorType
from dopegraph.ir.graph import extract
from dopegraph.ir.primitive import NotDifferentiable, primitives
from dopegraph.runtime.errors import DopegraphError
from tests.ops.cases import CASES, Case
from tests.reference import central_difference, evaluate, functional_of, single, types


def is_smooth(type: TensorType) -> bool:
    return type.dtype.name in ("float64", "complex128")


def is_plain(case: Case) -> bool:
    """Cases of special matrices choose their operands; `test_gradients` checks them, complex ones too."""
    return type(case) is Case


def complexified(case: Case) -> Case | None:
    """A case with complex operands in the place of its real ones, if the primitive takes those."""
    attrs = dict(case.attrs)
    if type(case) is not Case or not is_plain(case) or case.op == "cast" or not case.smooth:
        return None
    if len(case.results) != 1 or "dtype" in attrs or "types" in attrs:
        return None
    made = Case(case.op, case.operands.replace("f64", "c128"), attrs, case.low, case.high)
    try:
        return made if len(made.results) == 1 and is_smooth(made.result) else None
    except DopegraphError:
        return None


def differentiable(case: Case) -> bool:
    if isinstance(case.primitive.gradient, NotDifferentiable) or type(case) is not Case or not is_plain(case):
        return False  # families with operands of their own, matrices, have complex ones among them
    if len(case.results) != 1 or not is_smooth(case.result):
        return False
    kinds = [case.result.dtype.kind, *(type.dtype.kind for type in case.types)]
    return "c" in kinds and any(is_smooth(type) for type in case.types)


COMPLEX = [case for case in CASES if differentiable(case)]
MADE = [case for case in map(complexified, CASES) if case is not None]


def gradients(graph: Graph, wrt: list[int]) -> Graph:
    """The gradient of a real scalar function, as a graph of the same arguments."""
    graph = graph.copy()
    builder = Builder()
    builder.nodes = graph.nodes
    (loss,) = graph.outputs
    with builder:
        one = primitives["full"](value=1.0, shape=(), dtype=loss.type.dtype)
    targets = [graph.inputs[position] for position in wrt]
    found = pullback(builder, {loss: one}, targets)
    with builder:
        results = [
            primitives["full"](value=0.0, shape=of.shape, dtype=of.type.dtype) if g is None else g
            for g, of in zip(found, targets)
        ]
    for g, of in zip(results, targets):
        assert g.type == of.type
    return extract("gradient", builder.nodes, graph.inputs, (), results)


def assert_complex_gradient(graph: Graph, arguments: list[Any], wrt: list[int], tolerance: float = 1e-6) -> Graph:
    scalar = functional_of(graph, seed=1)
    gradient = gradients(scalar, wrt)
    for one, position in zip(evaluate(gradient, arguments), wrt):
        expected = central_difference(scalar, arguments, position)
        assert one.dtype == expected.dtype
        numpy.testing.assert_allclose(one, expected, tolerance, tolerance)
    return gradient


@pytest.mark.parametrize("case", [*COMPLEX, *MADE], ids=str)
def test_first_and_second_derivatives_are_those_of_differences(case: Case) -> None:
    arrays = case.arrays(seed=3)
    wrt = [position for position, type in enumerate(case.types) if is_smooth(type)]
    gradient = assert_complex_gradient(single(case.primitive, case.types, case.attrs), arrays, wrt)
    assert_complex_gradient(gradient, arrays, wrt, tolerance=2e-5)


def test_the_primitives_that_take_complex_numbers_are_checked() -> None:
    checked = {case.op for case in (*COMPLEX, *MADE)}
    assert {"abs", "sqrt", "exp", "log", "pow", "matmul", "sum", "prod", "cumsum", "select", "cast", "sign"} <= checked
    assert {"real", "imag", "conj", "complex", "fft", "rfft", "irfft", "maximum", "integer_pow", "div"} <= checked


@pytest.mark.parametrize("op", ["abs", "sign"])
def test_derivatives_at_zero_are_zero(op: str) -> None:
    graph = gradients(functional_of(single(primitives[op], types("c128[2]"), {}), 0), [0])
    assert evaluate(graph, [numpy.array([0j, 3 + 4j])])[0][0] == 0
    second = gradients(functional_of(graph, 0), [0])
    assert numpy.isfinite(evaluate(second, [numpy.array([0j, 3 + 4j])])[0]).all()
