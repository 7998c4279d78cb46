"""The trained multilayer perceptron leaves home: MXNet alone computes the same logits."""

from __future__ import annotations

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
