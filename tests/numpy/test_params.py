"""MXNet's files of arrays, written and read without MXNet; MXNet itself is asked in another process."""

import json
import os
import struct
import subprocess
import sys

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dopegraph
import dopegraph.numpy as np
from dopegraph.backends.mxnet import compatibility, library
from dopegraph.numpy.params import FLAGS

ARRAYS = {dtype: numpy.arange(6).reshape(2, 3).astype(dtype) for dtype in FLAGS}

CHILD = """
import importlib.util, json, sys
sys.modules["dopegraph"] = None  # importing it fails from here on
folder, shim = sys.argv[1:]
spec = importlib.util.spec_from_file_location("shim", shim)
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
finder = module.MXNetFinder()
finder.install()
finder.sparing = True
import mxnet as mx
finder.sparing = False
named, listed = mx.nd.load(folder + "/named.params"), mx.nd.load(folder + "/listed.params")
mx.nd.save(folder + "/named-theirs.params", named)
mx.nd.save(folder + "/listed-theirs.params", listed)
mx.nd.save(folder + "/sparse.params", [mx.nd.sparse.zeros("row_sparse", (2, 2))])
shown = lambda x: [x.dtype.__name__, list(x.shape), x.asnumpy().tolist()]
results = {"named": {key: shown(x) for key, x in named.items()}, "listed": [shown(x) for x in listed]}
mx.npx.set_np()
special = mx.npx.load(folder + "/special.params")
mx.npx.save(folder + "/special-theirs.params", special)
results["special"] = {key: [list(x.shape), x.asnumpy().tolist()] for key, x in special.items()}
print("RESULTS" + json.dumps(results))
"""


@pytest.mark.skipif(not library.installed(), reason="MXNet is not installed")
def test_mxnet_reads_what_we_write_and_we_what_it_writes(tmp_path):
    dopegraph.save(tmp_path / "named.params", {name: np.asarray(array) for name, array in ARRAYS.items()})
    dopegraph.save(str(tmp_path / "listed.params"), [np.asarray(array) for array in ARRAYS.values()])
    dopegraph.save(tmp_path / "special.params", {"number": np.array(2.5), "empty": np.zeros((0, 3)), "x": np.ones(2)})
    child = tmp_path / "child.py"
    child.write_text(CHILD, encoding="utf-8")
    command = [sys.executable, "-I", str(child), str(tmp_path), compatibility.__file__]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    results = json.loads(done.stdout.partition("RESULTS")[2])
    expected = {name: [name, [2, 3], array.tolist()] for name, array in ARRAYS.items()}
    for kind in (results["named"], dict(zip(ARRAYS, results["listed"]))):
        assert {name: [one[0].rstrip("_"), *one[1:]] for name, one in kind.items()} == expected
    assert results["special"] == {"number": [[], 2.5], "empty": [[0, 3], []], "x": [[2], [1, 1]]}
    named, listed = (dopegraph.load(tmp_path / f"{name}-theirs.params") for name in ("named", "listed"))
    assert list(named) == list(ARRAYS) and len(listed) == len(ARRAYS)
    for name, other in zip(ARRAYS, listed):
        for found in (named[name], other):
            assert type(found) is np.ndarray and found.dtype == ARRAYS[name].dtype
            assert found.tolist() == ARRAYS[name].tolist()
    special = dopegraph.load(tmp_path / "special-theirs.params")
    assert special["number"].tolist() == 2.5 and special["empty"].shape == (0, 3)
    # Byte for byte the same.
    assert (tmp_path / "named.params").read_bytes() == (tmp_path / "named-theirs.params").read_bytes()
    with pytest.raises(ValueError, match=r"(?s)sparse\.params.*tostype"):
        dopegraph.load(tmp_path / "sparse.params")


def test_what_is_written_is_read_back_and_can_be_written_to(tmp_path):
    path = tmp_path / "x.params"
    dopegraph.save(path, np.arange(3.0))
    (found,) = dopegraph.load(path)
    found += 1
    assert found.tolist() == [1, 2, 3]
    dopegraph.save(path, [])
    assert dopegraph.load(path) == []
    dopegraph.save(path, {"ä": np.arange(6.0).reshape(2, 3).T})
    assert dopegraph.load(path)["ä"].tolist() == [[0, 3], [1, 4], [2, 5]]
    assert os.listdir(tmp_path) == ["x.params"]


