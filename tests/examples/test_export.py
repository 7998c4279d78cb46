"""The trained multilayer perceptron leaves home: MXNet alone computes the same logits."""

from __future__ import annotations

import json

import numpy
import pytest

import dopegraph
from dopegraph.backends.mxnet import library
from dopegraph.data import mnist
from tests.examples.chapters import fresh
from tests.plain_mxnet import run_exported


@pytest.mark.usefixtures("real_digits")
@pytest.mark.skipif(not library.installed(), reason="exports to MXNet")
def test_plain_mxnet_gives_the_logits_of_the_trained_perceptron(tmp_path):
    mlp = fresh("multilayer_perceptrons_scratch")
    images, labels = mnist(train=True)
    for step in range(50):
        part = slice(step * mlp.batch_size, (step + 1) * mlp.batch_size)
        mlp.compiled_step(images[part], labels[part], 0.01)
    data = images[:64]
    dopegraph.export(mlp.net, data, path=tmp_path / "mlp")
    logits = mlp.net(dopegraph.numpy.array(data)).asnumpy()
    assert numpy.ptp(logits) > 0.1  # it has learned something
    for loader, results in run_exported(tmp_path / "mlp", data, name="X").items():
        numpy.testing.assert_allclose(results[0], logits, rtol=1e-5, atol=1e-5, err_msg=loader)


CHAPTERS = {"linear_regression_scratch": 2, "softmax_regression_scratch": 784, "multilayer_perceptrons_scratch": 784}
FORMATS = ["dopegraph", "mxnet", "onnx"]


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("chapter", CHAPTERS)
def test_the_networks_of_the_book_go_out_and_come_back(chapter, format, tmp_path):
    """Checked on the way in plain MXNet, in another process, and in onnxruntime."""
    if format == "mxnet" and not library.available():
        pytest.skip("MXNet is not installed")
    if format == "onnx":
        pytest.importorskip("onnx")
    module = fresh(chapter)
    x = dopegraph.numpy.random.normal(size=(8, CHAPTERS[chapter]))
    files = dopegraph.export(module.net, x, path=tmp_path / "net", format=format)
    loaded = dopegraph.load(files[0])
    assert loaded.inputs == ["X"]
    numpy.testing.assert_allclose(loaded(x).asnumpy(), module.net(x).asnumpy(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("format", FORMATS)
def test_the_training_step_of_the_perceptron_goes_out_and_comes_back(format, tmp_path):
    if format == "mxnet" and not library.available():
        pytest.skip("MXNet is not installed")
    if format == "onnx":
        pytest.importorskip("onnx")
    mlp = fresh("multilayer_perceptrons_scratch")
    data = dopegraph.numpy.random.uniform(size=(16, 784))
    label = dopegraph.numpy.arange(16, dtype="int32") % 10
    args = (data, label, 0.1)
    files = dopegraph.export(mlp.train_step, *args, path=tmp_path / "step", format=format, updates=True)
    loaded = dopegraph.load(files[0])
    made = loaded(*args)
    wanted = float(mlp.train_step(*args))
    if format == "dopegraph":
        value, news = made, loaded.parameters
    else:  # what would be written are further outputs; gradients are written, too
        value, *rest = made
        manifest = json.loads((tmp_path / "step-manifest.json").read_text())
        news = dict(zip([one["replaces"] for one in manifest["updates"]], rest))
    assert float(value) == pytest.approx(wanted, rel=1e-5)
    for number, param in enumerate(mlp.params):
        for name, expected in ((f"params_{number}", param), (f"params_{number}_grad", param.grad)):
            numpy.testing.assert_allclose(news[name].asnumpy(), expected.asnumpy(), rtol=1e-3, atol=1e-6)
