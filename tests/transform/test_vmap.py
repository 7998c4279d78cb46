"""`vmap` equals a loop: alone, in itself, around and inside derivatives, compiled and not, on NumPy and on MXNet."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import numpy
import pytest

import dopegraph
import dopegraph.numpy as np
from dopegraph import checkpoint, custom_vjp, grad, hessian, jacobian, jvp, nn, value_and_grad, vjp, vmap
from dopegraph.runtime.errors import (
    AxisError,
    BatchingError,
    GradientError,
    GraphBreakError,
    ShapeError,
    StructureError,
)
from dopegraph.trace import active_recording
from dopegraph.trace.tree import flatten

Function = Callable[..., Any]

RANDOM = numpy.random.default_rng(0)
X = RANDOM.uniform(-1, 1, (4, 3))
Y = RANDOM.uniform(-1, 1, (4, 3))
W = RANDOM.uniform(-1, 1, (3, 3))


@pytest.fixture(autouse=True)
def float64() -> Iterator[None]:
    before = dopegraph.default_dtype()
    dopegraph.set_default_dtype("float64")
    yield
    dopegraph.set_default_dtype(before)


def close(found: Any, expected: Any, rtol: float = 1e-9, atol: float = 1e-9) -> None:
    """Two structures of arrays are nearly equal."""
    (left, shape), (right, other) = flatten(found), flatten(expected)
    assert shape == other
    for (_, x), (_, y) in zip(left, right):
        y = numpy.asarray(y)
        assert (x.shape, x.dtype) == (y.shape, y.dtype)
        numpy.testing.assert_allclose(numpy.asarray(x), y, rtol, atol)


def loop(function: Function, in_axes: Any = 0, out_axes: int = 0) -> Function:
    """What `vmap` is to give, example by example."""

    def looped(*args: Any) -> Any:
        axes = in_axes if isinstance(in_axes, tuple) else (in_axes,) * len(args)
        size = next(arg.shape[axis] for arg, axis in zip(args, axes) if axis is not None)
        found = []
        for number in range(size):
            one = [
                arg if axis is None else arg[(slice(None),) * (axis % arg.ndim) + (number,)]
                for arg, axis in zip(args, axes)
            ]
            found.append(flatten(function(*one)))
        structure = found[0][1]
        columns = zip(*[[leaf for _, leaf in leaves] for leaves, _ in found])
        return structure.build([np.stack([np.asarray(one) for one in column], out_axes) for column in columns])

    return looped


def everywhere(function: Function, *args: Any, policies: tuple[str, ...] = ("only_numpy", "prefer_mxnet")) -> Any:
    """A function's result: the same as Python and compiled, replayed, on both policies."""
    with dopegraph.policy("only_numpy"):
        expected = function(*args)
    for policy in policies:
        with dopegraph.policy(policy):
            compiled = dopegraph.compile(function)
            for _ in range(2):
                close(compiled(*args), expected)
        assert compiled.plans[0].__class__.__name__ == "ReplayPlan", compiled.plans[0].escapes
        assert compiled.plans[0].calls == 1
    return expected


# Functions of two arrays of three numbers ----------------------------------------------------------------------------


def elementwise(x: Any, y: Any) -> Any:
    return np.sin(x) * np.exp(-y) + x**3


def product(x: Any, y: Any) -> Any:
    return np.tanh(x @ np.array(W)) @ y


def outer(x: Any, y: Any) -> Any:
    return np.cumsum(np.outer(x, y), axis=0) @ x


def containers(x: Any, y: Any) -> Any:
    return {"sum": x.sum() * y, "rest": [x * 2.0, (y[0] * x[1],)]}


def writing(x: Any, y: Any) -> Any:
    z = np.zeros(5)
    z[:3] = x * y
    z[1:4] += y
    part = z[::2]
    part *= x[0]
    z[-1] = 7
    return z


def reading(x: Any, y: Any) -> Any:
    places = np.argsort(y)
    z = x[places] * y[np.argmax(x)]
    return np.where(x > 0, z, -x) + np.sort(y)[::-1] + x[np.array([2, 0, 2])]


def statistics(x: Any, y: Any) -> Any:
    return np.exp(x - x.max()) / np.exp(x - x.max()).sum() + x.std() * y.mean() + np.median(y)


def branching(x: Any, y: Any) -> Any:
    for number in range(3):
        x = x * y if number % 2 else x + y.shape[0]
    return x


def systems(x: Any, y: Any) -> Any:
    a = np.outer(x, x) + np.eye(3)
    return np.linalg.solve(a, y) + np.linalg.det(a) + np.linalg.inv(a) @ y + np.linalg.cholesky(a)[2]


def convolutions(x: Any, y: Any) -> Any:
    return np.convolve(x, y) + np.convolve(x, np.array([0.5, -1.0, 2.0]))


