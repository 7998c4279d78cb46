"""Python that cannot be replayed is run as Python; Python that can be, is replayed."""

import contextlib
import copy
import datetime
import functools
import random
import threading
from typing import Any, NamedTuple

import numpy

import dopegraph
import dopegraph.numpy as np
from dopegraph import record
from tests.differential import Compile, arr, attempt, same


@same(replays=2)
def test_a_branch_on_a_value(compile: Compile) -> Any:
    def f(x):
        if x.sum() > 2:
            return x * 2
        return x - 1

    f = compile(f)
    return [f(arr(1, i)) for i in range(4)]


@same(replays=1)
def test_a_loop_on_a_value(compile: Compile) -> Any:
    def f(x):
        while x.sum() < 10:
            x = x * 2
        return x

    f = compile(f)
    return [f(arr(1)), f(arr(3)), f(arr(20)), f(arr(1))]


@same(replays=0)
def test_a_counter(compile: Compile) -> Any:
    n = 0

    def f(x):
        nonlocal n
        n += 1
        return x * n

    f = compile(f)
    return [f(arr(1)) for _ in range(4)] + [n]


@same(replays=2)
def test_a_counter_in_an_attribute(compile: Compile) -> Any:
    class M:
        def __init__(self):
            self.t = 0
            self.m = arr(0)

        def step(self, x):
            self.t += 1
            self.m = 0.9 * self.m + x
            return self.m / (1 - 0.9**self.t)

    m = M()
    f = compile(m.step)
    out = []
    for _ in range(4):
        out += [f(arr(1)), m.t, m.m]
    return out


@same(replays=0, reasons={"python-state"})
def test_a_list_that_grows(compile: Compile) -> Any:
    log = []

    def f(x):
        y = x * 2
        log.append(y)
        return y

    f = compile(f)
    r = [f(arr(i)) for i in range(4)]
    return [*r, log]


@same(replays=0, reasons={"value-escape"})
def test_a_string_of_an_array(compile: Compile) -> Any:
    out = []

    def f(x):
        out.append(str(x * 2))
        return x * 2

    f = compile(f)
    return [f(arr(i)) for i in range(3)] + [out]


@same(replays=0, reasons={"side-effect"})
def test_random_numbers_of_python(compile: Compile) -> Any:
    random.seed(0)

    def f(x):
        return x * random.random()

    f = compile(f)
    return [f(arr(1)) for _ in range(4)]


@same(replays=0, reasons={"unguarded-state"})
def test_random_numbers_of_numpy(compile: Compile) -> Any:
    numpy.random.seed(0)

    def f(x):
        return x * numpy.random.rand()

    f = compile(f)
    r = [f(arr(1)) for _ in range(4)]
    rng = numpy.random.default_rng(0)

    def g(x):
        return x + rng.normal(size=1)

    g = compile(g)
    return r + [g(arr(1)) for _ in range(4)]


@same(replays=0, reasons={"unguarded-state"})
def test_random_numbers_of_numpy_by_another_name(compile: Compile) -> Any:
    r = numpy.random
    r.seed(0)

    def f(x):
        return x * r.rand()

    f = compile(f)
    return len({f(arr(1)).item() for i in range(3)})


@same(replays=0, reasons={"unguarded-state"})
def test_an_imported_random_function(compile: Compile) -> Any:
    from numpy.random import rand

    numpy.random.seed(0)

    def f(x):
        return x * rand()

    f = compile(f)
    return len({f(arr(1)).item() for i in range(3)})


@same(replays=0, reasons={"unguarded-state"})
def test_a_generator_made_inside(compile: Compile) -> Any:
    def f(x):
        return x * numpy.random.default_rng().random()

    f = compile(f)
    return len({f(arr(1)).item() for i in range(3)})


@same(replays=0, reasons={"side-effect"})
def test_a_python_generator_made_inside(compile: Compile) -> Any:
    def f(x):
        return x * random.Random().random()

    f = compile(f)
    return len({f(arr(1)).item() for i in range(3)})


@same(replays=0, reasons={"side-effect"})
def test_the_time(compile: Compile) -> Any:
    seen_ = []

    def f(x):
        return x * (datetime.datetime.now().microsecond + 1)

    f = compile(f)
    for _i in range(3):
        seen_.append(f(arr(1)).shape)
    return seen_


