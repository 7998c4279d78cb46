"""`record` and `backward`, compiled and not, give the same gradients."""

from typing import Any

import numpy
import pytest

import dopegraph
import dopegraph.numpy as np
from dopegraph import grad, record, stop_gradient, value_and_grad
from dopegraph.array import from_numpy
from dopegraph.trace.active import active
from tests.differential import Compile, arr, attempt, same


@same(replays=3)
def test_a_gradient(compile: Compile) -> Any:
    x = arr(1, 2)
    x.attach_grad()

    def f(a):
        with record():
            y = (x * x * a).sum()
        y.backward()
        return y

    f = compile(f)
    out = []
    for i in range(4):
        out += [f(arr(i, 1)), x.grad.copy(), x.grad]
    return out


@same(replays=0)
def test_a_compiled_function_inside_record(compile: Compile) -> Any:
    def f(a):
        return (a * a).sum()

    f = compile(f)
    x = arr(1, 2)
    out = []
    x.attach_grad()
    f(x)
    for _i in range(3):
        with record():
            y = f(x)
        y.backward()
        out += [y, x.grad.copy()]
        x += 1
    return out


@same(replays=3)
def test_attach_grad_inside(compile: Compile) -> Any:
    def f(x):
        x.attach_grad()
        with record():
            y = (x * x).sum()
        y.backward()
        return x.grad

    f = compile(f)
    x = arr(1, 2)
    return [f(arr(1, 2)), f(arr(2, 2)), f(x), x.grad, f(x), x.grad, f(x)]


@same(replays=4, reasons={"raised"})
def test_added_gradients(compile: Compile) -> Any:
    x = arr(1, 2)
    x.attach_grad("add")

    def f(a):
        with record():
            y = (x * a).sum()
        y.backward()
        return y

    f = compile(f)
    out = []
    for i in range(4):
        out += [f(arr(i, 1)), x.grad.copy()]
    x.attach_grad()
    for i in range(2):
        out += [f(arr(i, 1)), x.grad.copy()]
    x.attach_grad("null")
    out += [type(attempt(f, arr(1, 1))).__name__]
    return out


@same(replays=4)
def test_training_in_place(compile: Compile) -> Any:
    w, b = arr(1, 2), arr(0)
    w.attach_grad()
    b.attach_grad()

    def step(x, lr):
        with record():
            loss = ((x * w).sum() + b).sum() ** 2
        loss.backward()
        for p in (w, b):
            p[:] = p - lr * p.grad
        return loss

    step = compile(step)
    out = []
    for i in range(5):
        out += [step(arr(i, 1), 0.01 / (i + 1)), w.copy(), b.copy(), w.grad.copy()]
    return out


@same(replays=4)
def test_momentum(compile: Compile) -> Any:
    ps = [arr(1, 2), arr(3)]
    vs = [np.zeros(2), np.zeros(1)]
    for p in ps:
        p.attach_grad()

    def step(x, lr, mom):
        with record():
            part = ((ps[0] * x).sum() + ps[1].sum()) ** 2
        part.backward()
        for p, v in zip(ps, vs):
            v[:] = mom * v - lr * p.grad
            p += v
        return part

    step = compile(step)
    out = []
    for i in range(5):
        out += [step(arr(1, i), 0.01, 0.9), [p.copy() for p in ps], [v.copy() for v in vs]]
    return out


@same(replays=1, reasons={"raised"})  # the error holds an array that was recorded: the next call goes on with that
def test_head_gradients(compile: Compile) -> Any:
    x = arr(1, 2)
    x.attach_grad()

    def f(h):
        with record():
            y = x * x
        y.backward(h)
        return x.grad * 1

    f = compile(f)
    return [f(arr(1, 10)), f(arr(2, 20)), attempt(f, arr(1, 2, 3)), f(arr(2, 20)), x.grad]


@same(replays=1)
def test_backward_twice(compile: Compile) -> Any:
    x = arr(1, 2)
    x.attach_grad()

    def f(a):
        with record():
            y = (x * x * a).sum()
        y.backward(retain_graph=True)
        g1 = x.grad * 1
        y.backward()
        return g1, x.grad

    f = compile(f)
    return [f(arr(1, 10)), f(arr(2, 20)), x.grad]