def spectra(x: Any, y: Any) -> Any:
    return np.abs(np.fft.rfft(x * y)) ** 2 + np.fft.ifft(np.fft.fft(x)).real[:2]


def remembering(x: Any, y: Any) -> Any:
    return checkpoint(outer)(x, y) * y


@custom_vjp
def custom(x: Any, y: Any) -> Any:
    return x * y


# Not the derivative of the product, so that it shows whose rule is used.
custom.defvjp(lambda x, y: (x * y, (x, y)), lambda saved, g: (g * saved[1] * 3, g * saved[0] ** 2))


def with_custom(x: Any, y: Any) -> Any:
    return np.sin(custom(np.cos(x), y)) + custom(y, np.array([1.0, 2.0, 3.0]))


FUNCTIONS = [
    elementwise, product, outer, containers, writing, reading, statistics, branching, systems, convolutions, spectra,
    remembering, with_custom,
]  # fmt: skip
# MXNet takes long to compile large graphs.
SMALL = (elementwise, product, writing, with_custom)

of_functions = pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)


def policies_for(function: Function) -> tuple[str, ...]:
    return ("only_numpy", "prefer_mxnet") if function in SMALL else ("only_numpy",)


def total(function: Function) -> Function:
    """A function whose value is one number."""
    return lambda *args: sum((leaf * leaf).sum() for _, leaf in flatten(function(*args))[0])


@of_functions
@pytest.mark.parametrize("in_axes", [0, (0, None), (None, 0), (1, 0), (-1, -2)], ids=str)
def test_it_is_a_loop(function: Function, in_axes: Any) -> None:
    axes = in_axes if isinstance(in_axes, tuple) else (in_axes, in_axes)
    args = [np.array(one[0] if axis is None else one.T if axis in (1, -1) else one) for one, axis in zip((X, Y), axes)]
    expected = loop(function, in_axes)(*args)
    close(vmap(function, in_axes)(*args), expected)
    policies = ("only_numpy", "prefer_mxnet") if in_axes == 0 else ("only_numpy",)
    everywhere(vmap(function, in_axes), *args, policies=policies)


@of_functions
@pytest.mark.parametrize("in_axes", [0, (0, None), (None, 0)], ids=str)
def test_gradients_inside_are_those_of_each_example(function: Function, in_axes: Any) -> None:
    args = [np.array(one if in_axes == 0 or in_axes[place] == 0 else one[0]) for place, one in enumerate((X, Y))]
    for argnums in (0, 1, (0, 1)):
        of_example = grad(total(function), argnums)
        found = everywhere(vmap(of_example, in_axes), *args, policies=policies_for(function))
        close(found, loop(of_example, in_axes)(*args))
    close(vmap(value_and_grad(total(function)), in_axes)(*args), loop(value_and_grad(total(function)), in_axes)(*args))


@of_functions
@pytest.mark.parametrize("in_axes", [0, (0, None), (None, 0)], ids=str)
def test_gradients_around_are_those_of_the_loop(function: Function, in_axes: Any) -> None:
    args = [np.array(one if in_axes == 0 or in_axes[place] == 0 else one[0]) for place, one in enumerate((X, Y))]
    around = grad(total(vmap(function, in_axes)), (0, 1))
    found = everywhere(around, *args, policies=policies_for(function))
    close(found, grad(total(loop(function, in_axes)), (0, 1))(*args))


@of_functions
def test_derivatives_of_any_kind_inside_and_around(function: Function) -> None:
    x, y = np.array(X), np.array(Y)

    def directional(x: Any, y: Any) -> Any:
        return jvp(function, (x, y), (y, x))

    def pulled(x: Any, y: Any) -> Any:
        value, pullback = vjp(function, x, y)
        return pullback(value)

    for transformed in (directional, pulled, jacobian(function, 1), hessian(total(function))):
        close(vmap(transformed)(x, y), loop(transformed)(x, y), 1e-8, 1e-8)
    value, tangent = jvp(vmap(function), (x, y), (y, x))
    close((value, tangent), loop(directional)(x, y))
    close(jacobian(vmap(function))(x, y), jacobian(loop(function))(x, y))
    second = lambda f: grad(lambda x, y: total(grad(total(f)))(x, y))  # noqa: E731
    close(second(vmap(function))(x, y), second(loop(function))(x, y), 1e-7, 1e-7)


@of_functions
def test_in_itself(function: Function) -> None:
    x, y = np.array(RANDOM.uniform(-1, 1, (2, 4, 3))), np.array(RANDOM.uniform(-1, 1, (4, 3)))
    found = everywhere(vmap(vmap(function), (0, None)), x, y, policies=("only_numpy",))
    close(found, loop(loop(function), (0, None))(x, y))
    pairs = vmap(vmap(function, (None, 0)), (0, None))
    close(pairs(y, y), loop(loop(function, (None, 0)), (0, None))(y, y))
    crossed = vmap(vmap(function, (1, 0)), (2, None))
    z = np.array(RANDOM.uniform(-1, 1, (3, 4, 2)))
    close(crossed(z, y), loop(loop(function, (1, 0)), (2, None))(z, y))
    inside = vmap(lambda x: grad(lambda x: total(vmap(function))(x, y))(x))
    close(inside(x), loop(lambda x: grad(lambda x: total(loop(function))(x, y))(x))(x))


