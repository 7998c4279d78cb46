"""Derivatives that are found by structure are those of what was recorded, whatever differs between two recordings."""

from __future__ import annotations

import gc
import threading
import warnings

import numpy
import pytest

import dopegraph
import dopegraph.numpy as np
from dopegraph import ops, programs
from dopegraph.ir import Builder, TensorType
from dopegraph.ir import path as paths
from dopegraph.ir.path import PathBuilder, attributes_key

F4 = TensorType("f32", (4,))
F22 = TensorType("f32", (2, 2))


@pytest.fixture(autouse=True)
def only_numpy():
    with dopegraph.policy("only_numpy"):
        yield


def arr(*values):
    return np.array(numpy.array(values, "float32"))


def compiled_by(function):
    """How many programs a call compiles."""
    before = programs.compiled
    function()
    return programs.compiled - before


# The builder ----------------------------------------------------------------------------------------------------------


def emit(builder):
    x, y = builder.input(F22, "x"), builder.input(F22)
    with builder:
        q, r = ops.qr(x)
        z = ops.add(q, ops.matmul(r, y)) * 2.0
        return ops.sum(z, axes=(1,), keepdims=True)


def described(nodes):
    """Nodes in a form that can be compared."""
    number = {}
    found = []
    for node in nodes:
        for value in (*node.inputs, *node.outputs):
            number.setdefault(value, len(number))
        found.append(
            (node.op, dict(node.attrs), [number[v] for v in node.inputs], [(number[v], v.type) for v in node.outputs])
        )
    return found


def test_a_path_has_the_nodes_of_a_plain_builder():
    anchor = object()
    plain = Builder()
    emit(plain)
    for _ in range(3):
        builder = PathBuilder(anchor=anchor)
        last = emit(builder)
        assert builder.size == len(plain.nodes)
        assert described(builder.nodes) == described(plain.nodes)
        assert last.node is builder.nodes[-1]
        assert last.node.outputs == (last,)
        assert all(value.node is node for node in builder.nodes for value in node.outputs)


def test_equal_paths_end_at_one_step_and_others_do_not():
    anchor = object()

    def end(number, anchor=anchor, type=F4):
        builder = PathBuilder(anchor=anchor)
        x = builder.input(type)
        with builder:
            builder.emit(ops.full, (), {"value": number, "shape": (), "dtype": numpy.dtype("float32")})
            ops.exp(x)
        return builder.step

    assert end(1.0) is end(1.0)
    different = [end(1.0), end(2.0), end(0.0), end(-0.0), end(1.0, object()), end(1.0, type=F22)]
    assert len(set(map(id, different))) == len(different)


def test_attributes_that_are_equal_to_python_but_not_the_same():
    values = [
        1, 1.0, True, 0, 0.0, -0.0, False, None, "1", (1,), (1.0,), (True,), (0.0,), (-0.0,), (), ((),), ((1,),),
        1 + 0j, numpy.dtype("float32"), numpy.dtype("float64"), "float32", numpy.ones(1), numpy.ones((1, 1)),
    ]  # fmt: skip
    keys = [attributes_key({"value": value}) for value in values]
    assert len(set(keys)) == len(keys)
    assert attributes_key({"value": float("nan")}) == attributes_key({"value": float("nan")})
    assert attributes_key({"a": 1, "b": 2}) != attributes_key({"a": 2, "b": 1})


def test_a_value_of_another_builder_ends_the_path():
    builder, other = PathBuilder(), PathBuilder()
    x, y = builder.input(F4), other.input(F4)
    with builder:
        z = ops.add(ops.exp(x), y)
    assert builder.step is None
    assert [node.op.name for node in builder.nodes] == ["exp", "add"]
    assert z.node.inputs[1] is y
    assert builder.numbers([x]) is None


