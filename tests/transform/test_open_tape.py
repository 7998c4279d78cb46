"""What functions compute inside a `record()` of their own, for a `backward()` elsewhere, compiled as uncompiled."""

from __future__ import annotations

import random

import numpy
import pytest

import dopegraph
import dopegraph.numpy as np
from dopegraph import record
from dopegraph.runtime.errors import GradientError, GraphBreakError
from dopegraph.trace.active import active
from tests.differential import attempt, nothing_is_open, plainly


@pytest.fixture(autouse=True)
def nothing_is_open_at_first():
    nothing_is_open()


def weights():
    w = np.array([1.0, 2.0, -3.0])
    w.attach_grad()
    return w


def returned(make):
    w = weights()
    f = make(lambda x: _squares(w, x))
    for scale in (1.0, 2.0, 3.0):
        loss = f(np.ones(3) * scale)
        yield loss
        loss.backward()
        yield w.grad


def _squares(w, x):
    with record():
        return (w * w * x).sum()


def with_a_float(make):
    w = weights()

    def f(x, rate):
        with record():
            y = w * x * rate
        return y, rate * 2

    f = make(f)
    for rate in (1.0, 2.0, 0.5):
        y, twice = f(np.arange(3.0), rate)
        yield type(twice), twice
        y.backward(np.array([1.0, 2.0, 3.0]))
        yield w.grad


def goes_on_outside(make):
    w = weights()
    f = make(lambda x: _squares(w, x))
    for scale in (1.0, 2.0, 3.0):
        loss = f(np.ones(3) * scale)
        with record():
            more = loss * loss + w.sum()
        more.backward()
        yield w.grad, loss


def kept_in_state(make):
    w, held = weights(), {}

    def f(x):
        with record():
            held["loss"] = (w**3 * x).sum()

    f = make(f)
    for scale in (1.0, 2.0, 3.0):
        f(np.ones(3) * scale)
        held["loss"].backward()
        yield w.grad


def written_inside(make):
    w = weights()
    total = np.zeros(3)

    def f(x):
        with record():
            total[:] = w * w * x
        w[:] = w - 1

    f = make(f)
    for scale in (1.0, 2.0, 3.0):
        f(np.ones(3) * scale)
        total.backward()
        yield w.grad, w, total


def looked_at(make):
    w = weights()

    def f(x):
        with record():
            y = (w * x).sum()
            if y > 0:
                return y * 3
            return y * w[0]

    f = make(f)
    for scale in (1.0, -1.0, 2.0, -2.0, 3.0):
        y = f(np.ones(3) * scale)
        y.backward()
        yield y, w.grad


def escaped(make):
    w, log = weights(), []

    def f(x):
        with record():
            y = (w * x).sum()
            log.append(float(y) > 0)
            y = y * y
        return y

    f = make(f)
    for scale in (1.0, -1.0, 2.0, -2.0, 3.0):
        y = f(np.ones(3) * scale)
        y.backward()
        yield y, w.grad, len(log)


def sometimes(make):
    w = weights()

    def f(x, leave):
        with record():
            y = (w * x).sum()
        if not leave:
            y.backward()
        return y

    f = make(f)
    for leave in (False, False, False, True, True, False, True):
        y = f(np.ones(3), leave)
        if leave:
            y.backward()
        yield y, w.grad
        w[:] = w + 1


def sometimes_after_printing(make):
    w = weights()

    def f(x, leave):
        with record():
            y = (w * x).sum()
        print(end=f"{y}"[:0])
        if not leave[0]:
            y.backward()
        return y

    f, leave = make(f), [False]
    for leave[0] in (False, False, False, True, True, False, True):
        y = f(np.ones(3), leave)
        if leave[0]:
            y.backward()
        yield y, w.grad
        w[:] = w + 1


def twice(make):
    w = weights()

    def f(x):
        with record():
            y = (w * w * x).sum()
        y.backward(retain_graph=True)
        return y

    f = make(f)
    for scale in (1.0, 2.0):
        y = f(np.ones(3) * scale)
        yield w.grad
        w.grad[:] = 0
        y.backward()
        yield w.grad
        with pytest.raises(GradientError):
            y.backward()


