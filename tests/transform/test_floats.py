"""Float arguments: another value recompiles nothing, and Python that looks at one is run as Python."""

import datetime
import decimal
import fractions
import json
import math
import statistics
import time
from datetime import timedelta as Seconds
from typing import Any

import numpy
import pytest

import dopegraph
import dopegraph.numpy as np
from tests.differential import Compile, arr, attempt, same


@same(replays=3)
def test_a_branch_on_a_float(compile: Compile) -> Any:
    def f(x, lr):
        if lr > 0.1:
            return x * lr
        return x + lr

    f = compile(f)
    return [f(arr(1), part) for part in (0.5, 0.05, 0.2, 0.01, 0.5)]


@same(replays=9)
def test_ints_bools_and_floats_are_told_apart(compile: Compile) -> Any:
    def f(x, lr):
        return x * lr

    f = compile(f)
    x = arr(1, 2, dtype=int)
    return [
        f(x, part)
        for part in (True, 1, 1.0, 0.0, -0.0, float("nan"), float("inf"), 1, True, -0.0, False, 2, 2.5, 1e300)
    ]


@same(replays=4)
def test_negative_zero_and_nan(compile: Compile) -> Any:
    def f(x, lr):
        return 1 / (x * lr)

    f = compile(f)
    return [repr(f(arr(1, 2), part).asnumpy().tolist()) for part in (0.0, -0.0, 0.0, float("nan"), -0.0)]


@same(replays=3)
def test_floats_are_returned(compile: Compile) -> Any:
    def f(x, lr):
        return lr, lr * 2, x * lr, {"lr": lr + 1}, [lr], -lr, abs(lr), lr**2, lr // 0.3, 2 - lr

    f = compile(f)
    return [f(arr(1), part) for part in (0.5, 0.05, -0.2, -0.0)]


@same(replays=0)
def test_isinstance_of_a_float(compile: Compile) -> Any:
    def f(x, lr):
        if isinstance(lr, float):
            return x * lr
        return x + 1

    f = compile(f)
    return [f(arr(1), part) for part in (0.5, 0.05, 1, 0.2)]


@same(replays=0)
def test_math_functions_of_a_float(compile: Compile) -> Any:
    def f(x, lr):
        return x * math.sqrt(lr)

    f = compile(f)
    return [f(arr(1), part) for part in (0.5, 0.05, 1, 0.2)]


@same(replays=0)
def test_a_formatted_float(compile: Compile) -> Any:

    def f(x, lr):
        return {f"lr={lr}": x * 2}

    f = compile(f)
    return [f(arr(1), part) for part in (0.5, 0.05, 1, 0.2)]


@same(replays=2)
def test_a_float_is_stored(compile: Compile) -> Any:
    class Box:
        pass

    o = Box()
    o.lr = 0.5

    def f(x, lr):
        o.lr = lr
        return x * lr

    f = compile(f)
    out = []
    for part in (0.5, 0.4, 0.4, -0.0):
        out.append(f(arr(1), part))
        out.append(o.lr)
        out.append(type(o.lr).__name__)
    return out


@same(replays=1)
def test_powers_of_negative_numbers(compile: Compile) -> Any:
    def f(x, lr):
        return x * (-2) ** lr, lr**-2, (-lr) ** 2, x * lr**0.5, -1 * lr

    f = compile(f)
    return [f(arr(1), part) for part in (2.0, 4.0)]


@same(replays=2)
def test_a_power_that_becomes_complex(compile: Compile) -> Any:
    def f(x, lr):
        return x * lr**0.5

    f = compile(f)
    return [f(arr(1), part) for part in (2.0, 4.0, -2.0, 3.0)]


@same(replays=0)
def test_a_long_computation(compile: Compile) -> Any:
    def f(x, lr):
        for _ in range(300):
            lr = lr * 1.01
        return x * lr

    f = compile(f)

    def g(x, lr):
        for _ in range(40):
            lr = lr + lr
        return x * lr

    g = compile(g)
    return [f(arr(1), 2.0), f(arr(1), 1.0), g(arr(1), 1e-5), g(arr(1), 2e-5)]


@same(replays=1)
def test_a_division_by_zero_after_a_change(compile: Compile) -> Any:
    w = arr(1)

    def f(x, lr):
        nonlocal w
        w = w + x
        return x * (1 / lr)

    f = compile(f)
    out = []
    for part in (2.0, 0.0, 4.0, 0.0):
        out += [attempt(f, arr(1), part), w]
    return out


@same(replays=0, reasons={"unmade-result"})
def test_everything_that_floats_can_do(compile: Compile) -> Any:
    def f(x, lr):
        return (
            x * numpy.sqrt(lr),
            numpy.float32(lr),
            numpy.array([lr, 1]),
            numpy.ones(2, "float32") * lr,
            lr * numpy.ones(2, "float32"),
            numpy.float32(3) * lr,
            round(lr, 1),
            divmod(lr, 2),
            math.floor(lr),
            int(lr),
            complex(lr),
            str(lr),
            f"{lr} {lr:f}",
            math.trunc(lr),
            min(lr, 1.0),
            max(lr, lr),
            sum([lr, lr]),
            sorted([lr, 0.1]),
            lr.is_integer(),
            lr == 2.25,
            lr in (1.0, 2.25),
            {lr: 1},
            hash(lr),
            numpy.where(True, lr, 0),
            np.array([lr, 2 * lr]),
            np.array(lr),
            np.full((2,), lr),
        )

    f = compile(f)
    return [f(arr(1), part) for part in (2.25, 1.5)]


