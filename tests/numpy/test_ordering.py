"""Sorting, lookups along an axis, statistics: derivatives, writes in place, warnings, what is looked at."""

import warnings

import numpy
import pytest

import dopegraph
import dopegraph.numpy as np
from dopegraph.transform.plan import ReplayPlan


@pytest.fixture(autouse=True)
def strict():
    dopegraph.set_default_dtype("float64")
    with dopegraph.policy("only_numpy"):
        yield
    dopegraph.set_default_dtype("float32")


X = numpy.random.default_rng(3).permutation(12).reshape(3, 4) * 0.37 - 1.1
W = numpy.random.default_rng(4).random((3, 4)) + 0.2
ORDER = numpy.argsort(X, axis=1)
HOLES = numpy.where(W > 0.9, numpy.nan, 0.0)

# Functions of x, everywhere smooth near X; `w` is constant, NaN stands in `holes`.
SMOOTH = """
np.sort(x, axis=0) ** 2
np.sort(x, axis=None) * np.arange(12)
np.partition(x, 1, axis=1) ** 2 * w
np.take_along_axis(x, order, axis=1) ** 3
np.cumprod(x, axis=1)
np.cumprod(x * (w > 0.5))
np.nancumprod(x + holes, axis=0)
np.cumulative_prod(x, axis=1, include_initial=True)
np.cumulative_sum(x * x, axis=0)
np.median(x * x, axis=0)
np.median(x ** 3)
np.nanmedian(x ** 3 + holes, axis=1)
np.quantile(x ** 3, 0.3, axis=1)
np.percentile(x ** 3, [10, 60], axis=(0, 1))
np.nanquantile(x ** 3 + holes, [0.2, 0.7], axis=1)
np.quantile(x ** 3, 0.3, axis=1, weights=w, method="inverted_cdf")
np.var(x, axis=0, ddof=1)
np.var(x, axis=1, where=w > 0.4)
np.std(x, axis=(0, 1))
np.std(x, axis=0, mean=x[:1] * 0.5)
np.nanvar(x + holes, axis=1)
np.nanstd(x + holes)
np.nanmean(x ** 2 + holes, axis=1)
np.nansum(x ** 3 + holes)
np.nanprod(x + holes, axis=1)
np.nanmax(x ** 3 + holes, axis=1)
np.nanmin(x ** 3, axis=0, initial=0.2, where=w > 0.4)
np.average(x ** 2, axis=1, weights=w)
np.average(w, axis=(0, 1), weights=x ** 2 + 1)
np.cov(x)
np.cov(x, aweights=[1.0, 2, 3, 1], fweights=[1, 2, 1, 1])
np.corrcoef(x, rowvar=False)
np.max(x ** 3, axis=0, initial=0.1, where=w > 0.4)
np.prod(x, axis=(0, 1))
np.ptp(x ** 3, axis=1)
np.select([x > 0.5, x < -0.5], [x ** 2, x ** 3], 2 * x)
np.choose(order % 3, [x, x ** 2, x ** 3])
np.piecewise(x, [x < 0.1, x >= 0.1], [lambda v: v ** 3, lambda v: np.sqrt(v)])
np.compress([True, False, True], x ** 2, axis=0)
np.extract(w > 0.5, x ** 2)
np.ediff1d(x ** 2, to_end=1.5)
np.trim_zeros(x[0] ** 2)
np.bincount([0, 2, 2, 1], weights=x[0] ** 2)
np.histogram(w, bins=[0, 0.5, 1, 2], weights=x ** 2)[0]
np.histogram2d(w[0], w[1], bins=2, range=[(0, 1.2), (0, 1.2)], weights=x[0] ** 2)[0]
""".strip().split("\n")


def function_of(expression):
    names = {"np": np, "w": np.array(W), "order": np.array(ORDER), "holes": np.array(HOLES)}
    return eval(f"lambda x: {expression}", names)