def updated_inside(make):
    """What a block wrote to weights is on the tape that the next block goes on with."""
    w = weights()

    def step(x):
        with record():
            loss = ((w * x) ** 2).sum()
            loss.backward()
            w[:] = w - 0.1 * w.grad

    step = make(step)
    for call in range(7):
        step(np.ones(3))
        if call % 2:
            yield w, w.grad  # whoever looks at an array changes nothing


def of_what_was_read_only(make):
    held = {}

    def f(x):
        x.attach_grad()
        with record():
            held["y"] = x * 2
        return x

    f = make(f)
    for scale in (1.0, 2.0, 3.0):
        x = f(np.ones(3) * scale)
        yield attempt(x.backward), x.grad
        held.clear()
        yield attempt(x.backward), x.grad


def raised_after(make):
    w, held = weights(), {}

    def f(x):
        with record():
            held["y"] = (w * x).sum()
        raise KeyError(x.shape)

    f = make(f)
    for scale in (1.0, 2.0, 3.0):
        with pytest.raises(KeyError):
            f(np.ones(3) * scale)
        held["y"].backward()
        yield w.grad


def raised_inside(make):
    w, held = weights(), {}

    def f(x):
        try:
            with record():
                held["y"] = (w * x).sum()
                raise KeyError
        except KeyError:
            return x + 1

    f = make(f)
    for scale in (1.0, 2.0, 3.0):
        yield f(np.ones(3) * scale)
        with pytest.raises(GradientError):
            held["y"].backward()
        yield held["y"], w.grad


def derivative_of_what_was_outside(make):
    w = weights()

    def f(y):
        y.backward()
        return w.grad * 2

    f = make(f)
    for scale in (1.0, 2.0, 3.0):
        with record():
            y = (w * w * scale).sum()
        yield f(y), w.grad


def goes_on_inside(make):
    w = weights()

    def f(y, rate):
        with record():
            z = y * y * rate
        z.backward()
        return z

    f = make(f)
    for scale in (1.0, 2.0, 3.0, 4.0):
        with record():
            y = (w * scale).sum()
        yield f(y, scale), w.grad


def replayed_before_something_is_open(make):
    w = weights()

    def step(x, rate):
        with record():
            loss = ((w * x) ** 2).sum()
        loss.backward()
        w[:] = w - rate * w.grad
        return loss

    step = make(step)
    for call in range(6):
        if call == 3:
            with record():
                other = (w * 5).sum()
        yield step(np.ones(3), 0.1), w
        if call == 3:  # the step's own backward ended it
            with pytest.raises(GradientError):
                other.backward()
            yield w.grad
    del other


def open_from_the_start(make):
    w = weights()

    def step(x, rate):
        half = rate / 2
        before = x * half
        with record():
            loss = ((w * before) ** 2).sum()
        loss.backward()
        w[:] = w - rate * w.grad
        return loss, half

    step = make(step)
    for _ in range(3):
        with record():
            other = (w * 5).sum()
        yield step(np.ones(3), 0.1)
        with pytest.raises(GradientError):
            other.backward()
    for _ in range(3):
        yield step(np.ones(3), 0.1), w


def a_grad_inside(make):
    w = weights()

    def f(x):
        def inner(v):
            with record():
                return (v * v * x).sum()

        return dopegraph.grad(inner)(w)

    f = make(f)
    for scale in (1.0, 2.0, 3.0):
        with record():
            other = (w * 5).sum()
        yield f(np.ones(3) * scale)
        other.backward()
        yield w.grad


def two_blocks(make):
    w = weights()

    def f(x):
        with record():
            y = (w * x).sum()
        z = x * 2
        with record():
            y = y * z.sum()
        return y, z

    f = make(f)
    for scale in (1.0, 2.0, 3.0):
        y, z = f(np.ones(3) * scale)
        y.backward()
        yield y, z, w.grad