@same(replays=0, reasons={"unguarded-state"})
def test_an_iterator(compile: Compile) -> Any:
    it = iter([1, 2, 3, 4, 5])

    def f(x):
        return x * next(it)

    f = compile(f)
    return [f(arr(1)) for _ in range(4)]


@same(replays=1)
def test_a_generator_inside(compile: Compile) -> Any:
    k = [1.0, 2.0]

    def gen(x):
        for v in k:
            yield x * v

    def f(x):
        return sum(gen(x)), [a for a in gen(x)], {i: a for i, a in enumerate(gen(x))}

    f = compile(f)
    out = [f(arr(1)), f(arr(2))]
    k[1] = 5.0
    out.append(f(arr(2)))
    k.append(1.0)
    out.append(f(arr(2)))
    return out


@same(replays=0, reasons={"unguarded-function"})
def test_a_generator_function(compile: Compile) -> Any:
    def f(x):
        for v in range(3):
            yield x * v

    f = compile(f)
    return [list(f(arr(1))), list(f(arr(2)))]


class Halves(NamedTuple):
    left: Any
    right: Any = 2.0


@same(replays=2)
def test_named_tuples(compile: Compile) -> Any:
    def f(x):
        return Halves(x[:1], x[1:]), Halves(x).left * Halves(x).right, np.linalg.eigh(x[:, None] * x).eigenvalues

    f = compile(f)
    return [f(arr(1, 2)), f(arr(2, 5)), f(arr(3, 1))]


@same(replays=1)
def test_recursion(compile: Compile) -> Any:
    def f(x, n):
        if n == 0:
            return x
        return f(x * 2, n - 1)

    f = compile(f)
    return [f(arr(1), 3), f(arr(1), 2), f(arr(2), 3)]


@same(replays=2)
def test_an_exception_after_a_change(compile: Compile) -> Any:
    class S:
        pass

    s = S()
    s.w = arr(1)
    s.n = 0

    def f(x, fail):
        s.w = s.w + x
        s.w *= 2
        if fail:
            raise ValueError("boom")
        return s.w

    f = compile(f)
    out = []
    for fail in (False, True, False, True, True, False):
        out += [attempt(f, arr(1), fail), s.w]
    return out


@same(replays=2)
def test_a_caught_shape_error(compile: Compile) -> Any:
    def f(x, y):
        try:
            return x @ y
        except ValueError:
            return x * 3

    f = compile(f)
    return [f(arr(1, 2), arr(1, 2)), f(arr(1, 2), arr(1, 2, 3)), f(arr(1, 2), arr(1, 2, 3)), f(arr(1, 2), arr(3, 2))]


@same(replays=0, reasons={"raised"})
def test_an_exception_after_a_list_was_changed(compile: Compile) -> Any:
    s = [arr(1), arr(2)]
    d = {}

    def f(x, fail, lr):
        s[0] = s[0] + x * lr
        d["a"] = lr
        s.append(x * 2)
        if fail:
            raise KeyError("k")
        return s[0]

    f = compile(f)
    out = []
    for fail in (0, 1, 0, 1):
        out += [attempt(f, arr(1), fail, 0.5), s, d, type(d.get("a")).__name__]
    return out


@same(replays=2)
def test_a_caught_index_error(compile: Compile) -> Any:
    w = arr(0)

    def f(x, i):
        nonlocal w
        w = w + 1
        try:
            return np.take(x, i)
        except IndexError:
            return x

    f = compile(f)
    out = []
    for i in (0, 5, 1, 7):
        out += [f(arr(1, 2), np.array([i])), w]

    def g(x, i):
        nonlocal w
        w = w + 1
        return np.take(x, i) * 2

    g = compile(g)
    for i in (0, 5, 1, 7):
        out += [type(attempt(g, arr(1, 2), np.array([i]))).__name__, w]
    return out


@same(replays=0, reasons={"error"})
def test_a_caught_index_error_at_the_first_call(compile: Compile) -> Any:
    def f(x, i):
        try:
            return x[i]
        except IndexError:
            return x

    f = compile(f)
    return [f(arr(1, 2), np.array([i])) for i in (5, 1, 7)]


@same(replays=1)
def test_an_error_of_an_unused_result(compile: Compile) -> Any:
    def f(x, i):
        np.take(x, i)
        return x * 2

    f = compile(f)
    return [type(attempt(f, arr(1, 2), np.array([i]))).__name__ for i in (0, 5, 1, 7)]


