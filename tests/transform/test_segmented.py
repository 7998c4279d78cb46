"""Calls that run as Python: operations run in compiled segments, found again by structure."""

import pytest

import dopegraph
import dopegraph.numpy as np
from dopegraph.transform.plan import PythonPlan
from tests.differential import arr

pytestmark = pytest.mark.filterwarnings("ignore::dopegraph.runtime.errors.RecompileWarning")


def end_of(compiled: dopegraph.transform.Compiled) -> PythonPlan:
    (plan,) = compiled.plans
    assert isinstance(plan, PythonPlan)
    return plan


def test_segments_are_compiled_once() -> None:
    seen = []

    @dopegraph.compile
    def f(x):
        y = np.exp(x) * 2
        seen.append(float(y.sum()))
        return np.log(y) + 1

    f(arr(1, 2))
    f(arr(3, 4))
    compiled = dopegraph.programs.compiled
    for i in range(5):
        expected = f.__dopegraph_function__(arr(i, 1)).tolist()
        assert f(arr(i, 1)).tolist() == pytest.approx(expected)
    assert dopegraph.programs.compiled == compiled
    assert end_of(f).way == "segments"
    explanation = dopegraph.explain(f)(arr(1, 2))
    assert not explanation.replayed
    assert explanation.graphs == 2
    assert len(seen) == 13


def test_numbers_that_change_become_inputs() -> None:
    @dopegraph.compile
    def f(x):
        return x * float(x.sum()) + 0.5

    for i in range(8):
        assert f(arr(i, 1)).tolist() == f.__dopegraph_function__(arr(i, 1)).tolist()
    assert end_of(f).way == "numbers"
    compiled = dopegraph.programs.compiled
    f(arr(100, 1))
    assert dopegraph.programs.compiled == compiled


def test_a_structure_that_changes_runs_at_once() -> None:
    calls = []

    @dopegraph.compile
    def f(x):
        calls.append(1)
        for _ in calls:
            x = x + 1
        print(end="")
        return x

    for i in range(12):
        expected = [1.0 + (i + 1)]
        assert f(arr(1)).tolist() == expected
    assert end_of(f).way == "eager"
    compiled = dopegraph.programs.compiled
    f(arr(1))
    assert dopegraph.programs.compiled == compiled


def test_what_is_computed_before_a_look_is_not_computed_again() -> None:
    counted = []

    @dopegraph.host_call(results=lambda x: x)
    def count(x):
        counted.append(1)
        return x

    @dopegraph.compile
    def f(x):
        y = count(x)
        for _ in range(4):
            print(y.sum(), end="")
            y = y * 2
        return y

    f(arr(1))
    assert len(counted) == 1
    f(arr(1))
    assert len(counted) == 2


def test_an_error_in_the_middle_leaves_the_state_as_python_does() -> None:
    w = arr(0)

    @dopegraph.compile
    def f(x):
        nonlocal w
        print(end="")
        w += 1
        if float(x.sum()) > 2:
            raise ValueError("large")
        w *= 10
        return w * x

    assert f(arr(1)).tolist() == [10.0]
    for _ in range(2):
        with pytest.raises(ValueError, match="large"):
            f(arr(3))
    assert w.tolist() == [12.0]


def test_a_function_that_raised_may_be_replayed_later() -> None:
    flags = {"fail": True}

    @dopegraph.compile
    def f(x):
        if flags["fail"]:
            raise ValueError("failed")
        return x * 2

    with pytest.raises(ValueError, match="failed"):
        f(arr(1))
    flags["fail"] = False
    assert [f(arr(v)).tolist() for v in (1, 2, 3)] == [[2.0], [4.0], [6.0]]
    assert f.cache_info().replays == 2
    flags["fail"] = True
    with pytest.raises(ValueError, match="failed"):
        f(arr(1))


def test_what_escapes_on_one_side_first_is_replayed_on_the_other() -> None:
    seen = []

    @dopegraph.compile
    def f(x):
        y = x * 2
        if y.sum() > 10:
            seen.append(float(y.sum()))
        return y + 1

    for value in (9, 1, 2, 3, 8, 2):
        assert f(arr(value)).tolist() == [2.0 * value + 1]
    assert seen == [18.0, 16.0]
    assert f.cache_info().replays == 1  # another one was recorded anew, as the list had grown


def test_a_way_that_is_always_recorded_in_vain_is_not_tried_for_ever() -> None:
    @dopegraph.compile
    def f(x):
        if x.sum() > 10:
            print(end="")
        else:
            print(end="")
        return x

    for value in (9, 20) * 6:
        f(arr(value))
    assert f.cache_info().misses <= 5
