"""Functions go out in three formats and come back: same numbers, derivatives, updates; nothing half-written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy
import pytest

import dopegraph
import dopegraph.numpy as np
from dopegraph import nn
from dopegraph.backends.mxnet import library
from dopegraph.backends.onnx import library as onnx_library
from dopegraph.runtime.errors import BackendError
from tests.plain_mxnet import run_exported

try:
    onnx_library.load()
    HAS_ONNX = True
except ImportError:
    HAS_ONNX = False

needs_mxnet = pytest.mark.skipif(not library.available(), reason="MXNet is not installed")
needs_onnx = pytest.mark.skipif(not HAS_ONNX, reason="onnx is not installed")
FORMATS = ["dopegraph", pytest.param("mxnet", marks=needs_mxnet), pytest.param("onnx", marks=needs_onnx)]


def model(name: str) -> tuple[Any, Any]:
    """A function of one array, and an example."""
    np.random.seed(1)
    w1, b1, w2 = np.random.normal(size=(6, 5)), np.zeros(5), np.random.normal(size=(5, 3))
    k1, k2 = 0.5 * np.random.normal(size=(4, 2, 3, 3)), 0.3 * np.random.normal(size=(5, 4, 2, 2))
    k3, w3 = np.random.normal(size=(4,)), np.random.normal(size=(45, 3))
    gates, h0 = 0.3 * np.random.normal(size=(9, 20)), np.zeros(5)

    def mlp(x):
        return nn.log_softmax(nn.relu(x @ w1 + b1) @ w2)

    def several(x):
        return np.max(x, axis=1), (x > 0).all(), np.argmax(x, axis=1), (np.exp(x) - 1).mean()

    def cnn(x):
        y = nn.max_pool(nn.relu(nn.conv(x, k1, k3, pad=1)), 2)
        y = nn.avg_pool(np.tanh(nn.conv(y, k2)), 1)
        return nn.softmax(y.reshape(y.shape[0], -1) @ w3[: y[0].size])

    def lstm(x):
        h, c = h0 + np.zeros((x.shape[0], 1)), h0 + np.zeros((x.shape[0], 1))
        for t in range(3):
            i, f, o, g = np.split(np.concatenate([x[:, t], h], axis=1) @ gates, 4, axis=1)
            c = nn.sigmoid(f) * c + nn.sigmoid(i) * np.tanh(g)
            h = nn.sigmoid(o) * np.tanh(c)
        return h

    def indexing(x):
        y = x[:, ::-1][:, 1:4].T
        y = np.concatenate([y, np.where(y > 0, y, 2 * y)], axis=0)
        return np.pad(y, 1)[1:, 2:] + np.cumsum(y[:, :1], axis=0).sum(), x[:, np.array([0, 2, 2])]

    shapes = {"mlp": (4, 6), "several": (3, 7), "cnn": (2, 2, 8, 8), "lstm": (2, 3, 4), "indexing": (3, 6)}
    functions = {"mlp": mlp, "several": several, "cnn": cnn, "lstm": lstm, "indexing": indexing}
    return functions[name], np.random.normal(size=shapes[name])


def several(result: Any) -> list[Any]:
    return list(result) if isinstance(result, tuple) else [result]


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("name", ["mlp", "several", "cnn", "lstm", "indexing"])
def test_it_comes_back_with_its_numbers_and_derivatives(name: str, format: str, tmp_path: Path) -> None:
    function, x = model(name)
    files = dopegraph.export(function, x, path=tmp_path / "folder" / "net", format=format)
    assert sorted((tmp_path / "folder").iterdir()) == sorted(files)
    loaded = dopegraph.load(files[0])
    assert loaded.inputs == ["x"]
    wanted = several(function(x))
    for call in (loaded, dopegraph.compile(lambda x: loaded(x))):
        found = several(call(x))
        assert [(one.shape, one.dtype) for one in found] == [(one.shape, one.dtype) for one in wanted]
        for one, expected in zip(found, wanted):
            numpy.testing.assert_allclose(one.asnumpy(), expected.asnumpy(), rtol=1e-5, atol=1e-6)

    def loss(f: Any) -> Any:
        return lambda x: sum((one**2).sum() for one in several(f(x)) if one.dtype.kind == "f")

    one, other = dopegraph.grad(loss(loaded))(x), dopegraph.grad(loss(function))(x)
    numpy.testing.assert_allclose(one.asnumpy(), other.asnumpy(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("format", FORMATS)
def test_the_manifest_and_the_example(format: str, tmp_path: Path) -> None:
    function, x = model("mlp")
    *_, manifest_file, example_file = dopegraph.export(function, x, path=tmp_path / "net", format=format)
    manifest = json.loads(manifest_file.read_text())
    assert manifest["format"] == format
    assert manifest["name"] == "mlp"
    assert manifest["dopegraph"] == dopegraph.__version__
    assert manifest["checked"]
    batch = None if manifest["free_batch"] else 4
    assert manifest["inputs"] == [{"name": "x", "shape": [batch, 6], "dtype": "float32"}]
    assert [one["name"] for one in manifest["parameters"]] == ["w1", "b1", "w2"]
    assert manifest["outputs"] == [{"name": "output0", "shape": [batch, 3], "dtype": "float32"}]
    with numpy.load(example_file) as example:
        assert (example["input:x"] == x.asnumpy()).all()
        numpy.testing.assert_allclose(example["output:0"], function(x).asnumpy(), rtol=1e-6)
    assert all((tmp_path / one).exists() for one in manifest["files"])


@pytest.mark.parametrize("format", FORMATS[1:])
def test_the_batch_is_free_where_the_graph_allows_it(format: str, tmp_path: Path) -> None:
    function, x = model("cnn")
    files = dopegraph.export(function, x, path=tmp_path / "net", format=format)
    assert json.loads(files[-2].read_text())["free_batch"]
    loaded = dopegraph.load(tmp_path / "net")
    more = np.random.normal(size=(7, 2, 8, 8))
    numpy.testing.assert_allclose(loaded(more).asnumpy(), function(more).asnumpy(), rtol=1e-5, atol=1e-6)
    files = dopegraph.export(function, x, path=tmp_path / "fixed", format=format, free_batch=False)
    assert not json.loads(files[-2].read_text())["free_batch"]

    def by_batch(x):
        return x / x.shape[0]

    files = dopegraph.export(by_batch, x, path=tmp_path / "mean", format=format)
    assert not json.loads(files[-2].read_text())["free_batch"]
    assert numpy.allclose(dopegraph.load(tmp_path / "mean")(x).asnumpy(), x.asnumpy() / 2)


@needs_mxnet
def test_plain_mxnet_takes_another_batch(tmp_path: Path) -> None:
    function, x = model("mlp")
    dopegraph.export(function, x, path=tmp_path / "net")
    more = np.random.normal(size=(9, 6))
    for loader, found in run_exported(tmp_path / "net", more.asnumpy()).items():
        numpy.testing.assert_allclose(found[0], function(more).asnumpy(), rtol=1e-5, atol=1e-6, err_msg=loader)


def training() -> tuple[Any, Any, Any]:
    w, b = np.ones((3, 2)), np.zeros(2)

    def step(x, y, lr):
        def loss(w, b):
            return np.mean((nn.relu(x @ w + b) - y) ** 2)

        value, (dw, db) = dopegraph.value_and_grad(loss, argnums=(0, 1))(w, b)
        w[:] -= lr * dw
        b[:] -= lr * db
        return value

    return step, w, (np.ones((4, 3)), np.ones((4, 2)), 0.1)


@pytest.mark.parametrize("format", FORMATS)
def test_a_training_step_with_its_updates(format: str, tmp_path: Path) -> None:
    step, w, args = training()
    before = w.tolist()
    dopegraph.export(step, *args, path=tmp_path / "step", format=format, updates=True)
    assert w.tolist() == before
    loaded = dopegraph.load(tmp_path / "step")
    wanted = [float(step(*args)) for _ in range(3)]
    if format == "dopegraph":
        assert [float(loaded(*args)) for _ in range(3)] == pytest.approx(wanted)
        numpy.testing.assert_allclose(loaded.parameters["w"].asnumpy(), w.asnumpy(), rtol=1e-6)
        compiled = dopegraph.compile(lambda *args: loaded(*args))
        again = [float(compiled(*args)) for _ in range(3)]
        assert again == pytest.approx([float(step(*args)) for _ in range(3)])
        return
    # In the formats of others what would be written are further outputs.
    manifest = json.loads((tmp_path / "step-manifest.json").read_text())
    assert [one["replaces"] for one in manifest["updates"]] == ["w", "b"]
    found = []
    for _ in range(3):
        value, *news = loaded(*args)
        found.append(float(value))
        for row, new in zip(manifest["updates"], news):
            loaded.parameters[row["replaces"]][...] = new
    assert found == pytest.approx(wanted, rel=1e-5)
    # Without updates it is the loss alone.
    step, w, args = training()
    dopegraph.export(step, *args, path=tmp_path / "loss", format=format)
    assert float(dopegraph.load(tmp_path / "loss")(*args)) == pytest.approx(wanted[0])


@pytest.mark.parametrize("format", FORMATS)
def test_what_cannot_be_exported_is_named_and_leaves_nothing(format: str, tmp_path: Path) -> None:
    def bad(x):
        return np.linalg.svd(x).S.sum()

    if format == "dopegraph":
        dopegraph.export(bad, np.ones((2, 2)), path=tmp_path / "net", format=format)
        assert float(dopegraph.load(tmp_path / "net")(np.ones((2, 2)))) == pytest.approx(2.0)
        return
    with pytest.raises(BackendError, match=r"(?s)svd.*test_round_trips\.py:\d+.*np\.linalg\.svd"):
        dopegraph.export(bad, np.ones((2, 2)), path=tmp_path / "net", format=format)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ValueError, match="the format 'tensorflow' is not one of mxnet, onnx, dopegraph"):
        dopegraph.export(bad, np.ones((2, 2)), path=tmp_path / "net", format="tensorflow")


@pytest.mark.parametrize("format", FORMATS)
def test_a_failed_check_leaves_the_old_files(format: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    function, x = model("mlp")
    files = dopegraph.export(function, x, path=tmp_path / "net", format=format)
    before = [file.read_bytes() for file in files]
    monkeypatch.setattr("dopegraph.interchange.exporting.agree", lambda one, other: False)
    monkeypatch.setattr("dopegraph.backends.onnx.export.agree", lambda one, other: False)
    if format == "onnx":
        pytest.importorskip("onnxruntime")
    with pytest.raises(BackendError, match=r"export: .*(other results|another output|does not read back)"):
        dopegraph.export(function, x + 1, path=tmp_path / "net", format=format)
    assert [file.read_bytes() for file in files] == before
    assert sorted(tmp_path.iterdir()) == sorted(files)


def test_a_loaded_function_says_what_it_takes(tmp_path: Path) -> None:
    function, x = model("mlp")
    dopegraph.export(function, x, path=tmp_path / "net", format="dopegraph")
    loaded = dopegraph.load(tmp_path / "net")
    assert loaded(x=x).tolist() == loaded(x).tolist()
    with pytest.raises(TypeError, match="the arguments x are missing"):
        loaded()
    with pytest.raises(TypeError, match="2 arguments for 1: x"):
        loaded(x, x)
    with pytest.raises(TypeError, match="the argument y is none of x"):
        loaded(x, y=x)
    with pytest.raises(ValueError, match=r"x has the shape \(2, 6\); it was saved for f32\[4,6\]"):
        loaded(x[:2])
    with pytest.raises(TypeError, match="x is float64; it was saved for"):
        loaded(x.astype("float64"))
    loaded.parameters["w2"][:] = 0
    assert numpy.allclose(loaded(x).asnumpy(), -numpy.log(3))
    assert str(loaded.graph).startswith("graph mlp(%x: f32[4,6]; state %w1")


def test_random_numbers_and_float_arguments(tmp_path: Path) -> None:
    def noisy(x, scale):
        return x + scale * np.random.normal(size=3)

    np.random.seed(5)
    dopegraph.export(noisy, np.zeros(3), 2.0, path=tmp_path / "noisy", format="dopegraph", updates=True)
    loaded = dopegraph.load(tmp_path / "noisy")
    assert loaded.inputs == ["x", "scale"]
    np.random.seed(5)
    wanted = [noisy(np.zeros(3), 3.0).tolist() for _ in range(2)]
    assert [loaded(np.zeros(3), 3.0).tolist() for _ in range(2)] == wanted


def test_files_of_another_kind(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        dopegraph.load(tmp_path / "nothing")
    numpy.savez(tmp_path / "a.npz", x=numpy.ones(2))
    with pytest.raises(ValueError, match=r"a zip without a graph; numpy\.load reads \.npz"):
        dopegraph.load(tmp_path / "a.npz")
    (tmp_path / "text").write_text("hello")
    with pytest.raises(ValueError, match="text"):
        dopegraph.load(tmp_path / "text")
    if HAS_ONNX:
        (tmp_path / "bad.onnx").write_bytes(b"\x08\x07hello")
        with pytest.raises(ValueError, match="the file is damaged"):
            dopegraph.load(tmp_path / "bad.onnx")


def test_damaged_files_are_refused(tmp_path: Path) -> None:
    """Bytes of our own format are changed; the zip's sums tell most of it."""
    function, x = model("mlp")
    (file, *_) = dopegraph.export(function, x, path=tmp_path / "net", format="dopegraph")
    good, random = file.read_bytes(), numpy.random.RandomState(0)
    refused = 0
    for _ in range(150):
        bad = bytearray(good)
        for place in random.randint(0, len(bad), random.randint(1, 4)):
            bad[place] = random.randint(256)
        cut = len(bad) if random.rand() < 0.7 else random.randint(len(bad))
        file.write_bytes(bytes(bad[:cut]))
        try:
            dopegraph.load(file)(x)
        except (ValueError, TypeError) as cause:
            assert str(cause)
            refused += 1
    assert refused > 100