@same(replays=1)
def test_an_index_error_after_a_change(compile: Compile) -> Any:
    w = arr(0)

    def f(x, i):
        nonlocal w
        w += 1
        return x[i]

    f = compile(f)
    out = []
    for i in (0, 5, 1):
        out += [type(attempt(f, arr(1, 2), np.array([i]))).__name__, w.copy()]
    return out


@same(replays=0)
def test_a_counter_in_a_function(compile: Compile) -> Any:
    def f(x):
        f0.n += 1
        return x * f0.scale

    f0 = f
    f0.scale = 2.0
    f0.n = 0
    f = compile(f)
    out = [f(arr(1)), f(arr(1)), f0.n]
    f0.scale = 3.0
    f0.n = 0
    return [*out, f(arr(1)), f0.n]


@same(replays=1, reasons={"python-state"})
def test_a_flag_of_a_class(compile: Compile) -> Any:
    class A:
        n = 0

    def f(x):
        A.n = 1
        return x * 2

    f = compile(f)
    out = [f(arr(1)), f(arr(1)), A.n, f(arr(1))]
    A.n = 0
    out += [f(arr(1)), A.n]
    return out


@same(replays=1)
def test_setattr_of_a_computed_name(compile: Compile) -> Any:
    class A:
        pass

    a = A()

    def f(x, i):
        setattr(a, "w" + str(i), x * 2)
        return x

    f = compile(f)
    out = [f(arr(1), 1), f(arr(1), 1), dict(vars(a))]
    a.__dict__.clear()
    return [*out, f(arr(1), 1), dict(vars(a)), f(arr(1), 2), dict(vars(a))]


@same(replays=1)
def test_a_write_into_dict(compile: Compile) -> Any:
    class A:
        pass

    a = A()

    def f(x):
        a.__dict__["q"] = x * 2
        return x

    f = compile(f)
    out = [f(arr(1)), f(arr(1)), dict(vars(a))]
    a.__dict__.clear()
    return [*out, f(arr(1)), dict(vars(a))]


@same(replays=1, reasons={"python-state"})
def test_attributes_come_and_go(compile: Compile) -> Any:
    class A:
        pass

    a = A()
    a.w = arr(1)

    def f(x):
        if hasattr(a, "tmp"):
            del a.tmp
        else:
            a.tmp = x * 2
        return a.w * x

    f = compile(f)
    out = []
    for _ in range(5):
        out += [f(arr(1)), sorted(vars(a))]
    return out


@same(replays=2)
def test_a_context_manager(compile: Compile) -> Any:
    D = [0]

    @contextlib.contextmanager
    def ctx():
        D[0] = 1
        try:
            yield 2.0
        finally:
            D[0] = 0

    def f(x):
        with ctx() as k:
            return x * k * D[0]

    f = compile(f)
    return [f(arr(1)) for _ in range(3)]


@same(replays=1)
def test_a_decorator(compile: Compile) -> Any:
    def deco(g):
        @functools.wraps(g)
        def inner(*a, **k):
            return g(*a, **k) * K[0]

        return inner

    K = [2.0]

    @deco
    def f(x):
        return x + 1

    f = compile(f)
    out = [f(arr(1)), f(arr(1))]
    K[0] = 3.0
    return [*out, f(arr(1))]


@same(replays=3)
def test_closures_made_in_a_loop(compile: Compile) -> Any:
    fs = [compile(lambda x, i=i: x * i) for i in range(3)]
    gs = [compile(lambda x: x * i) for i in range(3)]  # noqa: B023
    return [f(arr(2)) for f in fs + gs + fs]


@same(replays=1)
def test_a_compiled_function_inside_another(compile: Compile) -> Any:
    k = 2
    w = arr(1)

    def g(x):
        nonlocal w
        w = w + x
        return x * k

    g = compile(g)

    def f(x):
        return g(x) + g(x)

    f = compile(f)
    out = [f(arr(1)), w, f(arr(1)), w, g(arr(1)), w]
    k = 3
    return [*out, f(arr(1)), w, g(arr(2)), w]


@same(replays=1)
def test_copies_of_objects(compile: Compile) -> Any:
    class P:
        pass

    p = P()
    p.w = arr(1)
    p.k = 2.0

    def f(x):
        q = copy.deepcopy(p)
        q.w += x
        r = copy.copy(p)
        return q.w * q.k, r.w * r.k

    f = compile(f)
    out = [f(arr(1)), f(arr(1)), p.w]
    p.k = 3.0
    out += [f(arr(1))]
    return out