@same(replays=2)
def test_an_array_changes_before_backward(compile: Compile) -> Any:
    x = arr(1, 2)
    x.attach_grad()

    def f(a):
        with record():
            y = (x * x * a).sum()
        x[:] = 100
        y.backward()
        r = x.grad * 1
        x[:] = a
        return r, y

    f = compile(f)
    return [f(arr(1, 10)), f(arr(2, 20)), x, x.grad, f(arr(1, 1))]


@same(replays=0, reasons={"value-escape"})
def test_looking_inside_record(compile: Compile) -> Any:
    x = arr(1, 2)
    x.attach_grad()

    def f(a):
        with record():
            y = x * x
            s = str(y)
            v = float(y.sum())
            if v > 3:
                y = y * 2
            z = (y * a).sum()
        z.backward()
        return z, s, v

    f = compile(f)
    return [f(arr(1, 10)), x.grad.copy(), f(arr(2, 20)), x.grad.copy()]


@same(replays=1)
def test_an_exception_inside_record(compile: Compile) -> Any:
    x = arr(1, 2)
    x.attach_grad()
    w = arr(0)

    def f(a, bad):
        nonlocal w
        with record():
            y = x * x
            w = w + y.sum()
            if bad:
                raise ValueError("bad")
            z = (y * a).sum()
        z.backward()
        return z

    f = compile(f)
    out = []
    for bad in (0, 1, 0, 1):
        out += [attempt(f, arr(1, 10), bad), w, x.grad.copy(), dopegraph.is_training()]
    return out


@same(replays=1)
def test_detached_values(compile: Compile) -> Any:
    def f(x):
        return grad(lambda x: (x * stop_gradient(x) + x.detach() * 3).sum())(x)

    f = compile(f)
    return [f(arr(1, 2)), f(arr(3, 2))]


@same(replays=2)
def test_random_numbers(compile: Compile) -> Any:
    x = arr(1, 2)
    x.attach_grad()

    def f(a):
        with record():
            y = (x * np.random.normal(size=2) * a).sum()
        y.backward()
        return y

    f = compile(f)
    out = []
    for _i in range(3):
        out += [f(arr(1, 2)), x.grad.copy(), np.random.normal(size=1)]
    return out


@same(replays=2)
def test_a_recording_that_waits(compile: Compile) -> Any:
    w = arr(1, 2)
    w.attach_grad()
    with record():
        p = (w * w).sum()

    def f(x):
        nonlocal w
        w += x
        return w * 2

    f = compile(f)
    out = [f(arr(1, 1)), f(arr(1, 1)), f(arr(1, 1))]
    p.backward()
    return [*out, p, w.grad, w]


@same(replays=1)
def test_an_argument_that_is_recorded(compile: Compile) -> Any:
    w = arr(1, 2)
    w.attach_grad()

    def f(x):
        return x * 2

    f = compile(f)
    out = [f(arr(1, 1))]
    with record():
        p = w * w
    out += [f(p), f(w)]
    p.backward()
    return [*out, w.grad]


@same(replays=2)
def test_two_steps_in_one_call(compile: Compile) -> Any:
    w = arr(1, 2)
    w.attach_grad()

    def f(x):
        for _ in range(3):
            with record():
                part = ((w * x) ** 2).sum()
            part.backward()
            w[:] = w - 0.01 * w.grad
        return part

    f = compile(f)
    out = []
    for i in range(3):
        out += [f(arr(1, i)), w.copy(), w.grad.copy()]
    return out


@same(replays=2)
def test_state_carried_over_a_step(compile: Compile) -> Any:
    w = arr(1, 2)
    w.attach_grad()

    def f(h, x):
        for _ in range(3):
            with record():
                h = np.tanh(h * w + x)
                part = (h**2).sum()
            part.backward()
        return h, w.grad * 1

    f = compile(f)
    out = []
    h = arr(0, 0)
    for i in range(3):
        h, g = f(h, arr(1, i))
        out += [h, g]
    return out


@same(replays=1)
def test_what_is_outside_record_is_constant(compile: Compile) -> Any:
    w = arr(1, 2)
    w.attach_grad()

    def f(x):
        a = w * w
        with record():
            part = (a * w * x).sum()
        b = part * 2
        part.backward()
        return w.grad * 1, b, type(attempt(b.backward)).__name__

    f = compile(f)
    return [f(arr(1, 2)), f(arr(1, 2))]


