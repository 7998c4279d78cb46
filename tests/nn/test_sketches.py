"""The count sketch: its definition, its derivatives, what it keeps, what it refuses."""

from __future__ import annotations

import numpy
import pytest

import dopegraph
import dopegraph.numpy as np
from dopegraph import nn
from dopegraph.backends.mxnet import library
from dopegraph.runtime.errors import ShapeError

RNG = numpy.random.default_rng(0)
N, OUT = 30, 11
PLACES, SIGNS = RNG.integers(0, OUT, N), RNG.choice([-1, 1], N)


def by_definition(data, h, s, out_dim):
    found = numpy.zeros((*data.shape[:-1], out_dim), data.dtype)
    for j in range(data.shape[-1]):
        found[..., int(h[j])] += s[j] * data[..., j]
    return found


@pytest.mark.parametrize("shape", [(N,), (4, N), (2, 3, N), (0, N)])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("is_compiled", [False, True], ids=["eager", "compiled"])
def test_it_is_what_the_definition_says(shape, dtype, is_compiled):
    data = RNG.normal(size=shape).astype(dtype)
    sketch = dopegraph.compile(nn.count_sketch) if is_compiled else nn.count_sketch
    found = sketch(np.array(data), np.array(PLACES), np.array(SIGNS), OUT)
    assert found.dtype == dtype and found.shape == (*shape[:-1], OUT)
    tolerance = 2e-2 if dtype == "float16" else 1e-5
    numpy.testing.assert_allclose(found.asnumpy(), by_definition(data, PLACES, SIGNS, OUT), tolerance, tolerance)


def test_places_and_signs_as_mxnet_has_them():
    data = RNG.normal(size=(2, N)).astype("float32")
    row = PLACES.reshape(1, N).astype("float32"), SIGNS.reshape(1, N).astype("float32")
    expected = by_definition(data, PLACES, SIGNS, OUT)
    numpy.testing.assert_allclose(nn.count_sketch(data, *row, OUT).asnumpy(), expected, 1e-5, 1e-6)


@pytest.mark.skipif(not library.installed(), reason="compares MXNet with NumPy")
def test_it_is_the_same_on_both_backends(monkeypatch):
    monkeypatch.setenv("DOPEGRAPH_SMALL", "0")
    data, found = np.array(RNG.normal(size=(3, N)).astype("float32")), []
    for policy in ("only_mxnet", "only_numpy"):
        with dopegraph.policy(policy):
            value_and_grad = dopegraph.value_and_grad(lambda x: np.sum(nn.count_sketch(x, PLACES, SIGNS, OUT) ** 3))
            found.append([one.asnumpy() for one in dopegraph.compile(value_and_grad)(data)])
    for one, other in zip(*found):
        numpy.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def test_derivatives():
    x, s = np.array(RNG.normal(size=(2, N))), np.array(RNG.normal(size=N))
    dx, ds = np.array(RNG.normal(size=(2, N))), np.array(RNG.normal(size=N))

    def along(t):
        return np.sum(np.sin(nn.count_sketch(x + t * dx, PLACES, s + t * ds, OUT)))

    slope = dopegraph.grad(along)
    step, at = 1e-5, np.array(0.2, dtype="float64")
    for function, derivative in ((along, slope), (slope, dopegraph.grad(slope))):
        expected = (float(function(at + step)) - float(function(at - step))) / (2 * step)
        assert float(derivative(at)) == pytest.approx(expected, rel=1e-6)


def test_products_are_kept_on_average():
    x, y = RNG.normal(size=(2, N))
    products = [
        float(np.dot(nn.count_sketch(x, h, s, OUT), nn.count_sketch(y, h, s, OUT)))
        for h, s in ((RNG.integers(0, OUT, N), RNG.choice([-1, 1], N)) for _ in range(2000))
    ]
    error = numpy.std(products) / numpy.sqrt(len(products))
    assert abs(numpy.mean(products) - x @ y) < 4 * error


@pytest.mark.parametrize("h, s", [(PLACES[1:], SIGNS), (PLACES, SIGNS[1:])])
def test_too_few_places_or_signs(h, s):
    with pytest.raises(ShapeError, match="there must be one of each for each number of a row"):
        nn.count_sketch(numpy.ones((2, N)), h, s, OUT)


def test_places_outside():
    with pytest.raises(IndexError, match="out of bounds"):
        nn.count_sketch(numpy.ones(N), PLACES + 1, SIGNS, OUT)
