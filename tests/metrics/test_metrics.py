"""Metrics against MXNet's own, which run in another process, and what they do when."""

import json
import math

import numpy
import pytest

import dopegraph.numpy as np
from dopegraph import metrics
from dopegraph.backends.mxnet import library
from tests.plain_gluon import run_gluon

METRICS = {
    "Accuracy()": "classes",
    "TopKAccuracy(2)": "classes",
    "CrossEntropy()": "classes",
    "Perplexity(None)": "classes",
    "Perplexity(ignore_label=1)": "classes",
    "F1()": "two",
    "F1(average='micro')": "two",
    "MAE()": "numbers",
    "MSE()": "numbers",
    "RMSE()": "numbers",
    "PearsonCorrelation()": "flat",
    "Loss()": "numbers",
}


def batches():
    rng = numpy.random.default_rng(0)
    return {
        "classes": [(rng.integers(0, 4, n), rng.dirichlet(numpy.ones(4), n)) for n in (6, 3)],
        "two": [(rng.integers(0, 2, n), rng.dirichlet(numpy.ones(2), n)) for n in (8, 5)],
        "flat": [(rng.normal(size=n), rng.normal(size=n)) for n in (6, 3)],
        "numbers": [(rng.normal(size=n), rng.normal(size=(n, 1))) for n in (6, 3)],
    }


@pytest.mark.skipif(not library.installed(), reason="MXNet is not installed")
def test_figures_are_mxnets(tmp_path):
    data = {kind: [[a.tolist() for a in pair] for pair in pairs] for kind, pairs in batches().items()}
    body = (
        f"METRICS = {METRICS!r}\ndata = json.loads({json.dumps(data)!r})\n"
        + """
found = []
for text, kind in METRICS.items():
    metric = eval("mx.metric." + text)
    for label, pred in data[kind]:
        metric.update([nd.array(label)], [nd.array(pred)])
    found.append(metric.get())
print(json.dumps([[name, float(value)] for name, value in found]))
"""
    )
    theirs = json.loads(run_gluon(tmp_path, body))
    for (text, kind), (name, value) in zip(METRICS.items(), theirs):
        metric = eval("metrics." + text)
        for label, pred in batches()[kind]:
            metric.update(np.array(label), np.array(pred.astype("float32")))
        found = metric.get()
        assert found[0] == name
        assert found[1] == pytest.approx(value, rel=1e-5), text
        again = eval("metrics." + text)
        for label, pred in batches()[kind]:
            again.update([np.array(label)], [np.array(pred.astype("float32"))])
        assert again.get() == found
        metric.reset()
        assert math.isnan(metric.get()[1])


def test_accuracy_of_classes_and_of_pixels():
    accuracy = metrics.Accuracy()
    accuracy.update([1, 2, 3], [1, 2, 0])
    assert accuracy.get() == ("accuracy", 2 / 3)
    accuracy.reset()
    accuracy.update(np.zeros((2, 4, 4)), np.ones((2, 3, 4, 4)))
    assert accuracy.get()[1] == 1


def test_composites_functions_and_names():
    both = metrics.create(["accuracy", metrics.Loss("other")])
    both.update(np.array([0, 1]), np.array([[0.9, 0.1], [0.6, 0.4]]))
    assert both.get() == (["accuracy", "other"], [0.5, pytest.approx(0.5)])
    own = metrics.create(lambda label, pred: float(abs(label - pred).max()))
    own.update([1.0, 2.0], [1.0, 5.0])
    assert own.get() == ("custom(<lambda>)", 3.0)
    assert str(metrics.Accuracy()) == "EvalMetric: {'accuracy': nan}"


def test_what_cannot_be_counted_is_refused():
    for update, message in (
        (lambda: metrics.Accuracy().update([1, 2], [1, 2, 3]), r"\(3,\)"),
        (lambda: metrics.TopKAccuracy(1), "at least 2"),
        (lambda: metrics.F1().update([2], [[0.5, 0.5]]), "0 and 1"),
        (lambda: metrics.F1(average="both"), "macro"),
        (lambda: metrics.MSE().update([np.zeros(1)], [np.zeros(1), np.zeros(1)]), "1 arrays of labels"),
        (lambda: metrics.create("nothing"), "accuracy"),
    ):
        with pytest.raises(ValueError, match=message):
            update()
