"""CTC against a sum over all ways, against Gluon, and its gradient against differences."""

from __future__ import annotations

import itertools
import json

import numpy
import pytest

import dopegraph
import dopegraph.numpy as np
from dopegraph import nn
from dopegraph.backends.mxnet import library
from tests.plain_gluon import run_gluon

rng = numpy.random.default_rng(0)


def by_hand(pred, label):
    """Minus the logarithm of the summed probability of all ways that collapse to the label."""
    steps, classes = pred.shape
    probability = numpy.exp(pred) / numpy.exp(pred).sum(axis=1, keepdims=True)
    total = 0.0
    for way in itertools.product(range(classes), repeat=steps):
        said = [one for one, _ in itertools.groupby(way)]
        if [one for one in said if one != classes - 1] == list(label):
            total += numpy.prod(probability[numpy.arange(steps), way])
    return -numpy.log(total)


@pytest.mark.parametrize("run", [lambda f: f, dopegraph.compile], ids=["eager", "compiled"])
@pytest.mark.parametrize("labels", [[[0, 1], [1, 1]], [[0, -1], [2, 0]], [[-1, -1], [1, -1]]])
def test_it_is_the_sum_over_all_ways(labels, run):
    pred = rng.normal(size=(2, 4, 4)).astype("float32")
    found = run(nn.CTCLoss())(np.array(pred), np.array(labels))
    expected = [by_hand(one, [number for number in label if number >= 0]) for one, label in zip(pred, labels)]
    numpy.testing.assert_allclose(found.asnumpy(), expected, rtol=1e-5)
    assert found.dtype == "float32"


def test_lengths_and_layouts():
    pred, labels = rng.normal(size=(2, 5, 3)), [[0, 1, 0], [1, 0, 0]]
    how = {"pred_lengths": np.array([4, 5]), "label_lengths": np.array([3, 1])}
    expected = [by_hand(pred[0, :4], [0, 1, 0]), by_hand(pred[1], [1])]
    found = nn.CTCLoss()(np.array(pred), np.array(labels), **how)
    numpy.testing.assert_allclose(found.asnumpy(), expected, rtol=1e-5)
    other = nn.CTCLoss(layout="TNC", label_layout="TN")
    found = other(np.array(pred.swapaxes(0, 1)), np.array(labels).T, **how)
    numpy.testing.assert_allclose(found.asnumpy(), expected, rtol=1e-5)
    weighted = nn.CTCLoss(weight=2.0)(np.array(pred), np.array(labels), **how, sample_weight=np.array([1.0, 3.0]))
    numpy.testing.assert_allclose(weighted.asnumpy(), numpy.array(expected) * [2, 6], rtol=1e-5)


def test_a_label_that_does_not_fit_is_all_but_impossible():
    loss = nn.CTCLoss()(np.zeros((1, 2, 3)), np.array([[0, 0]]))  # needs a blank between: three steps
    assert float(loss[0]) > 1e29


@pytest.mark.parametrize("labels", [[[0, 1, 1], [2, 0, -1]]])
def test_gradients(labels):
    dopegraph.set_default_dtype("float64")
    try:
        pred, loss = np.array(rng.normal(size=(2, 5, 4))), nn.CTCLoss()

        def total(x):
            return np.sum(loss(x, np.array(labels)))

        first = dopegraph.grad(total)
        direction = rng.normal(size=pred.shape)
        step = 1e-5 * direction
        slope = (float(total(pred + step)) - float(total(pred - step))) / 2e-5
        assert float(np.sum(first(pred) * direction)) == pytest.approx(slope, rel=1e-7)
        bend = (first(pred + step) - first(pred - step)).asnumpy() / 2e-5
        second = dopegraph.grad(lambda x: np.sum(first(x) * direction))(pred).asnumpy()
        numpy.testing.assert_allclose(second, bend, atol=1e-7)
    finally:
        dopegraph.set_default_dtype("float32")


@pytest.mark.skipif(not library.installed(), reason="MXNet is not installed")
def test_gluons_numbers_and_gradients(tmp_path):
    pred = rng.normal(size=(3, 6, 5)).astype("float32")
    labels = numpy.array([[0, 1, 2], [3, 3, -1], [1, -1, -1]])
    numpy.save(tmp_path / "pred.npy", pred)
    program = f"""
x = nd.array(numpy.load("pred.npy"))
x.attach_grad()
with autograd.record():
    loss = gluon.loss.CTCLoss()(x, nd.array({labels.tolist()}))
loss.backward()
print(json.dumps([loss.asnumpy().tolist(), x.grad.asnumpy().tolist()]))
"""
    loss, gradient = json.loads(run_gluon(tmp_path, program))
    x = np.array(pred)
    x.attach_grad()
    with dopegraph.record():
        found = nn.CTCLoss()(x, np.array(labels))
    found.backward()
    numpy.testing.assert_allclose(found.asnumpy(), loss, rtol=1e-5)
    numpy.testing.assert_allclose(x.grad.asnumpy(), gradient, atol=1e-5)


def test_what_it_refuses():
    with pytest.raises(ValueError, match="there are NTC, TNC and NT, TN"):
        nn.CTCLoss("NCT")
    with pytest.raises(ValueError, match=r"they need the axes NTC and NT"):
        nn.CTCLoss()(np.zeros((2, 3)), np.zeros((2, 2)))
    with pytest.raises(ValueError, match="2 predictions over 3 steps for 1 labels"):
        nn.CTCLoss()(np.zeros((2, 3, 4)), np.zeros((1, 2)))