@same(replays=1)
def test_two_blocks_and_one_backward(compile: Compile) -> Any:
    w = arr(1, 2)
    w.attach_grad()

    def f(x):
        with record():
            a = w * w
        c_ = a * 3
        with record():
            part = (a * c_ * w * x).sum()
        part.backward()
        return w.grad * 1

    f = compile(f)
    return [f(arr(1, 2)), f(arr(1, 2))]


@same(replays=1)
def test_backward_inside_record(compile: Compile) -> Any:
    w = arr(1, 2)
    w.attach_grad()

    def f(x):
        with record():
            part = (w * w * w * x).sum()
            part.backward(retain_graph=True)
            g = (w.grad * x).sum()
        g.backward()
        return w.grad * 1

    f = compile(f)
    return [attempt(f, arr(1, 2)), attempt(f, arr(1, 2))]


@same(replays=1)
def test_views_of_a_parameter(compile: Compile) -> Any:
    w = np.ones((2, 2))
    w.attach_grad()

    def f(x):
        with record():
            part = (w[0] * x).sum() + (w.T[1] * w[:, 1]).sum()
        part.backward()
        return w.grad * 1

    f = compile(f)
    return [f(arr(1, 2)), f(arr(1, 2))]


@same(replays=1)
def test_writes_inside_record(compile: Compile) -> Any:
    w = arr(1, 2)
    w.attach_grad()
    b = np.zeros(2)

    def f(x):
        with record():
            b[0] = w[1] * 3
            b[1:] += w[:1]
            part = (b * x).sum()
        part.backward()
        return w.grad * 1, b * 1

    f = compile(f)
    return [f(arr(1, 2)), b.copy(), f(arr(1, 2)), b]


@same(replays=0)
def test_a_tape_without_backward_is_forgotten(compile: Compile) -> Any:
    x = arr(1, 2)
    x.attach_grad()
    for _ in range(5):
        with record():
            y = (x * x).sum()
        float(y)
    return len(active.tape.builder.nodes) < 8


@same(replays=1)
def test_a_gradient_before_record_is_constant(compile: Compile) -> Any:
    w = arr(1, 2)
    w.attach_grad()

    def f(x):
        value, gradient = value_and_grad(lambda v: (v * w).sum())(x)
        with record():
            y = (w * gradient * value).sum()
        y.backward()
        return y

    f = compile(f)
    return [f(arr(1, 2)), w.grad.copy(), f(arr(3, 2)), w.grad.copy()]


@same(replays=2)
def test_an_array_that_the_call_made_keeps_its_gradient(compile: Compile) -> Any:
    def f(x):
        w = x * 2
        w.attach_grad("add")
        with record():
            y = (w**3).sum()
        y.backward()
        half = w[:1]
        return w, w.grad, half, y

    f = compile(f)
    out = []
    for value in (1, 2, 3):
        w, gradient, half, loss = f(arr(value, 1))
        out += [loss, w, w.grad is gradient, w.grad, w._grad_req, half.base is w, half.grad]
        w.attach_grad()
    return out


@same(replays=1)
def test_a_view_from_before_record_is_constant_inside(compile: Compile) -> Any:
    def f(x, part):
        x.attach_grad()
        before = x[1:]
        with record():
            z = (x * part.sum() + before.sum() + before[1:].sum()).sum()
        z.backward()
        return x.grad * 1

    f = compile(f)
    out = []
    for value in (1, 2):
        x = arr(value, 2, 3)
        out.append(f(x, x[1:]))
    return out


@same(replays=1)
def test_a_view_of_what_is_written_inside_record_is_followed(compile: Compile) -> Any:
    def f(x):
        x.attach_grad()
        before = x[1:]
        with record():
            z = x * 2
            x[1] = z[0]
            y = (before * before).sum()
        y.backward()
        return x.grad * 1

    f = compile(f)
    return [f(arr(1, 2, 3)), f(arr(2, 3, 1))]


@same(replays=1)
def test_a_view_that_python_looked_at_is_still_followed(compile: Compile) -> Any:
    def f(x):
        x.attach_grad()
        with record():
            part = x[1:]
            if part.sum() > 0:
                part = part * 2
            y = (part * x[1:]).sum()
        y.backward()
        return x.grad * 1

    f = compile(f)
    return [f(arr(1, 2, 3)), f(arr(2, 3, 1))]