def test_a_value_of_nowhere_ends_an_empty_path():
    builder = PathBuilder()
    with builder:
        ops.exp(Builder().input(F4))
    assert builder.step is None
    assert builder.size == 1


def test_what_is_refused_leaves_no_step():
    builder = PathBuilder(anchor=object())
    x, y = builder.input(F4), builder.input(F22)
    step = builder.step
    for _ in range(2):
        with builder, pytest.raises(ValueError):
            ops.matmul(x, ops.reshape(y, shape=(3,)))
    assert not step.following


def test_the_tree_is_forgotten_when_it_is_large(monkeypatch):
    monkeypatch.setattr(paths, "LIMIT", 20)
    f = dopegraph.grad(lambda x, n: (x * float(n)).sum())
    for n in range(30):
        assert f(arr(1, 2), n).tolist() == [n, n]
    assert paths._tree.size <= 25


# Derivatives ----------------------------------------------------------------------------------------------------------


def test_a_second_call_compiles_nothing_and_is_about_other_numbers():
    f = dopegraph.value_and_grad(lambda w, x: ((w * x) ** 2).sum())
    assert f(arr(1, 2), arr(3, 4))[1].tolist() == [18, 64]
    assert compiled_by(lambda: f(arr(1, 1), arr(1, 2))) == 0
    value, gradient = f(arr(1, 1), arr(1, 2))
    assert value == 5
    assert gradient.tolist() == [2, 8]


def test_constants_flags_and_shapes_that_change():
    state = {"factor": 2.0, "square": True}

    def loss(x):
        y = x * state["factor"]
        return (y * y if state["square"] else y).sum()

    f = dopegraph.grad(loss)
    for _ in range(2):
        for factor in (2.0, 3.0, 0.0, -0.0, 1, True):
            for square in (True, False):
                state.update(factor=factor, square=square)
                expected = 2 * factor**2 if square else factor
                assert f(arr(1, 1)).tolist() == [expected, expected]
                assert f(arr(1, 1, 1)).tolist() == [expected] * 3


def test_a_value_that_python_looks_at():
    def loss(x):
        y = (x * x).sum()
        return y * 2 if float(y) > 1 else y * 3

    f = dopegraph.grad(loss)
    for _ in range(3):
        assert f(arr(1, 2)).tolist() == [4, 8]
        assert f(arr(0.5, 0)).tolist() == [3, 0]


def test_what_else_is_held_is_computed_too():
    kept = []

    def loss(x, keep):
        y = np.exp(x)
        if keep:
            kept.append(y)
        return y.sum()

    f = dopegraph.grad(loss)
    for _ in range(3):
        assert f(arr(0, 0), False).tolist() == [1, 1]
        assert f(arr(0, 0), True).tolist() == [1, 1]
    assert [one.tolist() for one in kept] == [[1, 1]] * 3


def test_other_variables():
    def loss(x, y):
        return (x * y * y).sum()

    x, y = arr(2), arr(3)
    for _ in range(2):
        assert dopegraph.grad(loss, 0)(x, y).tolist() == [9]
        assert dopegraph.grad(loss, 1)(x, y).tolist() == [12]
        assert [g.tolist() for g in dopegraph.grad(loss, (1, 0))(x, y)] == [[12], [9]]
        assert dopegraph.grad(lambda x, y: loss(x, dopegraph.stop_gradient(y)), 1)(x, y).tolist() == [0]


def test_results_share_no_memory():
    f = dopegraph.value_and_grad(lambda x, y: ((x * y).sum(), (x, y)), argnums=(0, 1), has_aux=True)
    x, y = arr(1, 2), arr(3, 4)
    for _ in range(3):
        (_, aux), (gx, gy) = f(x, y)
        for one in (*aux, gx, gy):
            one += 100
        assert (x.tolist(), y.tolist()) == ([1, 2], [3, 4])
        assert aux[0].tolist() == [101, 102]
        assert (gx.tolist(), gy.tolist()) == ([103, 104], [101, 102])


