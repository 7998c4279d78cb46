"""Python that looks at values: each outcome has a way of its own, segments are shared, nothing differs."""

import random
import threading
import warnings
from typing import Any

import numpy
import pytest

import dopegraph
import dopegraph.numpy as np
from dopegraph.transform.tree import MOST_OUTCOMES
from tests.differential import Compile, arr, attempt, same

pytestmark = pytest.mark.filterwarnings("ignore::dopegraph.runtime.errors.RecompileWarning")


@same(replays=5)
def test_both_sides_of_a_branch(compile: Compile) -> Any:
    def f(x):
        y = x * 2
        if y.sum() > 2:
            return y + 1
        return y - 1, x

    f = compile(f)
    return [f(arr(1, i)) for i in (0, 3, -5, 4, 1, 0, 7)]


@same(replays=4)
def test_branches_in_branches(compile: Compile) -> Any:
    def f(x):
        if x.min() > 0:
            x = x / x.sum()
            return x if x.max() > 0.5 else -x
        if x.any():
            return x * 10
        return np.zeros(3)

    f = compile(f)
    points = [(1, 1, 1), (1, 5, 1), (-1, 0, 1), (0, 0, 0)]
    return [f(arr(*point)) for point in (*points, *reversed(points))]


@same(replays=4)
def test_a_loop_until_something_holds(compile: Compile) -> Any:
    def root(x):
        guess = x
        for step in range(50):
            better = (guess + x / guess) / 2
            if abs(better - guess) < 1e-4:
                return better, step
            guess = better
        return guess, -1

    root = compile(root)
    return [root(np.array(v)) for v in (2.0, 3.0, 2.0, 100.0, 3.0, 100.0)]


def test_a_loop_compiles_its_body_once() -> None:
    def double(x):
        while x.sum() < 1000:
            x = x * 2 + 1
        return x

    before = dopegraph.programs.compiled
    compiled = dopegraph.compile(double)
    compiled(np.ones(3))
    compiled(np.ones(3) / 64)
    explanation = dopegraph.explain(compiled)(np.ones(3))
    assert explanation.replayed
    assert len({(one.graph, tuple(one.operations.items())) for one in explanation.segments}) == 2
    assert max(one.times for one in explanation.segments) == len(explanation.guards) - 1
    # The first test of the condition, and the body with the next one.
    assert dopegraph.programs.compiled - before <= 4


@same(replays=2)
def test_a_range_over_a_computed_number(compile: Compile) -> Any:
    def f(x, n):
        for i in range(n):
            x = x + i
        return x

    f = compile(f)
    return [f(arr(1, 2), np.array(n)) for n in (3, 0, 3, 0)]


@same(replays=2)
def test_int_index_item_and_tolist(compile: Compile) -> Any:
    table = ["a", "b", "c", "d"]

    def f(x):
        places = np.argsort(x)
        return table[places[0]], int(places.sum()), places.tolist(), places[1].item(), x[int(places[2])]

    f = compile(f)
    return [f(arr(*v)) for v in ((3, 1, 2), (1, 2, 3), (3, 1, 2), (0, 5, 9))]


@same(replays=2)
def test_a_decision_that_is_kept_in_the_state(compile: Compile) -> Any:
    class Model:
        def __init__(self):
            self.w = arr(1, 1)
            self.best = np.array(1e9)

    model = Model()

    def step(x):
        loss = ((model.w - x) ** 2).sum()
        if loss < model.best:
            model.best = loss
            model.w -= 0.1 * (model.w - x)
            return loss, True
        return loss, False

    step = compile(step)
    out = []
    for v in ((3, 1), (3, 1), (9, 9), (9, 9)):
        out += [step(arr(*v)), model.w.copy(), model.best.copy()]
    return out


@same(replays=1, reasons={"raised"})
def test_an_exception_on_one_way(compile: Compile) -> Any:
    w = arr(0)

    def f(x):
        nonlocal w
        w += 1
        if np.isnan(x).any():
            raise ValueError("not a number")
        w *= 2
        return x * w

    f = compile(f)
    out = []
    for v in (1.0, float("nan"), 2.0, float("nan")):
        out += [repr(attempt(f, arr(v))), w.copy()]
    return out


@same(replays=3)
def test_an_exception_that_is_caught(compile: Compile) -> Any:
    def check(x):
        if x.sum() > 5:
            raise OverflowError
        return x

    def f(x):
        try:
            return check(x) * 2
        except OverflowError:
            return x * 0

    f = compile(f)
    return [f(arr(v)) for v in (1, 9, 2, 8, 3)]