@of_functions
def test_derivatives_around_one_in_another(function: Function) -> None:
    x, y = np.array(RANDOM.uniform(-1, 1, (2, 4, 3))), np.array(RANDOM.uniform(-1, 1, (4, 3)))
    both, loops = total(vmap(vmap(function), (0, None))), total(loop(loop(function), (0, None)))
    close(grad(both, (0, 1))(x, y), grad(loops, (0, 1))(x, y))
    close(jvp(grad(both), (x, y), (x, y))[1], numpy.asarray(jvp(grad(loops), (x, y), (x, y))[1]), 1e-7, 1e-7)
    half = x[:, :1]
    of_rows = lambda f: lambda x: hessian(lambda x: f(x, y[:1]))(x)  # noqa: E731
    close(of_rows(both)(half), numpy.asarray(of_rows(loops)(half)), 1e-7, 1e-7)


# Axes and containers -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("out_axes", [0, 1, 2, -1, -2, -3])
def test_results_have_the_examples_where_they_are_wanted(out_axes: int) -> None:
    x = np.array(X)
    found = vmap(lambda x: np.outer(x, x), out_axes=out_axes)(x)
    close(found, numpy.stack([numpy.outer(one, one) for one in X], out_axes))


def test_axes_are_given_for_containers_or_for_what_is_in_them() -> None:
    params = {"w": np.array(X.T), "rest": [np.array(Y), np.array(2.0)]}

    def f(params: Any, y: Any) -> Any:
        return params["w"] * params["rest"][0], {"a": params["rest"][1] * y, "b": y.sum()}

    found = vmap(f, in_axes=({"rest": [0, None], "w": 1}, None), out_axes=(1, {"b": 0, "a": None}))(
        params, np.array(W[0])
    )
    close(found, ((X * Y).T, {"a": 2 * W[0], "b": numpy.full(4, W[0].sum())}))
    found = vmap(lambda p, y: p["w"] + p["rest"] + y, in_axes=(0, None))({"w": np.array(X), "rest": np.array(Y)}, 1.0)
    close(found, X + Y + 1)
    found = vmap(lambda pair: pair[0] * pair[1], in_axes=[(0, None)])([np.array(X), 3.0])
    close(found, X * 3)


def test_dataclasses_and_arguments_by_keyword() -> None:
    @dataclasses.dataclass
    class Point:
        x: Any
        y: Any

    @dataclasses.dataclass
    class Axes:
        x: Any
        y: Any

    def f(p: Any, *, scale: Any) -> Any:
        return Point(p.x * scale["s"], p.y)

    found = vmap(f)(Point(np.array(X), np.array(Y)), scale={"s": np.arange(4.0)})
    close([found.x, found.y], [X * numpy.arange(4.0)[:, None], Y])
    found = vmap(lambda p: p.x * p.y, in_axes=(Point(0, None),))(Point(np.array(X), 2.0))
    close(found, X * 2)
    with pytest.raises(StructureError, match="in_axes has other containers than argument 0"):
        vmap(lambda p: p.x, in_axes=(Axes(0, None),))(Point(np.array(X), 2.0))


def test_numbers_none_and_what_does_not_depend_on_an_example() -> None:
    found = vmap(lambda x: (1, 2.5, None, np.ones(2), x.sum(), numpy.arange(2)))(np.array(X))
    assert found[2] is None
    close(found[0], numpy.ones(4, int))
    close(found[1], numpy.full(4, 2.5))
    close(found[3], numpy.ones((4, 2)))
    close(found[4], X.sum(1))
    close(found[5], numpy.array([[0, 1]] * 4))
    close(vmap(lambda x, y: x, in_axes=(0, 0))(np.array(X), None), X)


def test_arrays_of_numpy_and_the_same_array_as_result() -> None:
    close(vmap(lambda x: x)(X), X)
    x = np.array(X)
    found = vmap(lambda x: (x, x))(x)
    found[0][:] = 0
    close([found[1], x], [X, X])
    shared = np.array(W)
    found = vmap(lambda x: shared, out_axes=None)(x)
    found[:] = 0
    close(shared, W)


def test_dtypes_are_those_of_an_example() -> None:
    dopegraph.set_default_dtype("float32")
    x = np.arange(6).reshape(3, 2)
    assert vmap(lambda x: x / 2)(x).dtype == "float32"
    assert vmap(lambda x: x + 1.5)(x.astype("float16")).dtype == "float16"
    assert vmap(lambda x: x[0] * 2)(x).dtype == "int64"
    assert vmap(lambda x: x[0] > 2)(x).dtype == "bool"
    # A 0-d array is strong, as an array of more axes is.
    assert vmap(lambda x, y: x + y)(x[:, 0].astype("float16"), x[:, 1].astype("float32")).dtype == "float32"


