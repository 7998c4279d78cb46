"""Derivatives of elementwise functions and Fourier transforms as users call them, against central differences."""

import numpy
import pytest

import dopegraph
import dopegraph.numpy as np
from tests.reference import numerical_gradient

X = numpy.array([[0.3, -1.25, 2.1], [0.7, 0.05, -0.6]])

# Functions of an array, smooth near X; y is another array.
EXPRESSIONS = """
np.hypot(x, y)
np.hypot(x, 0)
np.copysign(x, -1)
np.copysign(y, x)
np.fmod(x, 0.4)
np.fmod(3.37, x)
np.fmax(x, y)
np.fmin(x, 0.1)
np.logaddexp(x, y)
np.logaddexp(x, x)
np.logaddexp2(x, 2 * y)
np.heaviside(y, x)
np.degrees(x) + np.radians(x) + np.deg2rad(x) * np.rad2deg(x)
np.float_power(np.fabs(x), 2.5)
np.float_power(x, 3)
np.ldexp(x, 3)
np.frexp(x)[0] * x
np.modf(3 * x)[0] * x + np.modf(3 * x)[1]
np.divmod(x, 0.4)[1] * x
np.positive(x) * np.conjugate(x)
np.fabs(x) * x
np.sinc(x)
np.sinc(x * 0.01)
np.i0(x)
np.i0(3 * x)
np.clip(x, -0.5, y)
np.clip(x, min=-1, max=0.5)
np.nan_to_num(x * x)
np.round(1.1 * x, 1) * x
np.fix(x) * x
np.unwrap(4 * x) * x
np.unwrap(4 * x, axis=0)
np.angle(x + 1j * y)
np.real(np.exp(1j * x) * x)
np.imag(np.sqrt(x + 0.5j))
np.abs(np.fft.fft(x))
np.abs(np.fft.fft(x, 2)) + np.abs(np.fft.ifft(x, 2, norm="forward"))
np.abs(np.fft.fft(x, 5, axis=0, norm="ortho"))
np.abs(np.fft.rfft(x))
np.abs(np.fft.rfft(x, 4)) ** 2
np.abs(np.fft.rfft(x, axis=0, norm="forward"))
np.fft.irfft(x * (1 + 2j))
np.fft.irfft(x, 5) ** 2
np.fft.hfft(x + 1j * y, 4) ** 2
np.abs(np.fft.ihfft(x))
np.abs(np.fft.fft2(x)) + np.abs(np.fft.ifftn(x))
np.abs(np.fft.rfftn(x, s=(4, 4), axes=(0, 1)))
np.fft.irfft2(x + 1j * y) ** 2
np.abs(np.fft.fftshift(np.fft.fft(x)) * np.fft.fftfreq(3))
"""


def functional(expression):
    y = numpy.array([[0.9, -0.2, 0.4], [0.33, -1.7, 0.8]])
    weights = numpy.random.default_rng(1).normal(size=(8, 8))
    code = compile(expression, __file__, "eval")

    def loss(x):
        result = eval(code, {"np": np, "x": x, "y": np.asarray(y)})
        return (result * np.asarray(weights[: result.shape[0], : result.shape[1]])).sum()

    return loss


def differences(loss):
    return numerical_gradient(lambda x: loss(np.asarray(x)), X)


@pytest.fixture(autouse=True)
def double():
    dopegraph.set_default_dtype("float64")
    yield
    dopegraph.set_default_dtype("float32")


@pytest.mark.parametrize("expression", EXPRESSIONS.strip().split("\n"))
def test_first_and_second_derivatives_are_those_of_differences(expression):
    first = functional(expression)
    numpy.testing.assert_allclose(
        dopegraph.grad(first)(np.asarray(X)).asnumpy(),
        differences(first),
        rtol=1e-5,
        atol=1e-6,
    )
    direction = np.asarray(numpy.random.default_rng(2).normal(size=X.shape))

    def second(x):
        return (dopegraph.grad(first)(x) * direction).sum()

    compiled = dopegraph.compile(dopegraph.grad(second))
    numpy.testing.assert_allclose(compiled(np.asarray(X)).asnumpy(), differences(second), rtol=1e-4, atol=1e-5)


def nth(function, n):
    return function if n == 0 else dopegraph.grad(nth(function, n - 1))


@pytest.mark.parametrize(("order", "value"), [(0, 1), (1, 0), (2, -(numpy.pi**2) / 3), (3, 0), (4, numpy.pi**4 / 5)])
def test_derivatives_of_sinc_at_zero(order, value):
    assert float(nth(np.sinc, order)(np.array(0.0))) == pytest.approx(value, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize(("order", "value"), [(1, 0), (2, 0.5), (3, 0), (4, 0.375)])
def test_derivatives_of_i0_at_zero(order, value):
    assert float(nth(np.i0, order)(np.array(0.0))) == pytest.approx(value, rel=1e-12, abs=1e-12)


def test_derivatives_where_functions_have_corners_and_infinities():
    inf = numpy.inf
    gradient = dopegraph.grad(lambda x: np.logaddexp(x, np.array([-inf, 0.0, inf, -inf])).sum())
    assert gradient(np.array([0.0, -inf, 0.0, inf])).tolist() == [1, 0, 0, 1]
    assert dopegraph.grad(lambda x: np.hypot(x, x).sum())(np.zeros(2)).tolist() == [0, 0]
    assert dopegraph.grad(lambda x: np.fmax(x, numpy.nan).sum())(np.ones(2)).tolist() == [1, 1]
    assert dopegraph.grad(lambda x: np.fmin(x, x).sum())(np.ones(2)).tolist() == [1, 1]
    assert dopegraph.grad(lambda x: np.nan_to_num(x).sum())(np.array([numpy.nan, inf, 2.0])).tolist() == [0, 0, 1]
    assert dopegraph.grad(lambda x: np.modf(x)[0].sum())(np.array([-2.0, 0.0, 1.5])).tolist() == [1, 1, 1]
