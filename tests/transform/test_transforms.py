"""`vjp`, `jvp`, `jacobian`, `hessian`, `custom_vjp` and `checkpoint`: alone, in each other, compiled and not."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import numpy
import pytest

import dopegraph
import dopegraph.numpy as np
from dopegraph import checkpoint, custom_vjp, grad, hessian, jacobian, jvp, value_and_grad, vjp
from dopegraph.runtime.errors import DTypeError, GradientError, ShapeError, StructureError
from dopegraph.trace import active_recording
from dopegraph.trace.tree import flatten
from tests.differential import Compile, arr, attempt, same

Function = Callable[..., Any]

X = [0.3, -0.7, 1.2]
V = [0.5, 2.0, -1.0]


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
        assert x.shape == numpy.shape(y)
        numpy.testing.assert_allclose(numpy.asarray(x), numpy.asarray(y), rtol, atol)


def difference(function: Function, x: Any, direction: Any, step: float = 1e-5) -> Any:
    """The derivative of a function of one array in a direction, by central differences."""
    with dopegraph.policy("only_numpy"):
        above, below = function(x + step * direction), function(x - step * direction)
    return (numpy.asarray(above) - numpy.asarray(below)) / (2 * step)


def difference_jacobian(function: Function, x: Any, step: float = 1e-5) -> Any:
    columns = [difference(function, x, np.array(unit).reshape(x.shape), step) for unit in numpy.eye(x.size)]
    return numpy.stack(columns, -1).reshape(columns[0].shape + x.shape)


BOTH = ("only_numpy", "prefer_mxnet")


def everywhere(function: Function, *args: Any, policies: tuple[str, ...] = BOTH) -> Any:
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


# Functions of an array of three numbers, one of each kind of result and of path.


def elementwise(x: Any) -> Any:
    return np.sin(x) * np.exp(-x) + x**3


def mixing(x: Any) -> Any:
    return np.cumsum(np.tanh(np.outer(x, x[::-1])) @ x) * x.sum()


def scalar(x: Any) -> Any:
    return np.log(1 + (x * x * x[0]).sum() ** 2)


def longer(x: Any) -> Any:
    return np.concatenate([x * x[1], np.sin(x) ** 2, x[:1] * x[2]]).reshape(7, 1)


def branching(x: Any) -> Any:
    y = x
    for _ in range(3):
        y = y * x if x.shape[0] == 3 else y
    return y[1:] / (2 + np.cos(y[:-1]))


def writing(x: Any) -> Any:
    y = np.zeros(4)
    y[:3] = x * x
    y[1:] += y[:3] * x
    z = y[::2]
    z *= x[0]
    return y


def softmax_like(x: Any) -> Any:
    return np.exp(x - x.max()) / np.exp(x - x.max()).sum()


def remembering(x: Any) -> Any:
    return checkpoint(mixing)(x) * 2


@custom_vjp
def custom_cube(x: Any) -> Any:
    return x**3


custom_cube.defvjp(lambda x: (x**3, x), lambda x, g: (3 * x**2 * g,))


def with_custom(x: Any) -> Any:
    return custom_cube(np.sin(x)) * x


FUNCTIONS = [
    elementwise, mixing, scalar, longer, branching, writing, softmax_like, remembering, with_custom
]  # fmt: skip


def policies_for(function: Function) -> tuple[str, ...]:
    """MXNet takes long to compile large graphs; a few of each kind are enough."""
    return BOTH if function in (scalar, with_custom, remembering) else BOTH[:1]


of_functions = pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)


@of_functions
def test_jvp_is_the_central_difference(function: Function) -> None:
    x, v = np.array(X), np.array(V)
    value, tangent = everywhere(lambda x, v: jvp(function, (x,), (v,)), x, v)
    close(value, function(x))
    close(tangent, difference(function, x, v), 1e-7, 1e-7)


@of_functions
def test_vjp_is_the_transpose_of_jvp(function: Function) -> None:
    x, v = np.array(X), np.array(V)
    u = np.array(numpy.random.default_rng(0).uniform(-1, 1, function(x).shape))

    def both(x: Any, u: Any, v: Any) -> Any:
        value, pullback = vjp(function, x)
        (g,) = pullback(u)
        return value, (g * v).sum(), (u * jvp(function, (x,), (v,))[1]).sum()

    value, left, right = everywhere(both, x, u, v)
    close(value, function(x))
    close(left, right)


@of_functions
def test_jacobians_of_both_modes_are_those_of_central_differences(function: Function) -> None:
    x = np.array(X)
    expected = difference_jacobian(function, x)
    for mode in ("reverse", "forward", None):
        policies = BOTH if mode is None else BOTH[:1]
        close(everywhere(jacobian(function, mode=mode), x, policies=policies), expected, 1e-7, 1e-7)


@of_functions
def test_hessians_are_jacobians_of_jacobians(function: Function) -> None:
    x = np.array(X)
    expected = difference_jacobian(jacobian(function), x)
    close(everywhere(hessian(function), x, policies=policies_for(function)), expected, 1e-6, 1e-6)
    for outer in ("reverse", "forward"):
        for inner in ("reverse", "forward"):
            close(jacobian(jacobian(function, mode=inner), mode=outer)(x), expected, 1e-6, 1e-6)


def second_by_jvp(function: Function) -> Function:
    return lambda x: jvp(lambda x: jvp(function, (x,), (np.array(V),))[1], (x,), (np.array(V),))[1]


def second_by_vjp(function: Function) -> Function:
    def result(x: Any) -> Any:
        pulled = lambda x: vjp(function, x)[1](function(x))[0]  # noqa: E731
        return vjp(pulled, x)[1](np.array(V))[0]

    return result


def second_mixed(function: Function) -> Function:
    return lambda x: jvp(lambda x: vjp(function, x)[1](function(x))[0], (x,), (np.array(V),))[1]


def second_by_gradient(function: Function) -> Function:
    return lambda x: grad(lambda x: (jvp(function, (x,), (np.array(V),))[1] ** 2).sum())(x)


@of_functions
@pytest.mark.parametrize("second", [second_by_jvp, second_by_vjp, second_mixed, second_by_gradient])
def test_third_derivatives_of_mixed_compositions(second: Callable[[Function], Function], function: Function) -> None:
    x, v = np.array(X), np.array(V)
    composed = second(function)
    expected = difference(composed, x, v)
    _, tangent = everywhere(lambda x, v: jvp(composed, (x,), (v,)), x, v, policies=policies_for(function))
    close(tangent, expected, 1e-6, 1e-6)
    u = np.array(numpy.linspace(-1, 1, composed(x).size).reshape(composed(x).shape))
    (pulled,) = vjp(composed, x)[1](u)
    close((pulled * v).sum(), (numpy.asarray(u) * expected).sum(), 1e-6, 1e-6)


def test_second_derivatives_of_mixed_compositions_agree() -> None:
    x, v = np.array(X), np.array(V)
    expected = v @ hessian(scalar)(x) @ v
    close(second_by_jvp(scalar)(x), numpy.asarray(expected))
    close((jvp(grad(scalar), (x,), (v,))[1] * v).sum(), numpy.asarray(expected))
    close((vjp(grad(scalar), x)[1](v)[0] * v).sum(), numpy.asarray(expected))
    close((grad(lambda x: jvp(scalar, (x,), (v,))[1])(x) * v).sum(), numpy.asarray(expected))


# vjp --------------------------------------------------------------------------------------------------------------


def test_a_pullback_is_called_often_and_the_function_once() -> None:
    calls = 0

    def f(x: Any) -> Any:
        nonlocal calls
        calls += 1
        return x**3

    value, pullback = vjp(f, np.array(X))
    for u in (1.0, 2.0, -1.0):
        close(pullback(np.full(3, u)), (3 * numpy.array(X) ** 2 * u,))
    assert calls == 1
    close(value, numpy.array(X) ** 3)


def test_a_pullback_holds_what_the_arguments_were() -> None:
    x, w = np.array(X), np.array(V)
    _, pullback = vjp(lambda y: y * y * w, x)
    x[:], w[:] = 0, 0
    close(pullback(np.ones(3)), (2 * numpy.array(X) * V,))


def test_a_pullback_is_linear_code_that_can_be_differentiated_and_compiled() -> None:
    x = np.array(X)
    _, pullback = vjp(elementwise, x)
    (slope,) = pullback(np.ones(3))
    close(grad(lambda u: (pullback(u)[0] ** 2).sum())(np.array(V)), numpy.asarray(2 * slope**2 * np.array(V)))
    compiled = dopegraph.compile(lambda u: pullback(u)[0])
    close([compiled(np.array(V)), compiled(np.array(X))], [numpy.asarray(slope) * V, numpy.asarray(slope) * X])
    assert compiled.plans[0].calls == 1


def test_a_pullback_made_inside_compile_may_leave_it() -> None:
    compiled = dopegraph.compile(lambda x: vjp(elementwise, x))
    for x in (X, V):
        value, pullback = compiled(np.array(x))
        close(value, numpy.asarray(elementwise(np.array(x))))
        close(pullback(np.ones(3))[0], numpy.asarray(grad(lambda x: elementwise(x).sum())(np.array(x))))


def test_a_pullback_of_custom_rules_has_their_derivatives() -> None:
    @custom_vjp
    def square(x: Any) -> Any:
        return x * x

    square.defvjp(lambda x: (x * x, x), lambda x, g: (x * custom_cube(g),))  # odd, but a rule of its own
    _, pullback = vjp(square, np.array(X))
    close(pullback(np.array(V))[0], numpy.array(X) * numpy.array(V) ** 3)
    found = grad(lambda u: pullback(u)[0].sum())(np.array(V))
    close(found, numpy.array(X) * 3 * numpy.array(V) ** 2)


@same(replays=3)
def test_vjp_of_containers(compile: Compile) -> Any:
    @dataclasses.dataclass
    class P:
        w: object
        b: object

    def f(p, x):
        return {"y": p.w * x, "z": [p.b.sum(), 2.0]}, "aux"

    def g(w, b, x, u):
        value, pullback, aux = vjp(f, P(w, b), x, has_aux=True)
        first = pullback({"y": u, "z": [1, 0.0]})
        return value, first, pullback({"z": [2.0, 3.0], "y": 2 * u}), aux

    g = compile(g)
    return [g(arr(1, 2), arr(i), arr(i, 4), arr(1, i)) for i in range(4)]


def test_one_value_twice_among_the_results_and_an_argument_as_result() -> None:
    def f(x: Any, y: Any) -> Any:
        z = x * y
        return z, z, x, y.T

    x, y = np.array(X), np.array(V)
    ones = np.ones(3)
    close(vjp(f, x, y)[1]((ones, 2 * ones, 5 * ones, 7 * ones)), (3 * numpy.array(V) + 5, 3 * numpy.array(X) + 7))
    close(
        jvp(f, (x, y), (ones, 2 * ones))[1][1:], (numpy.array(V) + 2 * numpy.array(X), numpy.ones(3), numpy.full(3, 2))
    )


def test_floats_are_arguments_and_results() -> None:
    value, pullback = vjp(lambda x, y: x * y, 3.0, 4.0)
    close([value, *pullback(2.0), *pullback(1)], [12.0, 8.0, 6.0, 4.0, 3.0])
    close(jvp(lambda x, y: (x * y, 5.0), (3.0, 4.0), (1, 2.0)), ((12.0, 5.0), (10.0, 0.0)))
    compiled = dopegraph.compile(lambda x, t: jvp(lambda x: x**3, (x,), (t,)))
    close([compiled(2.0, 1.0), compiled(3.0, 2.0)], [(8.0, 12.0), (27.0, 54.0)])
    assert compiled.plans[0].calls == 1


def test_what_a_result_does_not_depend_on_has_zeros() -> None:
    x = np.array(X)
    close(vjp(lambda x, y: y * 2, x, x)[1](x), (numpy.zeros(3), 2 * numpy.array(X)))
    close(jvp(lambda x: np.ones((2, 2)), (x,), (x,))[1], numpy.zeros((2, 2)))
    for mode in ("forward", "reverse"):
        close(jacobian(lambda x: [np.ones(2), x.sum()], mode=mode)(x), [numpy.zeros((2, 3)), numpy.ones(3)])
        close(jacobian(lambda x: x[:0] * 2, mode=mode)(x), numpy.zeros((0, 3)))
        close(jacobian(lambda x: x.sum(), mode=mode)(np.zeros((0, 2))), numpy.zeros((0, 2)))
    close(hessian(lambda x: x.sum())(x), numpy.zeros((3, 3)))


# State, random numbers, writes, recordings ------------------------------------------------------------------------


@same(replays=3)
def test_random_numbers_are_drawn_once(compile: Compile) -> Any:
    def f(x):
        return x * np.random.normal(size=2)

    def g(x):
        value, pullback = vjp(f, x)
        return value, pullback(np.ones(2)), pullback(np.ones(2)), jvp(f, (x,), (x,)), jacobian(f)(x), hessian(f)(x)

    g = compile(g)
    return [g(arr(1, 2)) for _ in range(4)] + [np.random.uniform(size=2)]


@same(replays=4)
def test_state_is_written_once(compile: Compile) -> Any:
    n = arr(0.0)

    def f(x):
        nonlocal n
        n += 1
        return x * x * n

    g = compile(lambda x: (jacobian(f)(x), jvp(f, (x,), (x,)), vjp(checkpoint(f), x)[1](x), hessian(f)(x), n.copy()))
    return [g(arr(1, i)) for i in range(5)] + [n]


@same(replays=2)
def test_writes_to_arguments_do_not_leak(compile: Compile) -> Any:
    def f(x):
        x[0] = x[1] * 2
        x *= x
        return x

    g = compile(lambda x, v: (jvp(f, (x,), (v,)), vjp(f, x)[1](v), jacobian(f)(x), x))
    return [g(arr(i, 2), arr(3, 4)) for i in range(3)]


def test_inside_record() -> None:
    x = np.array(X)
    x.attach_grad()
    with dopegraph.record():
        y = jacobian(elementwise)(x).sum() + jvp(scalar, (x,), (np.array(V),))[1] + checkpoint(mixing)(x).sum()
        y = y + (custom_cube(x) * vjp(elementwise, x)[1](x)[0]).sum()
    y.backward()

    def plain(x: Any) -> Any:
        y = jacobian(elementwise)(x).sum() + (grad(scalar)(x) * np.array(V)).sum() + mixing(x).sum()
        return y + (x**3 * grad(lambda z: (elementwise(z) * dopegraph.stop_gradient(x)).sum())(x)).sum()

    # The same, with the cotangent x a variable in vjp only where it multiplies.
    slope = grad(lambda x: elementwise(x).sum())(x)
    expected = grad(plain)(np.array(X)) + np.array(X) ** 3 * slope
    close(x.grad, numpy.asarray(expected))


def test_a_value_that_python_looks_at() -> None:
    def f(x: Any) -> Any:
        y = x * x
        return y * 2 if float(y.sum()) > 1 else y * 3

    x, v = np.array(X), np.array(V)
    close(jvp(f, (x,), (v,))[1], 4 * numpy.array(X) * V)
    close(jacobian(f)(x / 10), numpy.diag(0.6 * numpy.array(X)))


# Jacobians --------------------------------------------------------------------------------------------------------


def mlp(p: Any, x: Any, y: Any) -> Any:
    h = np.tanh(x @ p["w1"] + p["b1"])
    scores = h @ p["w2"] + p["b2"]
    shifted = scores - scores.max(axis=1, keepdims=True)
    return -(y * (shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))).mean()


def test_the_hessian_of_a_small_network() -> None:
    random = numpy.random.default_rng(0)
    shapes = {"w1": (2, 3), "b1": (3,), "w2": (3, 2), "b2": (2,)}
    p = {name: np.array(random.normal(size=shape)) for name, shape in shapes.items()}
    x, y = np.array(random.normal(size=(4, 2))), np.array(numpy.eye(2)[[0, 1, 1, 0]])
    found = everywhere(hessian(mlp), p, x, y)
    assert list(found) == list(found["w1"]) == list(shapes)
    for one in shapes:
        assert found[one]["b1"].shape == (*shapes[one], 3)
        for other in shapes:
            moved = lambda z, one=one, other=other: grad(mlp)({**p, other: z}, x, y)[one]  # noqa: E731
            close(found[one][other], difference_jacobian(moved, p[other]), 1e-6, 1e-8)


def test_jacobians_have_the_containers_of_results_and_arguments() -> None:
    def f(x: Any, k: int, *, p: Any) -> Any:
        return {"y": x * p["w"][k], "z": (x.sum(), p["w"] ** 2)}, "aux"

    x, p = np.array(X), {"w": np.array(V)}
    for mode in ("forward", "reverse"):
        found, aux = jacobian(f, mode=mode, has_aux=True)(x, 1, p=p)
        assert aux == "aux"
        close(found, {"y": 2 * numpy.eye(3), "z": (numpy.ones(3), numpy.zeros((3, 3)))})
        both = jacobian(lambda x, p: f(x, 1, p=p)[0], argnums=(0, 1), mode=mode)(x, p)
        close(both["z"], ((numpy.ones(3), {"w": numpy.zeros(3)}), (numpy.zeros((3, 3)), {"w": numpy.diag(V) * 2})))
        close(both["y"][1]["w"], numpy.outer(X, [0, 1, 0]))
    second, aux = hessian(f, has_aux=True)(x, 1, p=p)
    assert aux == "aux"
    close(second["y"], numpy.zeros((3, 3, 3)))
    mixed = hessian(lambda x, y: (x * x * y).sum(), argnums=(0, -1))(x, np.array(V))
    close(mixed, ((numpy.diag(V) * 2, numpy.diag(X) * 2), (numpy.diag(X) * 2, numpy.zeros((3, 3)))))


def test_the_mode_with_fewer_products_is_taken() -> None:
    wide = dopegraph.trace(jacobian(lambda x: np.sin(x).sum()))(np.ones(50))
    tall = dopegraph.trace(jacobian(lambda x: np.sin(x) * np.ones(50)))(np.ones(()))
    assert len(wide.nodes) < 20
    assert len(tall.nodes) < 20


def test_a_compiled_jacobian_is_one_program() -> None:
    compiled = dopegraph.compile(jacobian(mixing))
    with dopegraph.policy("prefer_mxnet"):
        for _ in range(3):
            compiled(np.array(X))
    (plan,) = compiled.plans
    assert plan.calls == 2
    assert len(plan.program.graph.outputs) == 1


# Complex numbers --------------------------------------------------------------------------------------------------


def test_complex_products() -> None:
    z, t, u = (np.array(one) for one in ([1 + 2j, 0.5j], [1j, 2 - 1j], [3 + 1j, -1j]))
    f = lambda z: z**2 * np.conj(z) + np.abs(z)  # noqa: E731
    step = 1e-6
    expected = (f(z + step * t) - f(z - step * t)) / (2 * step)
    _, tangent = everywhere(lambda z, t: jvp(f, (z,), (t,)), z, t)
    close(tangent, numpy.asarray(expected), 1e-7, 1e-7)
    (g,) = vjp(f, z)[1](u)
    close((g * t).sum().real, numpy.asarray((u * tangent).sum().real))
    # Real tangents of complex arguments, complex results of real ones.
    close(jvp(f, (z,), (np.ones(2),))[1], numpy.asarray((f(z + step) - f(z - step)) / (2 * step)), 1e-7, 1e-7)
    x = np.array([1.0, 2.0])
    close(jvp(lambda x: np.exp(1j * x), (x,), (x,))[1], numpy.array([1j, 2j]) * numpy.exp(1j * numpy.array([1, 2])))


def test_complex_jacobians() -> None:
    z = np.array([1 + 2j, 0.5j])
    for mode in ("forward", "reverse", None):
        close(jacobian(lambda z: z**3, mode=mode)(z), numpy.diag(3 * numpy.asarray(z) ** 2))
    real = lambda z: (np.abs(z) ** 2).sum()  # noqa: E731
    close(jacobian(real)(z), numpy.asarray(grad(real)(z)))
    close(jacobian(lambda x: np.exp(1j * x))(2.0), numpy.asarray(1j * numpy.exp(2j)))
    close(hessian(lambda z: z**3)(1j), numpy.asarray(6j))
    for call in (lambda: jacobian(real, mode="forward")(z), lambda: jacobian(lambda x: 1j * x, mode="reverse")(1.0)):
        with pytest.raises(GradientError, match="use the other mode"):
            call()
    with pytest.raises(GradientError, match="real function of complex"):
        hessian(real)(z)
    with pytest.raises(GradientError, match="one by one"):
        jacobian(lambda z, x: [z * x, np.abs(z) * x], argnums=(0, 1))(z, 2.0)


# custom_vjp -------------------------------------------------------------------------------------------------------


@same(replays=6)
def test_a_rule_of_ones_own(compile: Compile) -> Any:
    @custom_vjp
    def f(x, y):
        return {"s": np.sin(x) * y, "n": (x > 0)}

    def forward(x, y):
        return f(x, y), {"x": x, "more": [y, "text", None, 2.0]}

    def backward(residuals, g):
        y, text, nothing, two = residuals["more"]
        assert (text, nothing, g["n"]) == ("text", None, None)
        return g["s"] * np.cos(residuals["x"]) * y * (two + 1), None

    f.defvjp(forward, backward)
    g = compile(grad(lambda x, y: (f(x, y)["s"] ** 2).sum() + (y * x).sum(), argnums=(0, 1)))
    h = compile(lambda x, y: f(x, y))
    k = compile(lambda x, y: jvp(lambda x: f(x, y)["s"], (x,), (y,)))
    return [one(arr(i, 2), arr(3, -i)) for i in range(3) for one in (g, h, k)]


def test_a_rule_that_is_wrong_on_purpose_is_the_one_that_is_used() -> None:
    @custom_vjp
    def f(x: Any) -> Any:
        return x * x

    f.defvjp(lambda x: (x * x, x), lambda x, g: (100 * g,))
    close(everywhere(grad(lambda x: f(x).sum()), np.array(X)), numpy.full(3, 100.0))
    close(everywhere(lambda x: jvp(f, (x,), (x,))[1], np.array(X)), 100 * numpy.array(X))
    close(everywhere(jacobian(f), np.array(X)), 100 * numpy.eye(3))
    close(everywhere(lambda x: vjp(checkpoint(f), x)[1](x)[0], np.array(X)), 100 * numpy.array(X))
    close(grad(lambda x: checkpoint(lambda x: f(x) * x)(x).sum())(np.array(X)), 100 * numpy.array(X) + numpy.square(X))
    close(hessian(lambda x: f(x).sum())(np.array(X)), numpy.zeros((3, 3)))


@pytest.mark.parametrize("order", [1, 2, 3])
def test_rules_of_any_order(order: int) -> None:
    plain, custom = (lambda x: np.exp(x**3)), (lambda x: np.exp(custom_cube(x)))
    for _ in range(order):
        plain, custom = grad(plain), grad(custom)
    close(everywhere(custom, 0.7), numpy.asarray(plain(0.7)))


def test_a_rule_may_call_the_function_itself() -> None:
    @custom_vjp
    def f(x: Any) -> Any:
        return np.exp(x)

    def forward(x: Any) -> Any:
        y = f(x)
        return y, y

    f.defvjp(forward, lambda y, g: (2 * g * y,))
    third = grad(grad(grad(f)))
    close(everywhere(third, 0.5), numpy.asarray(8 * numpy.exp(0.5)))


def test_arguments_that_are_not_differentiated() -> None:
    def apply(function: Any, x: Any, n: int = 2) -> Any:
        return function(x) * n

    apply = custom_vjp(apply, nondiff_argnums=(0, 2))
    apply.defvjp(lambda function, x, n: (function(x) * n, x), lambda function, n, x, g: (function(g) * n * 10,))
    close(grad(lambda x: apply(np.negative, x, 3).sum())(np.array(X)), numpy.full(3, -30.0))
    close(everywhere(lambda x: grad(lambda x: apply(np.negative, x).sum())(x), np.array(X)), numpy.full(3, -20.0))
    close(everywhere(lambda x: apply(function=np.negative, x=x), np.array(X)), -2 * numpy.array(X))
    close(grad(lambda x: apply(function=np.negative, x=x).sum())(np.array(X)), numpy.full(3, -20.0))


@same(replays=2)
def test_a_custom_method_and_state(compile: Compile) -> Any:
    class M:
        def __init__(self):
            self.w = arr(2, 3)

        @custom_vjp
        def f(self, x):
            return self.w * x

        f.defvjp(lambda self, x: (self.w * x, self.w), lambda w, g: (None, g * w * 7))

    m = M()
    g = compile(lambda x: grad(lambda x: m.f(x).sum())(x))
    out = [g(arr(1, 2)), g(arr(1, 2))]
    m.w += 1
    return [*out, g(arr(1, 2))]


def test_a_straight_through_estimator_in_a_loop() -> None:
    @custom_vjp
    def round_through(x: Any) -> Any:
        return np.rint(x)

    round_through.defvjp(lambda x: (np.rint(x), None), lambda _, g: (g,))

    def loss(x: Any) -> Any:
        for _ in range(3):
            x = round_through(x * 2)
        return x.sum()

    close(everywhere(grad(loss), np.array(X)), numpy.full(3, 8.0))


# checkpoint -------------------------------------------------------------------------------------------------------


def chain(n: int, group: int) -> Function:
    """A loss behind n layers, in groups that are computed again; 0 for none."""

    def layers(count: int) -> Function:
        def run(x: Any, w: Any) -> Any:
            for _ in range(count):
                x = np.tanh(x @ w)
            return x

        return run

    parts = [layers(n)] if not group else [checkpoint(layers(group))] * (n // group)

    def loss(w: Any, x: Any) -> Any:
        for part in parts:
            x = part(x, w)
        return (x**2).sum()

    return loss


def test_checkpoints_use_less_memory_and_give_the_same_numbers() -> None:
    random = numpy.random.default_rng(0)
    w, x = np.array(random.normal(size=(8, 8))), np.array(random.normal(size=(500, 8)))
    peaks, found = [], []
    for group in (0, 6):
        compiled = dopegraph.compile(value_and_grad(chain(36, group)))
        found += [compiled(w, x), compiled(w, x)]
        (plan,) = compiled.plans
        assert plan.calls == 1
        peaks.append(plan.program.graph.memory().planned)
    for one in found[1:]:
        close(one, found[0])
    layer = 500 * 8 * 8
    assert peaks[0] > 36 * layer
    assert peaks[1] < 18 * layer


def test_a_checkpoint_computes_again_and_nothing_merges_it() -> None:
    f = checkpoint(lambda x: np.sin(np.sin(x)))
    graph = dopegraph.trace(grad(lambda x: f(x)), optimize=True)(np.array(1.0))
    names = [node.op.name for node in graph.nodes]
    assert names.count("barrier") == 1
    assert names.count("sin") == 1  # of the value only the derivative is asked for
    graph = dopegraph.trace(value_and_grad(lambda x: f(x)), optimize=True)(np.array(1.0))
    assert [node.op.name for node in graph.nodes].count("sin") == 3


def test_errors_are_looked_for_once() -> None:
    table, i = np.array(numpy.arange(12.0).reshape(4, 3)), np.array([1, 2, 1])
    f = checkpoint(lambda t, i: np.exp(np.sin(t[i])))
    compiled = dopegraph.compile(lambda t, i: grad(lambda t: f(t, i).sum())(t))
    plain = grad(lambda t: np.exp(np.sin(t[i])).sum())(table)
    close([compiled(table, i), compiled(table, i)], [numpy.asarray(plain)] * 2)
    (plan,) = compiled.plans
    assert plan.calls == 1
    assert len(plan.program.source.outputs) == 2  # the result, and the elements that might not be there
    with pytest.raises(IndexError):
        compiled(table, i + 2)


def test_checkpoints_in_checkpoints_and_of_closures() -> None:
    w = np.array(V)

    @checkpoint
    def inner(x: Any) -> Any:
        return np.sin(x * w)

    outer = checkpoint(lambda x: inner(inner(x) + x) * w)
    plain = lambda x: np.sin((np.sin(x * w) + x) * w) * w  # noqa: E731
    x = np.array(X)
    for order in (lambda f: grad(lambda x: f(x).sum()), hessian, lambda f: jacobian(hessian(f)), jacobian):
        close(everywhere(order(outer), x), order(plain)(x))
    w.attach_grad()
    with dopegraph.record():
        y = outer(x).sum()
    y.backward()
    close(w.grad, numpy.asarray(grad(lambda w: (np.sin((np.sin(x * w) + x) * w) * w).sum())(w)))


@same(replays=3)
def test_checkpoints_with_random_numbers_views_and_state(compile: Compile) -> Any:
    n = arr(1.0)

    def body(x):
        nonlocal n
        n += x.sum()
        noise = np.random.normal(size=3)
        y = x * noise + n
        y[0] = y[1] * x[2]
        return y.reshape(3, 1), y[1:], {"k": 3, "x": x}

    def loss(x, around):
        a, b, c = around(body)(x)
        b *= 2  # a view of the other result
        return (a * a).sum() + b.prod() * n.sum() + c["x"].sum()

    def both(x):
        return value_and_grad(lambda x: loss(x, checkpoint))(x), n.copy()

    both = compile(both)
    return [both(arr(1, 2, i)) for i in range(4)]


def test_a_checkpoint_gives_what_the_function_gives() -> None:
    def body(x: Any) -> Any:
        y = x * np.random.normal(size=3)
        return y, y[1:], np.argmax(y)

    def loss(x: Any, f: Function) -> Any:
        a, b, i = f(x)
        b += x[1:]  # a view of the other result
        return (a * a).sum() + b[0] + a[i]

    found = []
    for f in (body, checkpoint(body)):
        np.random.seed(3)
        found.append([*value_and_grad(loss)(np.array(X), f), np.asarray(np.random.uniform())])
    close(found[1], [numpy.asarray(one) for one in found[0]])


# Errors -----------------------------------------------------------------------------------------------------------


def bad_rule(backward: Function) -> Function:
    @custom_vjp
    def f(x: Any) -> Any:
        return x * 2

    f.defvjp(lambda x: (x * 2, None), backward)
    return lambda: grad(lambda x: f(x).sum())(np.ones(3))


x3 = [1.0, 2.0, 3.0]
ERRORS: list[tuple[Function, type[Exception], str]] = [
    (lambda: vjp(np.sin, np.array([1, 2])), GradientError, "vjp: argument 0 is an array of int64"),
    (lambda: vjp(np.sin, 1), GradientError, "vjp: argument 0 is a int"),
    (lambda: vjp(lambda x: "no", np.ones(2)), GradientError, "vjp: the function returned a str, not an array"),
    (lambda: vjp(lambda x: (x, [x > 0]), np.ones(2)), GradientError, r"returned bool in its result\[1\]\[0\]"),
    (lambda: vjp(lambda x: x, np.ones(2), has_aux=True), GradientError, "must return \\(value, aux\\)"),
    (lambda: vjp(np.sin, np.ones(3))[1](np.ones(2)), ShapeError, r"the cotangent has shape \(2,\), not \(3,\)"),
    (lambda: vjp(np.sin, np.ones(3))[1](np.ones(3, int)), DTypeError, "cotangent is of int64, not float64"),
    (lambda: vjp(np.sin, np.ones(3))[1](1j * np.ones(3)), DTypeError, "cotangent is of complex128, not float64"),
    (lambda: vjp(np.sin, np.ones(3))[1](x3), StructureError, "cotangent is a list, not an array"),
    (lambda: vjp(np.sin, np.ones(3))[1](None), StructureError, "cotangent is a NoneType, not an array"),
    (lambda: vjp(lambda x: [x], np.ones(3))[1](np.ones(3)), StructureError, "other containers"),
    (lambda: vjp(lambda x: [x], np.ones(3))[1]((np.ones(3),)), StructureError, "other containers"),
    (lambda: vjp(lambda x: {"a": {"b": x}}, 1.0)[1]({"a": {"c": 1.0}}), StructureError, r"cotangent\['a'\] has other"),
    (lambda: jvp(np.sin, np.ones(3), np.ones(3)), StructureError, "primals must be a tuple"),
    (lambda: jvp(np.sin, (np.ones(3),), np.ones(3)), StructureError, "tangents must be a tuple"),
    (lambda: jvp(np.sin, (np.ones(3),), ()), StructureError, "1 primals but 0 tangents"),
    (lambda: jvp(np.sin, (np.ones(3),), (1.0,)), ShapeError, r"tangent 0 has shape \(\), not \(3,\)"),
    (lambda: jvp(np.sin, (np.ones(3),), (np.ones(3, bool),)), DTypeError, "tangent 0 is of bool, not float64"),
    (lambda: jvp(lambda p: p["w"], ({"w": 1.0},), ({"w": "a"},)), StructureError, r"tangent 0\['w'\] is a str"),
    (lambda: jvp(np.sin, (np.ones(3, int),), (np.ones(3),)), GradientError, "jvp: argument 0 is an array of int64"),
    (lambda: jvp(np.argmax, (np.ones(3),), (np.ones(3),)), GradientError, "jvp: the function returned int64"),
    (lambda: jacobian(np.sin, mode="backward"), ValueError, "mode must be"),
    (lambda: jacobian(np.sin, argnums=1)(1.0), GradientError, "jacobian: there is no positional argument 1"),
    (lambda: jacobian(np.sin)(1), GradientError, "jacobian: argument 0 is a int"),
    (lambda: jacobian(np.argmax)(np.ones(2)), GradientError, "jacobian: the function returned int64"),
    (lambda: hessian(np.sin)([1.0, 2]), GradientError, r"hessian: argument 0\[1\] is a int"),
    (lambda: custom_vjp(3), TypeError, "custom_vjp takes a function, not a int"),
    (lambda: grad(custom_vjp(lambda x: x))(1.0), GradientError, "before defvjp was called"),
    (bad_rule(lambda r, g: g), GradientError, "f: backward returned a ndarray; it must return a tuple of 1"),
    (bad_rule(lambda r, g: (g, g)), GradientError, "f: backward returned 2 cotangents; it must return a tuple of 1"),
    (bad_rule(lambda r, g: (g[1:],)), ShapeError, r"f: the cotangent of argument 0 has shape \(2,\), not \(3,\)"),
    (bad_rule(lambda r, g: (g > 0,)), DTypeError, "f: the cotangent of argument 0 is of bool"),
    (bad_rule(lambda r, g: ([g],)), StructureError, "f: the cotangent of argument 0 is a list"),
]


@pytest.mark.parametrize(("call", "kind", "message"), ERRORS, ids=[message for _, _, message in ERRORS])
def test_errors_name_what_is_wrong_and_the_users_line(call: Function, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message) as caught:
        call()
    if "custom_vjp takes" not in message:
        assert "test_transforms.py:" in str(caught.value)


def test_forward_returns_a_pair() -> None:
    f = custom_vjp(lambda x: x)
    f.defvjp(lambda x: x, lambda r, g: (g,))
    with pytest.raises(GradientError, match=r"forward must return \(value, residuals\)"):
        grad(f)(1.0)


def test_keyword_only_arguments_have_no_place_in_a_rule() -> None:
    f = custom_vjp(lambda x, *, n=1: x * n)
    f.defvjp(lambda x: (x, None), lambda r, g: (g,))
    assert float(f(2.0, n=3)) == 6
    with pytest.raises(GradientError, match="cannot take n by keyword only"):
        grad(lambda x: f(x, n=3))(1.0)


def test_forward_mode_needs_linear_rules() -> None:
    clipped = custom_vjp(lambda x: x)
    clipped.defvjp(lambda x: (x, None), lambda _, g: (np.clip(g, -1, 1),))
    x = np.array(X)
    close(grad(lambda x: (5 * clipped(x)).sum())(x), numpy.ones(3))
    close(jacobian(lambda x: 5 * clipped(x))(x), numpy.eye(3))
    for call in (lambda: jvp(clipped, (x,), (x,)), lambda: jacobian(clipped, mode="forward")(x)):
        with pytest.raises(GradientError, match="linear in the cotangent"):
            call()


def test_a_rule_that_looks_at_a_cotangent_without_values() -> None:
    f = custom_vjp(lambda x: x)
    f.defvjp(lambda x: (x, None), lambda _, g: (g if float(g) > 0 else g * 0,))
    close(grad(lambda x: 2 * f(x))(1.0), 2.0)
    with pytest.raises(GradientError, match="no values yet"):
        vjp(f, 1.0)
    close(grad(f)(1.0), 1.0)  # nothing is left of it


def test_errors_leave_no_recording() -> None:
    def fails(x: Any) -> Any:
        raise KeyError("no")

    for call in (lambda: vjp(fails, 1.0), lambda: jvp(fails, (1.0,), (1.0,)), lambda: jacobian(fails)(1.0)):
        assert isinstance(attempt(call), KeyError)
        assert active_recording() is None
    assert isinstance(attempt(grad(lambda x: checkpoint(fails)(x)), 1.0), KeyError)


@custom_vjp
def scaled(x: Any, s: Any) -> Any:
    return x * s


def _branching_rule(saved: Any, g: Any) -> Any:
    _, s = saved
    if s.sum() > 1:
        return g * s * 2, None
    return (g * s * 3 if s.sum() > 0.5 else g * s), None


scaled.defvjp(lambda x, s: (x * s, (x, s)), _branching_rule)


def test_rules_that_branch_are_replayed() -> None:
    def f(x: Any, s: Any) -> Any:
        value, tangent = jvp(lambda x: scaled(np.sin(x), s), (np.sin(x),), (x,))
        _, pullback = vjp(lambda x: scaled(np.sin(x), s) * 2, value)
        z = pullback(tangent)[0]
        if s.sum() > 3:
            z = z * 2
        each = dopegraph.vmap(scaled, (0, None))
        around = grad(lambda x, s: (each(x, s) * x).sum(), (0, 1))(x, s)
        return tangent, z, jacobian(lambda x: scaled(x * x, s))(x), around

    compiled = dopegraph.compile(f)
    for s in (2.0, 0.7, 0.1, 5.0) * 2:
        close(compiled(np.array(X), np.array(s)), f(np.array(X), np.array(s)))
    assert compiled.cache_info().replays == 4