@same(replays=4)
def test_recursion(compile: Compile) -> Any:
    def collatz(n):
        if n == 1:
            return n * 0
        return 1 + collatz(n // 2 if n % 2 == 0 else 3 * n + 1)

    f = compile(collatz)
    return [f(np.array(n)) for n in (6, 7, 1, 6, 7, 1, 6)]


@same(replays=2)
def test_derivatives_along_the_way_taken(compile: Compile) -> Any:
    def f(x):
        y = x**2 if x.sum() > 0 else -(x**3)
        return y.sum()

    second = compile(dopegraph.grad(lambda x: dopegraph.grad(f)(x).sum()))
    first = compile(dopegraph.value_and_grad(f))
    return [(first(arr(v, 1)), second(arr(v, 1))) for v in (2, -3, 4)]


@same(replays=1)
def test_a_branch_inside_of_record(compile: Compile) -> Any:
    w = arr(0.5, -0.5)
    w.attach_grad()

    def step(x):
        with dopegraph.record():
            y = w * x
            if y.sum() > 0:
                y = y * 3
            loss = (y**2).sum()
        loss.backward()
        w[:] = w - 0.1 * w.grad
        return loss

    step = compile(step)
    out = []
    for v in ((2, 1), (1, 2), (2, 1)):
        out += [step(arr(*v)), w.copy(), w.grad.copy()]
    return out


@same(replays=2)
def test_random_numbers_before_and_after_a_branch(compile: Compile) -> Any:
    def f(x):
        noise = np.random.normal(size=(2,))
        if noise[0] > 0:
            return x + noise
        return x * np.random.uniform(size=(2,))

    f = compile(f)
    return [f(arr(1, 2)) for _ in range(4)]


@same(replays=1)
def test_floats_and_values_decide_together(compile: Compile) -> Any:
    def f(x, rate):
        if rate > 0.5 and x.sum() > 0:
            return x * rate
        return x - rate

    f = compile(f)
    return [f(arr(v), rate) for v, rate in ((1, 0.6), (1, 0.4), (-1, 0.7), (1, 0.9))]


@same(replays=3)
def test_what_a_way_needs_of_an_earlier_segment_may_differ(compile: Compile) -> Any:
    def f(x):
        a = np.exp(x)
        b = a + 1
        c = b * b
        if c.sum() > 100:
            return a
        if c.sum() > 50:
            return b
        return a, b, c

    f = compile(f)
    return [f(arr(v, v)) for v in (2.0, 1.7, 0.1, 2.1, 1.65, 0.2)]


@same(replays=2)
def test_views_and_writes_around_a_branch(compile: Compile) -> Any:
    def f(x):
        y = x * 1
        row = y[0]
        row += 10
        if row.sum() > 20:
            y[:, 1] = 0
        row *= 2
        return y, row, x

    f = compile(f)
    return [f(arr(v, v, v, v).reshape(2, 2)) for v in (1, -2, 2, -3)]


@same(replays=2)
def test_arguments_that_are_written_after_a_branch(compile: Compile) -> Any:
    def f(x, y):
        if x.sum() > 0:
            y += x
        else:
            x += y
        return x

    f = compile(f)
    out = []
    for v in (1, -1, 2, -2):
        x, y = arr(v, v), arr(5, 6)
        out += [f(x, y) is x, x, y]
    return out


@same(replays=0, reasons={"value-escape", "side-effect"})
def test_what_escapes_before_a_branch_ends_the_plan(compile: Compile) -> Any:
    log = []

    def f(x):
        print(x.sum(), end="")
        if x.sum() > 0:
            return x
        return -x

    f = compile(f)
    return [f(arr(v)) for v in (1, -1, 2)] + log


@same(replays=2, reasons={"value-escape", "side-effect"})
def test_what_escapes_on_one_side_leaves_the_other(compile: Compile) -> Any:
    def f(x):
        y = x * 2
        if y.sum() > 10:
            print(y, end="")
        return y

    f = compile(f)
    return [f(arr(v)) for v in (1, 9, 2, 8, 3)]


@same(replays=1)
def test_masks_and_functions_of_numpy(compile: Compile) -> Any:
    def f(x):
        big = x[x > 1]
        values, counts = np.unique(x, return_counts=True)
        return big * 2, values + 1, counts, np.flatnonzero(x), np.argwhere(x > 1)

    f = compile(f)
    return [f(arr(*v)) for v in ((1, 2, 2), (3, 0, 3), (0, 5, 5), (1, 2, 3), (1, 1, 1))]


@same(replays=2)
def test_dtypes_that_depend_on_values(compile: Compile) -> Any:
    def f(x):
        return np.roots(x) * 2

    f = compile(f)
    return [f(arr(1, 0, 4)), f(arr(1, -3, 2)), f(arr(1, 0, 9)), f(arr(1, -5, 6))]


def test_many_outcomes_run_as_python() -> None:
    def f(x, n):
        return x * int(n)

    compiled = dopegraph.compile(f)
    for n in range(MOST_OUTCOMES + 5):
        assert compiled(arr(2), np.array(n)).tolist() == [2.0 * n]
    explanation = dopegraph.explain(compiled)(arr(2), np.array(99))
    assert [reason.id for reason in explanation.reasons if reason.kind == "as Python"] == ["many-outcomes"]
    assert dopegraph.explain(compiled)(arr(2), np.array(1)).replayed
    info = compiled.cache_info()
    assert info.misses == MOST_OUTCOMES


def test_ways_are_forgotten_when_there_are_too_many() -> None:
    def f(x):
        n = 0
        while x.sum() > n:
            n += 1
        return x * n

    compiled = dopegraph.compile(f, cache_size=4)
    for v in (1.0, 2.0, 3.0, 1.0, 4.0, 5.0, 6.0):
        assert compiled(arr(v)).tolist() == [v * v]
    assert compiled.cache_info().plans == 4
    misses = compiled.cache_info().misses
    compiled(arr(1.0))  # used since: it is still there
    assert compiled.cache_info().misses == misses
    compiled(arr(2.0))
    assert compiled.cache_info().misses == misses + 1


def test_a_new_outcome_is_a_reason_to_record_again_and_warns_at_the_third() -> None:
    def f(x):
        n = 0
        while x.sum() > n:
            n += 1
        return x * n

    compiled = dopegraph.compile(f)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for v in (1.0, 2.0, 3.0, 4.0):
            compiled(arr(v))
    (warning,) = [one for one in caught if one.category is dopegraph.errors.RecompileWarning]
    assert "each of the last 3 calls recorded f again: bool of bool[] is another one" in str(warning.message)
    assert {one.reason for one in compiled.cache_info().recompiles} == {"new-outcome"}


def test_a_function_that_hangs_on_what_nobody_sees_runs_as_python() -> None:
    generator = random.Random(0)
    draw = generator.random  # a method of an object of C: its state is not seen

    def f(x):
        if x.sum() > 0:
            x = x * 2
        return x

    def g(x):
        return x * (1 if draw() > 0.5 else 2) if x.sum() > 0 else x

    assert dopegraph.compile(f)(arr(1)).tolist() == [2.0]
    explanation = dopegraph.explain(dopegraph.compile(g))(arr(1))
    assert not explanation.replayed


def test_several_threads_take_different_ways() -> None:
    @dopegraph.compile
    def f(x):
        n = 0
        while x.sum() > 1:
            x = x / 2
            n += 1
        return x, n

    expected = {v: f.__dopegraph_function__(arr(v)) for v in (1.0, 2.0, 5.0, 40.0)}
    failed = []

    def work(v: float) -> None:
        for _ in range(30):
            x, n = f(arr(v))
            if n != expected[v][1] or x.tolist() != expected[v][0].tolist():
                failed.append(v)

    threads = [threading.Thread(target=work, args=(v,)) for v in expected for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


def test_fullgraph_takes_a_look_for_a_break() -> None:
    @dopegraph.compile(fullgraph=True)
    def f(x):
        return x if x.sum() > 0 else -x

    with pytest.raises(dopegraph.errors.GraphBreakError, match="value-branch"):
        f(arr(1))


def test_numpy_arguments_and_their_memory() -> None:
    @dopegraph.compile
    def f(x):
        if x.sum() > 2:
            x[0] = 0
        return x * 2

    for values in ([1.0, 2.0], [1.0, 0.5], [3.0, 2.0], [0.0, 1.0]):
        given, plain = numpy.array(values, "float32"), numpy.array(values, "float32")
        expected = f.__dopegraph_function__(np.asarray(plain))
        assert f(given).tolist() == expected.tolist()
        assert given.tolist() == plain.tolist()
