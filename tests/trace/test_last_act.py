"""What a function reads of a value only to return it is read by plans, too; anything else it may do with it escapes."""

import math
from typing import Any

import pytest

import dopegraph
import dopegraph.numpy as np
from tests.differential import arr

scale = 2.0


def returned(x: Any) -> Any:
    return float(x.sum())


def one_of_several(x: Any) -> Any:
    y = x * 2
    return y, float(x.sum()), x.mean().item(), x[0].asscalar()


def in_a_dict(x: Any) -> Any:
    loss, accuracy = (x * x).sum(), x.mean()
    return {"loss": float(loss), "accuracy": float(accuracy)}


def by_a_name(x: Any) -> Any:
    loss = float(x.sum())
    return loss


def in_a_list(x: Any) -> Any:
    return [x.sum().item(), float(x.max())]


def twice(x: Any) -> Any:
    total = float(x.sum())
    return total, total


@pytest.mark.parametrize("function", [returned, one_of_several, in_a_dict, by_a_name, in_a_list, twice])
def test_it_is_read_by_the_plan(function: Any) -> None:
    compiled = dopegraph.compile(function)
    for values in ((1, 2), (3, 4), (5, float("nan"))):
        assert repr(compiled(arr(*values))) == repr(function(arr(*values)))
    assert compiled.cache_info().replays == 2


def test_it_is_read_after_what_changes() -> None:
    w = arr(1, 2)

    @dopegraph.compile
    def step(x):
        nonlocal w
        w -= 0.5 * x
        return float((w * x).sum())

    assert [step(arr(1, 1)), step(arr(1, 1)), step(arr(2, 0))] == [2.0, 1.0, -2.0]
    assert w.tolist() == [-1.0, 1.0]
    assert step.cache_info().replays == 2


def computed(x: Any) -> Any:
    total = float(x.sum())
    return total + 1


def passed_on(x: Any) -> Any:
    return abs(float(x.sum()))


def compared(x: Any) -> Any:
    total = float(x.sum())
    return x * 2 if total > 3 else x


def another_function(x: Any) -> Any:
    return returned(x)


def used_by_the_next(x: Any) -> Any:
    total = float(x.sum())
    return total, float(total * x.max())


def given_to_a_call(x: Any) -> Any:
    return max(float(x.sum()), float(x.max()))


def of_math(x: Any) -> Any:
    return math.sqrt(x.max() + 10)


def sorted_numbers(x: Any) -> Any:
    return sorted(map(float, x))


def filtered(x: Any) -> Any:
    return next(filter(None, map(float, x)), 5.0)


def of_complex_numbers(x: Any) -> Any:
    return complex(x.max())


def stored(x: Any) -> Any:
    global scale
    scale = float(x.sum())
    return scale


def an_operation_follows(x: Any) -> Any:
    return float(x.sum()), x * scale


def in_a_comprehension(x: Any) -> Any:
    return [float(one) for one in x]


def under_grad(x: Any) -> Any:
    def loss(x: Any) -> Any:
        return float(x.sum()) * x.sum()

    return dopegraph.grad(loss)(x)


@pytest.mark.parametrize(
    "function",
    [
        computed, passed_on, compared, another_function, used_by_the_next, given_to_a_call, stored, of_math,
        sorted_numbers, filtered, of_complex_numbers,
        an_operation_follows, in_a_comprehension, under_grad,
    ],
)  # fmt: skip
def test_it_escapes(function: Any) -> None:
    compiled = dopegraph.compile(function)
    for values in ((1, 2), (3, 4), (-5, 6)):
        assert repr(compiled(arr(*values))) == repr(function(arr(*values)))
    assert compiled.cache_info().replays == 0
    assert "value-escape" in {reason.id for reason in dopegraph.explain(compiled)(arr(1, 2)).reasons}


def test_the_body_of_a_caught_error_is_no_last_act() -> None:
    @dopegraph.compile
    def f(x):
        try:
            return float(x)
        except TypeError:
            return float(x.sum())

    assert f(np.array(1.0)) == 1.0
    assert f(np.ones(2)) == 2.0
    assert f(np.ones(2) * 2) == 4.0