@same(replays=0, reasons={"open-tape"})
def test_the_owner_of_memory_sees_what_is_written_inside_record(compile: Compile) -> Any:
    def f(m, x):
        x.attach_grad()
        with record():
            y = (x * 2).sum()
            m[m < 1] = 5.0
        return y

    f = compile(f)
    memory = numpy.array([0.25, 2.0], dtype="float32")
    f(from_numpy(memory), arr(1, 2))
    return memory.tolist()


def test_an_error_inside_record_is_raised_where_python_catches_it() -> None:
    x = arr(1, 2)
    x.attach_grad()
    with record():
        try:
            y = x[np.array([0, 2])]
        except IndexError:
            y = x * 3
    y.backward()
    assert x.grad.tolist() == [3, 3]
    with record(), pytest.raises(IndexError):
        x[np.array(1) + 1]
    with record(), pytest.raises(numpy.linalg.LinAlgError):
        np.linalg.inv(np.zeros((2, 2)) * x)


@same(replays=1)
def test_a_view_alone_is_differentiated(compile: Compile) -> Any:
    def f(x, head):
        x.attach_grad()
        with record():
            y = x[::-1]
        y.backward(head)
        return x.grad * 1

    f = compile(f)
    return [f(arr(1, 2), arr(3, 4)), f(arr(2, 3), arr(1, 2))]


@same(replays=0)
def test_a_view_of_a_view_that_has_a_gradient_is_differentiated(compile: Compile) -> Any:
    whole = np.array([[1.0, 2.0], [3.0, 4.0]])
    row = whole[0]

    def f(head):
        row.attach_grad()
        with record():
            y = row[::-1]
        y.backward(head)
        return row.grad * 1

    f = compile(f)
    return [f(arr(3, 4)), f(arr(1, 2))]


def test_a_derivative_that_ends_at_what_another_backward_forgot_is_told() -> None:
    """As in a GAN: one network's output waits while the other learns."""
    x, w = arr(1, 2), arr(3, 4)
    for one in (x, w):
        one.attach_grad()

    def step() -> None:
        with record():
            y = x * x
        with record():
            z = (w * stop_gradient(y)).sum()
        z.backward()
        with record():
            loss = (y * w).sum()
        loss.backward()
        assert w.grad.tolist() == [1, 4] and x.grad.tolist() == [0, 0]

    with pytest.warns(dopegraph.errors.TapeWarning, match="retain_graph=True"):
        step()
    for _ in range(2):
        step()  # found again, and told once


def test_that_is_told_inside_a_compiled_function_too() -> None:
    x, w = arr(1, 2), arr(3, 4)
    for one in (x, w):
        one.attach_grad()

    @dopegraph.compile
    def f(a: Any) -> Any:
        with record():
            y = x * x * a
        with record():
            z = (w * stop_gradient(y)).sum()
        z.backward()
        with record():
            loss = (y * w).sum()
        loss.backward()
        return w.grad * 1

    with pytest.warns(dopegraph.errors.TapeWarning):
        assert f(1.0).tolist() == [1, 4]
    assert f(2.0).tolist() == [2, 8] and x.grad.tolist() == [0, 0]


def test_nothing_is_told_of_what_no_derivative_is_wanted_of(recwarn: pytest.WarningsRecorder) -> None:
    """Sums of losses, states that are detached, arrays that depend on nothing with a gradient, and what is retained."""
    x, w = arr(1, 2), arr(3, 4)
    for one in (x, w):
        one.attach_grad()
    total, state = np.zeros(()), np.ones(2)
    for _ in range(3):
        with record():
            state = np.tanh(stop_gradient(state) * w)
            doubled, size = np.ones(2) * 2, (w * w).sum()
            loss = (state * x * doubled).sum()
            total = total + loss + size
        loss.backward()
    with record():
        loss = (doubled * w).sum() + size.detach()
    loss.backward()
    with record():
        y = x * x
    with record():
        z = (w * y).sum()
    z.backward(retain_graph=True)
    with record():
        loss = y.sum()
    loss.backward()
    assert x.grad.tolist() == [2, 4]
    assert not [one for one in recwarn if issubclass(one.category, dopegraph.errors.TapeWarning)]