def by_differences(f, x, step=1e-5):
    result = numpy.zeros(x.shape)
    for index in numpy.ndindex(*x.shape):
        moved = numpy.zeros(x.shape)
        moved[index] = step
        result[index] = float(f(np.array(x + moved)) - f(np.array(x - moved))) / (2 * step)
    return result


@pytest.mark.parametrize("expression", SMOOTH)
def test_first_and_second_derivatives_are_those_of_differences(expression):
    f = function_of(expression)

    def weighted(y):
        return (y * np.array(numpy.cos(numpy.arange(y.size)).reshape(y.shape))).sum()

    def first(x):
        return weighted(f(x))

    def second(x):
        return weighted(dopegraph.grad(first)(x))

    x = np.array(X)
    numpy.testing.assert_allclose(dopegraph.grad(first)(x).asnumpy(), by_differences(first, X), rtol=1e-6, atol=1e-7)
    numpy.testing.assert_allclose(dopegraph.grad(second)(x).asnumpy(), by_differences(second, X), rtol=1e-5, atol=1e-6)
    compiled = dopegraph.compile(dopegraph.grad(first))
    for _ in range(2):
        numpy.testing.assert_allclose(compiled(x).asnumpy(), dopegraph.grad(first)(x).asnumpy(), rtol=1e-12)


@pytest.mark.parametrize("zeros", [(), (0,), (3,), (1, 2), (0, 1, 2, 3)])
def test_derivatives_of_cumulative_products_are_right_at_zeros(zeros):
    x = numpy.array([2.0, 3.0, 5.0, 7.0])
    x[list(zeros)] = 0
    found = dopegraph.grad(lambda x: (np.cumprod(x) * np.array([1.0, 10.0, 100.0, 1000.0])).sum())(np.array(x))
    expected = [
        sum(10.0**j * numpy.prod([x[k] for k in range(j + 1) if k != i]) for j in range(i, 4)) for i in range(4)
    ]
    assert found.tolist() == expected


def test_of_equal_elements_the_first_gets_the_first_cotangent():
    weights = np.array([1.0, 10.0, 100.0])
    assert dopegraph.grad(lambda x: (np.sort(x) * weights).sum())(np.array([2.0, 1.0, 2.0])).tolist() == [10, 1, 100]


def test_a_function_of_piecewise_does_not_spoil_the_derivative_where_it_does_not_hold():
    def f(x):
        return np.piecewise(x, [x <= 0, x > 0], [lambda v: v * 0, np.sqrt]).sum()

    for g in (dopegraph.grad(f), dopegraph.compile(dopegraph.grad(f))):
        assert g(np.array([0.0, 4.0, -1.0])).tolist() == [0, 0.25, 0]


def test_values_are_put_along_an_axis_in_place_at_once_and_compiled():
    def write(x, values):
        np.put_along_axis(x, np.array([[1], [0]]), values, axis=1)
        np.put_along_axis(x[:, 1:], np.array([[-1], [-1]]), 9, axis=1)
        np.put_along_axis(x, [5], 7.0, axis=None)

    expected = numpy.zeros((2, 3))
    numpy.put_along_axis(expected, numpy.array([[1], [0]]), numpy.array([[1.0], [2.0]]), axis=1)
    expected[:, 2] = 9
    expected[1, 2] = 7
    for run in (write, dopegraph.compile(write)):
        x = np.zeros((2, 3))
        for _ in range(2):
            run(x, np.array([[1.0], [2.0]]))
        assert x.tolist() == expected.tolist()
    plain = numpy.zeros((2, 3))
    np.put_along_axis(plain, np.array([[1], [0]]), np.array([[1.0], [2.0]]), axis=1)
    assert plain.tolist() == [[0, 1, 0], [2, 0, 0]]


def test_derivatives_of_values_that_are_put_go_to_the_last_one_of_a_place():
    def f(x, values):
        y = x * 1
        np.put_along_axis(y, np.array([0, 0]), values * values, axis=0)
        return (y * y * y).sum()

    x, values = np.array([5.0, 2.0]), np.array([7.0, 3.0])
    found = dopegraph.grad(f, argnums=(0, 1))(x, values)
    assert [one.tolist() for one in found] == [[0, 12], [0, 6 * 3.0**5]]


