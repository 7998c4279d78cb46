"""The faces of scikit-image's file, and drawn ones in their place."""

from __future__ import annotations

import importlib
from importlib.machinery import ModuleSpec

import numpy as np
import pytest

from dopegraph.data import DataCorrupt, DataMissing, drawn_faces, faces, faces_or_drawn

MODULE = importlib.import_module("dopegraph.data.faces")  # its function has the same name


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Where the file may be; scikit-image is not installed."""
    monkeypatch.setenv("DOPEGRAPH_DATA", str(tmp_path))
    monkeypatch.setenv("DOPEGRAPH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(MODULE, "find_spec", lambda name: None)
    (tmp_path / "lfw").mkdir()
    return tmp_path / "lfw"


def cuts():
    found = np.zeros((200, 25, 25))
    found[:100] = np.linspace(0, 1, 100)[:, None, None]
    return found


def test_the_first_half_are_faces(folder):
    np.save(folder / "lfw_subset.npy", cuts())
    images = faces()
    assert images.shape == (100, 25, 25) and images.dtype == np.uint8
    assert images[0].max() == 0 and images[-1].min() == 255 and images[50, 0, 0] == round(255 * 50 / 99)
    some, name = faces_or_drawn(10)
    assert name == "faces of LFW" and (some == images[:10]).all()


def test_they_are_found_in_scikit_image(tmp_path, monkeypatch):
    package = tmp_path / "skimage"
    (package / "data").mkdir(parents=True)
    np.save(package / "data" / "lfw_subset.npy", cuts())
    spec = ModuleSpec("skimage", None, origin=str(package / "__init__.py"))
    monkeypatch.setattr(MODULE, "find_spec", lambda name: spec if name == "skimage" else None)
    assert faces().shape == (100, 25, 25)


@pytest.mark.parametrize("content", [np.zeros((200, 25, 24)), np.zeros((200, 25, 25), int), np.array([{}])])
def test_another_file_is_refused(folder, content):
    np.save(folder / "lfw_subset.npy", content)
    with pytest.raises(DataCorrupt, match=r"lfw_subset\.npy"):
        faces()


def test_what_is_no_array_is_refused(folder):
    (folder / "lfw_subset.npy").write_bytes(b"")
    with pytest.raises(DataCorrupt, match="cannot be read"):
        faces()


def test_without_the_file_faces_are_drawn():
    with pytest.raises(DataMissing, match="pip install scikit-image"):
        faces()
    with pytest.warns(UserWarning, match="drawn faces instead of LFW's"):
        images, name = faces_or_drawn(7)
    assert name == "drawn faces" and (images == drawn_faces(7, seed=1)).all()


def test_drawn_faces_are_the_same_for_a_seed_and_differ():
    images = drawn_faces(50, seed=3)
    assert images.shape == (50, 25, 25) and images.dtype == np.uint8
    assert (images == drawn_faces(50, seed=3)).all() and (images != drawn_faces(50, seed=4)).any()
    assert drawn_faces(0).shape == (0, 25, 25)
    assert images.std(axis=0).min() > 10  # of every pixel


def test_drawn_faces_look_like_faces():
    """Eyes are darker than the cheeks below them, and the left side of the mean face mirrors the right one."""
    mean = drawn_faces(400, seed=2).mean(axis=0)
    assert mean[9:11, 7:10].mean() < mean[13:15, 7:10].mean() - 10
    assert np.corrcoef(mean.ravel(), mean[:, ::-1].ravel())[0, 1] > 0.9