def test_a_graph_that_lies_is_refused(tmp_path: Path) -> None:
    import zipfile

    function, x = model("mlp")
    (file, *_) = dopegraph.export(function, x, path=tmp_path / "net", format="dopegraph")
    with zipfile.ZipFile(file) as opened:
        parts = {name: opened.read(name) for name in opened.namelist()}
    changes = [("matmul", "rnn"), ("f32[4,5]", "f32[4,6]"), ("f32[6,5]", "f32[6,5000000]"), ("return", "retrun"),
               ("%w1: f32", "%w1: f64"), ("f32[4,5]", "f32[4,5000000000000]"), ("graph", "((((" * 10000)]  # fmt: skip
    for old, new in changes:
        text = parts["graph.txt"].decode().replace(old, new, 1)
        with zipfile.ZipFile(file, "w") as opened:
            opened.writestr("graph.txt", text)
            opened.writestr("arrays.npz", parts["arrays.npz"])
        with pytest.raises(ValueError, match="the file is damaged"):
            dopegraph.load(file)


@pytest.mark.parametrize("format", FORMATS)
def test_python_functions_stay_at_home(format: str, tmp_path: Path) -> None:
    def f(x):
        return dopegraph.host_call(lambda x: x + 1, results=lambda x: x)(x)

    with pytest.raises(BackendError, match=r"(?s)host_call.*test_round_trips\.py.*dopegraph\.host_call"):
        dopegraph.export(f, np.ones(3), path=tmp_path / "net", format=format)
    assert list(tmp_path.iterdir()) == []