def test_no_examples() -> None:
    x = np.zeros((0, 3))
    for function in FUNCTIONS:
        of_one = function(np.ones(3), np.ones(3))
        leaves, structure = flatten(of_one)
        expected = structure.build([numpy.zeros((0, *leaf.shape), leaf.dtype) for _, leaf in leaves])
        close(vmap(function)(x, x), expected)
        close(vmap(grad(total(function)))(x, x), numpy.zeros((0, 3)))
        close(grad(total(vmap(function, (0, None))), 1)(x, np.ones(3)), numpy.zeros(3))


def test_axis_size_says_how_many_where_nothing_else_does() -> None:
    close(vmap(lambda: np.arange(2.0), axis_size=3)(), numpy.array([[0.0, 1.0]] * 3))
    close(vmap(lambda x: x * 2, in_axes=None, axis_size=2)(3.0), numpy.array([6.0, 6.0]))
    close(vmap(lambda x: x * 2, axis_size=4)(np.array(X)), X * 2)


# Python --------------------------------------------------------------------------------------------------------------


def test_the_function_runs_once() -> None:
    calls = []
    vmap(lambda x: calls.append(x.shape) or x)(np.array(X))
    assert calls == [(3,)]


def test_branches_on_what_all_have_in_common() -> None:
    limit = np.array(0.5)

    def f(x: Any, scale: Any) -> Any:
        if scale > limit and float(scale) < 10:
            return x * scale
        return -x

    close(vmap(f, (0, None))(np.array(X), np.array(2.0)), X * 2)
    close(vmap(f, (0, None))(np.array(X), np.array(0.0)), -X)


def stepping(x: Any, scale: Any, limit: Any) -> Any:
    """Python looks at shared values between operations on mapped ones."""
    y = np.sin(x) * scale
    if scale.sum() > limit:
        y = y @ np.array(W)
    total = scale * 2
    while total < 10:
        total = total * (2 + total)
        y = y + np.cos(x) * total
    for _ in range(int(limit)):
        y = np.outer(y, x).sum(0)
    return y, x


def hosting(x: Any, scale: Any, limit: Any) -> Any:
    """With a function that runs in NumPy, between operations on mapped values."""
    y = np.sin(x)
    found = np.unique(np.stack([limit, scale, limit]))
    return stepping(y, scale, limit), found.sum() * y + found.size


STEPS = [(3.0, 1.0), (0.5, 1.0), (20.0, 2.0), (3.0, 1.0), (0.5, 1.0), (20.0, 2.0), (1.0, 1.0), (30.0, 1.0), (3.0, 2.0)]


@pytest.mark.parametrize("policy", ["only_numpy", "prefer_mxnet"])
def test_compiled_branches_inside(policy: str) -> None:
    axes = (0, None, None)
    run = dopegraph.compile(vmap(hosting, axes))
    slope = dopegraph.compile(grad(lambda x, s, m: (vmap(stepping, axes)(np.sin(x), s, m)[0] ** 2).sum()))
    inside = dopegraph.compile(vmap(grad(lambda x, s, m: (stepping(x, s, m)[0] ** 2).sum()), axes))
    twice = dopegraph.compile(vmap(lambda x, s, m: vmap(stepping, axes)(np.outer(x, x), s, m)[0], axes))
    x = np.array(X)
    with dopegraph.policy(policy):
        for scale, limit in STEPS:
            args = (x, np.array(scale), np.array(limit))
            with dopegraph.policy("only_numpy"):
                expected = loop(hosting, axes)(*args)
                one = [grad(lambda x, s, m: (stepping(x, s, m)[0] ** 2).sum())(row, *args[1:]) for row in x]
                total = grad(lambda x, s, m: (loop(stepping, axes)(np.sin(x), s, m)[0] ** 2).sum())(*args)
                squares = np.stack([loop(stepping, axes)(np.outer(row, row), *args[1:])[0] for row in x])
            close(run(*args), expected)
            close(inside(*args), numpy.stack([numpy.asarray(row) for row in one]))
            close(slope(*args), numpy.asarray(total))
            close(twice(*args), numpy.asarray(squares))


def test_compiled_looks_before_an_error_that_is_caught() -> None:
    def broken(x: Any, scale: Any) -> Any:
        y = np.sin(x)
        if scale > 1:
            y = np.cos(y)
        if y.sum() > 0:
            return y
        return x

    def f(x: Any, scale: Any) -> Any:
        y = x * scale
        try:
            y = vmap(broken, (0, None))(y, scale)
        except BatchingError:
            y = np.tanh(y)
        if scale > 2:
            y = y * 3
        return y

    compiled = dopegraph.compile(f)
    for scale in (0.5, 1.5, 3.0, 0.5, 1.5, 3.0):
        close(compiled(np.array(X), np.array(scale)), numpy.tanh(X * scale) * (3 if scale > 2 else 1))