def test_one_array_for_two_variables():
    f = dopegraph.grad(lambda x, y: (x * y).sum(), (0, 1))
    x = arr(3)
    for _ in range(2):
        gx, gy = f(x, x)
        gx += 1
        assert (gx.tolist(), gy.tolist(), x.tolist()) == ([4], [3], [3])


def test_a_variable_that_is_written_to():
    def loss(x):
        x += 1
        return (x * x).sum()

    x = arr(1)
    for _ in range(2):
        assert dopegraph.grad(loss)(x).tolist() == [4]
        assert x.tolist() == [1]


def test_an_array_of_the_closure_that_is_written_to():
    total = arr(0)

    def loss(x):
        total[:] = total + x
        return (x * total).sum()

    f = dopegraph.grad(loss)
    for n in (1, 2, 3):
        assert f(arr(1)).tolist() == [n + 1]
        assert total.tolist() == [n]


def test_numbers_are_inputs():
    f = dopegraph.grad(lambda x: x**3)
    f(1.0)
    assert compiled_by(lambda: [f(float(n)) for n in range(5)]) == 0
    assert f(2.0) == 12
    assert f(numpy.float64(3)).dtype == "float64"
    assert f(numpy.float64(3)) == 27


def test_numbers_that_change_in_every_call_become_inputs():
    def loss(x, factor):
        return (x * factor + 0.5).sum() * factor

    f = dopegraph.grad(loss)
    assert compiled_by(lambda: [f(arr(1), float(n)) for n in range(10)]) <= 5
    assert [f(arr(1), factor).tolist() for factor in (3.0, -0.0, float("inf"))] == [[9], [0], [float("inf")]]
    x = arr(1)
    x.attach_grad()

    def step(factor):
        with dopegraph.record():
            y = (x * factor).sum()
        y.backward()
        return x.grad.tolist()

    assert [step(float(n)) for n in range(10)] == [[n] for n in range(10)]
    assert compiled_by(lambda: [step(float(n)) for n in range(20, 30)]) == 0


def test_the_configuration_counts():
    f = dopegraph.grad(lambda x: (np.ones(2) * x).sum())
    for dtype in ("float32", "float64", "float32"):
        dopegraph.set_default_dtype(dtype)
        try:
            assert f(2.0).dtype == dtype
        finally:
            dopegraph.set_default_dtype("float32")
    drop = dopegraph.grad(
        lambda x: (x * (np.random.uniform(size=100) > 0.5)).sum() if dopegraph.is_training() else x.sum()
    )
    x = np.ones(100)
    assert set(drop(x).tolist()) == {1}
    with dopegraph.train_mode():
        assert set(drop(x).tolist()) == {0, 1}
        assert drop(x).tolist() != drop(x).tolist()  # drawn anew
    assert set(drop(x).tolist()) == {1}


def test_nodes_have_the_lines_of_their_own_function():
    def first(x):
        return np.exp(x).sum()

    def second(x):
        return (np.exp(x) * 3).sum()

    for function in (first, second):
        programs.clear()
        for _ in range(2):
            dopegraph.grad(function)(arr(1, 2))
        (program,) = programs.programs()
        functions = {node.location.function for node in program.source.nodes}
        assert functions & {"first", "second"} == {function.__name__}


def test_nested_derivatives_and_derivatives_in_compile():
    cube = dopegraph.grad(dopegraph.grad(lambda x: (x**3).sum() if x.shape else x**3))
    compiled = dopegraph.compile(cube)
    for x in (1.0, 2.0, 3.0):
        assert cube(x) == 6 * x
        assert compiled(x) == 6 * x


def test_a_rule_of_the_users_is_asked_every_time():
    calls = []

    @dopegraph.custom_vjp
    def double(x):
        return x * 2

    def backward(residuals, g):
        calls.append(1)
        return (g * len(calls),)

    double.defvjp(lambda x: (x * 2, ()), backward)
    f = dopegraph.grad(lambda x: double(x).sum())
    assert [f(arr(1)).tolist() for _ in range(3)] == [[1], [2], [3]]


