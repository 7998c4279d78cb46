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


# What the book prints of net(sym.var("data")), chapter 14 of part 2: operator, name, inputs. The names are those that
# layers have within the network.
BOOK = [
    ("null", "data", []),
    ("null", "dense0_weight", []),
    ("null", "dense0_bias", []),
    ("FullyConnected", "dense0_fwd", [[0, 0, 0], [1, 0, 0], [2, 0, 0]]),
    ("Activation", "dense0_relu_fwd", [[3, 0, 0]]),
    ("null", "dense1_weight", []),
    ("null", "dense1_bias", []),
    ("FullyConnected", "dense1_fwd", [[4, 0, 0], [5, 0, 0], [6, 0, 0]]),
    ("Activation", "dense1_relu_fwd", [[7, 0, 0]]),
    ("null", "dense2_weight", []),
    ("null", "dense2_bias", []),
    ("FullyConnected", "dense2_fwd", [[8, 0, 0], [9, 0, 0], [10, 0, 0]]),
]


def test_the_books_listing_of_a_hybrid_sequential(tmp_path: Path) -> None:
    net = nn.HybridSequential()
    with net.name_scope():
        net.add(nn.Dense(256, activation="relu"), nn.Dense(128, activation="relu"), nn.Dense(2))
    net.initialize()
    x = np.random.normal(size=(1, 512))
    before = net(x)
    net.hybridize()
    assert (net(x).asnumpy() == before.asnumpy()).all()
    assert sum(param.data().size for param in net.collect_params().values()) == 164_482
    symbol, *_ = dopegraph.export(lambda data: net(data), x, path=tmp_path / "model")
    whole = json.loads(symbol.read_text())
    nodes = whole["nodes"]
    assert [(node["op"], node["inputs"]) for node in nodes] == [(op, inputs) for op, _, inputs in BOOK]
    assert whole["arg_nodes"] == [0, 1, 2, 5, 6, 9, 10]
    assert whole["node_row_ptr"] == list(range(13))
    assert whole["heads"] == [[11, 0, 0]]
    assert whole["attrs"] == {"mxnet_version": ["int", 10901]}
    for node, (op, name, _) in zip(nodes, BOOK):
        attrs = node.get("attrs", {})
        assert "attr" not in node and "param" not in node  # the spelling of 0.x
        if op == "FullyConnected":
            layer = int(name[5])
            assert attrs["num_hidden"] == ("256", "128", "2")[layer]
            assert attrs["no_bias"] == "False"
        elif op == "Activation":
            assert attrs == {"act_type": "relu"}
        elif name != "data":
            assert node["name"] == name.replace("dense", "net_layers_")
            assert attrs["__dtype__"] == "0"
            # The shapes are known here; the book prints a 0 for what the first call tells.
            sizes = {"0": "(256,512)", "1": "(128,256)", "2": "(2,128)"}
            shape = sizes[name[5]] if name.endswith("weight") else f"({('256', '128', '2')[int(name[5])]},)"
            assert attrs["__shape__"].replace(" ", "") == shape