LOOKS: list[Callable[[Any], Any]] = [
    lambda x: x if x.sum() > 0 else -x,
    lambda x: float(x[0]),
    lambda x: x[int(x[0])],
    lambda x: x.tolist(),
    lambda x: print(x),
    lambda x: numpy.asarray(x),
    lambda x: x[x > 0],
    lambda x: [x for _ in range(np.argmax(x))],
    lambda x: np.random.uniform() > 0.5 and x,
    lambda x: np.unique(x),
]


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("compile", [lambda f: f, dopegraph.compile], ids=["plain", "compiled"])
def test_python_cannot_look_at_what_differs(look: Function, compile: Function) -> None:
    x = np.array(X)
    with pytest.raises(BatchingError, match=r"np\.where") as error:
        compile(lambda x: vmap(look)(x))(x)
    assert "test_vmap.py" in str(error.value)
    assert active_recording() is None
    close(x, X)
    close(vmap(lambda x: x * 2)(x), X * 2)


def test_local_arrays_are_written_to() -> None:
    def f(x: Any) -> Any:
        a, b, c = np.zeros(3), np.array([1.0, 2.0, 3.0]), np.full((2, 3), 5.0)
        a[0] = x[1]
        b += x
        c[:, 1:] = x[:2]
        np.multiply(a, b, out=a)
        seen = float(np.ones(3).sum())  # of what is the same for all
        d = np.ones(3)
        assert d.tolist() == [1.0] * 3  # looked at, so that it has memory
        d[1] = x[2] + seen
        return a, b, c, d

    close(vmap(f)(np.array(X)), loop(f)(np.array(X)))


def test_writing_to_an_argument_writes_to_the_array_it_is_a_part_of() -> None:
    def f(x: Any, y: Any) -> Any:
        x[1] = y.sum()
        x *= 2
        return x[0]

    for axis in (0, 1):
        x, expected = (np.array(X.T if axis else X) for _ in range(2))
        close(vmap(f, (axis, 0))(x, np.array(Y)), loop(f, (axis, 0))(expected, np.array(Y)))
        close(x, numpy.asarray(expected))
        compiled = dopegraph.compile(lambda x, y: vmap(f, (axis, 0))(x, y))  # noqa: B023
        for _ in range(2):
            compiled(x, np.array(Y))
            loop(f, (axis, 0))(expected, np.array(Y))
            close(x, numpy.asarray(expected))
    plain = X.copy()
    vmap(f)(plain, np.array(Y))
    expected = np.array(X)
    loop(f)(expected, np.array(Y))
    close(expected, plain)
    base = np.array(X)
    vmap(f)(base[:2], np.array(Y[:2]))
    close(base[2:], X[2:])
    close(base[:2], plain[:2])


def test_arguments_that_share_memory_are_not_written_to() -> None:
    def f(x: Any, y: Any) -> Any:
        x[0] = 5
        return y + x

    x = np.array(X)
    for other, in_axes in ((x, 0), (x[:, :], 0), (x[0], (0, None))):
        with pytest.raises(BatchingError, match="argument 0 is written to, and argument 1 is"):
            vmap(f, in_axes)(x, other)
        close(x, X)
    close(vmap(lambda x, y: x + y)(x, x), 2 * X)


def test_floats_in_common_may_change_without_another_recording() -> None:
    compiled = dopegraph.compile(lambda x, rate: vmap(lambda x, rate: x * rate, (0, None))(x, rate))
    for rate in (0.5, 2.5, 3.0):
        close(compiled(np.array(X), rate), X * rate)
    assert [plan.calls for plan in compiled.plans] == [2]


def test_what_all_have_in_common_may_be_written_the_same_for_all() -> None:
    count = np.zeros(2)

    def f(x: Any) -> Any:
        count[0] += 1
        return x * count[0]

    close(vmap(f)(np.array(X)), X)
    close(count, numpy.array([1.0, 0.0]))


@pytest.mark.parametrize("compiled", [False, True])
def test_what_differs_cannot_be_written_to_what_all_share(compiled: bool) -> None:
    shared = np.array(W)

    def f(x: Any) -> Any:
        shared[0] = x  # the line
        return x

    run = dopegraph.compile(vmap(f)) if compiled else vmap(f)
    with pytest.raises(BatchingError, match=r"(?s)an array that is not mapped.*the line"):
        run(np.array(X))
    close(shared, W)
    shared[0] = 1
    close(shared[0], numpy.ones(3))


def test_neither_inside_another_recording() -> None:
    def f(x: Any) -> Any:
        local = np.zeros(3)
        local += 1

        def inner(y: Any) -> Any:
            nonlocal local
            local += y
            return y

        try:
            vmap(inner)(x)
        except BatchingError:
            return local * 2
        raise AssertionError

    close(grad(lambda x: (f(x) * x[0]).sum())(np.array(X)), numpy.array([[2.0] * 3, *[[0.0] * 3] * 3]))
    close(dopegraph.compile(f)(np.array(X)), numpy.full(3, 2.0))


