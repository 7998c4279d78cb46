"""The short way of a replay gives what the long way gives, and leaves to it what is out of the ordinary."""

from __future__ import annotations

import warnings

import numpy
import pytest

import dopegraph
import dopegraph.numpy as np
from dopegraph.transform.straight import MISS, never


@pytest.fixture(autouse=True)
def only_numpy():
    with dopegraph.policy("only_numpy"):
        yield


def arr(*values):
    return np.array(numpy.array(values, "float32"))


def short(f):
    """Whether the plan used last has a short way."""
    return f.plans[0].replay is not never


def test_a_pure_function_of_arrays_goes_the_short_way():
    f = dopegraph.compile(lambda x, w, lr: {"sum": (x * w).sum(), "parts": (x - lr, [w * 2, 3])})
    for lr in (0.5, 0.25):
        found = f(arr(1, 2), arr(3, 4), lr)
        assert short(f)
        assert found["sum"].asnumpy() == 11
        assert found["parts"][0].tolist() == [1 - lr, 2 - lr]
        assert found["parts"][1][0].tolist() == [6, 8]
        assert found["parts"][1][1] == 3
    assert f.cache_info().hits == 1
    assert f.plans[0].replay((arr(1, 2), arr(3, 4), 0.5), {}) is not MISS
    assert f.plans[0].replay((arr(1, 2), arr(3, 4, 5), 0.5), {}) is MISS
    assert f.plans[0].replay((arr(1, 2), arr(3, 4)), {}) is MISS


def test_one_array_twice_is_another_situation():
    f = dopegraph.compile(lambda x, y: x + 1 if x is y else y)
    x, y = arr(1), arr(2)
    for _ in range(3):
        assert f(x, y) is y
        assert f(x, x).tolist() == [2]


def test_one_numpy_array_twice_is_another_situation():
    f = dopegraph.compile(lambda x, y: x + 1 if x is y else x)
    x, y = numpy.array([1.0], "float32"), numpy.array([2.0], "float32")
    for _ in range(2):
        assert f(x, y).tolist() == [1]
        assert f(x, x).tolist() == [2]


def test_results_do_not_share_memory_with_anything():
    f = dopegraph.compile(lambda x: (x * 2, x + 1))
    x = arr(1, 2)
    first = f(x)
    second = f(x)
    second[0][0] = 7
    assert first[0].tolist() == [2, 4]
    assert f(x)[0].tolist() == [2, 4]
    assert x.tolist() == [1, 2]


def test_a_function_that_writes_goes_the_long_way():
    w = arr(0, 0)

    @dopegraph.compile
    def f(x):
        w[:] += x
        return w.sum()

    assert [float(f(arr(1, 2))) for _ in range(3)] == [3, 6, 9]
    assert not short(f)


def test_views_and_traced_arrays_as_arguments():
    f = dopegraph.compile(lambda x: x * 2)
    base = arr(1, 2, 3)
    for _ in range(2):
        assert f(base[1:]).tolist() == [4, 6]
    base[2] = 5
    assert f(base[1:]).tolist() == [4, 10]
    x = arr(1, 2)
    x.attach_grad()
    with dopegraph.record():
        y = x * x
    assert f(y).tolist() == [2, 8]


def test_inside_a_recording_the_function_is_recorded():
    f = dopegraph.compile(lambda x: (x * x).sum())
    assert f(arr(3)) == 9
    assert short(f)
    assert dopegraph.grad(f)(arr(3)).tolist() == [6]


def test_what_is_counted_goes_the_long_way():
    f = dopegraph.compile(lambda x: x * 2)
    f(arr(1))
    with dopegraph.op_stats() as stats:
        f(arr(1))
    assert stats.programs == 1
    assert stats.numpy["mul"] == 1


def test_plans_in_turn_are_found_and_the_last_one_is_first():
    f = dopegraph.compile(lambda x: x + 1)
    for _ in range(3):
        for length in (1, 2, 3):
            assert f(np.zeros(length)).shape == (length,)
    assert f.cache_info().plans == 3
    assert f.cache_info().hits == 6
    assert f.plans[0].replay((np.zeros(3),), {}) is not MISS


def test_a_plan_that_runs_as_python_is_not_overtaken():
    calls = []

    @dopegraph.compile
    def f(x, flag):
        if flag:
            calls.append(float(x.sum()))
        return x + 1

    for _ in range(3):
        f(arr(1), True)
        f(arr(1), False)
    assert calls == [1, 1, 1]


def test_the_configuration_is_guarded():
    f = dopegraph.compile(lambda x: x + np.ones(1))
    x = np.array(numpy.array([1], "float32"))
    assert f(x).dtype == "float32"
    dopegraph.set_default_dtype("float64")
    try:
        assert f(x).dtype == "float64"
    finally:
        dopegraph.set_default_dtype("float32")
    assert f(x).dtype == "float32"


def test_refused_values_are_refused_by_python():
    f = dopegraph.compile(lambda x, i: np.take(x, i))
    x = arr(1, 2)
    assert f(x, np.array(1)) == 2
    with pytest.raises(IndexError):
        f(x, np.array(5))
    assert f(x, np.array(0)) == 1


def test_numpy_warns_of_nothing_and_keeps_its_error_state():
    f = dopegraph.compile(lambda x: np.log(x) / x)
    f(arr(0))
    before = numpy.geterr()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert numpy.isinf(f(arr(0)).asnumpy())
        with numpy.errstate(all="raise"):
            assert numpy.isinf(f(arr(0)).asnumpy())
    assert numpy.geterr() == before


def test_an_array_of_the_closure_is_read_where_it_lives():
    w = arr(2)
    f = dopegraph.compile(lambda x: x * w)
    assert [f(arr(1)).tolist(), f(arr(3)).tolist()] == [[2], [6]]
    w = arr(5)
    assert f(arr(1)).tolist() == [5]
    w[0] = 7
    assert f(arr(1)).tolist() == [7]