def test_positions_are_int64_arrays_of_ours():
    for found in (*np.nonzero(np.eye(2)), np.flatnonzero([0, 1]), np.argwhere([0, 1]), *np.where(np.eye(2) > 0)):
        assert type(found) is np.ndarray and found.dtype == numpy.int64


def test_a_condition_that_is_looked_at_is_explained_and_the_lookup_keeps_its_derivative():
    def f(x):
        return (np.extract(x > 1, x) ** 2).sum() + np.compress(x > 1, x)[0] + x[np.nonzero(x > 1)[0]].sum()

    assert dopegraph.grad(f)(np.array([3.0, 0.0, 2.0])).tolist() == [8, 0, 5]
    compiled = dopegraph.compile(f)
    for numbers in ([3.0, 0.0, 2.0], [0.0, 5.0, 6.0, 7.0], [0.0, 4.0, 3.0]):
        assert float(compiled(np.array(numbers))) == float(f(np.array(numbers)))
    assert compiled.cache_info().replays == 1
    assert {reason.id for reason in dopegraph.explain(compiled)(np.array(numbers)).reasons} == {
        "mask-index",
        "changed-shape",
    }


def test_constant_conditions_and_edges_are_known_to_a_recording():
    def f(x):
        edges = np.linspace(0, 1, 3)
        return np.compress([True, False, True], x), np.digitize(x, edges), np.histogram(x, np.array([0.0, 0.5, 1.0]))[0]

    compiled = dopegraph.compile(f)
    for numbers in ([0.1, 0.6, 0.7], [0.9, 0.1, 0.2]):
        found, expected = compiled(np.array(numbers)), f(np.array(numbers))
        assert [one.tolist() for one in found] == [one.tolist() for one in expected]
    assert isinstance(compiled.plans[0], ReplayPlan)


WARNINGS = [
    ("np.mean(np.zeros((0, 2)), axis=0)", "Mean of empty slice"),
    ("np.mean(x, where=x > 100)", "Mean of empty slice"),
    ("np.nanmean(x * np.nan)", "Mean of empty slice"),
    ("np.median(np.zeros(0))", "Mean of empty slice"),
    ("np.var(x, ddof=12)", "Degrees of freedom <= 0"),
    ("np.std(x[0], ddof=1, where=[True, False, False, False])", "Degrees of freedom <= 0"),
    ("np.nanvar(x * np.nan)", "Degrees of freedom <= 0"),
    ("np.cov(x[:, :1])", "Degrees of freedom <= 0"),
    ("np.nanmax(x * np.nan, axis=1)", "All-NaN slice"),
    ("np.nanmedian(x * np.nan)", "All-NaN slice"),
    ("np.nanquantile(x * np.nan, 0.5)", "All-NaN slice"),
]


@pytest.mark.parametrize(("expression", "message"), WARNINGS)
def test_what_numpy_warns_of_is_warned_of_at_the_users_line(expression, message):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        function_of(expression)(np.array(X))
    found = [one for one in caught if message in str(one.message)]
    assert found and found[0].category is RuntimeWarning
    assert found[0].filename in (__file__, "<string>")


@pytest.mark.parametrize(
    ("function", "good", "bad", "error"),
    [
        (lambda x: np.average(x, weights=x), [1.0, 2.0], [1.0, -1.0], ZeroDivisionError),
        (lambda x: np.nanargmax(x), [1.0, 2.0], [numpy.nan, numpy.nan], ValueError),
        (lambda x: np.choose(x.astype(int), [1.0, 2.0]), [0.0, 1.0], [0.0, 2.0], ValueError),
        (lambda x: np.take_along_axis(x, x.astype(int), 0), [0.0, 1.0], [0.0, 2.0], IndexError),
    ],
)
def test_refused_values_are_errors_at_once_compiled_and_replayed(function, good, bad, error):
    with pytest.raises(error, match=r"test_ordering\.py"):
        function(np.array(bad))
    compiled = dopegraph.compile(function)
    for _ in range(2):
        assert compiled(np.array(good)).tolist() == function(np.array(good)).tolist()
    with pytest.raises(error):
        compiled(np.array(bad))
    with pytest.raises(error):
        dopegraph.compile(function)(np.array(bad))