def test_an_example_that_is_kept_has_no_meaning_afterwards() -> None:
    kept = []
    close(vmap(lambda x: kept.append(x * 2) or x)(np.array(X)), X)
    with pytest.raises(BatchingError, match="after vmap was done"):
        kept[0] + 1
    with pytest.raises(BatchingError, match="after vmap was done"):
        print(kept[0])


def test_an_error_in_the_function_leaves_everything_as_it_was() -> None:
    shared, x = np.array(W), np.array(X)

    def f(x: Any) -> Any:
        x[0] = 5
        shared[1] = x
        raise KeyError("mine")

    for run in (vmap(f), dopegraph.compile(vmap(f)), grad(lambda x: vmap(f)(x).sum())):
        with pytest.raises(KeyError, match="mine"):
            run(x)
        close([x, shared], [X, W])
        assert active_recording() is None

    def caught(x: Any) -> Any:
        try:
            vmap(f)(x)
        except KeyError:
            return x * shared[1]

    close(dopegraph.compile(caught)(x), X * W[1])


def test_an_index_outside_is_an_error_of_the_call() -> None:
    places = np.array([0, 1, 5, 2])
    f = vmap(lambda x, i: x[i])
    close(f(np.array(X), np.array([0, -1, 2, 1])), X[range(4), [0, -1, 2, 1]])
    for run in (f, dopegraph.compile(f)):
        with pytest.raises(IndexError):
            run(np.array(X), places)


# Together with what else records -------------------------------------------------------------------------------------


def test_attach_grad_and_backward() -> None:
    x, w = np.array(X), np.array(W[0])
    for one in (x, w):
        one.attach_grad()
    with dopegraph.record():
        y = vmap(lambda x: np.tanh(x * w).sum())(x)
        loss = (y * y).sum()
    loss.backward()
    expected = grad(lambda x, w: (np.tanh(x * w).sum(1) ** 2).sum(), (0, 1))(np.array(X), np.array(W[0]))
    close((x.grad, w.grad), tuple(map(numpy.asarray, expected)))


def test_functions_of_the_users_own_take_one_example_after_the_other() -> None:
    shapes = []

    def sine(x: Any, y: Any) -> Any:
        shapes.append(x.shape)
        return numpy.sin(x) * y

    called = dopegraph.host_call(
        sine, results=lambda x, y: x, gradient=lambda g, z, x, y: (g * numpy.cos(x) * y, g * numpy.sin(x))
    )
    plain = lambda x, y: np.sin(x) * y  # noqa: E731
    for in_axes, y in ((0, np.array(Y)), ((0, None), np.array(Y[0]))):
        x = np.array(X)
        close(vmap(called, in_axes)(x, y), numpy.asarray(loop(plain, in_axes)(x, y)))
        for f, expected in ((grad(total(vmap(called, in_axes)), (0, 1)), grad(total(loop(plain, in_axes)), (0, 1))),
                            (vmap(grad(total(called)), in_axes), loop(grad(total(plain)), in_axes))):  # fmt: skip
            close(f(x, y), expected(x, y))
            close(dopegraph.compile(f)(x, y), expected(x, y))
    assert set(shapes) == {(3,)}
    with pytest.raises(BatchingError):
        vmap(dopegraph.host_call(sine))(x, x)


def test_compiled_functions_inside() -> None:
    inner = dopegraph.compile(lambda x, y: np.exp(x) * y)
    close(vmap(inner)(np.array(X), np.array(Y)), numpy.exp(X) * Y)


def test_compiled_calls_replay_with_other_arrays_of_any_length() -> None:
    compiled = dopegraph.compile(vmap(lambda x, y: np.outer(x, y).sum(0)))
    for size in (4, 4, 2, 4):
        close(compiled(np.array(X[:size]), np.array(Y[:size])), X[:size].sum(1)[:, None] * Y[:size])
    assert [plan.calls for plan in compiled.plans] == [2, 0]


def test_full_graph() -> None:
    run = dopegraph.compile(vmap(lambda x: np.sin(x).sum()), fullgraph=True)
    close(run(np.array(X)), numpy.sin(X).sum(1))
    broken = dopegraph.compile(lambda x: vmap(lambda x: x * 2)(x) if x.sum() > 0 else x, fullgraph=True)
    with pytest.raises(GraphBreakError):
        broken(np.array(X))


