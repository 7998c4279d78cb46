"""`host_call` and MinPy's `customop`: functions of NumPy arrays inside of compiled functions."""

from typing import Any

import numpy
import pytest

import dopegraph
import dopegraph.numpy as np
from dopegraph.ir import TensorType
from tests.differential import arr
from tests.reference import numerical_gradient


@dopegraph.host_call(results=lambda x: x, gradient=lambda g, y, x: g * numpy.cos(x))
def sine(x: Any) -> Any:
    return numpy.sin(x)


def test_it_runs_eagerly_compiled_and_differentiated() -> None:
    def f(x):
        return (sine(x * 2) * x).sum()

    compiled, slope = dopegraph.compile(f), dopegraph.compile(dopegraph.grad(f))
    for values in ((0.3, 1.0), (2.0, -1.0)):
        x = np.array(values, dtype="float64")
        expected = numpy.array(values)
        assert compiled(x).item() == pytest.approx((numpy.sin(2 * expected) * expected).sum())
        derivative = 2 * numpy.cos(2 * expected) * expected + numpy.sin(2 * expected)
        assert slope(x).tolist() == pytest.approx(derivative.tolist())
        assert dopegraph.grad(f)(x).tolist() == pytest.approx(derivative.tolist())
    assert compiled.cache_info().replays == slope.cache_info().replays == 1
    explanation = dopegraph.explain(compiled)(x)
    assert explanation.replayed
    if explanation.symbols:
        assert {fallback.reason for fallback in explanation.fallbacks} == {"host-function"}


def test_it_is_called_once_a_call() -> None:
    calls = []

    @dopegraph.host_call
    def noted(x: Any) -> Any:
        calls.append(x.copy())
        return x + 1

    @dopegraph.compile
    def f(x):
        noted(x)  # whose result is not used
        return noted(x) * noted(x)

    for count in range(1, 4):
        f(arr(count))
        assert [one.tolist() for one in calls] == [[float(k)] for k in range(1, count + 1) for _ in range(3)]
    assert f.cache_info().replays == 2
    noted(arr(1))
    assert len(calls) == 10


def test_containers_go_in_and_come_out() -> None:
    @dopegraph.host_call(gradient=lambda g, result, pair: ({"a": g["sum"], "b": g["sum"] + 2 * g["rest"][0]},))
    def both(pair: Any) -> Any:
        return {"sum": pair["a"] + pair["b"], "rest": (2 * pair["b"], pair["a"].size)}

    @dopegraph.compile
    def f(a, b):
        result = both({"a": a, "b": b})
        return result["sum"] * result["rest"][0], result["rest"][1]

    for values in ((1.0, 2.0), (3.0, 4.0)):
        product, size = f(arr(*values), arr(1, 1))
        assert product.tolist() == [2 * (v + 1) for v in values]
        assert (size.item(), size.dtype) == (2, numpy.int64)
    assert f.cache_info().replays == 1
    a, b = np.array([1.0, 2.0], dtype="float64"), np.array([3.0, -1.0], dtype="float64")

    def loss(a, b):
        result = both({"a": a, "b": b})
        return (result["sum"] * result["rest"][0]).sum()

    first, second = dopegraph.grad(loss, (0, 1))(a, b)
    numpy.testing.assert_allclose(
        first.asnumpy(), numerical_gradient(lambda x: loss(np.array(x), b).item(), a.asnumpy())
    )
    numpy.testing.assert_allclose(
        second.asnumpy(), numerical_gradient(lambda x: loss(a, np.array(x)).item(), b.asnumpy())
    )


def test_results_that_were_declared_are_checked() -> None:
    @dopegraph.host_call(results=TensorType("f32", (2,)))
    def wrong(x: Any) -> Any:
        return x[:1]

    for function in (wrong, dopegraph.compile(wrong), dopegraph.compile(lambda x: wrong(x) * 2)):
        with pytest.raises(ValueError, match=r"(?s)wrong gave an array of shape \(1,\), not \(2,\).*test_host_call.py"):
            function(arr(1, 2))
    with pytest.raises(TypeError, match="not float32"):
        dopegraph.host_call(lambda x: x.astype("float64"), np.ones(1))(arr(1))
    with pytest.raises(TypeError, match="no array of ours"):
        dopegraph.host_call(lambda x: numpy.array(["a"]))(arr(1))


