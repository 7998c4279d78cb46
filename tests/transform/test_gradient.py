"""`grad` inside `compile`, `compile` inside `grad`, and alone."""

import dataclasses
import threading
from typing import Any

import dopegraph
import dopegraph.numpy as np
from dopegraph import grad, record, value_and_grad
from tests.differential import Compile, arr, attempt, same


@same(replays=4)
def test_training_by_rebinding(compile: Compile) -> Any:
    class M:
        def __init__(s):
            s.w = arr(1, 2)
            s.b = arr(0)

        def loss(s, w, b, x):
            return (((x * w).sum() + b) ** 2).sum()

        def step(s, x, lr):
            part, (gw, gb) = value_and_grad(s.loss, argnums=(0, 1))(s.w, s.b, x)
            s.w = s.w - lr * gw
            s.b = s.b - lr * gb
            return part

    m = M()
    step = compile(m.step)
    out = []
    for i in range(5):
        out += [step(arr(i, 1), 0.01 / (i + 1)), m.w, m.b]
    return out


@same(replays=3)
def test_gradients_of_compiled_functions(compile: Compile) -> Any:
    k = 2.0

    def f(x):
        return (x**3 * k).sum()

    f = compile(f)
    f(arr(1))
    g = grad(f)
    out = [g(arr(1, 2)), g(arr(3, 2))]
    k = 3.0
    out += [g(arr(1, 2)), f(arr(1, 2))]
    gg = compile(grad(f))
    out += [gg(arr(1, 2)), gg(arr(1, 3))]
    k = 4.0
    out += [gg(arr(1, 2)), gg(arr(1, 3))]
    h = compile(lambda x: grad(lambda y: (grad(f)(y) * y).sum())(x))
    out += [h(arr(1, 2)), h(arr(1, 3))]
    return out


@same(replays=2)
def test_nested_gradients_do_not_mix(compile: Compile) -> Any:
    def f(x):
        return grad(lambda y: (x * grad(lambda z: (y * z * x).sum())(y)).sum())(x)

    def g(x):
        return grad(lambda x: x * grad(lambda y: x + y)(1.0))(x)

    f = compile(f)
    g = compile(g)
    out = [f(arr(1.0)), f(arr(3.0)), g(2.0), g(3.0)]
    return out


@same(replays=3)
def test_captured_arrays(compile: Compile) -> Any:
    w = arr(2)

    def f(x):
        def loss(v):
            return (v * w * w).sum()

        return grad(loss)(x), grad(lambda u: (u * u * w).sum())(w)

    f = compile(f)
    out = [f(arr(1)), f(arr(1))]
    w += 1
    out += [f(arr(1))]
    w = arr(9)
    out += [f(arr(1))]
    return out


@same(replays=1)
def test_writes_in_place(compile: Compile) -> Any:
    def loss(x):
        y = x * 1
        y[0] = y[1] * 3
        y += x
        z = np.zeros(2)
        z[:1] += y[:1] * x[0]
        return (y * y).sum() + z.sum()

    f = compile(grad(loss))
    out = [f(arr(1, 2)), f(arr(2, 2))]
    return out


@same(replays=2)
def test_state_written_in_place(compile: Compile) -> Any:
    n = arr(0)

    def loss(x):
        nonlocal n
        n += 1
        n[:] = n + x.sum()
        return (x * x * n).sum()

    f = compile(grad(loss))
    out = []
    for _i in range(3):
        out += [f(arr(1, 2)), n.copy()]
    return out


@same(replays=3)
def test_containers_and_auxiliary_results(compile: Compile) -> Any:
    @dataclasses.dataclass
    class P:
        w: object
        b: object

    def loss(p, x):
        return (p["w"] * x).sum() + p["l"][0].sum() * p["lr"], {"pred": p["w"] * x, "n": 3}

    f = compile(value_and_grad(loss, has_aux=True))
    out = []
    for i in range(3):
        out += [f({"w": arr(1, 2), "l": [arr(i)], "lr": 0.5 * i}, arr(i, 1))]

    def loss2(p):
        return (p.w * p.b).sum()

    g = compile(grad(loss2))
    out += [g(P(arr(1), arr(2))), g(P(arr(2), arr(2)))]
    return out