def test_files_of_older_versions_are_read(tmp_path):
    path = tmp_path / "old.params"
    data = numpy.arange(6, dtype="<f4").tobytes()
    first = struct.pack("<I2I", 2, 2, 3) + struct.pack("<iii", 1, 0, 0) + data
    second = struct.pack("<Ii2q", 0xF993FAC8, 2, 3, 2) + struct.pack("<iii", 2, 1, 0) + data
    path.write_bytes(struct.pack("<QQQ", 0x112, 0, 2) + first + second + struct.pack("<Q", 0))
    one, other = dopegraph.load(path)
    assert one.tolist() == [[0, 1, 2], [3, 4, 5]] and other.tolist() == [[0, 1], [2, 3], [4, 5]]


def test_what_cannot_be_written_is_an_error_and_leaves_the_file(tmp_path):
    path = tmp_path / "x.params"
    dopegraph.save(path, [np.ones(1)])
    for wrong in ({"z": np.ones(1, numpy.complex64)}, {1: np.ones(1)}, 5, "text"):
        with pytest.raises(TypeError, match=r"(?s)save: .*test_params\.py"):
            dopegraph.save(path, wrong)
    assert dopegraph.load(path)[0].tolist() == [1]


def whole(tmp_path_factory=None):
    path = os.path.join(tmp_path_factory.mktemp("params"), "x.params")
    dopegraph.save(path, {"weight": np.arange(12.0).reshape(3, 4), "b": np.ones(2, numpy.int8)})
    with open(path, "rb") as file:
        return path, file.read()


@pytest.fixture(scope="module")
def content(tmp_path_factory):
    return whole(tmp_path_factory)


def test_every_truncation_is_an_error_that_names_the_file(content):
    path, data = content
    for length in range(len(data)):
        with open(path, "wb") as file:
            file.write(data[:length])
        with pytest.raises(ValueError, match=r"x\.params"):
            dopegraph.load(path)


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_any_damage_is_an_error_or_does_no_harm(content, draw):
    path, data = content
    damaged = bytearray(data)
    for _ in range(draw.draw(st.integers(1, 4))):
        damaged[draw.draw(st.integers(0, len(damaged) - 1))] = draw.draw(st.integers(0, 255))
    with open(path, "wb") as file:
        file.write(damaged)
    try:
        found = dopegraph.load(path)
    except ValueError as error:
        assert "x.params" in str(error)
        return
    arrays = found.values() if isinstance(found, dict) else found
    assert sum(array.nbytes for array in arrays) <= len(data)


@pytest.mark.parametrize(
    ("damaged", "message"),
    [
        (b"hello, this is no file of arrays", "format"),
        (struct.pack("<QQQ", 0x112, 0, 2**60) + bytes(100), "claims"),
        (struct.pack("<QQQIii2q", 0x112, 0, 1, 0xF993FAC9, 0, 2, 2**40, 2**40) + bytes(100), "truncated"),
        (struct.pack("<QQQIii1q", 0x112, 0, 1, 0xF993FAC9, 0, 1, -5) + bytes(100), "damaged"),
        (struct.pack("<QQQIii", 0x112, 0, 1, 0xF993FAC9, 0, 2**30) + bytes(100), "axes"),
        (struct.pack("<QQQIii1qiii", 0x112, 0, 1, 0xF993FAC9, 0, 1, 2, 1, 0, 12) + bytes(100), "bfloat16"),
        (struct.pack("<QQQIii1qiii", 0x112, 0, 1, 0xF993FAC9, 0, 1, 2, 1, 0, 99) + bytes(100), "unknown"),
        (struct.pack("<QQQQ", 0x112, 0, 0, 7) + bytes(100), "7 names"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(tmp_path, damaged, message):
    (tmp_path / "x.params").write_bytes(damaged)
    with pytest.raises(ValueError, match=rf"(?s)x\.params.*{message}.*test_params\.py"):
        dopegraph.load(tmp_path / "x.params")
