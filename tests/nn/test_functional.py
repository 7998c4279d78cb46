"""Functions of neural networks against NumPy formulas, with derivatives by central differences."""

import itertools
import math

import numpy
import pytest

import dopegraph
import dopegraph.numpy as np
from dopegraph import nn

rng = numpy.random.default_rng(0)
X = rng.normal(size=(2, 3, 5, 6)).astype("float32")


def close(found, expected, tolerance=1e-5):
    numpy.testing.assert_allclose(found.asnumpy(), expected, rtol=tolerance, atol=tolerance)


def assert_gradient(function, *arrays):
    """Every derivative of a weighted sum of the results, in float64."""
    arrays = [numpy.asarray(array, "float64") for array in arrays]
    weights = numpy.cos(numpy.arange(function(*map(np.array, arrays)).size))

    def loss(*arguments):
        return (function(*arguments).reshape(-1) * np.array(weights)).sum()

    gradients = dopegraph.grad(loss, tuple(range(len(arrays))))(*map(np.array, arrays))
    for array, gradient in zip(arrays, gradients):
        direction = numpy.random.default_rng(1).normal(size=array.shape)
        step = 1e-6
        moved = [[a + sign * step * direction if a is array else a for a in arrays] for sign in (1, -1)]
        up, down = (float(loss(*map(np.array, one))) for one in moved)
        numpy.testing.assert_allclose(
            (gradient.asnumpy() * direction).sum(), (up - down) / (2 * step), rtol=1e-5, atol=1e-7
        )