def a_view(make):
    w = weights()

    def f(x):
        with record():
            y = w * x
        return y[1:]

    f = make(f)
    for scale in (1.0, 2.0, 3.0):
        part = f(np.ones(3) * scale)
        with record():
            s = (part * part).sum()
        try:
            s.backward()
            yield w.grad
        except GradientError:
            yield "constant"


def a_numpy_array(make):
    w, memory = weights(), numpy.zeros(3, numpy.float32)

    def f(x):
        with record():
            y = (w * x).sum()
        return y

    f = make(f)
    for scale in (1.0, 2.0, 3.0):
        y = f(memory + scale)
        with record():
            out = np.asarray(memory)
            out[:] = w * y
        yield numpy.array(memory)
        y.backward()
        yield w.grad


def written_while_open(make):
    """A write, however it is run, ends what `backward` knew of an array."""
    held = {}

    def add():
        held["y"] += 1

    def fill():
        held["y"][...] = 2

    def draw():
        held["y"] += random.random() * 0
        held["y"] *= 2

    for write in (add, fill, draw):
        write = make(write)
        for _ in range(4):
            w = weights()
            with record():
                held["y"] = w * w
                z = held["y"] * 2
            write()
            yield attempt(held["y"].backward), w.grad
            with record():
                y = held["y"] * w
            yield attempt(z.backward), w.grad
            yield attempt(y.backward), w.grad


PROGRAMS = [
    written_while_open,
    returned,
    with_a_float,
    goes_on_outside,
    kept_in_state,
    written_inside,
    looked_at,
    escaped,
    sometimes,
    sometimes_after_printing,
    twice,
    updated_inside,
    of_what_was_read_only,
    raised_after,
    raised_inside,
    derivative_of_what_was_outside,
    goes_on_inside,
    replayed_before_something_is_open,
    open_from_the_start,
    a_grad_inside,
    two_blocks,
    a_view,
    a_numpy_array,
]


def seen(value):
    """What a program yielded, as it is now; unlike results of calls, it may still be traced."""
    if isinstance(value, tuple):
        return [seen(part) for part in value]
    return value.asnumpy().tolist() if isinstance(value, np.ndarray) else str(value).split("\n")[0]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_a_derivative_outside_of_the_call(program):
    expected = [seen(value) for value in program(plainly)]
    nothing_is_open()
    assert [seen(value) for value in program(dopegraph.compile)] == expected
    assert len(expected) > 2


def test_it_is_explained():
    w = weights()
    f = dopegraph.compile(lambda x: _squares(w, x))
    f(np.ones(3)).backward()
    explanation = dopegraph.explain(f)(np.ones(3))
    assert [escape.reason for escape in explanation.escapes] == ["open-tape"]
    assert explanation.escapes[0].location.function == "_squares"
    strict = dopegraph.compile(lambda x: _squares(w, x), fullgraph=True)
    with pytest.raises(GraphBreakError, match="open-tape"):
        strict(np.ones(3))


def test_what_nobody_holds_any_more_is_forgotten():
    w = weights()
    before = len(active.suspended)
    for _ in range(5):
        dopegraph.compile(lambda x: _squares(w, x))(np.ones(3))
    assert len(active.suspended) <= before + 1


def test_a_step_with_its_own_backward_is_replayed():
    w = weights()

    @dopegraph.compile
    def step(x):
        with record():
            loss = _squares(w, x)
        loss.backward()
        w[:] = w - 0.1 * w.grad
        return loss

    for _ in range(4):
        step(np.ones(3))
    assert step.cache_info().replays == 3
    with record():
        other = w * 2
    step(np.ones(3))
    assert step.cache_info().replays == 3  # as Python: `other` was open
    step(np.ones(3))
    assert step.cache_info().replays == 4
    assert other.shape == (3,)


def test_what_nothing_depends_on_is_replayed():
    """Only what depends on arrays with attach_grad needs a derivative."""

    @dopegraph.compile
    def predict(x):
        with record(train_mode=False):
            return np.tanh(x) * 2

    for _ in range(3):
        predict(np.ones(3))
    assert predict.cache_info().replays == 2