def test_other_shapes_than_when_it_was_recorded_run_as_python() -> None:
    @dopegraph.host_call
    def positive(x: Any) -> Any:
        return x[x > 0]

    @dopegraph.compile
    def f(x):
        return positive(x) * 2

    for values in ((1.0, 2.0), (1.0, -2.0), (3.0, 4.0)):
        assert f(arr(*values)).tolist() == [2 * v for v in values if v > 0]


def test_its_arguments_cannot_be_written_to() -> None:
    @dopegraph.host_call
    def writes(x: Any) -> Any:
        x[0] = 1
        return x

    for function in (writes, dopegraph.compile(lambda x: writes(x * 2))):
        with pytest.raises(ValueError, match="read-only"):
            function(arr(1))


def test_what_it_raises_is_raised_where_python_can_catch_it() -> None:
    @dopegraph.host_call
    def strict(x: Any) -> Any:
        if x.sum() > 5:
            raise KeyError("big")
        return x

    @dopegraph.compile
    def f(x):
        try:
            return strict(x * 2)
        except KeyError:
            return x - 1

    assert [f(arr(v)).tolist() for v in (1, 3, 2, 4)] == [[2.0], [2.0], [4.0], [3.0]]


def test_without_a_derivative_the_error_names_it_and_the_line() -> None:
    @dopegraph.host_call
    def opaque(x: Any) -> Any:
        return x * 2

    with pytest.raises(dopegraph.errors.GradientError, match=r"(?s)opaque runs in NumPy.*opaque\(x\).sum"):
        dopegraph.grad(lambda x: opaque(x).sum())(arr(1))
    assert dopegraph.grad(lambda x: (opaque(dopegraph.stop_gradient(x)) * x).sum())(arr(3)).tolist() == [6.0]


def test_what_its_function_reads_is_not_guarded() -> None:
    settings = {"scale": 2}

    @dopegraph.host_call(results=lambda x: x)
    def scaled(x: Any) -> Any:
        return x * numpy.float32(settings["scale"])

    f = dopegraph.compile(lambda x: scaled(x) + 1)
    assert f(arr(1)).tolist() == [3.0]
    settings["scale"] = 5
    assert f(arr(1)).tolist() == [6.0]
    assert f.cache_info().replays == 1


def test_only_mxnet_refuses_it() -> None:
    with dopegraph.policy("only_mxnet"), pytest.raises(dopegraph.errors.FallbackError):
        dopegraph.compile(lambda x: sine(x) * 2)(arr(1))


def test_minpys_customop() -> None:
    """The softmax loss of MinPy's tutorial on operators of one's own: the derivative is that of the loss."""

    @dopegraph.customop("numpy")
    def my_softmax(x: Any, y: Any) -> Any:
        probs = numpy.exp(x - numpy.max(x, axis=1, keepdims=True))
        probs /= numpy.sum(probs, axis=1, keepdims=True)
        return -numpy.sum(numpy.log(probs[numpy.arange(len(x)), y])) / len(x)

    def my_softmax_grad(result: Any, x: Any, y: Any) -> Any:
        def grad(g: Any) -> Any:
            probs = numpy.exp(x - numpy.max(x, axis=1, keepdims=True))
            probs /= numpy.sum(probs, axis=1, keepdims=True)
            probs[numpy.arange(len(x)), y] -= 1
            return probs / len(x) * g

        return grad

    my_softmax.def_grad(my_softmax_grad)
    my_softmax.def_grad_zero(1)
    x = numpy.random.default_rng(0).normal(size=(3, 4))
    labels = numpy.array([1, 0, 3])
    expected = numerical_gradient(lambda x: my_softmax(np.array(x), np.array(labels)).item(), x)
    for grad in (dopegraph.grad(my_softmax), dopegraph.compile(dopegraph.grad(my_softmax))):
        found = grad(np.array(x), np.array(labels))
        numpy.testing.assert_allclose(found.asnumpy(), expected, rtol=1e-5, atol=1e-8)

    @dopegraph.customop()
    def product(a: Any, b: Any) -> Any:
        return a * b

    product.def_multiple_grad(lambda result, a, b: lambda g: (g * b, g * a), (0, 1))
    first, second = dopegraph.grad(lambda a, b: product(a, b).sum(), (0, 1))(arr(2), arr(5))
    assert (first.tolist(), second.tolist()) == ([5.0], [2.0])
    with pytest.raises(ValueError, match="not 'mxnet'"):
        dopegraph.customop("mxnet")
