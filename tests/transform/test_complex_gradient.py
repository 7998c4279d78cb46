"""`grad` with respect to complex arguments: df/dx - i df/dy, as in JAX and HIPS autograd."""

from typing import Any

import numpy
import pytest

import dopegraph
import dopegraph.numpy as np
from dopegraph import grad, value_and_grad
from dopegraph.runtime.errors import GradientError

STEP = 1e-6


@pytest.fixture(autouse=True)
def double() -> Any:
    dopegraph.set_default_dtype("float64")
    yield
    dopegraph.set_default_dtype("float32")


def numbers(*shape: int, seed: int = 0) -> Any:
    random = numpy.random.default_rng(seed)
    return random.normal(size=shape) + 1j * random.normal(size=shape)


def differences(function: Any, z: Any) -> Any:
    result = numpy.zeros_like(z)
    for index in numpy.ndindex(z.shape):
        for direction, weight in ((1, 1), (1j, -1j)) if z.dtype.kind == "c" else ((1, 1),):
            ends = []
            for sign in (1, -1):
                moved = z.copy()
                moved[index] += sign * STEP * direction
                ends.append(float(function(np.array(moved))))
            result[index] += weight * (ends[0] - ends[1]) / (2 * STEP)
    return result


LOSSES = [
    lambda z: (np.abs(z) ** 3).sum(),
    lambda z: np.real(np.exp(z) * np.conj(np.sin(z))).sum(),
    lambda z: np.imag(np.log(z) * z**2.5).sum(),
    lambda z: np.angle(z * (1 + 1j)).sum(),
    lambda z: np.real(np.vdot(z, z * 1j + 2)) ** 2,
    lambda z: np.var(z),
    lambda z: np.std(np.cumsum(z, axis=1)),
    lambda z: np.abs(np.prod(z, axis=0)).sum(),
    lambda z: np.real(np.sign(z) * (1 + 2j)).sum(),
    lambda z: np.real(np.where(np.real(z) > 0, z, np.conj(z) * z)).sum(),
    lambda z: np.real(np.maximum(z, z[::-1]) * (1 + 3j)).sum(),
    lambda z: np.real(z @ z.T * 1j).sum(),
    lambda z: np.abs(np.fft.fft(z)).sum(),
    lambda z: np.abs(np.fft.ifft2(z, s=(4, 2), norm="ortho")).sum(),
    lambda z: (np.fft.irfft(z) ** 3).sum(),
    lambda z: (np.fft.hfft(z, 5) ** 2).sum(),
    lambda z: np.abs(np.fft.irfftn(z)).sum(),
    lambda z: np.hypot(np.real(z), np.imag(z)).sum(),
    lambda z: np.abs(np.round(z, 1) - z).sum(),
    lambda z: np.real(np.nan_to_num(z) * z).sum(),
]


@pytest.mark.parametrize("number", range(len(LOSSES)))
def test_gradients_are_those_of_differences_at_once_and_compiled(number: int) -> None:
    loss, z = LOSSES[number], numbers(3, 3)
    expected = differences(loss, z)
    for gradient in (grad(loss), dopegraph.compile(grad(loss))):
        found = gradient(np.array(z))
        assert found.dtype == z.dtype
        numpy.testing.assert_allclose(found.asnumpy(), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("number", range(len(LOSSES)))
def test_second_derivatives_are_those_of_differences(number: int) -> None:
    z = numbers(3, 3, seed=1)

    def of_gradient(z: Any) -> Any:
        return np.real(grad(LOSSES[number])(z) * np.array(numbers(3, 3, seed=2))).sum()

    expected = differences(of_gradient, z)
    numpy.testing.assert_allclose(grad(of_gradient)(np.array(z)).asnumpy(), expected, rtol=1e-4, atol=1e-5)


def test_a_real_argument_used_as_a_complex_one_has_a_real_gradient() -> None:
    x = numpy.array([0.3, -1.2, 2.0])
    for loss in (
        lambda x: np.real(np.exp(1j * x)).sum(),
        lambda x: np.abs(np.fft.fft(x) * (1 + 2j)).sum(),
        lambda x: np.abs(x.astype("complex128") + 1j * x).sum(),
        lambda x: np.abs(np.fft.rfft(x, 4)).sum(),
    ):
        found = grad(loss)(np.array(x))
        assert found.dtype == numpy.float64
        numpy.testing.assert_allclose(found.asnumpy(), differences(loss, x), rtol=1e-5, atol=1e-7)


def test_python_numbers_and_containers() -> None:
    assert grad(lambda z: np.abs(z) ** 2)(3 + 4j).tolist() == 6 - 8j
    value, gradient = value_and_grad(lambda p: np.real(p["z"] * p["x"]))({"z": 1 + 2j, "x": 3.0})
    assert float(value) == 3
    assert gradient["z"].tolist() == 3 and gradient["x"].tolist() == 1


def test_a_step_against_the_conjugate_gradient_goes_downhill() -> None:
    loss = lambda z: (np.abs(z - (1 - 2j)) ** 2).sum()  # noqa: E731
    z = np.array([0j, 3 + 1j])
    for _ in range(60):
        z = z - 0.2 * np.conj(grad(loss)(z))
    numpy.testing.assert_allclose(z.asnumpy(), [1 - 2j, 1 - 2j], rtol=1e-6)


def test_derivatives_through_views_and_writes_of_the_parts() -> None:
    def loss(z: Any) -> Any:
        w = z * 1
        np.real(w)[0] = 2.0
        np.imag(w)[...] *= 3.0
        return (np.abs(w) ** 2).sum()

    z = numpy.array([1 + 2j, 3 - 1j])
    numpy.testing.assert_allclose(grad(loss)(np.array(z)).asnumpy(), [-36j, 6 + 18j], atol=1e-12)
    numpy.testing.assert_allclose(differences(loss, z), [-36j, 6 + 18j], atol=1e-6)


def test_record_and_backward() -> None:
    z = np.array([1 + 2j, 3 - 1j])
    z.attach_grad()
    with dopegraph.record():
        loss = (np.abs(z) ** 2).sum()
    loss.backward()
    assert z.grad.tolist() == [2 - 4j, 6 + 2j]


def test_a_complex_value_is_an_error_that_says_what_to_return() -> None:
    with pytest.raises(GradientError, match=r"complex128; return a real number, such as its abs[\s\S]*test_complex"):
        grad(lambda z: (z * z).sum())(np.array([1j]))