@same(replays=3, reasons={"raised"})
def test_derivatives_for_floats(compile: Compile) -> Any:
    f = compile(grad(lambda x: x**4))
    g = compile(value_and_grad(lambda a, b: a * b * b, argnums=(0, 1)))
    return [f(2.0), f(3.0), g(2.0, 3.0), g(2.0, 4.0), attempt(g, 2, 3.0), attempt(g, 2.0, 3), g(2.0, 3.0)]


@same(replays=0, reasons={"raised"})
def test_errors_of_grad(compile: Compile) -> Any:
    f = compile(grad(lambda x: x * 2))
    g = compile(grad(lambda x: (x.astype(int)).sum()))
    w = arr(1)

    def h(x):
        nonlocal w
        w = w + 1
        return grad(lambda x: x)(x)

    h = compile(h)
    return [
        attempt(f, arr(1, 2)),
        attempt(f, arr(1, 2)),
        attempt(f, arr(1, dtype=int)),
        attempt(g, arr(1)),
        attempt(h, arr(1, 2)),
        w,
        attempt(h, arr(1, 2)),
        w,
        f(np.array(1.0)),
    ]


@same(replays=3)
def test_random_numbers_in_a_loss(compile: Compile) -> Any:
    def f(x):
        return value_and_grad(lambda x: (x * np.random.normal(size=2)).sum())(x), np.random.uniform(size=1)

    f = compile(f)
    return [f(arr(1, 2)) for _ in range(4)] + [np.random.normal(size=2)]


@same(replays=0)
def test_a_compiled_activation(compile: Compile) -> Any:
    def act(x):
        return np.tanh(x)

    act = compile(act)
    act(arr(1))

    def loss(x):
        return act(x).sum()

    g = grad(loss)
    return [g(arr(1)), g(arr(2)), compile(g)(arr(3))]


@same(replays=3)
def test_parameters_in_a_dict(compile: Compile) -> Any:
    params = {"w": arr(1, 2), "b": arr(3)}

    def loss(p, x):
        return ((p["w"] * x).sum() + p["b"].sum()) ** 2

    def step(x, lr):
        g = grad(loss)(params, x)
        for k in params:
            params[k] = params[k] - lr * g[k]
        return loss(params, x)

    step = compile(step)
    out = []
    for i in range(4):
        out += [step(arr(1, i), 0.01), dict(params)]
    return out


@same(replays=3)
def test_parameters_passed_and_returned(compile: Compile) -> Any:
    def loss(p, x):
        return ((p["w"] * x).sum() + p["b"].sum()) ** 2

    def step(p, x, lr):
        g = grad(loss)(p, x)
        return {k: p[k] - lr * g[k] for k in p}

    step = compile(step)
    out = []
    p = {"w": arr(1, 2), "b": arr(3)}
    for i in range(4):
        p = step(p, arr(1, i), 0.01)
        out += [p]
    return out


@same(replays=39)
def test_gradients_in_threads(compile: Compile) -> Any:
    out = [None] * 4

    def f(x):
        return (x**3).sum()

    g = compile(grad(f))

    def run(i):
        x = arr(1, i)
        x.attach_grad()
        rs = []
        for _ in range(10):
            with record():
                y = (x * x).sum()
            y.backward()
            rs.append((x.grad.copy(), g(x)))
        out[i] = rs

    ts = [threading.Thread(target=run, args=(i,)) for i in range(4)]
    [t.start() for t in ts]
    [t.join() for t in ts]
    return out


@same(replays=1)
def test_an_argument_that_is_not_used(compile: Compile) -> Any:
    f = compile(grad(lambda x, y: (y * 2).sum(), argnums=(0, 1)))
    return [f(arr(1), arr(2)), f(arr(1), arr(3))]


def test_an_error_inside_a_differentiated_function_is_raised_where_python_catches_it() -> None:
    def loss(x):
        try:
            y = x[np.array(2) + 5]
        except IndexError:
            y = x[0]
        return (x * y).sum()

    expected = [3.0, 1.0]  # of x[0] * (x[0] + x[1]), at (1, 1)
    assert dopegraph.compile(grad(loss))(np.ones(2)).tolist() == expected
    assert grad(loss)(np.ones(2)).tolist() == expected
