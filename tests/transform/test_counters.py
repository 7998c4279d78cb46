"""Numbers of Python that calls change, counters and rates: they are followed, and replayed from the third call on."""

import math
from typing import Any

import pytest

import dopegraph
import dopegraph.numpy as np
from dopegraph.runtime import device
from tests.differential import Compile, arr, same

pytestmark = pytest.mark.filterwarnings("ignore::dopegraph.runtime.errors.RecompileWarning")


class Adam:
    """As people write it."""

    def __init__(self, params: list[Any], rate: float = 0.1) -> None:
        self.params, self.rate, self.t = params, rate, 0
        self.m = [np.zeros_like(p) for p in params]
        self.v = [np.zeros_like(p) for p in params]

    def step(self, gradients: list[Any]) -> None:
        self.t += 1
        for p, g, m, v in zip(self.params, gradients, self.m, self.v):
            m[:] = 0.9 * m + 0.1 * g
            v[:] = 0.999 * v + 0.001 * g * g
            p -= self.rate * (m / (1 - 0.9**self.t)) / (np.sqrt(v / (1 - 0.999**self.t)) + 1e-8)


@same(replays=6)
def test_adam(compile: Compile) -> Any:
    w, b = arr(1, -2, 3), arr(0.5)
    optimizer = Adam([w, b])

    def train(x):
        loss, gradients = dopegraph.value_and_grad(lambda w, b: ((w * x + b) ** 2).sum(), (0, 1))(w, b)
        optimizer.step(gradients)
        return loss

    train = compile(train)
    out = []
    for i in range(8):
        out += [train(arr(1, i, 2)), w.copy(), b.copy(), optimizer.t, type(optimizer.t).__name__]
    return out


@same(replays=5)
def test_a_rate_that_decays(compile: Compile) -> Any:
    settings = {"rate": 1.0}
    steps = [0]

    def f(x):
        settings["rate"] *= 0.5
        steps[0] += 1
        return x * settings["rate"] / 3 + (0.5 ** steps[0])

    f = compile(f)
    return [(f(arr(1)), dict(settings), list(steps)) for _ in range(7)]


@same(replays=4)
def test_a_closure_counts(compile: Compile) -> Any:
    n = 0
    total = 0.0

    def f(x):
        nonlocal n, total
        n += 1
        total += 0.25
        return x * total + 1 / n

    f = compile(f)
    return [(f(arr(2)), n, total, type(n).__name__, type(total).__name__) for _ in range(6)]


count = 0


def test_a_global_counts() -> None:
    global count

    @dopegraph.compile
    def f(x):
        global count
        count += 1
        return x - 0.5**count

    for i in range(1, 7):
        assert f(arr(1)).tolist() == [1 - 0.5**i]
        assert count == i and type(count) is int
    assert f.cache_info().replays == 4
    count = 10  # set from outside: it is read where it lives
    assert f(arr(1)).tolist() == pytest.approx([1 - 0.5**11])
    assert f.cache_info().replays == 5


def test_an_integer_beside_an_array_stays_weak_where_several_devices_are_known(monkeypatch: Any) -> None:
    monkeypatch.setattr(device.others, "known", True)
    state = {"n": 0}

    @dopegraph.compile
    def f(x):
        state["n"] += 1
        return x * state["n"], np.maximum(state["n"], x)

    for _ in range(4):
        assert [str(one.dtype) for one in f(arr(1))] == ["float32", "float32"]


@same(replays=5)
def test_every_second_call_is_another_way(compile: Compile) -> Any:
    class Model:
        t = 0

    model = Model()
    model.t = 0

    def f(x):
        model.t += 1
        if model.t % 2 == 0:
            return x * 2
        if model.t >= 6:
            model.t = 0
        return x + 1

    f = compile(f)
    return [(f(arr(1)), model.t) for _ in range(9)]


@same(replays=2)
def test_what_needs_the_number_itself_looks_at_it(compile: Compile) -> Any:
    class Model:
        def __init__(self):
            self.n = 0

    model = Model()
    table = ["a", "b", "c"]

    def f(x, step):
        model.n = (model.n + step) % 3
        return x * model.n, np.zeros(model.n), table[model.n], x[model.n % 2], f"{model.n}", math.sqrt(model.n)

    f = compile(f)
    return [(f(arr(1, 2), step), model.n) for step in (1, 1, 1, 1, 1, 1)]


@same(replays=0, reasons={"python-state"})
def test_code_that_tests_types_gets_numbers(compile: Compile) -> Any:
    class Model:
        def __init__(self):
            self.n = 0

    model = Model()

    def f(x):
        model.n += 1
        return (x, type(model.n) is int, isinstance(model.n, bool))

    f = compile(f)
    return [(f(arr(1)), model.n) for _ in range(4)]


@same(replays=0)
def test_an_integer_that_becomes_a_float_and_large_ones(compile: Compile) -> Any:
    box = {"n": 1}

    def f(x):
        box["n"] = box["n"] * 3 if box["n"] < 100 else box["n"] / 2
        return x / (1 + abs(-box["n"]) // 2)

    f = compile(f)
    return [(f(arr(1)), box["n"], type(box["n"]).__name__) for _ in range(8)]


def test_an_error_after_the_count_leaves_it_counted() -> None:
    state = {"n": 0}

    @dopegraph.compile
    def f(x, i):
        state["n"] += 1
        return x[i] * 0.5 ** state["n"]

    for position in (0, 1, 0, 1):
        f(arr(1, 2), np.array(position))
    assert state["n"] == 4
    with pytest.raises(IndexError):
        f(arr(1, 2), np.array(7))
    assert state["n"] == 5 and type(state["n"]) is int
    assert f(arr(1, 2), np.array(0)).item() == 0.5**6
