"""Memory that several arrays, views and NumPy share is written and read as by Python."""

from typing import Any

import numpy

import dopegraph.numpy as np
from tests.differential import Compile, arr, same


@same(replays=3)
def test_a_numpy_export_taken_before(compile: Compile) -> Any:
    w = arr(1, 2)
    e = numpy.asarray(w)

    def step(x):
        nonlocal w
        w += x
        return w * 2

    step = compile(step)
    out = []
    for _i in range(4):
        out.append(step(arr(1, 1)))
        out.append(e.copy())
        e[0] = 10
    return [*out, w]


@same(replays=5)
def test_a_numpy_export_taken_after(compile: Compile) -> Any:
    w = arr(1, 2)

    def step(x):
        nonlocal w
        w += x
        return w * 2

    step = compile(step)
    out = [step(arr(1, 1)), step(arr(1, 1))]
    e = numpy.asarray(w)
    for _i in range(4):
        out.append(step(arr(1, 1)))
        out.append(e.copy())
        e[0] = 10
    return [*out, w]


@same(replays=3)
def test_a_view_taken_before(compile: Compile) -> Any:
    w = np.zeros((2, 3))
    v = w[0]

    def step(x):
        nonlocal w
        w += x
        return w.sum()

    step = compile(step)
    out = []
    for _i in range(4):
        out.append(step(np.ones((2, 3))))
        out.append(v.copy())
        v += 1
    return [*out, w]


@same(replays=5)
def test_a_view_taken_after(compile: Compile) -> Any:
    w = np.zeros((2, 3))

    def step(x):
        nonlocal w
        w += x
        return w.sum()

    step = compile(step)
    out = [step(np.ones((2, 3))), step(np.ones((2, 3)))]
    v = w[0]
    for _i in range(4):
        out.append(step(np.ones((2, 3))))
        out.append(v.copy())
        v += 1
    return [*out, w]


@same(replays=2)
def test_views_are_written_to_and_returned(compile: Compile) -> Any:
    def f(x):
        v = x[0]
        v += 5
        w = v[1:]
        w *= 2
        return x, v, w

    f = compile(f)
    out = []
    for i in range(3):
        x = np.ones((2, 3)) * i
        r = f(x)
        out += [r, x, r[0] is x]
        r[1][:] = 9
        out += [x.copy(), r[2]]
    return out


@same(replays=2)
def test_views_of_a_new_array_are_returned(compile: Compile) -> Any:
    def f(x):
        y = x * 2
        return y, y[0], y.T

    f = compile(f)
    out = []
    for _i in range(3):
        y, v, t = f(np.ones((2, 3)))
        v += 1
        t[1, 1] = 9
        out += [y, v, t]
    return out


@same(replays=2)
def test_a_view_of_the_state_is_returned(compile: Compile) -> Any:
    w = np.zeros((2, 2))

    def f(x):
        nonlocal w
        w += x
        return w[0]

    f = compile(f)
    out = []
    for _i in range(3):
        r = f(np.ones((2, 2)))
        out += [r.copy(), w.copy()]
        r += 10
        out += [w.copy()]
    return out


@same(replays=0, reasons={"aliased-write"})
def test_a_view_is_passed_and_written_to(compile: Compile) -> Any:
    def f(v):
        v += 1
        return v * 2

    f = compile(f)
    x = np.zeros((3, 2))
    out = []
    for i in range(3):
        out += [f(x[i]), x.copy()]
    out += [f(arr(1, 2))]
    return out


@same(replays=3)
def test_the_base_of_a_view_is_written_to(compile: Compile) -> Any:
    x = np.zeros((2, 2))
    v = x[0]

    def f(a):
        nonlocal x
        x += a
        return v * 2

    f = compile(f)
    out = []
    for _i in range(4):
        out += [f(arr(1, 2)), x.copy(), v.copy()]
    return out


@same(replays=0)
def test_a_view_is_written_to_and_its_base_read(compile: Compile) -> Any:
    x = np.zeros((2, 2))
    v = x[0]

    def f(a):
        nonlocal v
        v += a
        return x * 2

    f = compile(f)
    out = []
    for _i in range(4):
        out += [f(arr(1, 2)), x.copy(), v.copy()]
    return out


@same(replays=1)
def test_a_variable_becomes_a_view(compile: Compile) -> Any:
    w = np.zeros((2, 2))
    r = None

    def f(x):
        nonlocal r
        r = w[0]
        r += x
        return r * 1

    f = compile(f)
    out = []
    for _i in range(3):
        out += [f(arr(1, 2)), w.copy(), r.copy()]
        r += 1
        out += [w.copy()]
    return out


@same(replays=0, reasons={"value-escape"})
def test_memory_of_a_result_is_written_to(compile: Compile) -> Any:
    def f(x):
        y = x * 2
        a = numpy.asarray(y)
        a[0] = 7
        return y + 1

    f = compile(f)
    return [f(arr(1, 2)), f(arr(1, 3))]


@same(replays=0, reasons={"value-escape"})
def test_memory_of_an_argument_is_written_to(compile: Compile) -> Any:
    def f(x):
        a = numpy.asarray(x)
        y = x * 2
        a[0] = 7
        return x + 1, y

    f = compile(f)
    x = arr(1, 2)
    return [f(x), x, f(arr(1, 3))]


@same(replays=0, reasons={"value-escape", "shared-memory"})
def test_memory_is_read_after_a_write(compile: Compile) -> Any:
    def f(x):
        a = numpy.asarray(x)
        x += 1
        return x * float(a.sum())

    f = compile(f)
    return [f(arr(1, 2)) for _ in range(2)]


@same(replays=0, reasons={"unguarded-state"})
def test_numpy_memory_of_the_state_is_written_to(compile: Compile) -> Any:
    w = arr(1, 2)
    e = numpy.asarray(w)

    def f(x):
        e[0] += 1
        return w * x

    f = compile(f)
    return [f(arr(1, 1)) for _ in range(3)] + [w]


@same(replays=0)
def test_a_numpy_array_changes_between_calls(compile: Compile) -> Any:
    g = numpy.array([1.0, 2.0], "float32")

    def f(x):
        return x * g

    f = compile(f)
    out = []
    for _i in range(4):
        out.append(f(arr(1, 1)))
        g[0] += 1
    return out


@same(replays=0, reasons={"value-escape"})
def test_an_array_is_looked_at_after_a_write(compile: Compile) -> Any:
    def f(x):
        v = x[0]
        y = v * 2
        x += 1
        s = float(x.sum())
        str(x)
        return y, v * 1, s, x * 1

    f = compile(f)
    out = []
    for _i in range(2):
        x = np.ones((2, 2))
        w = x[1]
        out += [f(x), x, w]
    return out


@same(replays=2)
def test_rows_are_written_to_while_iterating(compile: Compile) -> Any:
    def f(x):
        for i, row in enumerate(x):
            row *= i
        x[1:, 0] = 9
        x.T[0, 0] = 4
        x[::-1][0] += 1
        return x.sum(axis=0)

    f = compile(f)
    out = []
    for i in range(3):
        x = np.ones((3, 2)) * (i + 1)
        out += [f(x), x]
    return out
