"""Footguns: what goes wrong without a word where functions are traced once and replayed; here it does not.

Each scenario runs as it is and compiled; values, state and errors must be the same, and those of plain Python. The
string says who is wrong in silence, or where: "jit" stands for jax.jit, "trace" for torch.jit.trace.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
import random
import threading
import types
from collections.abc import Callable
from typing import Any

import numpy
import pytest

import dopegraph
import dopegraph.numpy as np
from tests.differential import Compile, Scenario, arr, assert_same, attempt

FLAG = True
SCALE = 2.0
WEIGHT = np.ones(2)


def footgun(elsewhere: str) -> Callable[[Scenario], Callable[[], None]]:
    """Make a test of a scenario, which returns pairs: what it got, and what Python gives."""
    assert elsewhere.endswith(".")

    def decorate(scenario: Scenario) -> Callable[[], None]:
        def test() -> None:
            assert_same(scenario)
            for got, wanted in scenario(dopegraph.compile):
                if isinstance(got, np.ndarray):
                    got = got.tolist()
                assert got == pytest.approx(wanted), (got, wanted)

        test.__name__, test.__doc__ = scenario.__name__, elsewhere
        return test

    return decorate


# Python values that change between calls -----------------------------------------------------------------------------


@footgun("autograd's const_graph and jit go on with the value of the first call.")
def test_a_closed_over_flag_flips(compile: Compile) -> Any:
    on = True

    @compile
    def f(x: Any) -> Any:
        return x * 2 if on else x

    out = [(f(arr(1)), [2]), (f(arr(3)), [6])]
    on = False
    out += [(f(arr(3)), [3])]
    on = True
    return [*out, (f(arr(4)), [8])]


@footgun("jit and tf.function read globals while tracing, and never again.")
def test_a_global_number_changes(compile: Compile) -> Any:
    global SCALE
    SCALE = 2.0
    f = compile(lambda x: x * SCALE)
    out = [(f(arr(1)), [2]), (f(arr(1)), [2])]
    SCALE = 5.0
    return [*out, (f(arr(1)), [5])]


@footgun("Gluon's hybridize keeps the branch of the first call.")
def test_an_attribute_of_self_changes(compile: Compile) -> Any:
    class Block:
        residual = True

        def __init__(self) -> None:
            self.rate = 0.5

        def step(self, x: Any) -> Any:
            return x * self.rate + (x if self.residual else 0)

    block = Block()
    f = compile(block.step)
    out = [(f(arr(2)), [3]), (f(arr(4)), [6])]
    block.rate = 2.0
    out += [(f(arr(2)), [6])]
    Block.residual = False
    out += [(f(arr(2)), [4])]
    block.residual = True
    return [*out, (f(arr(2)), [6])]


@footgun("jit has the value of the dict's entry from when it traced.")
def test_an_option_in_a_dict_changes(compile: Compile) -> Any:
    options: dict[str, Any] = {"power": 2}
    f = compile(lambda x: x ** options["power"] + len(options))
    out = [(f(arr(3)), [10]), (f(arr(3)), [10])]
    options["power"] = 3
    out += [(f(arr(2)), [9])]
    options["more"] = None
    return [*out, (f(arr(2)), [10])]


@footgun("jit runs the append while tracing only, and what it appends is a leaked tracer.")
def test_a_list_is_appended(compile: Compile) -> Any:
    seen: list[Any] = []

    @compile
    def f(x: Any) -> Any:
        seen.append(x.shape)
        return x * len(seen)

    return [(f(arr(1)), [1]), (f(arr(1)), [2]), (f(arr(1)), [3]), (len(seen), 3)]


@footgun("jit and tf.function count to one.")
def test_a_counter(compile: Compile) -> Any:
    class Adam:
        def __init__(self) -> None:
            self.t = 0

        def step(self, g: Any) -> Any:
            self.t += 1
            return g / (1 - 0.5**self.t)

    adam = Adam()
    f = compile(adam.step)
    return [(f(arr(1)), [2]), (f(arr(3)), [4]), (f(arr(7)), [8]), (adam.t, 3)]


@footgun("jit prints while tracing only.")
def test_something_is_printed(compile: Compile) -> Any:
    @compile
    def f(x: Any) -> Any:
        print("sum", float(x.sum()))
        return x + 1

    out = []
    for i in range(3):
        with contextlib.redirect_stdout(io.StringIO()) as text:
            result = f(arr(i))
        out += [(result, [i + 1]), (text.getvalue(), f"sum {float(i)}\n")]
    return out


@footgun("jit draws once while tracing: the same number in every call.")
def test_random_numbers_of_python_and_numpy(compile: Compile) -> Any:
    random.seed(0)
    numpy.random.seed(0)
    f = compile(lambda x: x * 0 + random.random() + numpy.random.rand())
    found = [f(arr(1)).item() for _ in range(3)]
    random.seed(0)
    numpy.random.seed(0)
    return list(zip(found, [random.random() + numpy.random.rand() for _ in range(3)]))


@footgun("jit with NumPy's generator draws once; here our own are replayed, and are drawn anew each time.")
def test_our_random_numbers_are_drawn_anew(compile: Compile) -> Any:
    np.random.seed(1)
    f = compile(lambda x: x + np.random.uniform(size=2))
    found = [f(arr(0, 0)).tolist() for _ in range(3)]
    np.random.seed(1)
    again = [np.random.uniform(size=2).tolist() for _ in range(3)]
    return [*zip(found, again), (found[0] == found[1], False)]


@footgun("jit evaluates a default once per trace; Python once, and the array lives on.")
def test_a_default_argument_array_is_mutated(compile: Compile) -> Any:
    @compile
    def f(x: Any, total: Any = np.zeros(2)) -> Any:  # noqa: B008
        total += x
        return total * 1

    return [(f(arr(1, 2)), [1, 2]), (f(arr(1, 2)), [2, 4]), (f(arr(0, 1)), [2, 5])]


@footgun("A generator can be gone through once; a trace that unrolled it gives its elements for ever.")
def test_a_generator_is_consumed(compile: Compile) -> Any:
    parts = iter([1.0, 2.0, 3.0, 4.0])
    f = compile(lambda x: x * next(parts))
    given = (k for k in (5.0, 6.0))
    g = compile(lambda x, ks: x * sum(ks))
    return [(f(arr(1)), [1]), (f(arr(1)), [2]), (f(arr(1)), [3]), (g(arr(1), given), [11]), (g(arr(1), given), [0])]


# Arrays that change between calls ------------------------------------------------------------------------------------


@footgun("jit has the weight of the first call for ever, as a constant.")
def test_a_weight_is_rebound(compile: Compile) -> Any:
    global WEIGHT
    WEIGHT = arr(1, 1)
    f = compile(lambda x: (WEIGHT * x).sum())
    out = [(f(arr(1, 2)).item(), 3), (f(arr(1, 2)).item(), 3)]
    WEIGHT = arr(2, 0)
    out += [(f(arr(1, 2)).item(), 2)]
    WEIGHT[1] = 5
    out += [(f(arr(1, 2)).item(), 12)]
    WEIGHT = np.array([1, 2], dtype="int32")
    return [*out, (f(arr(1, 2)).item(), 5)]


@footgun("jit bakes a NumPy array that is closed over into the program.")
def test_a_numpy_array_is_written_to(compile: Compile) -> Any:
    table = numpy.array([1.0, 2.0], dtype="float32")
    f = compile(lambda x: x * table)
    out = [(f(arr(1, 1)), [1, 2]), (f(arr(1, 1)), [1, 2])]
    table[0] = 9
    return [*out, (f(arr(1, 1)), [9, 2])]


@footgun("Compilers that donate or update in place without asking whether two arguments are one write twice.")
def test_the_same_array_is_passed_twice(compile: Compile) -> Any:
    @compile
    def f(x: Any, y: Any) -> Any:
        x += 1
        y *= 2
        return x + y

    a, b = arr(1), arr(2)
    out = [(f(a, b), [6]), (a.tolist(), [2]), (b.tolist(), [4]), (f(a, b), [11])]
    c = arr(1)
    return [*out, (f(c, c), [8]), (c.tolist(), [4]), (f(c, c), [20]), (f(arr(1), arr(2)), [6])]


@footgun("A replay that writes to the base and reads a view as it was is wrong; jit has no views.")
def test_a_view_and_its_base(compile: Compile) -> Any:
    @compile
    def f(x: Any, part: Any) -> Any:
        x *= 2
        return part + 0

    a, b = arr(1, 2, 3), arr(7, 8)
    return [
        (f(a, b), [7, 8]),
        (f(a, a[1:]), [8, 12]),
        (a.tolist(), [4, 8, 12]),
        (f(a, a[1:]), [16, 24]),
        (f(a, b), [7, 8]),
    ]


@footgun("A result that is the state's own memory changes with the next call, where memory is reused.")
def test_results_are_kept(compile: Compile) -> Any:
    state = {"w": arr(0)}

    @compile
    def f(x: Any) -> Any:
        state["w"] = state["w"] + x
        return state["w"]

    kept = [f(arr(1)) for _ in range(4)]
    return [(one, [i + 1]) for i, one in enumerate(kept)] + [(kept[-1] is state["w"], True)]


@footgun("Where arrays cannot be changed, a write to a result is an error; where memory is shared, it ruins the state.")
def test_a_result_is_written_to(compile: Compile) -> Any:
    w = arr(1, 2)
    f = compile(lambda x: (w * 1, w[:1], w))
    copy, part, same = f(arr(0))
    copy += 100
    part += 10
    same[1] = 7
    again = f(arr(0))
    return [(w, [11, 7]), (again[0], [11, 7]), (again[2] is w, True)]


@footgun("jit compiles for the shape; padding to it in silence would count the padding.")
def test_a_shape_shrinks(compile: Compile) -> Any:
    f = compile(lambda x: (x.mean(), len(x), x.shape[0] * 2))
    out = []
    for length in (4, 4, 3, 1, 4):
        mean, n, double = f(np.arange(length) + 1.0)
        out += [(mean.item(), (length + 1) / 2), (n, length), (double, 2 * length)]
    return out


@footgun("A program for float32 that is fed int32 truncates or reads the wrong bytes.")
def test_a_dtype_changes(compile: Compile) -> Any:
    f = compile(lambda x: (x / 2, x // 2))
    out = []
    for dtype in ("float32", "int32", "int32", "float64", "float32"):
        true, floor = f(np.array([3, 5], dtype=dtype))
        out += [(true, [1.5, 2.5]), (floor, [1, 2]), (str(floor.dtype), dtype)]
    return out


@footgun("jit sees 1 and True and 1.0 as it likes; Python's answers differ.")
def test_one_and_true_and_one_point_zero(compile: Compile) -> Any:
    f = compile(lambda x, k: (x * k, type(k).__name__))
    x = np.array([2], dtype="int32")
    out = []
    for k, dtype in ((1, "int32"), (True, "int32"), (1.0, np.array([1], "int32") * 1.0), (1, "int32")):
        found, name = f(x, k)
        wanted = dtype if isinstance(dtype, str) else str(dtype.dtype)
        out += [(found, [2]), (name, type(k).__name__), (str(found.dtype), wanted)]
    return out


@footgun("Batch normalization traced in one mode is silently used in the other: Gluon's and torch.jit.trace's classic.")
def test_the_training_mode(compile: Compile) -> Any:
    f = compile(lambda x: x * 0 if dopegraph.is_training() else x)
    out = [(f(arr(1)), [1]), (f(arr(1)), [1])]
    with dopegraph.train_mode():
        out += [(f(arr(1)), [0]), (f(arr(1)), [0])]
    return [*out, (f(arr(1)), [1])]


# Control flow --------------------------------------------------------------------------------------------------------


@footgun("trace keeps the branch that the example took (with a warning); jit refuses.")
def test_a_branch_on_a_value(compile: Compile) -> Any:
    @compile
    def f(x: Any) -> Any:
        if x.sum() > 0:
            return x * 2
        return -x

    return [(f(arr(1)), [2]), (f(arr(-1)), [1]), (f(arr(2)), [4]), (f(arr(-3)), [3]), (f(arr(numpy.nan)).shape, (1,))]


@footgun("trace unrolls the loop as often as the example did.")
def test_a_loop_until_a_value(compile: Compile) -> Any:
    @compile
    def f(x: Any) -> Any:
        steps = 0
        while x.sum() < 100:
            x = x * 2
            steps += 1
        return x, steps

    return [pair for start, end, n in ((1, 128, 7), (3, 192, 6), (100, 100, 0), (1, 128, 7), (5, 160, 5))
            for found in [f(arr(start))] for pair in ((found[0], [end]), (found[1], n))]  # fmt: skip


@footgun("trace unrolls the range of the example.")
def test_a_range_over_a_value(compile: Compile) -> Any:
    @compile
    def f(x: Any, n: Any) -> Any:
        for i in range(int(n)):
            x = x + i
        return x

    return [(f(arr(0), np.array(n)), [sum(range(n))]) for n in (3, 0, 5, 3, 5)]


@footgun("jit turns the loss into a number only outside; trace keeps the number of the example.")
def test_a_float_of_a_value(compile: Compile) -> Any:
    f = compile(lambda x: x * float(x.max()) + int(x.sum()))
    return [(f(arr(1, 2)), [5, 7]), (f(arr(2, 3)), [11, 14]), (f(arr(1, 2)), [5, 7])]


@footgun("An early return that was not taken in the trace is not there at all.")
def test_an_early_return_and_an_exception(compile: Compile) -> Any:
    log: list[str] = []

    @compile
    def f(x: Any) -> Any:
        try:
            if x[0] > 1:
                raise ValueError("too large")
            return x + 1
        except ValueError as error:
            log.append(str(error))
            return x * 0
        finally:
            log.append("done")

    return [(f(arr(0)), [1]), (f(arr(2)), [0]), (f(arr(0)), [1]), (f(arr(3)), [0]), (log.count("done"), 4),
            (log.count("too large"), 2)]  # fmt: skip


@footgun("jit clamps an index outside the array in silence.")
def test_an_index_out_of_bounds(compile: Compile) -> Any:
    f = compile(lambda x, i: x[i])
    out = []
    for i in (0, 2, 5, 1, -4):
        found = attempt(f, arr(1, 2, 3), np.array(i))
        out.append((isinstance(found, IndexError), i in (5, -4)))
    return out


@footgun("Recursion whose depth is data: trace has that of the example.")
def test_recursion(compile: Compile) -> Any:
    def power(x: Any, n: int) -> Any:
        return x if n == 0 else power(x * 2, n - 1)

    f = compile(power)

    @compile
    def collatz(x: Any) -> Any:
        if x <= 1:
            return 0
        return 1 + collatz(x / 2 if x % 2 == 0 else 3 * x + 1)

    return [(f(arr(1), 3), [8]), (f(arr(1), 2), [4]), (f(arr(3), 3), [24])] + [
        (collatz(np.array(n)), steps) for n, steps in ((6, 8), (7, 16), (6, 8), (1, 0))
    ]


# Functions, objects, errors ------------------------------------------------------------------------------------------


@footgun("A cache that is keyed by the function alone gives one object's answer for another's.")
def test_a_decorated_method_on_two_instances(compile: Compile) -> Any:
    class Layer:
        def __init__(self, w: Any) -> None:
            self.w = w
            self.calls = arr(0)

        @compile
        def run(self, x: Any) -> Any:
            self.calls += 1
            return self.w * x

    a, b = Layer(arr(2)), Layer(arr(3))
    out = [(a.run(arr(1)), [2]), (b.run(arr(1)), [3]), (a.run(arr(5)), [10]), (b.run(arr(5)), [15])]
    a.w = arr(7)
    return [*out, (a.run(arr(1)), [7]), (a.calls, [3]), (b.calls, [2])]


@footgun("An inner compiled function that is traced into the outer one loses what changes later.")
def test_a_nested_compile(compile: Compile) -> Any:
    scale = 2.0

    @compile
    def inner(x: Any) -> Any:
        return x * scale

    @compile
    def outer(x: Any) -> Any:
        return inner(x) + inner(x + 1)

    out = [(outer(arr(1)), [6]), (inner(arr(1)), [2]), (outer(arr(1)), [6])]
    scale = 3.0
    return [*out, (outer(arr(1)), [9]), (inner(arr(1)), [3])]


@footgun("A function that is replaced behind a name is still the old one in the trace.")
def test_a_helper_is_replaced(compile: Compile) -> Any:
    space = types.SimpleNamespace(activation=np.tanh)
    f = compile(lambda x: space.activation(x))
    out = [(f(arr(0)), [0]), (f(arr(0)), [0])]
    space.activation = np.exp
    out += [(f(arr(0)), [1])]
    space.activation = lambda x: x + 5
    return [*out, (f(arr(0)), [5])]


@footgun("A first trace that failed must leave nothing behind: no half a cache, no open recording.")
def test_a_failed_first_trace_is_followed_by_a_good_one(compile: Compile) -> Any:
    w = arr(0)

    @compile
    def f(x: Any, y: Any) -> Any:
        w[...] = w + 1
        return x @ y

    out = [(isinstance(attempt(f, arr(1, 2), arr(1, 2, 3)), ValueError), True), (w.tolist(), [1])]
    out += [(f(arr(1, 2), arr(3, 4)).item(), 11), (f(arr(1, 2), arr(3, 4)).item(), 11), (w.tolist(), [3])]
    return [*out, (isinstance(attempt(f, arr(1, 2), arr(1, 2, 3)), ValueError), True), (w.tolist(), [4])]


@footgun("jit leaves tracers behind in the state when the traced function raises.")
def test_an_exception_inside_a_trace(compile: Compile) -> Any:
    state = types.SimpleNamespace(w=arr(1), log=[])

    @compile
    def f(x: Any, fail: bool) -> Any:
        state.w = state.w + x
        if fail:
            raise RuntimeError("stop")
        return state.w * 2

    out = [(str(attempt(f, arr(1), True)), "stop"), (state.w, [2]), (state.w + 1, [3])]
    out += [(f(arr(1), False), [6]), (f(arr(1), False), [8])]
    return [*out, (str(attempt(f, arr(1), True)), "stop"), (state.w, [5])]


@footgun("jit cannot see that a dataclass of state was exchanged for another.")
def test_a_dataclass_is_exchanged(compile: Compile) -> Any:
    @dataclasses.dataclass
    class Config:
        w: Any
        bias: bool = False

    holder = [Config(arr(1))]
    f = compile(lambda x: holder[0].w * x + (1 if holder[0].bias else 0))
    out = [(f(arr(2)), [2]), (f(arr(2)), [2])]
    holder[0] = Config(arr(5), True)
    out += [(f(arr(2)), [11])]
    holder[0].bias = False
    return [*out, (f(arr(2)), [10])]


@footgun("A dict's entries come in the order they were put in, and a trace has that of its first call.")
def test_the_order_of_a_dict(compile: Compile) -> Any:
    f = compile(lambda d: [key for key in d] + [sum(value * 10**i for i, value in enumerate(d.values())).item()])
    a, b = np.array(1.0), np.array(2.0)
    return [(f({"a": a, "b": b})[:2], ["a", "b"]), (f({"a": a, "b": b})[2], 21), (f({"b": b, "a": a})[:2], ["b", "a"]),
            (f({"b": b, "a": a})[2], 12)]  # fmt: skip


@footgun("None that becomes an array: the trace without a state is replayed when there is one.")
def test_none_becomes_an_array(compile: Compile) -> Any:
    class Cell:
        h: Any = None

        def step(self, x: Any) -> Any:
            self.h = x if self.h is None else self.h * 0.5 + x
            return self.h

    cell = Cell()
    f = compile(cell.step)
    out = [(f(arr(4)), [4]), (f(arr(4)), [6]), (f(arr(4)), [7])]
    cell.h = None
    return [*out, (f(arr(4)), [4]), (f(arr(4)), [6])]


@footgun("An in-place update of an argument is lost where arrays cannot be changed.")
def test_an_argument_is_updated_in_place(compile: Compile) -> Any:
    @compile
    def sgd(params: Any, grads: Any, lr: float) -> None:
        for p, g in zip(params, grads):
            p -= lr * g

    a, b = arr(1, 2), arr(3)
    for lr in (0.5, 0.5, 0.25):
        sgd([a, b], [arr(1, 1), arr(2)], lr)
    return [(a, [-0.25, 0.75]), (b, [0.5])]


@footgun("Gradients through a branch: autograd's const_graph differentiates the first one's.")
def test_gradients_of_a_branch(compile: Compile) -> Any:
    def loss(x: Any) -> Any:
        return (x * x).sum() if x.sum() > 0 else (3 * x).sum()

    f = compile(dopegraph.grad(loss))
    return [(f(arr(1, 2)), [2, 4]), (f(arr(-1, -2)), [3, 3]), (f(arr(2, 3)), [4, 6]), (f(arr(-1, 0)), [3, 3])]


@footgun("Gradients that are added up (grad_req) and cleared by hand are state like any other.")
def test_gradients_that_add_up(compile: Compile) -> Any:
    w = arr(1, 2)
    w.attach_grad("add")

    @compile
    def f(x: Any) -> Any:
        with dopegraph.record():
            z = (w * w * x).sum()
        z.backward()
        return w.grad * 1

    out = [(f(arr(1, 1)), [2, 4]), (f(arr(1, 1)), [4, 8]), (f(arr(1, 1)), [6, 12])]
    w.grad[:] = 0
    return [*out, (f(arr(1, 1)), [2, 4]), (w.grad, [2, 4])]


@footgun("A compiled function called from several threads mixes their states where its buffers are shared.")
def test_threads(compile: Compile) -> Any:
    f = compile(lambda x, k: (x * k if x.sum() > 0 else x - k).sum())
    found: list[Any] = [None] * 4

    def work(number: int) -> None:
        found[number] = [f(np.ones(3) * sign, float(number)).item() for sign in (1, -1) * 10]

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [(one, [3.0 * n, -3 - 3.0 * n] * 10) for n, one in enumerate(found)]


# The book and MinPy --------------------------------------------------------------------------------------------------


@footgun("The autograd chapter: hybridize refuses, a trace would have one of the two branches.")
def test_the_control_flow_of_the_book(compile: Compile) -> Any:
    @compile
    def f(a: Any, head: Any) -> Any:
        a = a + 0
        a.attach_grad()
        with dopegraph.record():
            b = a * 2
            while np.sqrt((b * b).sum()) < 1000:
                b = b * 2
            c = b if b.sum() > 0 else 100 * b
        c.backward(head)
        return a.grad

    a, head = arr(-0.67765152, 0.03629481, 0.10073948), arr(0.01, 1.0, 0.1)
    printed, other = [2048, 204800, 20480], [20.48, 2048, 204.8]  # the other: the branch that the book does not take
    return [(f(a, head), printed), (f(-a, head), other), (f(a, head), printed), (f(-a, head), other)]


@footgun("The perceptron: whether it updates hangs on each example.")
def test_the_perceptron_of_the_book(compile: Compile) -> Any:
    w, b = np.zeros(2), np.zeros(1)

    @compile
    def step(x: Any, y: Any) -> Any:
        nonlocal w, b
        if (np.dot(w, x) + b) * y <= 0:
            w = w + y * x
            b = b + y
            return 1
        return 0

    seen = [
        ([0.57595438, -0.95017916], -1.0, [-0.57595438, 0.95017916], -1.0),
        ([-0.3469252, 0.03751944], 1.0, [-0.92287958, 0.98769861], 0.0),
        ([-1.80471897, -2.04010558], 1.0, [-2.72759867, -1.05240703], 1.0),
        ([0.60334933, -1.08074296], -1.0, [-3.33094788, 0.02833593], 0.0),
    ]
    out = []
    for data, label, weight, bias in seen:
        updated = step(np.array(data), np.array([label]))
        out += [(updated, 1), (w.copy(), weight), (b.copy(), [bias])]
        out += [(step(np.array(data), np.array([label])), 0)]  # it is right now
    return out


@footgun("MinPy's README: which of the two is taken is decided at each call, and so is the derivative.")
def test_foo_of_the_readme_of_minpy(compile: Compile) -> Any:
    def foo(x: Any) -> Any:
        return np.log(x) if x > 1 else x**2

    value, slope = compile(foo), compile(dopegraph.grad(foo))
    out = []
    for x in (2.0, 0.5, 4.0, -1.5):
        x_ = np.array(x)
        out += [(value(x_).item(), numpy.log(x) if x > 1 else x * x), (slope(x_).item(), 1 / x if x > 1 else 2 * x)]
    return out