def test_custom_rules_are_kept_where_an_argument_is_shared() -> None:
    x, y = np.array(X), np.array(Y[0])
    found = grad(lambda x, y: vmap(custom, (0, None))(x, y).sum(), (0, 1))(x, y)
    close(found, (numpy.broadcast_to(Y[0] * 3, (4, 3)), (X**2).sum(0)))
    # One whose cotangents do not depend on the example: the sum has one for each.
    constant = custom_vjp(lambda x, y: x + y)
    constant.defvjp(lambda x, y: (x + y, None), lambda saved, g: (None, np.full(3, 2.0)))
    found = grad(lambda x, y: vmap(constant, (0, None))(x, y).sum(), (0, 1))(x, y)
    close(found, (numpy.zeros((4, 3)), numpy.full(3, 8.0)))


def test_custom_rules_in_which_only_what_is_saved_differs() -> None:
    scaled = custom_vjp(lambda w, x: w * 1.0)
    scaled.defvjp(lambda w, x: (w * 1.0, x), lambda x, g: (g * x, None))
    w = np.array(W[0])
    found = grad(lambda w: vmap(scaled, (None, 0))(w, np.array(X)).sum())(w)
    close(found, X.sum(0))


def test_what_is_computed_again_draws_the_same_numbers() -> None:
    def f(x: Any) -> Any:
        return (np.random.normal(size=3) * np.sin(x)).sum()

    for block in (f, checkpoint(f)):
        np.random.seed(3)
        value, slope = value_and_grad(lambda x: vmap(block)(x).sum())(np.zeros((4, 3)))  # noqa: B023
        np.random.seed(3)
        close(slope, numpy.asarray(np.random.normal(size=(4, 3))))
        np.random.seed(3)
        close(vmap(grad(block))(np.zeros((4, 3))), numpy.asarray(slope))
    assert float(value) == 0


def test_every_example_draws_numbers_of_its_own_the_same_compiled() -> None:
    def f(x: Any) -> Any:
        first = np.random.uniform(size=2)
        return first, np.random.permutation(5), np.random.poisson(x), np.random.normal(x[0], 1.0)

    run = vmap(f)
    np.random.seed(1)
    expected = [run(np.array(abs(X))) for _ in range(3)]
    assert len({one.tobytes() for call in expected for one in numpy.asarray(call[0])}) == 12
    assert len({float(one) for call in expected for one in call[3]}) == 12
    compiled = dopegraph.compile(run)
    np.random.seed(1)
    for one in expected:
        close(compiled(np.array(abs(X))), tuple(map(numpy.asarray, one)))
    rng = np.random.default_rng(2)
    nested = vmap(vmap(lambda x: rng.uniform()))(np.zeros((3, 4)))
    assert len(set(nested.ravel().tolist())) == 12


def test_dropout_has_a_mask_for_every_example() -> None:
    np.random.seed(0)
    found = numpy.asarray(vmap(lambda x: np.where(np.random.uniform(size=x.shape) < 0.5, x, 0))(np.ones((8, 16))))
    assert len({one.tobytes() for one in found}) == 8


# What it is for ------------------------------------------------------------------------------------------------------


def mlp(params: Any, x: Any) -> Any:
    for w, b in params[:-1]:
        x = np.tanh(x @ w + b)
    w, b = params[-1]
    return x @ w + b


def loss(params: Any, x: Any, label: Any) -> Any:
    logits = mlp(params, x)
    return np.log(np.exp(logits).sum()) - logits[label]


def weights() -> Any:
    random = numpy.random.default_rng(1)
    sizes = [3, 5, 4]
    return [
        (np.array(random.normal(size=(m, n))), np.array(random.normal(size=n))) for m, n in zip(sizes[:-1], sizes[1:])
    ]


LABELS = numpy.array([0, 3, 1, 1])


def test_gradients_of_a_network_for_each_example() -> None:
    params, x, labels = weights(), np.array(X), np.array(LABELS)
    each = vmap(grad(loss), in_axes=(None, 0, 0))
    found = everywhere(each, params, x, labels)
    for number in range(4):
        expected = grad(loss)(params, x[number], labels[number])
        close(
            [[part[number] for part in layer] for layer in found], [list(map(numpy.asarray, one)) for one in expected]
        )
    whole = grad(lambda params: vmap(loss, (None, 0, 0))(params, x, labels).mean())(params)
    close([[part.mean(0) for part in layer] for layer in found], [list(map(numpy.asarray, one)) for one in whole])


def test_a_hessian_by_products_with_all_units() -> None:
    params = weights()
    f = lambda x: loss(params, x, 2)  # noqa: E731
    for x in X:
        products = vmap(lambda v: jvp(grad(f), (np.array(x),), (v,))[1])(np.eye(3))  # noqa: B023
        close(products, numpy.asarray(hessian(f)(np.array(x))))
    close(vmap(hessian(f))(np.array(X)), numpy.stack([numpy.asarray(hessian(f)(np.array(x))) for x in X]))


def network(w: Any, v: Any, x: Any) -> Any:
    y = nn.functional.relu(nn.functional.conv(x, w, pad=1))
    y = nn.functional.max_pool(y, 2)
    return (y.reshape(1, -1) @ v).sum() + nn.functional.avg_pool(y, 2).sum()