@same(replays=1)
def test_floats_with_arrays(compile: Compile) -> Any:
    def f(x, lr):
        return (
            np.full((2,), lr),
            np.array([lr, 2 * lr]),
            np.clip(x, lr, 3),
            np.where(x > lr, x, lr),
            np.maximum(x, lr),
            lr**x,
            x**lr,
            x // lr,
            x % lr,
            np.full((2,), lr, dtype="float64"),
            x.astype("float64") + lr,
            x.astype(int) * lr,
        )

    f = compile(f)
    return [f(arr(1, 5), part) for part in (2.25, 1.5)]


@same(replays=0, reasons={"python-state"})
def test_floats_stored_where_no_replay_can_put_them(compile: Compile) -> Any:
    log = []

    class Cfg:
        def __init__(self, lr):
            self.lr = lr

    def f(x, lr):
        log.append({"lr": lr, "n": [lr]})
        return Cfg(lr), lambda: lr

    f = compile(f)
    out = []
    for part in (2.25, 1.5):
        a, b = f(arr(1), part)
        out += [type(a.lr).__name__, type(b()).__name__]
    return [*out, log]


@same(replays=2)
def test_a_float_is_moved_inside_a_dict(compile: Compile) -> Any:
    d = {"lr": 0.5}

    def f(x, d):
        d["old"] = d["lr"]
        return x * d["lr"]

    f = compile(f)
    out = [f(arr(1), d), d, f(arr(1), d), d]
    d["lr"] = 0.25
    return [*out, f(arr(1), d), d, f(arr(1), {"lr": 3.0}), type(d["old"]).__name__]


@same(replays=0, reasons={"python-state"})
def test_a_float_in_a_stored_list(compile: Compile) -> Any:
    class Box:
        pass

    o = Box()

    def f(x, lr):
        o.h = [lr, x]
        return x

    f = compile(f)
    out = []
    for i in range(3):
        out += [f(arr(1), i / 2), o.h]
    return out


@same(replays=1)
def test_nan_branches(compile: Compile) -> Any:
    def f(x, s):
        if s != s:
            return x * 0
        return x * s

    f = compile(f)
    return [f(arr(1), {"s": 1}["s"]), f(arr(1), float("nan")), f(arr(1), 2.0), f(arr(1), float("nan"))]


@same(replays=0, reasons={"raised"})
def test_errors_about_a_float_are_those_of_python(compile: Compile) -> Any:
    f = compile(lambda x, r: x * r[0])
    g = compile(lambda x, r: x * len(r))
    h = compile(lambda x, r: x * ("a" + r))
    return [attempt(one, arr(1), 0.5) for one in (f, g, h, f)]


@pytest.mark.filterwarnings("ignore::dopegraph.runtime.errors.RecompileWarning")
@pytest.mark.parametrize(
    "function",
    [
        lambda x, rate: (x * rate, json.dumps({"rate": rate})),
        lambda x, rate: time.sleep(rate / 1e6) or x * rate,
        lambda x, rate: (x, datetime.timedelta(seconds=rate)),
        lambda x, rate: (x * rate, decimal.Decimal(rate)),
        lambda x, rate: (x, fractions.Fraction(rate)),
        lambda x, rate: (x * rate, "%.3f" % rate, statistics.mean([rate, 1.0])),  # noqa: UP031
        lambda x, rate: (x * rate, Seconds(seconds=rate)),
    ],
)
def test_functions_of_libraries_get_floats(function: Any) -> None:
    """Those that are written in C, or test types, refuse a stand-in."""
    compiled = dopegraph.compile(function)
    for rate in (0.5, 0.25, 0.5, 0.125):
        assert str(compiled(arr(2), rate)) == str(function(arr(2), rate))


def test_a_float_that_only_python_sees_is_one_situation() -> None:
    @dopegraph.compile
    def f(x, rate):
        time.sleep(rate / 1e6)
        return x * rate

    for rate in (0.5, 0.25, 0.125):
        assert f(arr(2), rate).tolist() == [2 * rate]
    assert f.cache_info().misses == 1


def test_an_array_does_not_go_the_way_of_a_number() -> None:
    class Model:
        def __init__(self, w: Any) -> None:
            pass

    def f(x: Any, model: Any, flag: bool = True) -> Any:
        model.cache = float(np.zeros(())) if isinstance(flag, bool) else 0  # testing types makes floats static
        return x

    compiled = dopegraph.compile(f)
    assert compiled(0.5, Model(1.0)) == 0.5
    found = compiled(numpy.array(0.5), Model(1.0))
    assert type(found) is dopegraph.ndarray and found == 0.5
    assert [type(compiled(x, Model(1.0))) for x in (0.25, 2, "a")] == [float, int, str]