def conv_by_loops(x, w, stride, pad, dilate, groups):
    space = x.ndim - 2
    x = numpy.pad(x, [(0, 0), (0, 0), *[(p, p) for p in pad]])
    out = [(n - d * (k - 1) - 1) // s + 1 for n, k, s, d in zip(x.shape[2:], w.shape[2:], stride, dilate)]
    result = numpy.zeros((x.shape[0], w.shape[0], *out))
    size = w.shape[0] // groups
    for f, place in itertools.product(range(w.shape[0]), itertools.product(*map(range, out))):
        group = f // size
        window = x[(slice(None), slice(group * w.shape[1], (group + 1) * w.shape[1]))]
        at = tuple(slice(p * s, p * s + d * (k - 1) + 1, d) for p, s, d, k in zip(place, stride, dilate, w.shape[2:]))
        axes = tuple(range(1, 2 + space))
        result[(slice(None), f, *place)] = (window[(slice(None), slice(None), *at)] * w[f]).sum(axis=axes)
    return result


def pool_by_loops(function, x, kernel, stride, pad, fill):
    x = numpy.pad(x.astype("float64"), [(0, 0), (0, 0), *[(p, p) for p in pad]], constant_values=fill)
    out = [(n - k) // s + 1 for n, k, s in zip(x.shape[2:], kernel, stride)]
    result = numpy.zeros((*x.shape[:2], *out))
    for place in itertools.product(*map(range, out)):
        at = tuple(slice(p * s, p * s + k) for p, s, k in zip(place, stride, kernel))
        axes = tuple(range(2, x.ndim))
        result[(slice(None), slice(None), *place)] = function(x[(slice(None), slice(None), *at)], axis=axes)
    return result


def softmax(x, axis):
    e = numpy.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def test_relu_is_the_positive_part_with_derivative_0_at_0():
    close(nn.relu(X), numpy.maximum(X, 0))
    assert nn.relu([-1, 2]).tolist() == [0, 2]
    assert dopegraph.grad(lambda x: nn.relu(x).sum())(np.array([-1.0, 0.0, 2.0])).tolist() == [0, 0, 1]


def test_sigmoid_and_erf_are_their_formulas_without_overflow():
    close(nn.sigmoid(X), 1 / (1 + numpy.exp(-X)))
    assert nn.sigmoid([-1e4, 1e4]).tolist() == [0, 1]
    close(nn.erf(X), numpy.vectorize(math.erf)(X))
    assert nn.sigmoid(numpy.array([0])).dtype == numpy.float32
    for function in (nn.sigmoid, nn.erf):
        assert_gradient(function, X)


@pytest.mark.parametrize("axis", [-1, 0, 1, -2])
def test_softmax_sums_to_one_along_its_axis(axis):
    close(nn.softmax(X, axis), softmax(X, axis))
    close(nn.log_softmax(X, axis), numpy.log(softmax(X, axis)))
    assert nn.softmax([[1e4, 0.0]]).tolist() == [[1, 0]] and nn.log_softmax([[1e4, 0.0]]).tolist() == [[0, -1e4]]
    assert_gradient(lambda x: nn.softmax(x, axis), X)
    assert_gradient(lambda x: nn.log_softmax(x, axis), X)


@pytest.mark.parametrize(
    "labels", [[0, 2, 1], [[1], [3]], 2, [-1, 4], numpy.array([1.0, 2.0]), numpy.array([1], "uint8")]
)
def test_one_hot_marks_the_place_of_each_label(labels):
    expected = numpy.asarray(labels)[..., None] == numpy.arange(4)
    found = nn.one_hot(labels, 4)
    assert found.dtype == numpy.float32
    close(found, expected)
    assert nn.one_hot(labels, 4, "int8").dtype == numpy.int8


@pytest.mark.parametrize(
    ("shape", "weight", "how"),
    [
        ((2, 3, 5, 6), (4, 3, 2, 3), {}),
        ((2, 3, 5, 6), (4, 3, 2, 3), {"stride": 2, "pad": 1}),
        ((2, 3, 5, 6), (4, 3, 2, 3), {"stride": (1, 2), "pad": (2, 0), "dilate": (2, 1)}),
        ((1, 4, 5, 5), (6, 2, 3, 3), {"groups": 2, "pad": [1, 1]}),
        ((1, 4, 5, 5), (4, 1, 3, 3), {"groups": 4}),
        ((2, 3, 7), (2, 3, 3), {"dilate": 2}),
        ((1, 2, 4, 3, 4), (2, 2, 2, 2, 2), {"stride": 2, "pad": 1}),
    ],
)
def test_convolution_is_its_sum_and_has_its_derivatives(shape, weight, how):
    x, w, b = (rng.normal(size=one).astype("float32") for one in (shape, weight, weight[:1]))
    space = len(shape) - 2
    lengths = {
        name: (how[name],) * space if isinstance(how.get(name), int) else tuple(how.get(name, (default,) * space))
        for name, default in (("stride", 1), ("pad", 0), ("dilate", 1))
    }
    expected = conv_by_loops(x, w, **lengths, groups=how.get("groups", 1))
    close(nn.conv(x, w, **how), expected, 1e-4)
    close(nn.conv(x, w, b, **how), expected + b.reshape(-1, *[1] * space), 1e-4)
    close(dopegraph.compile(lambda x, w, b: nn.conv(x, w, b, **how))(x, w, b), nn.conv(x, w, b, **how).asnumpy())
    assert_gradient(lambda x, w, b: nn.conv(x, w, b, **how), x, w, b)


@pytest.mark.parametrize(
    ("kernel", "stride", "pad"), [(2, None, 0), ((2, 3), None, 0), (3, 1, 1), ((3, 2), (2, 1), (1, 0)), ([2, 2], 2, 1)]
)
def test_pooling_takes_the_maximum_or_mean_of_windows(kernel, stride, pad):
    sizes, steps, pads = (
        (one,) * 2 if isinstance(one, int) else tuple(one)
        for one in (kernel, kernel if stride is None else stride, pad)
    )
    close(nn.max_pool(X, kernel, stride, pad), pool_by_loops(numpy.max, X, sizes, steps, pads, -numpy.inf))
    close(nn.avg_pool(X, kernel, stride, pad), pool_by_loops(numpy.mean, X, sizes, steps, pads, 0))
    inside = pool_by_loops(numpy.nanmean, X, sizes, steps, pads, numpy.nan)
    close(nn.avg_pool(X, kernel, stride, pad, count_include_pad=False), inside)
    assert_gradient(lambda x: nn.max_pool(x, kernel, stride, pad), X)
    assert_gradient(lambda x: nn.avg_pool(x, kernel, stride, pad, False), X)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda: nn.softmax(X, 7), "softmax: axis 7"),
        (lambda: nn.softmax(1j * X), "softmax"),
        (lambda: nn.conv(X, X[:, :2]), "conv"),
        (lambda: nn.conv(X[0, 0], X), "conv: data of shape"),
        (lambda: nn.conv(X, numpy.ones((4, 3, 9, 9), "float32")), "larger than the padded data"),
        (lambda: nn.conv(X, numpy.ones((4, 3, 2, 2), "float32"), numpy.ones(3)), "a bias of shape"),
        (lambda: nn.conv(X, numpy.ones((4, 3, 2, 2), "float32"), stride=0), "conv"),
        (lambda: nn.conv(X, numpy.ones((4, 3, 2, 2), "float32"), stride=1.5), "conv: stride"),
        (lambda: nn.conv(X, numpy.ones((4, 3, 2, 2), "float32"), pad=(1, 1, 1)), "2 spatial axes"),
        (lambda: nn.conv(X, numpy.ones((4, 3, 2, 2), "float32"), groups=2), "channels"),
        (lambda: nn.conv(numpy.ones((1, 1, 3), int), numpy.ones((1, 1, 2), int)), "floating numbers"),
        (lambda: nn.max_pool(X, 9), "larger than the padded data"),
        (lambda: nn.max_pool(X, 2, pad=2), "without any data"),
        (lambda: nn.avg_pool(X, (2, 2, 2)), "2 spatial axes"),
        (lambda: nn.one_hot([1], -2), "one_hot"),
        (lambda: nn.one_hot([1], 2.5), "one_hot"),
        (lambda: nn.one_hot([1], 2, "nonsense"), "nonsense"),
    ],
)
def test_wrong_arguments_are_errors_that_say_what_and_where(wrong, words):
    with pytest.raises((ValueError, TypeError)) as caught:
        wrong()
    assert words in str(caught.value) and "test_functional.py" in str(caught.value)