def test_gradients_of_a_convolutional_network_for_each_example() -> None:
    random = numpy.random.default_rng(2)
    w, v = np.array(random.normal(size=(2, 1, 3, 3))), np.array(random.normal(size=(2 * 3 * 3, 2)))
    x = np.array(random.normal(size=(4, 1, 1, 6, 6)))
    of_one = grad(network, (0, 1, 2))
    for in_axes in ((None, None, 0), (0, 0, 0), (0, None, None)):
        args = [one if axis is None else np.stack([one, one * 2]) for one, axis in zip((w, v, x[0]), in_axes)]
        close(everywhere(vmap(of_one, in_axes), *args), loop(of_one, in_axes)(*args), 1e-8, 1e-8)


# Errors --------------------------------------------------------------------------------------------------------------

ERRORS: list[tuple[str, Callable[[Any], Any], type[Exception], str]] = [
    ("a number", lambda x: vmap(lambda x, y: x)(x, 2.0), AxisError, "argument 1 is the number 2.0 and has no axis 0"),
    ("0-d", lambda x: vmap(lambda x: x)(x[0, 0]), AxisError, r"argument 0 is an array of shape \(\) and has no axis 0"),
    ("axis", lambda x: vmap(lambda x: x, 2)(x), AxisError, r"argument 0 is an array of shape \(4, 3\) and has no axis"),
    ("axis -3", lambda x: vmap(lambda x: x, -3)(x), AxisError, "has no axis -3"),
    ("a list", lambda x: vmap(lambda x: x)([1.0, 2.0]), AxisError, r"argument 0\[0\] is the number 1.0"),
    ("a text", lambda x: vmap(lambda x, y: x)(x, {"a": "b"}), StructureError, r"argument 1\['a'\] is a str"),
    ("keyword", lambda x: vmap(lambda x, y: x)(x, y=2), AxisError, "argument y is the number 2"),
    ("lengths", lambda x: vmap(lambda x, y: x)(x, {"w": x.T}), ShapeError,
     r"different lengths: argument 0 4 \(axis 0 of \(4, 3\)\), argument 1\['w'\] 3 \(axis 0 of \(3, 4\)\)"),
    ("axis_size", lambda x: vmap(lambda x: x, axis_size=5)(x), ShapeError, "axis_size is 5, .* of argument 0 4"),
    ("nothing", lambda x: vmap(lambda x: x, None)(x), ShapeError, "no argument is mapped.*axis_size"),
    ("no arguments", lambda x: vmap(lambda: x)(), ShapeError, "no argument is mapped"),
    ("too few axes", lambda x: vmap(lambda x, y: x, (0,))(x, x), StructureError, "in_axes has 1 entries for 2"),
    ("containers", lambda x: vmap(lambda x: x, ({"a": 0},))([x]), StructureError, "in_axes has other containers"),
    ("keys", lambda x: vmap(lambda x: x, ({"a": 0},))({"b": x}), StructureError, "in_axes has other containers"),
    ("kind of axis", lambda x: vmap(lambda x: x, "0"), StructureError, "in_axes must be an integer or None, not '0'"),
    ("kind inside", lambda x: vmap(lambda x: x, (0, [1.5])), StructureError, r"in_axes\[1\]\[0\] must be"),
    ("bool", lambda x: vmap(lambda x: x, True), StructureError, "not True"),
    ("result", lambda x: vmap(lambda x: (x, "a"))(x), StructureError, r"returned a str.*its result\[1\]"),
    ("out_axes", lambda x: vmap(lambda x: x, out_axes=2)(x), AxisError, "out_axes 2 for the result, which has 2 axes"),
    ("out_axes -3", lambda x: vmap(lambda x: x, out_axes=-3)(x), AxisError, "out_axes -3"),
    ("out_axes shape", lambda x: vmap(lambda x: x, out_axes=(0, 1))(x), StructureError, "out_axes has other"),
    ("out_axes None", lambda x: vmap(lambda x: x, out_axes=None)(x), BatchingError, "out_axes must not be None"),
    ("shapes", lambda x: vmap(lambda x: x + np.ones(2))(x), ShapeError, r"\(3,\) and \(2,\) do not broadcast"),
    ("gradient", lambda x: vmap(grad(lambda x: x))(x), GradientError, r"shape \(3,\); return a scalar"),
]  # fmt: skip


@pytest.mark.parametrize(("run", "kind", "message"), [one[1:] for one in ERRORS], ids=[one[0] for one in ERRORS])
def test_errors_name_what_is_wrong_and_where(run: Function, kind: type[Exception], message: str) -> None:
    x = np.array(X)
    with pytest.raises(kind, match=message) as error:
        run(x)
    assert "test_vmap.py" in str(error.value)
    assert active_recording() is None
    close(vmap(lambda x: x * 2)(x), X * 2)
