"""The symbol of the book's network is the one that the book prints: its operators, in its order."""

from __future__ import annotations

import json
from pathlib import Path

import numpy
import pytest

import dopegraph
import dopegraph.numpy as np
from dopegraph import nn
from dopegraph.backends.mxnet import library

pytestmark = pytest.mark.skipif(not library.available(), reason="MXNet is not installed")


def test_the_twelve_nodes_of_the_books_symbol(tmp_path: Path) -> None:
    mx = library.load()
    sizes = [(256, 512), (128, 256), (2, 128)]
    dense = [(np.random.normal(size=size) * 0.05, np.zeros(size[0])) for size in sizes]

    def net(data):
        for number, (weight, bias) in enumerate(dense):
            data = data @ weight.T + bias
            data = nn.relu(data) if number < 2 else data
        return data

    x = np.random.normal(size=(1, 512))
    symbol, _, manifest, _ = dopegraph.export(net, x, path=tmp_path / "model")
    nodes = json.loads(symbol.read_text())["nodes"]
    theirs = mx.gluon.nn.HybridSequential()
    for units, kind in ((256, "relu"), (128, "relu"), (2, None)):
        theirs.add(mx.gluon.nn.Dense(units, activation=kind))
    theirs.initialize()
    theirs(mx.nd.ones((1, 512)))
    wanted = json.loads(theirs(mx.sym.var("data")).tojson())["nodes"]
    assert len(nodes) == 12
    assert [node["op"] for node in nodes] == [node["op"] for node in wanted]
    assert [node["inputs"] for node in nodes] == [node["inputs"] for node in wanted]
    for one, other in zip(nodes, wanted):
        if one["op"] == "FullyConnected":
            assert one["attrs"]["num_hidden"] == other["attrs"]["num_hidden"]
            assert one["attrs"]["no_bias"] == other["attrs"]["no_bias"] == "False"
        if one["op"] == "Activation":
            assert one["attrs"] == other["attrs"]
    assert json.loads(manifest.read_text())["free_batch"]
    loaded = dopegraph.load(symbol)
    more = np.random.normal(size=(3, 512))
    numpy.testing.assert_allclose(loaded(more).asnumpy(), net(more).asnumpy(), rtol=1e-4, atol=1e-5)
