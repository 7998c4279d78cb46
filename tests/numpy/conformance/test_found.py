"""What drawn calls found, one line each: they do what NumPy does, at once and compiled."""

import numpy
import pytest

import dopegraph
import dopegraph.numpy as np

FOUND = """
np.cov(np.zeros((2, 0)))
np.digitize(np.array([1.0, 2.0, 3.0, -1.0]), [3.0, 1.0, -1.0])
np.isnan(np.zeros(2), dtype=float)
np.float_power(np.ones(2), 2, dtype="float32")
np.absolute(np.ones(2), dtype="complex128")
np.sum(np.ones((2, 3)), 1, out=np.zeros((2, 2)))
np.sum(np.ones(3), dtype="float64", out=np.zeros((), "int64"))
np.cumsum(np.array([0, 3, 0]), dtype=bool)
np.var(np.array([1 + 2j, 3]), dtype="float64")
np.std(np.array([True, False]), dtype="complex64")
np.array([1 + 2j]).astype("float64")
np.nanquantile(np.array([1.0, np.inf, 2.0]), 1)
np.average(np.zeros((2, 0)), axis=0)
np.histogram2d(np.array([2.5], "float16"), np.array([1.5], "float16"))[1]
np.take(np.array(4), 0, axis=0)
np.take(np.ones((2, 3)), [], axis=0, mode="clip")
np.insert(np.array([5], "uint32"), [], -1)
np.choose(np.array([0], "uint64"), [[1], [2]])
np.full(2, np.inf, "float32")
np.full(2, 2.5, "uint8")
np.arange(-2, 0, 0.5, dtype="int16")
np.arange(1.5, -3, -1, dtype="int64")
np.tensordot(np.ones((2, 3)), np.ones(3))
np.linalg.solve(np.array([[6]], "uint16"), np.ones(1, "float32"))
np.linalg.pinv(np.zeros((0, 3), int))
np.maximum.reduce(np.array([[7, 4], [3, 1]], "int8"), dtype=bool)
np.add.accumulate(np.array(2.0))
np.power(np.array([2, 3]), np.array([-1, 2]), where=np.array([False, True]), out=np.ones(2, int))
np.array([True, False]).conj()
np.polydiv(np.array([1.0, 2.0], "float32"), np.array([2], "int16"))
np.vander(np.array([1.0, 2.0], "float32"))
np.matmul(np.zeros((2, 0)), np.zeros((0, 2))) * np.divide(1.0, np.zeros(()))
"""

# Until NumPy 2.5, which refuses the number.
WRAPPED = 'np.where(np.array([True, False]), np.array([1, 2], "uint8"), 300)'
RECENT = tuple(map(int, numpy.__version__.split(".")[:2])) >= (2, 5)
LINES = [*FOUND.strip().splitlines(), *([] if RECENT else [WRAPPED])]


@pytest.fixture(autouse=True)
def strict():
    dopegraph.set_default_dtype("float64")
    with dopegraph.policy("only_numpy"), numpy.errstate(all="ignore"):
        yield
    dopegraph.set_default_dtype("float32")


def outcome(function):
    try:
        return function()
    except (TypeError, ValueError, IndexError, OverflowError, ZeroDivisionError) as error:
        return error


@pytest.mark.skipif(tuple(map(int, numpy.__version__.split(".")[:2])) < (2, 4), reason="NumPy was different")
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("expression", LINES)
def test_a_call_that_was_wrong(expression):
    expected = outcome(eval(f"lambda: {expression}", {"np": numpy}))
    function = eval(f"lambda: {expression}", {"np": np})
    compiled = dopegraph.compile(function)
    for run in (function, compiled, compiled):
        found = outcome(run)
        if isinstance(expected, Exception):
            families = (IndexError, OverflowError, ZeroDivisionError, TypeError, ValueError)
            assert isinstance(found, next(one for one in families if isinstance(expected, one)))
            continue
        pairs = zip(found, expected) if isinstance(expected, tuple) else [(found, expected)]
        for one, other in pairs:
            assert one.dtype == other.dtype
            numpy.testing.assert_allclose(one.asnumpy(), other, rtol=1e-6)