@same(replays=1)
def test_the_default_dtype_changes(compile: Compile) -> Any:
    def f(x):
        return np.zeros(2) + x, np.array([1, 2]) / x

    f = compile(f)
    out = [f(arr(1))]
    try:
        dopegraph.set_default_dtype("float64")
        out += [f(arr(1, dtype="float32")), f(2)]
    finally:
        dopegraph.set_default_dtype("float32")
    return [*out, f(arr(1))]


@same(replays=2)
def test_the_training_mode_changes(compile: Compile) -> Any:
    def f(x):
        return x * 2 if dopegraph.is_training() else x

    f = compile(f)
    out = [f(arr(1)), f(arr(1))]
    with dopegraph.train_mode():
        out += [f(arr(1))]
    return [*out, f(arr(1))]


@same(replays=3)
def test_the_policy_changes(compile: Compile) -> Any:
    def f(x):
        return x * (2 if dopegraph.current_policy() == "only_numpy" else 3)

    f = compile(f)
    out = []
    for name in ("only_numpy", "only_numpy", "prefer_mxnet", "prefer_mxnet", "only_numpy"):
        with dopegraph.policy(name):
            out.append(f(arr(1)))
    return out


@same(replays=1)
def test_the_policy_inside(compile: Compile) -> Any:
    def f(x):
        with dopegraph.policy("only_numpy"):
            y = x * 2
        return y + 1

    f = compile(f)
    return [f(arr(1)), f(arr(2))]


@same(replays=1)
def test_the_training_mode_inside(compile: Compile) -> Any:
    def f(x):
        with dopegraph.train_mode():
            a = dopegraph.is_training()
        with record(train_mode=False):
            b = dopegraph.is_training()
        return x * (2 if a else 3) * (5 if b else 7)

    f = compile(f)
    return [f(arr(1)), f(arr(2)), dopegraph.is_training()]


@same(replays=2)
def test_the_default_dtype_inside(compile: Compile) -> Any:
    def f(x):
        dopegraph.set_default_dtype("float64")
        y = np.zeros(2)
        dopegraph.set_default_dtype("float32")
        return y + x, np.ones(1)

    f = compile(f)
    return [f(arr(1)), f(arr(2)), f(arr(2))]


@same(replays=0, reasons={"side-effect"})
def test_the_default_dtype_is_left_changed(compile: Compile) -> Any:
    def f(x):
        dopegraph.set_default_dtype("float64")
        return x * 2

    f = compile(f)
    out = []
    for _i in range(3):
        out += [f(arr(1)), str(dopegraph.default_dtype())]
        dopegraph.set_default_dtype("float32")
    return out


@same(replays=3)
def test_our_random_numbers(compile: Compile) -> Any:
    def f(x):
        a = np.random.normal(size=2)
        b = np.random.uniform(size=2)
        return x * a + b

    f = compile(f)
    out = [f(arr(1, 1)) for _ in range(3)]
    np.random.seed(5)
    out += [f(arr(1, 1)), np.random.normal(size=2)]
    return out


@same(replays=2)
def test_a_seed_inside(compile: Compile) -> Any:
    def f(x):
        np.random.seed(3)
        return x * np.random.normal(size=2)

    f = compile(f)
    return [f(arr(1, 1)) for _ in range(3)] + [np.random.normal(size=3)]


@same(replays=157)
def test_threads(compile: Compile) -> Any:
    def f(x, k):
        return (x * k).sum()

    f = compile(f)
    out = [None] * 8

    def run(i):
        r = [f(np.ones(10 + i % 3) * i, float(i)) for _ in range(20)]
        out[i] = r[0].item(), all(q.item() == r[0].item() for q in r)

    ts = [threading.Thread(target=run, args=(i,)) for i in range(8)]
    [t.start() for t in ts]
    [t.join() for t in ts]
    return out


@same(replays=299)
def test_threads_with_states_of_their_own(compile: Compile) -> Any:

    class M:
        def __init__(s):
            s.w = np.zeros(4)

        def step(s, x):
            s.w += x
            return s.w * 1

    def step(m, x):
        return m.step(x)

    step = compile(step)
    ms = [M() for _ in range(6)]

    def run(m):
        for _i in range(50):
            step(m, np.ones(4))

    ts = [threading.Thread(target=run, args=(m,)) for m in ms]
    [t.start() for t in ts]
    [t.join() for t in ts]
    return [m.w for m in ms]
