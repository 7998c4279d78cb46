"""Names in exported files are those of the user's variables, attributes, keys and layers; and what was exported is the
network that stays behind.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy
import pytest

import dopegraph
import dopegraph.numpy as np
from dopegraph import nn
from dopegraph.backends.mxnet import library

X = np.ones((4, 3)) / 7
weight = np.ones((3, 2))
params: dict[str, Any] = {"w": np.ones((3, 2)), "layers": [{"weight": np.ones((2, 2)), "bias": np.zeros(2)}]}


@dataclass
class Layer:
    weight: Any = field(default_factory=lambda: np.ones((2, 2)))


class Model:
    def __init__(self) -> None:
        self.first = np.ones((3, 2))
        self.blocks = [(np.ones((2, 2)), np.ones(2))]
        self.table = {"head": np.ones((2, 2)), 7: np.ones(2)}
        self.layer = Layer()

    def __call__(self, x: Any) -> Any:
        for matrix, bias in self.blocks:
            x = (x @ self.first) @ matrix + bias
        return x @ self.table["head"] + self.table[7] @ self.layer.weight

    def predict(self, images: Any) -> Any:
        return self(images)


model = Model()
OWN = ["first", "blocks_0_0", "blocks_0_1", "table_7", "table_head", "layer_weight"]


class Net(nn.Block):
    def __init__(self) -> None:
        super().__init__()
        self.hidden = nn.Dense(5, activation="relu")
        self.tail = [nn.Dense(4), nn.Dense(2)]

    def forward(self, images: Any) -> Any:
        x = self.hidden(images)
        for layer in self.tail:
            x = layer(x)
        return x


def functional(x: Any) -> Any:
    x = x @ params["w"]
    for layer in params["layers"]:
        x = x @ layer["weight"] + layer["bias"]
    return x @ weight.T[:2, :2]


def given(params: Any, x: Any, unused: Any = None, rate: float = 0.5, last: Any = 1) -> Any:
    return rate * x @ params["w"] + params["rest"][0] + last


def closure() -> Any:
    scale = np.ones(3)
    inner = Model()

    def scaled(x: Any) -> Any:
        return inner(x * scale)

    return scaled


NET = ["hidden_weight", "hidden_bias", "tail_0_weight", "tail_0_bias", "tail_1_weight", "tail_1_bias"]
CASES: dict[str, tuple[Any, list[Any], str, list[str], list[str]]] = {
    "globals": (functional, [X], "functional", ["x"],
                ["weight", "params_w", "params_layers_0_weight", "params_layers_0_bias"]),
    "closure": (closure(), [X], "scaled", ["x"], ["scale", *(f"inner_{name}" for name in OWN)]),
    "object": (model, [X], "Model", ["x"], OWN),
    "method": (model.predict, [X], "predict", ["images"], OWN),
    "through a function": (lambda x: model(x), [X], "graph", ["x"], [f"model_{name}" for name in OWN]),
    "arguments": (given, [{"w": np.ones((3, 2)), "rest": [np.ones(2)]}, X, None, 0.5, np.ones(2)], "given",
                  ["params_w", "params_rest_0", "x", "rate", "last"], []),
}  # fmt: skip


def exported(function: Any, args: list[Any], folder: Path) -> dict[str, Any]:
    *_, manifest, _ = dopegraph.export(function, *args, path=folder / "net", format="dopegraph")
    return json.loads(manifest.read_text())


def names(rows: list[dict[str, Any]]) -> list[str]:
    return [row["name"] for row in rows]


@pytest.mark.parametrize("case", CASES)
def test_parameters_are_called_as_in_the_source(case: str, tmp_path: Path) -> None:
    function, args, name, inputs, parameters = CASES[case]
    manifest = exported(function, args, tmp_path)
    assert manifest["name"] == name
    assert names(manifest["inputs"]) == inputs  # in the order of the arguments
    assert sorted(names(manifest["parameters"])) == sorted(parameters)


def test_the_manifest_has_the_place_where_the_name_is_another(tmp_path: Path) -> None:
    sources = {row["name"]: row.get("source") for row in exported(functional, [X], tmp_path)["parameters"]}
    assert sources["params_layers_0_bias"] == "params['layers'][0]['bias']"
    assert sources["weight"] is None


@pytest.mark.parametrize("call", [lambda net: net, lambda net: net.__call__, lambda net: dopegraph.compile(net)])
def test_a_block_names_its_layers(call: Any, tmp_path: Path) -> None:
    net = Net()
    net.initialize("uniform")
    manifest = exported(call(net), [X], tmp_path)  # its shapes become known in this moment
    assert names(manifest["inputs"]) == ["images"]
    assert sorted(names(manifest["parameters"])) == sorted(NET)


@pytest.mark.parametrize("how", ["export", "trace", "visualize", "lower"])
def test_parameters_that_wait_are_drawn_once(how: str, tmp_path: Path) -> None:
    """What was exported had other numbers than the network that was called later."""
    numpy.random.seed(0)
    net = Net()
    net.initialize("uniform")
    if how == "export":
        dopegraph.export(net, X, path=tmp_path / "net", format="dopegraph")
        wanted = dopegraph.load(tmp_path / "net")(X)
        assert (net(X).asnumpy() == wanted.asnumpy()).all()
    elif how == "trace":
        graph = dopegraph.trace(net)(X)
        assert sorted(value.name.replace("[", "_").replace("].", "_").replace(".", "_") for value in graph.state) == (
            sorted(NET)
        )
    elif how == "visualize":
        dopegraph.visualize(net, tmp_path / "net.dot")(X)
        assert "hidden_weight" in (tmp_path / "net.dot").read_text()
    else:
        dopegraph.compile(lambda x: net(x)).lower(X)
    drawn = [parameter.data().asnumpy().copy() for parameter in net.structural_parameters().values()]
    assert all(numpy.ptp(one) > 0 for one in drawn if one.ndim == 2)
    before = net(X).asnumpy()
    numpy.testing.assert_allclose(dopegraph.compile(net)(X).asnumpy(), before, rtol=1e-5, atol=1e-7)
    for one, parameter in zip(drawn, net.structural_parameters().values()):
        assert (parameter.data().asnumpy() == one).all()


def test_what_a_function_assigns_is_still_undone() -> None:
    class Counter:
        def __init__(self) -> None:
            self.count, self._data, self.rows = 0, None, []

        def __call__(self, x: Any) -> Any:
            self.count += 1
            self._data = x + 1 if self._data is None else self._data + x
            self.rows.append(x)
            self.rows[0][...] = 5
            return self._data * self.count

    counter = Counter()
    x = np.ones(2)
    dopegraph.trace(counter)(x)
    assert (counter.count, counter._data, counter.rows, x.tolist()) == (0, None, [], [1, 1])


@pytest.mark.skipif(not library.available(), reason="MXNet is not installed")
def test_loaded_functions_keep_the_names(tmp_path: Path) -> None:
    formats = ["dopegraph", "mxnet", "onnx"]
    try:
        from dopegraph.backends.onnx.library import load

        load()
    except ImportError:
        formats.pop()
    loaded: Any = functional
    for round_trip, format in enumerate([*formats, "dopegraph"]):
        prefix = tmp_path / f"functional{round_trip}"
        *_, file, _ = dopegraph.export(loaded, X, path=prefix, format=format, check=False)
        manifest = json.loads(file.read_text())
        assert names(manifest["inputs"]) == ["x"], format
        assert sorted(names(manifest["parameters"])) == sorted(CASES["globals"][4]), format
        loaded = dopegraph.load(prefix)
    numpy.testing.assert_allclose(loaded(X).asnumpy(), functional(X).asnumpy(), rtol=1e-5)
