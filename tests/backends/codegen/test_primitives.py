"""Every primitive that generated code supports gives what its NumPy kernel gives, to the last bit or to a few ulp."""

from __future__ import annotations

from typing import Any

import numpy
import pytest

from dopegraph.backends.codegen import support
from dopegraph.backends.codegen.expressions import FLOATS, LIBRARY
from dopegraph.ir.primitive import primitives
from tests.backends.codegen.programs import Sheet, needs_compiler, ulps
from tests.backends.mxnet.cases import CASES, Case, Number
from tests.backends.mxnet.test_primitives import SIGNLESS

pytestmark = needs_compiler

SPECIAL = [numpy.nan, numpy.inf, -numpy.inf, 0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.5, -2.5, 3.0, 1e-3, -7.25, 20.0, 88.0,
           -88.0, 104.0, -104.0, 1e-30, 1e30, -1e30]  # fmt: skip

# By how many units in the last place functions may differ: both libraries' are within 4 of the exact number.
LOOSE = {**dict.fromkeys(LIBRARY, 6.0), "pow": 6.0, "arctan2": 6.0, "hypot": 6.0, "sigmoid": 8.0, "integer_pow": 4.0}
SUMMED = {
    "sum", "prod", "matmul", "softmax", "log_softmax", "conv", "conv_grad_data", "conv_grad_weight", "max_pool_grad",
    "avg_pool", "avg_pool_grad", "solve", "inv", "det", "cofactor", "cholesky", "triangular_solve",
}  # fmt: skip


def supported(name: str, case: Case) -> bool:
    return all(support.runs(node) for node in case.graph(name).nodes)


BY_NAME = {name: [case for case in cases if supported(name, case)] for name, cases in CASES.items()}


def compare(label: str, name: str, found: Any, wanted: Any) -> None:
    assert found.dtype == wanted.dtype, label
    assert found.shape == wanted.shape, label
    if found.dtype.kind != "f":
        numpy.testing.assert_array_equal(found, wanted, label)
    elif name in SUMMED:
        rtol = 1e-5 if found.dtype.itemsize == 4 else 1e-13
        scale = float(numpy.max(numpy.abs(wanted[numpy.isfinite(wanted)]), initial=0))
        numpy.testing.assert_allclose(found, wanted, rtol, rtol * scale, err_msg=label)
    else:
        assert ulps(found, wanted) <= LOOSE.get(name, 0.0), f"{label}\n{found}\n{wanted}"
    if found.dtype.kind == "f" and name not in SIGNLESS:
        zeros = wanted == 0
        numpy.testing.assert_array_equal(numpy.signbit(found[zeros]), numpy.signbit(wanted[zeros]), label)


@pytest.mark.parametrize("name", [name for name, cases in BY_NAME.items() if cases])
def test_equals_the_numpy_kernel(name: str) -> None:
    sheet = Sheet()
    for number, case in enumerate(BY_NAME[name]):
        operands = []
        for one in case.operands:
            if isinstance(one, Number):
                with sheet.builder:
                    operands.append(sheet.builder.scalar(one.value, numpy.dtype(one.dtype)))
            else:
                operands.append(one)
        sheet.add(name, *operands, label=f"{name} {number}", **case.attrs)
    for label, found, wanted in sheet.run():
        compare(label, name, found, wanted)


UNARY = sorted(name for name in FLOATS if primitives[name].arity == 1)
BINARY = sorted(name for name in FLOATS if primitives[name].arity == 2)


def values(dtype: str) -> Any:
    limits = numpy.finfo(dtype)
    more = [limits.max, limits.tiny, limits.tiny / 8, -limits.max, 1 + limits.eps, 1 - limits.eps]
    with numpy.errstate(all="ignore"):
        return numpy.array([*SPECIAL, *more], dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_functions_of_one_variable(dtype: str) -> None:
    """At special values, in vectors and in what is left of them, and at many ordinary ones."""
    random = numpy.random.default_rng(0)
    special = numpy.concatenate([numpy.repeat(values(dtype), 17), values(dtype)])
    small = random.uniform(-1, 1, 4097).astype(dtype)
    large = (random.standard_normal(4099) * 30).astype(dtype)
    positive = numpy.exp(random.uniform(-60, 60, 4001)).astype(dtype)
    sheet = Sheet()
    inputs = [sheet.input(array) for array in (special, small, large, positive)]
    for name in UNARY:
        for value in inputs:
            sheet.add(name, value)
    for label, found, wanted in sheet.run():
        compare(label, label.partition("(")[0], found, wanted)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_functions_of_two_variables(dtype: str) -> None:
    x, y = (one.ravel() for one in numpy.meshgrid(values(dtype), values(dtype)))
    sheet = Sheet()
    first, second = sheet.input(x), sheet.input(y)
    for name in BINARY:
        sheet.add(name, first, second)
    for label, found, wanted in sheet.run():
        compare(label, label.partition("(")[0], found, wanted)


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"])
def test_integers(dtype: str) -> None:
    limits = numpy.iinfo(dtype)
    numbers = [limits.min, limits.min + 1, limits.max, limits.max - 1, 0, 1, 2, 3, 5, 7, 8, 15, 31, 33, 63, 64, 100]
    if limits.min:
        numbers += [-1, -2, -3, -7, -64]
    x, y = (one.ravel() for one in numpy.meshgrid(numpy.array(numbers, dtype), numpy.array(numbers, dtype)))
    sheet = Sheet()
    first, second = sheet.input(x), sheet.input(y)
    for name in ("add", "sub", "mul", "maximum", "minimum", "floor_div", "mod", "equal", "less", "greater_equal",
                 "bitwise_and", "bitwise_or", "bitwise_xor", "left_shift", "right_shift"):  # fmt: skip
        sheet.add(name, first, second)
    for name in ("neg", "abs", "sign", "square", "relu", "bitwise_not"):
        sheet.add(name, first)
    for target in ("bool", "int8", "uint8", "int32", "uint32", "int64", "float32", "float64"):
        sheet.add("cast", first, dtype=numpy.dtype(target))
    for exponent in (0, 1, 2, 3, 10):
        sheet.add("integer_pow", first, exponent=exponent)
    for label, found, wanted in sheet.run():
        compare(label, label.partition("(")[0], found, wanted)


def test_what_is_left_to_others() -> None:
    sheet = Sheet()
    half = sheet.add("exp", numpy.zeros(2, "float16"))
    complexes = sheet.add("exp", numpy.zeros(2, "complex64"))
    narrow = sheet.add("cast", numpy.zeros(2, "float32"), dtype=numpy.dtype("uint8"))
    sort = sheet.add("sort", numpy.zeros(2, "float32"), axis=0)
    product = sheet.add("matmul", numpy.zeros((2, 2), "int64"), numpy.zeros((2, 2), "int64"))
    assert not any(support.runs(value.node) for value in (half, complexes, narrow, sort, product))