def test_results_are_numpys_to_the_last_bit():
    x = numpy.random.default_rng(0).normal(size=(31, 257)).astype("float32")
    y = np.array(x)
    for name in ("sum", "mean", "var", "std", "median", "max", "cumsum", "cumprod", "sort", "argsort", "nansum", "ptp"):
        for axis in (0, 1, None):
            expected = getattr(numpy, name)(x, axis=axis)
            assert numpy.array_equal(getattr(np, name)(y, axis=axis).asnumpy(), expected), (name, axis)


def test_a_function_reads_numpy_arrays_it_closes_over_at_each_call():
    mask = numpy.array([True, False, True])
    compiled = dopegraph.compile(lambda x: np.compress(mask, x))
    assert compiled(np.array([1.0, 2.0, 3.0])).tolist() == [1, 3]
    mask[:] = [False, True, False]
    assert compiled(np.array([1.0, 2.0, 3.0])).tolist() == [2]


@pytest.mark.parametrize("call", [lambda: np.nonzero(np.array(2.0)), lambda: np.trim_zeros([0, 1], "x")])
def test_what_numpy_refuses_of_late_is_refused(call):
    with pytest.raises(ValueError, match=r"test_ordering\.py"):
        call()


def test_values_on_the_edges_are_counted_alike_at_once_and_compiled():
    values = np.array(numpy.arange(-13, 14) / 10)
    for how in ({"bins": 9, "range": (-0.9, 0.9)}, {"bins": 7, "range": (-1, 1)}, {"bins": [-1.0, -0.3, 0.1, 0.7]}):
        expected = numpy.histogram(values.asnumpy(), **how)[0].tolist()
        compiled = dopegraph.compile(lambda x, how=how: np.histogram(x, **how)[0])
        assert np.histogram(values, **how)[0].tolist() == expected
        assert compiled(values).tolist() == compiled(values).tolist() == expected


DESCENDING = {
    "floats": [1.0, numpy.nan, 2.0, 2.0, -1.0, -0.0, numpy.inf, -numpy.inf],
    "bytes": numpy.array([3, 0, 255, 3], "uint8"),
    "signed": numpy.array([-128, 5, 127, 5], "int8"),
    "booleans": [True, False, True],
    "complex": [1 + 2j, 3j, 1 + 3j, 1 + 2j],
}


@pytest.mark.parametrize("name", DESCENDING)
def test_descending_order_is_the_opposite_of_ascending_with_nan_last(name):
    numbers = numpy.asarray(DESCENDING[name])
    known = ~numpy.isnan(numbers)
    expected = numpy.concatenate([numpy.sort(numbers[known])[::-1], numbers[~known]])
    for sort, argsort in ((np.sort, np.argsort), (dopegraph.compile(np.sort), dopegraph.compile(np.argsort))):
        x = np.array(numbers)
        numpy.testing.assert_array_equal(sort(x, descending=True).asnumpy(), expected)
        positions = argsort(x, stable=True, descending=True).tolist()
        numpy.testing.assert_array_equal(numbers[positions], expected)
        ties = [(a, b) for a, b in zip(positions, positions[1:]) if numbers[a] == numbers[b]]
        assert all(a < b for a, b in ties)
    x.sort(descending=True)
    numpy.testing.assert_array_equal(x.asnumpy(), expected)


def test_descending_order_has_derivatives():
    weights = np.array([1.0, 2.0, 3.0])
    derivative = dopegraph.grad(lambda x: (np.sort(x, descending=True) * weights).sum())
    assert derivative(np.array([5.0, 9.0, 7.0])).tolist() == [3, 1, 2]
