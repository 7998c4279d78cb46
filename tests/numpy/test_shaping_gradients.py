"""Derivatives, first and second, of functions that move, pad, join, difference, interpolate and convolve."""

import numpy
import pytest

import dopegraph
import dopegraph.numpy as np
from tests.reference import numerical_gradient

# Each maps an array `x` of shape (3, 4) and the vector `v` of 4 to an array.
FUNCTIONS = """
np.diag(v, 1) ** 2
np.diagonal(x, 1) ** 2 * v[:3]
np.diagflat(x) ** 3
np.vander(v, 4) ** 2
np.linspace(v, x[0] ** 2, 5)
np.linspace(x, v ** 3, 3, axis=1)
np.logspace(v, 1, 3, base=2.0)
np.meshgrid(v, x[:, 0])[0] ** 3
np.tril(x) ** 3
np.array(x, order="F") ** 3
np.asfortranarray(x).ravel("K") ** 3
np.ravel(x.T, "K") ** 3
np.reshape(x, (2, 6), order="F") ** 3
np.resize(v, (3, 5)) ** 3
np.rot90(x) ** 3
np.rollaxis(x, 1) ** 3
np.r_[v, 1:3, x[0]] ** 3
np.c_[v, v ** 2] ** 2
np.block([[x, x ** 2], [v, 2 * v]]) ** 2
np.column_stack([v, v ** 2]) ** 2
np.dstack([x, x ** 2]) ** 2
np.append(x, v) ** 3
np.insert(x, [0, 2], v, axis=0) ** 3
np.insert(v, 2, x[0, :2]) ** 3
np.delete(x, [1, 3], axis=1) ** 3
np.repeat(x, 2, axis=1) ** 3
np.repeat(v, [1, 0, 2, 1]) ** 3
np.tile(v, (2, 2)) ** 3
np.unstack(x, axis=1)[2] ** 3
np.apply_along_axis(lambda a: a[0] * a ** 2, 1, x)
np.vectorize(lambda a, b: a * b ** 2)(x, v)
[a := x * 1, np.fill_diagonal(a, v[:3] ** 2), a ** 2][2]
[a := x * 1, np.copyto(a, v ** 2, where=[True, False, True, True]), a ** 2][2]
[a := x * 1, np.put(a, [0, 5, 5], v ** 2), a ** 2][2]
[a := x * 1, np.putmask(a, x > 0, v ** 2), a ** 2][2]
[a := x * 1, np.place(a, x > 0, v ** 2), a ** 2][2]
np.pad(x, 1, constant_values=v[0]) ** 3
np.pad(x, 2) ** 3
np.pad(x, (1, 2), "edge") ** 3
np.pad(x, 2, "linear_ramp", end_values=v[1]) ** 3
np.pad(x, 2, "maximum", stat_length=2) ** 3
np.pad(x, 2, "mean") ** 3
np.pad(x, (7, 5), "reflect") ** 3
np.pad(x, (7, 5), "reflect", reflect_type="odd") ** 3
np.pad(x, (7, 5), "symmetric") ** 3
np.pad(x, (7, 5), "symmetric", reflect_type="odd") ** 3
np.pad(x, (7, 5), "wrap") ** 3
np.diff(x ** 3, n=2, prepend=v[:1].reshape(1, 1) ** 2 * np.ones((3, 1)))
np.gradient(x ** 3, 0.5, axis=1)
np.gradient(x ** 3, axis=0, edge_order=2)
np.gradient(v ** 3, np.cumsum(v ** 2 + 1))
np.gradient(v ** 3, np.cumsum(v ** 2 + 1), edge_order=2)
np.trapezoid(x ** 2, v ** 2)
np.interp(x, [-3.0, -1.0, 0.05, 3.0], v) ** 2
np.interp(v, [-3.0, -1.1, 0.05, 3.0], x[0] ** 2) ** 2
np.convolve(v ** 2, x[0])
np.convolve(v ** 2, x[0, :3], "same")
np.convolve(x.ravel(), v ** 2, "valid")
np.correlate(v ** 2, x[1])
np.correlate(v ** 2, x[1, :3], "full")
np.correlate(x[1, :2], v ** 2, "same")
np.polyval(v, x)
np.polyadd(v ** 2, x[0, :2]) ** 2
np.polymul(v, x[0])
np.polydiv(v, x[0, :2])[0]
np.polyder(v ** 3)
np.polyint(v ** 3, 2, k=3)
np.poly(v)
np.lib.stride_tricks.sliding_window_view(v, 2) ** 3
""".strip().split("\n")


def differences(function, x):
    return numerical_gradient(lambda moved: function(np.array(moved)), x)


@pytest.fixture(autouse=True)
def double():
    dopegraph.set_default_dtype("float64")
    yield
    dopegraph.set_default_dtype("float32")


@pytest.mark.parametrize("expression", FUNCTIONS)
@pytest.mark.parametrize("wrt", ["x", "v"])
def test_derivatives_are_those_of_central_differences(expression, wrt):
    rng = numpy.random.default_rng(3)
    values = {"x": rng.normal(size=(3, 4)), "v": rng.normal(size=4)}
    function = eval(f"lambda x, v: ({expression})", {"np": np})
    shape = function(np.array(values["x"]), np.array(values["v"])).shape
    weights = np.array(rng.normal(size=shape))
    direction = np.array(rng.normal(size=values[wrt].shape))

    def total(z):
        given = {name: np.array(value) for name, value in values.items()}
        return (function(**{**given, wrt: z}) * weights).sum()

    def along(z):
        return (dopegraph.grad(total)(z) * direction).sum()

    at = values[wrt]
    numpy.testing.assert_allclose(
        dopegraph.grad(total)(np.array(at)).asnumpy(),
        differences(total, at),
        rtol=2e-5,
        atol=2e-5,
    )
    second = dopegraph.grad(along)(np.array(at)).asnumpy()
    numpy.testing.assert_allclose(second, differences(along, at), rtol=2e-4, atol=2e-4)
