"""Every function of `dopegraph.numpy` does what NumPy's does: at once, compiled, in both default dtypes."""

from typing import Any

import numpy
import pytest

import dopegraph
import dopegraph.numpy as np
from dopegraph.numpy.table import TABLE
from dopegraph.transform.plan import ReplayPlan
from tests.numpy.calls import BINARY_OPERANDS, CALLS, SINCE_2_1, UNARY_OPERANDS, inputs
from tests.numpy.calls_sorting import SINCE_2_4

NUMPY = tuple(map(int, numpy.__version__.split(".")[:2]))
RECENT = [text for least, text in (((2, 1), SINCE_2_1), ((2, 4), SINCE_2_4)) if least <= NUMPY]
EXPRESSIONS = [line for line in "\n".join([*CALLS.values(), *RECENT]).split("\n") if line]
EXPRESSIONS += [
    f"np.{name}({operands})"
    for name, entry in TABLE.items()
    if name not in ("floor", "ceil", "trunc")
    for operands in (UNARY_OPERANDS if entry.op.arity == 1 else BINARY_OPERANDS)
    # The spacing of small integers is that of a small float or of the default one; before 2.0 there is no count.
    if (name, operands) not in (("spacing", "k"), ("spacing", "u")) and hasattr(numpy, name)
]
EXPRESSIONS += [
    f"np.{name}({operand})" for name in ("floor", "ceil", "trunc") for operand in ("x", "n", "q", "2.5", "d")
]
WRONG = CALLS["errors"].strip().split("\n")
ERRORS = (TypeError, ValueError, IndexError, OverflowError, numpy.linalg.LinAlgError)


class Call:
    """An expression and the inputs it names, as a function."""

    def __init__(self, expression: str) -> None:
        code = compile(expression, __file__, "eval")
        self.expression = expression
        self.names = [name for name in code.co_names if name in inputs()]
        self.source = f"lambda {', '.join(self.names)}: ({expression})"

    def function(self, namespace: Any) -> Any:
        return eval(compile(self.source, __file__, "eval"), {"np": namespace})

    def by_numpy(self) -> Any:
        with numpy.errstate(all="ignore"):
            return attempt(self.function(numpy), *[inputs()[name] for name in self.names])

    def at_once(self) -> Any:
        return attempt(self.function(np), *[np.asarray(inputs()[name]) for name in self.names])

    def recorded(self) -> dopegraph.transform.Compiled:
        function = dopegraph.compile(self.function(np))
        function(*[np.asarray(inputs()[name]) for name in self.names])
        return function

    def compiled(self) -> Any:
        function = dopegraph.compile(self.function(np))
        attempt(function, *[np.asarray(inputs()[name]) for name in self.names])
        return attempt(function, *[np.asarray(inputs()[name]) for name in self.names])


def attempt(function: Any, *args: Any) -> Any:
    """The result, or the error."""
    try:
        return function(*args)
    except ERRORS as error:
        return error


def assert_same(found: Any, expected: Any, call: Call) -> None:
    if isinstance(expected, Exception):
        family = next(kind for kind in ERRORS if isinstance(expected, kind))
        assert isinstance(found, family), f"{found!r} in place of {expected!r}"
        return
    if isinstance(found, Exception):
        raise AssertionError(f"{call.expression} fails") from found
    if isinstance(expected, (list, tuple)):
        assert len(found) == len(expected)
        for one, other in zip(found, expected):
            assert_same(one, other, call)
        return
    if not isinstance(found, np.ndarray):
        assert type(found) is type(expected) or isinstance(expected, (numpy.generic, type)), type(found)
        assert found == expected
        return
    expected = numpy.asarray(expected)
    assert found.shape == expected.shape
    assert found.dtype == expected_dtype(expected.dtype, call), f"{found.dtype}, NumPy's {expected.dtype}"
    tolerance = {"e": 2e-3, "f": 2e-5, "F": 2e-5}
    coarse = max(tolerance.get(dtype.char, 1e-12) for dtype in (found.dtype, expected.dtype))
    with numpy.errstate(all="ignore"):
        numpy.testing.assert_allclose(found.asnumpy(), expected.astype(found.dtype), rtol=coarse, atol=coarse)


def expected_dtype(dtype: numpy.dtype, call: Call) -> numpy.dtype:
    """NumPy's dtype; but floats that come from integers and Python numbers alone have the default one."""
    used = [inputs()[name].dtype.kind for name in call.names if name not in ("b", "r", "o")]
    explicit = any(name in call.expression for name in ("float16", "float64", "float_power"))
    if dtype.kind in "fc" and not explicit and "d" not in call.names and not {"f", "c"} & set(used):
        complex_of = numpy.dtype("complex64" if dopegraph.default_dtype() == "float32" else "complex128")
        strict = dopegraph.default_dtype() == "float64"
        return dtype if strict else complex_of if dtype.kind == "c" else dopegraph.default_dtype()
    return dtype


@pytest.fixture(params=["float32", "float64"], autouse=True)
def default(request):
    """Float64 is computed by NumPy alone, float32 by the engine that the environment chooses."""
    dopegraph.set_default_dtype(request.param)
    with dopegraph.policy("only_numpy" if request.param == "float64" else dopegraph.current_policy()):
        yield request.param
    dopegraph.set_default_dtype("float32")


@pytest.mark.parametrize("expression", EXPRESSIONS)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_call_does_what_numpy_does_at_once_and_compiled(expression):
    call = Call(expression)
    expected = call.by_numpy()
    assert_same(call.at_once(), expected, call)
    assert_same(call.compiled(), expected, call)


@pytest.mark.parametrize("expression", WRONG)
def test_the_error_of_a_wrong_call_names_the_line_it_stands_on(expression):
    call = Call(expression)
    assert isinstance(call.by_numpy(), Exception)
    with numpy.errstate(all="ignore"):
        error = call.at_once()
    assert isinstance(error, ERRORS)
    # What Python itself asks of an array (bool, len, range, ...) fails on the line that asks.
    if expression.startswith(("np.", "x[", "x + ", "s[", "t[")):
        assert "test_calls.py" in str(error)


# These look at values.
ON_THE_HOST = [
    "allclose", "array_equal", "np.array([2, 3])", "real_if_close", "lstsq(tall", "axes=(np.array", "axes=np.array",
]  # fmt: skip


TRACED = [
    "creation", "reduction", "shape", "joining", "linear", "logic", "statistics", "sorting", "bits", "floats",
    "complex", "rounding", "limits", "fft", "inplace", "padding", "calculus", "polynomials",
]  # fmt: skip


# What older versions of NumPy do not have is no group there.
TRACED += [group for group in CALLS if group.startswith("linalg") or group == "products"]


@pytest.mark.parametrize("group", TRACED)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_what_has_primitives_is_traced_and_replayed(group):
    for expression in CALLS[group].strip().split("\n"):
        call = Call(expression)
        wrong = isinstance(call.by_numpy(), Exception)
        if not wrong and not any(one in expression for one in ON_THE_HOST):
            assert isinstance(call.recorded().plans[0], ReplayPlan), expression
