"""Every call of the tables, with NumPy's functions on our arrays: they do what they do on NumPy's own."""

from typing import Any

import numpy
import pytest

import dopegraph
import dopegraph.numpy as np
from tests.numpy.calls import CALLS, inputs
from tests.numpy.test_calls import EXPRESSIONS, Call, assert_same, attempt

# Python itself, not NumPy's dispatch, gives other results there: what it does is in tests/numpy/test_calls.py.
OURS_ALONE = (
    "np.array(",
    "np.asarray(",
    "np.copy(",
    "tolist",
    "np.asanyarray(",
    "np.ascontiguousarray(",
    "np.require(",
)
GROUPS = {name: text.strip().split("\n") for name, text in CALLS.items() if name != "errors"}
CHOSEN = [one for one in dict.fromkeys(EXPRESSIONS) if not any(name in one for name in OURS_ALONE)]


def by_numpys_functions(call: Call) -> Any:
    return attempt(call.function(numpy), *[np.asarray(inputs()[name]) for name in call.names])


@pytest.fixture(autouse=True)
def strict():
    dopegraph.set_default_dtype("float64")
    yield
    dopegraph.set_default_dtype("float32")


@pytest.mark.parametrize("expression", [one for one in CHOSEN if Call(one).names])
@pytest.mark.filterwarnings("ignore")
def test_numpys_function_of_our_arrays_does_what_it_does_with_numpys(expression):
    call = Call(expression)
    found, expected = by_numpys_functions(call), call.by_numpy()
    assert_same(as_ours(found), expected, call)


def as_ours(found: Any) -> Any:
    """What NumPy returned when no array of ours was among the arguments, or `out` was its own."""
    if isinstance(found, tuple) and type(found) is tuple:
        return tuple(map(as_ours, found))
    return np.array(found) if isinstance(found, (numpy.ndarray, numpy.generic)) else found
