"""MXNet's own networks, with random weights: imported whole, run, differentiated, exported again; as MXNet has them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy
import pytest

import dopegraph
import dopegraph.numpy as np
from dopegraph.backends.mxnet import library
from tests.plain_mxnet import run_exported

pytestmark = pytest.mark.skipif(not library.available(), reason="MXNet is not installed")

# Name and size of the images; DOPEGRAPH_LARGE=1 runs those that take half a minute, too.
SMALL = [("resnet18_v1", 64), ("squeezenet1_1", 224), ("mobilenet1_0", 64), ("alexnet", 64), ("vgg11", 32)]
LARGE = [("densenet121", 224), ("inception_v3", 299), ("alexnet", 224)]
CHOSEN = SMALL + (LARGE if os.environ.get("DOPEGRAPH_LARGE") else [])


def made(name: str, size: int, batch: int, folder: Path) -> tuple[Any, Any, Path]:
    """A network of Gluon's, a batch, and the prefix of its files."""
    mx = library.load()
    mx.random.seed(4)
    numpy.random.seed(4)
    net = getattr(mx.gluon.model_zoo.vision, name)(classes=10)
    # By the inputs of a layer alone: otherwise what a layer of depthwise convolutions gives is next to nothing.
    net.initialize(mx.init.Xavier("gaussian", "in", 2))
    x = mx.nd.array(numpy.random.randn(batch, 3, size, size).astype("float32"))
    net(x)
    net.hybridize()
    net(x)
    net.export(str(folder / name))
    return net, x, folder / name


def gradients(prefix: Path, x: Any, head: Any) -> dict[str, Any]:
    """MXNet's derivatives of the predictions, weighted by `head`, with respect to the images and all parameters.

    Outside of training mode MXNet's are wrong: batch normalization then differentiates through averages that it has not
    computed. In training mode with ``use_global_stats``, and without dropout, it computes the predictions as well.
    """
    mx = library.load()
    whole = json.loads(Path(f"{prefix}-symbol.json").read_text())
    for node in whole["nodes"]:
        if node["op"] == "BatchNorm":
            node["attrs"]["use_global_stats"] = "True"
        elif node["op"] == "Dropout":
            node["attrs"]["p"] = "0"
    saved = mx.nd.load(f"{prefix}-0000.params")
    auxiliary = {key[4:]: array for key, array in saved.items() if key.startswith("aux:")}
    arguments = {key[4:]: array for key, array in saved.items() if key.startswith("arg:")}
    arguments["data"] = x
    found = {key: mx.nd.zeros(array.shape) for key, array in arguments.items()}
    executor = mx.sym.load_json(json.dumps(whole)).bind(mx.cpu(), arguments, found, "write", auxiliary)
    executor.forward(is_train=True)
    executor.backward(mx.nd.array(head))
    return {key: array.asnumpy() for key, array in found.items()}


@pytest.mark.parametrize(("name", "size"), CHOSEN)
def test_a_network_of_the_zoo(name: str, size: int, tmp_path: Path) -> None:
    net, x, prefix = made(name, size, 2, tmp_path)
    f = dopegraph.from_symbol(f"{prefix}-symbol.json", f"{prefix}-0000.params")
    assert f.inputs == ["data"]
    assert f.opaque == []  # every operator has primitives
    wanted = net(x).asnumpy()
    data = np.array(x.asnumpy())
    scale = abs(wanted).max()
    compiled = dopegraph.compile(lambda x: f(x))
    for call in (f, compiled):
        numpy.testing.assert_allclose(call(data).asnumpy(), wanted, rtol=1e-4, atol=1e-5 * scale)
    assert "0 fallback(s)" in str(dopegraph.explain(compiled)(data))
    head = numpy.random.RandomState(5).standard_normal(wanted.shape).astype("float32")

    def total(x: Any, parameters: Any) -> Any:
        return (f(data=x, **parameters) * np.array(head)).sum()

    dx, news = dopegraph.compile(dopegraph.grad(total, argnums=(0, 1)))(data, dict(f.parameters))
    theirs = gradients(prefix, x, head)
    assert theirs.keys() == {"data", *news}
    for key, one in {"data": dx, **news}.items():
        size = numpy.linalg.norm(theirs[key].astype("float64"))
        assert size > 0, key
        difference = numpy.linalg.norm(one.asnumpy().astype("float64") - theirs[key])
        # 1e-6, unless rounding decides for an element on which side of relu it is.
        assert difference < 5e-3 * size, (key, difference, size)
    # Out again, and into plain MXNet.
    dopegraph.export(lambda x: f(x), data, path=tmp_path / "again", check=False, free_batch=False)
    for loader, found in run_exported(tmp_path / "again", data.asnumpy()).items():
        numpy.testing.assert_allclose(found[0], wanted, rtol=1e-4, atol=1e-5 * scale, err_msg=loader)


def test_its_gradient_and_averages_in_training() -> None:
    """MXNet's gradients outside training mode are wrong after oneDNN has rearranged the weights; inside they agree."""
    mx = library.load()
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        _, x, prefix = made("mobilenet0_25", 64, 8, Path(folder))
        symbol = mx.sym.load(f"{prefix}-symbol.json")
        saved = mx.nd.load(f"{prefix}-0000.params")
        f = dopegraph.from_symbol(symbol, f"{prefix}-0000.params")
    auxiliary = {key[4:]: array for key, array in saved.items() if key.startswith("aux:")}
    arguments = {key[4:]: array for key, array in saved.items() if key.startswith("arg:")}
    arguments["data"] = x
    wanted = mx.nd.zeros(x.shape)
    kinds = {key: "write" if key == "data" else "null" for key in arguments}
    executor = symbol.bind(mx.cpu(), arguments, {"data": wanted}, kinds, auxiliary)
    (output,) = executor.forward(is_train=True)
    head = numpy.random.randn(*output.shape).astype("float32")
    executor.backward(mx.nd.array(head))
    with dopegraph.train_mode():
        found = dopegraph.grad(lambda x: (f(x) * np.array(head)).sum())(np.array(x.asnumpy()))
    # Rounding decides for some elements on which side of relu they are.
    difference = numpy.linalg.norm(found.asnumpy() - wanted.asnumpy())
    assert difference < 0.02 * numpy.linalg.norm(wanted.asnumpy())
    for key, array in auxiliary.items():
        numpy.testing.assert_allclose(f.states[key].asnumpy(), array.asnumpy(), rtol=1e-3, atol=1e-4, err_msg=key)
