"""Arrays on devices other than the host: MXNet's second CPU device stands in for a GPU, on the same paths."""

from __future__ import annotations

import numpy
import pytest

import dopegraph
import dopegraph.numpy as np
from dopegraph import cpu, gpu
from dopegraph.backends.mxnet import library
from dopegraph.runtime.errors import DeviceError

pytestmark = pytest.mark.skipif(not library.installed(), reason="MXNet is not installed")

W = numpy.arange(6, dtype=numpy.float32).reshape(3, 2) / 10


def there(array):
    return np.array(array).to(cpu(1))


def close(actual, expected):
    numpy.testing.assert_allclose(actual.asnumpy(), expected, rtol=1e-5, atol=1e-6)


def test_arrays_are_made_on_the_chosen_device():
    with cpu(1):
        made = [np.zeros(2), np.array([1.0]), np.arange(3), np.random.normal(size=2), np.ones((2, 2))[0]]
    assert {array.device for array in made} == {cpu(1)}
    assert np.zeros(2).device == cpu()
    assert np.zeros_like(made[0]).device == cpu(1)
    assert repr(made[1]) == "array([1.], dtype=float32) @cpu(1)"


def test_random_numbers_do_not_depend_on_the_device():
    np.random.seed(1)
    here = np.random.normal(size=3)
    np.random.seed(1)
    with cpu(1):
        numpy.testing.assert_array_equal(np.random.normal(size=3).asnumpy(), here.asnumpy())


def test_operations_stay_on_the_device_and_agree_with_numpy():
    w = there(W)
    results = {
        "product": (w.T @ w, W.T @ W), "number": (w * 2 + 1, W * 2 + 1), "reduction": (w.max(axis=0), W.max(axis=0)),
        "comparison": (w > 0.2, W > 0.2), "view": (w[1:, ::-1], W[1:, ::-1]), "position": (np.argmax(w), W.argmax()),
    }  # fmt: skip
    for actual, expected in results.values():
        assert actual.device == cpu(1)
        close(actual, expected)


def test_writes_reach_the_base_through_views():
    w, expected = there(W), W.copy()
    row = w[1]
    row += 10
    expected[1] += 10
    w[2:, 0] *= 3
    expected[2:, 0] *= 3
    w.T[1, 0] = -1
    expected.T[1, 0] = -1
    close(w, expected)
    close(row, expected[1])


def test_derivatives_compiled_steps_and_recordings_run_there():
    w, x = there(W), there(numpy.ones((4, 3)))

    def loss(w):
        return np.tanh(x @ w).sum()

    @dopegraph.compile
    def step(lr):
        value, gradient = dopegraph.value_and_grad(loss)(w)
        w[:] = w - lr * gradient
        return value

    reference = np.array(W)
    for lr in (0.1, 0.2):
        value, gradient = dopegraph.value_and_grad(lambda w: np.tanh(np.ones((4, 3)) @ w).sum())(reference)
        reference -= lr * gradient
        found = step(lr)
        assert found.device == w.device == cpu(1)
        close(found, value.asnumpy())
        close(w, reference.asnumpy())
    w.attach_grad()
    with dopegraph.record():
        recorded = loss(w)
    recorded.backward()
    assert w.grad.device == cpu(1)
    close(w.grad, dopegraph.grad(loss)(w).asnumpy())


def test_random_numbers_inside_a_compiled_function_come_to_the_device():
    x = there(numpy.ones(3))
    noisy = dopegraph.compile(lambda: x + np.random.normal(size=3))
    np.random.seed(2)
    found = [noisy().asnumpy() for _ in range(2)]
    np.random.seed(2)
    expected = [1 + np.random.normal(size=3).asnumpy() for _ in range(2)]
    numpy.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize("wrap", [lambda f: f, dopegraph.compile], ids=["eager", "compiled"])
def test_operands_on_two_devices_are_an_error_at_the_users_line(wrap):
    here, away = np.ones(3), there(numpy.ones(3))
    with pytest.raises(DeviceError, match=r"(?s)cpu\(.\) and cpu\(.\); move one with x\.to.*test_devices\.py"):
        wrap(lambda: here + away)()


def test_moving_copies_only_when_it_must():
    x = np.ones(3)
    assert x.to("cpu") is x
    back = there(numpy.ones(3)).to("cpu")
    back += 1
    assert back.tolist() == [2, 2, 2]


@pytest.mark.skipif(library.gpu_count() > 0, reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_named():
    with pytest.raises(DeviceError, match=r"gpu\(0\) is not there"):
        np.ones(3).to(gpu())
    with gpu(0), pytest.raises(DeviceError, match=r"gpu\(0\) is not there"):
        np.zeros(3)