def test_threads():
    f = dopegraph.grad(lambda x, n: (x * x * n).sum())
    wrong = []

    def work(seed):
        for n in range(60):
            x = float((n + seed) % 7)
            if f(arr(x), n % 5).tolist() != [2 * x * (n % 5)]:
                wrong.append((seed, n))

    workers = [threading.Thread(target=work, args=(seed,)) for seed in range(3)]
    for one in workers:
        one.start()
    for one in workers:
        one.join()
    assert not wrong


def test_recordings_leave_no_cycles():
    f = dopegraph.value_and_grad(lambda x: np.exp(x).sum())
    x = arr(1, 2)
    x.attach_grad()

    def book():
        with dopegraph.record():
            y = np.exp(x).sum()
        y.backward()

    for step in (lambda: f(x), book):
        step()
        gc.collect()
        gc.disable()
        try:
            for _ in range(5):
                step()
            assert gc.collect() < 20
        finally:
            gc.enable()


# record and backward --------------------------------------------------------------------------------------------------


def test_a_loop_of_the_book_compiles_once():
    w, x = arr(1, 2), arr(3, 4)
    w.attach_grad()

    def step(scale):
        with dopegraph.record():
            y = (w * x * scale).sum()
        y.backward()
        w[:] = w - 0.5 * w.grad
        return float(y)

    assert step(1.0) == 11
    assert compiled_by(lambda: step(1.0)) == 0
    assert step(2.0) == 2 * float(((arr(1, 2) - 0.5 * 2 * x) * x).sum())
    assert w.grad.tolist() == [6, 8]


def test_requests_heads_and_blocks_that_differ():
    x = arr(1, 2)
    for _ in range(2):
        for request, expected in (("write", [2, 4]), ("add", [4, 8]), ("add", [4, 8])):
            x.attach_grad(request)
            for _ in range(2):
                with dopegraph.record():
                    y = x * x
                y.backward()
            assert x.grad.tolist() == expected
        x.attach_grad()
        for head in (arr(1, 10), arr(2, 0)):
            with dopegraph.record():
                y = x * x
            y.backward(head)
            assert x.grad.tolist() == (2 * x * head).tolist()
        with dopegraph.record():
            y = x * x
        z = y * 3
        with dopegraph.record():
            y = (y + z) * x
        y.backward()
        assert x.grad.tolist() == (6 * x * x).tolist()  # z is constant: y * x + z * x, of which y = x * x
        with dopegraph.record():
            y = (x * x + x * x * 3) * x
        y.backward()
        assert x.grad.tolist() == (12 * x * x).tolist()


def test_what_is_not_read_keeps_its_gradient():
    x, y = arr(1), arr(1)
    x.attach_grad()
    y.attach_grad()
    for both in (True, False, True, False):
        x.grad[:] = 7
        y.grad[:] = 7
        with dopegraph.record():
            z = x * 2 + (y * 3 if both else dopegraph.stop_gradient(y))
        z.backward()
        assert (x.grad.tolist(), y.grad.tolist()) == ([2], [3] if both else [7])


def test_a_gradient_that_is_looked_at_through_a_view_or_used_in_the_recording():
    x = arr(1, 2)
    x.attach_grad()
    part = x.grad[:1]
    for n in (1.0, 2.0, 3.0):
        with dopegraph.record():
            y = (x * n + x.grad).sum()
        y.backward()
        assert part.tolist() == [n]
        assert x.grad.tolist() == [n, n]


def test_no_warning_is_lost_or_made():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        f = dopegraph.grad(lambda x: np.log(x).sum())
        for _ in range(2):
            assert numpy.isinf(f(arr(0)).asnumpy())
