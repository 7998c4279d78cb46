# ruff: noqa: SIM905 - names as words
"""Drawn calls of every function, method, operator and index do what NumPy's do: at once, compiled, compiled to MXNet.

A few examples of each in an ordinary run; ``DOPEGRAPH_EXAMPLES=200`` draws so many, and other ones each time.
"""

import os

import numpy
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import dopegraph
import dopegraph.numpy as np
from dopegraph.backends.mxnet import library
from tests.numpy.conformance import specs
from tests.numpy.conformance.calling import draw_call, is_drawn_from_numbers
from tests.numpy.conformance.modes import check

ASKED = int(os.environ.get("DOPEGRAPH_EXAMPLES", "0"))
NUMPY = tuple(map(int, numpy.__version__.split(".")[:2]))

pytestmark = [
    pytest.mark.filterwarnings("ignore::RuntimeWarning"),
    pytest.mark.skipif(NUMPY < (2, 0), reason="NumPy 1 promotes by values, and has other functions"),
]


def budget(usual: int, share: int = 1):
    """How many examples are drawn: the same few each time, or as many as were asked for."""
    return settings(
        max_examples=max(ASKED // share, 1) if ASKED else usual, derandomize=not ASKED, database=None, deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.generate, Phase.shrink] if ASKED else [Phase.generate],
    )  # fmt: skip


def lines():
    """All lines; those of functions that this NumPy does not have are skipped, those that wait are known to fail."""
    for name in specs.SPECS:
        marks = []
        if name in specs.WAITING:
            marks.append(pytest.mark.xfail(reason=specs.WAITING[name], strict=False))
        if not specs.exists(name, numpy):
            marks.append(pytest.mark.skip(reason="this version of NumPy does not have it"))
        yield pytest.param(name, marks=marks)


LINES = list(lines())


@pytest.fixture(autouse=True)
def strict():
    """Every dtype is NumPy's."""
    dopegraph.set_default_dtype("float64")
    with numpy.errstate(all="ignore"):
        yield
    dopegraph.set_default_dtype("float32")


@pytest.mark.parametrize("name", LINES)
def test_a_call_does_what_numpy_does_at_once(name):
    @budget(4)
    @given(st.data())
    def run(data):
        check(draw_call(data.draw, name), "eager")

    run()


@pytest.mark.parametrize("name", LINES)
def test_a_compiled_call_does_what_numpy_does_twice(name):
    @budget(2, share=2)
    @given(st.data())
    def run(data):
        check(draw_call(data.draw, name), "compiled")

    run()


@pytest.mark.skipif(not library.available(), reason="MXNet is not installed")
@pytest.mark.parametrize("name", LINES)
def test_a_call_compiled_to_mxnet_does_what_numpy_does_twice(name):
    @budget(1, share=8)
    @given(st.data())
    def run(data):
        check(draw_call(data.draw, name), "mxnet")

    run()


FROM_NUMBERS = """
arange array_of_numbers divide sqrt exp mean std var average median quantile linspace zeros ones full eye tri hanning
kaiser operator.truediv rtruediv cov corrcoef trapezoid interp logspace geomspace linalg.inv linalg.det fft.fftfreq
polyint vander histogram add multiply power sinc
""".split()


@pytest.mark.parametrize("name", FROM_NUMBERS)
def test_floats_made_of_numbers_and_integers_alone_have_the_default_dtype(name):
    """Where NumPy gives float64 and nothing among the arguments is floating, nor asks for a dtype."""

    @budget(5, share=4)
    @given(st.data())
    def run(data):
        call = draw_call(data.draw, name)
        expected = call.by_numpy().result
        if "dtype" in call.kwargs or not is_drawn_from_numbers(call):
            return
        dopegraph.set_default_dtype("float32")
        found = call.at_once().result
        for one, other in zip(*(_results(x) for x in (found, expected))):
            smaller = {"float64": "float32", "complex128": "complex64"}
            assert one.dtype.name == smaller.get(other.dtype.name, other.dtype.name), call

    run()


def _results(result):
    parts = result if isinstance(result, (tuple, list)) else [result]
    return [one for one in parts if isinstance(one, (numpy.ndarray, numpy.generic, np.ndarray))]


@pytest.mark.skipif(NUMPY < (2, 4), reason="older versions have more functions")
def test_every_public_function_is_drawn_or_named_with_a_reason():
    named = {name for names in specs.NOT_DRAWN.values() for name in names.split()}
    for prefix, module in (("", numpy), ("linalg.", numpy.linalg), ("fft.", numpy.fft)):
        for short in getattr(module, "__all__", dir(module)):
            value = getattr(module, short, None)
            if callable(value) and not isinstance(value, type) and not short.startswith("_"):
                name = prefix + short
                assert name in specs.SPECS or name in named or specs.COVERED_BY.get(name) in specs.SPECS, name


@pytest.mark.skipif(NUMPY < (2, 4), reason="older versions have more methods")
def test_every_method_and_operator_of_arrays_is_drawn_or_named_with_a_reason():
    named = {name for names in specs.METHODS_NOT_DRAWN.values() for name in names.split()}
    drawn = {name[1:] for name in specs.SPECS if name.startswith(".")}
    for method in dir(numpy.ndarray):
        if not method.startswith("_"):
            assert method in drawn or method in named, method
    operators = {name.partition(".")[2].strip("_") for name in specs.SPECS if name.startswith("operator.")}
    for special in dir(numpy.ndarray):
        plain = special.strip("_")
        if special.startswith("__") and f"__i{plain}__" in dir(numpy.ndarray):  # those with an augmented form
            assert {plain, f"i{plain}"} <= operators, special
            assert f"r{plain}" in specs.SPECS, special
