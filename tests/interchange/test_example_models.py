"""Every model of the examples goes out in all formats, into plain MXNet of another Python, onnxruntime, and back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy
import pytest

import dopegraph
from dopegraph.backends.mxnet import library
from tests.interchange.example_models import MODELS, arrays, model
from tests.old_mxnet import old_python, run_old

FORMATS = ["dopegraph", "mxnet", "onnx"]
CLOSE = {"rtol": 1e-5, "atol": 1e-5}


def equal(found: Any, wanted: Any, where: str) -> None:
    assert len(found) == len(wanted), where
    for one, other in zip(found, wanted):
        numpy.testing.assert_allclose(one.reshape(other.shape), other, err_msg=where, **CLOSE)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("name", MODELS)
def test_a_model_goes_out_and_comes_back(name: str, format: str, tmp_path: Path) -> None:
    if format == "mxnet" and not library.available():
        pytest.skip("MXNet is not installed")
    if format == "onnx":
        pytest.importorskip("onnx")
        runtime = pytest.importorskip("onnxruntime")
    function, args = model(name)
    files = dopegraph.export(function, *args, path=tmp_path / "net", format=format, check=False)
    wanted = arrays(function(*args))
    assert max(abs(one).max() for one in wanted) > 0
    loaded = dopegraph.load(files[0])
    given = arrays(args)  # what is no array is part of the graph
    equal(arrays(loaded(*given)), wanted, name)
    equal(arrays(dopegraph.compile(lambda *args: loaded(*args))(*given)), wanted, name)
    if format == "onnx":
        session = runtime.InferenceSession(str(files[0]), providers=["CPUExecutionProvider"])
        feed = {one.name: array for one, array in zip(session.get_inputs(), given)}
        equal(session.run(None, feed), wanted, f"{name} in onnxruntime")
    manifest = json.loads(files[-2].read_text())
    for row in [*manifest["inputs"], *manifest["parameters"]]:
        assert not row["name"].startswith(("in0", "in1", "argument_", "the_function")), row


@pytest.mark.skipif(not library.available(), reason="MXNet is not installed")
@pytest.mark.skipif(old_python() is None, reason="`make old-python` makes a Python with an old NumPy and MXNet")
def test_old_pythons_with_plain_mxnet_run_the_models(tmp_path: Path) -> None:
    """All in one process: it is the import of MXNet that takes its time."""
    prefixes, wanted = [], []
    for number, name in enumerate(MODELS):
        function, args = model(name)
        dopegraph.export(function, *args, path=tmp_path / f"net{number}", check=False)
        prefixes.append(tmp_path / f"net{number}")
        wanted.append(arrays(function(*args)))
    versions, found = run_old(prefixes)
    assert "numpy 1." in versions and "mxnet 1.9.1" in versions
    for name, loaders, expected in zip(MODELS, found, wanted):
        lengths = {array.shape[:1] for array in arrays(model(name)[1])}
        assert list(loaders) == ["bind", "block", *(["module"] if len(lengths) == 1 else [])]
        for loader, outputs in loaders.items():
            equal(outputs, expected, f"{name} by {loader}, {versions}")
