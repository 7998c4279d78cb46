"""Finding files on this machine: the order of the places, and what is said about missing and damaged ones."""

from __future__ import annotations

import gzip
import hashlib
import os
import pickle
import sys
from pathlib import Path

import pytest

from dopegraph.data import DataCorrupt, DataError, DataMissing
from dopegraph.data.entry import DataFile
from dopegraph.data.files import cache_folder, offline, read

CONTENT = bytes([0, 0, 8, 1, 0, 0, 0, 200]) + bytes(range(200))
FILE = DataFile("fake", "numbers", hashlib.sha256(CONTENT).hexdigest(), ("http://127.0.0.1:9/numbers.gz",))


@pytest.fixture
def given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DOPEGRAPH_DATA", str(tmp_path / "given"))
    return tmp_path / "given"


def put(folder: Path, name: str, content: bytes) -> Path:
    path = folder / "fake" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("numbers", CONTENT),
        ("numbers.gz", gzip.compress(CONTENT)),
        ("numbers.gz", CONTENT),  # some servers and tools unzip without taking the suffix off
        ("numbers", gzip.compress(CONTENT)),
    ],
    ids=["plain", "gzipped", "plain named gz", "gzipped named plain"],
)
def test_plain_and_gzipped(given: Path, cache: Path, name: str, content: bytes) -> None:
    put(given, name, content)
    assert read(FILE) == CONTENT
    put(given, name, b"")
    (given / "fake" / name).unlink()
    put(cache, name, content)
    assert read(FILE) == CONTENT


def test_given_folder_comes_before_the_cache(given: Path, cache: Path) -> None:
    put(given, "numbers", CONTENT)
    put(cache, "numbers", b"not read")
    assert read(FILE) == CONTENT


@pytest.mark.parametrize("where", ["given", "cache"])
@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("numbers", CONTENT[:-1], "found    sha256"),
        ("numbers", b"", "found    sha256"),
        ("numbers.gz", gzip.compress(CONTENT + b"\0"), "found    sha256"),
        ("numbers.gz", gzip.compress(CONTENT)[:-20], "incomplete gzip"),
        ("numbers.gz", gzip.compress(CONTENT)[:5], "incomplete gzip"),
        ("numbers.gz", gzip.compress(CONTENT)[:30] + b"\xff" * 60, "damaged"),
    ],
    ids=["short", "empty", "other content", "truncated", "truncated header", "damaged"],
)
def test_damaged_file_is_named(
    request: pytest.FixtureRequest, where: str, name: str, content: bytes, message: str
) -> None:
    path = put(request.getfixturevalue(where), name, content)
    with pytest.raises(DataCorrupt, match=message) as caught:
        read(FILE)
    text = str(caught.value)
    assert f"Delete or replace {path}" in text and FILE.sha256 in text
    if "sha256" in message:
        found = gzip.decompress(content) if name.endswith(".gz") else content
        assert hashlib.sha256(found).hexdigest() in text
    assert path.read_bytes() == content  # the user's file is the user's to delete


def test_missing_names_every_place_and_the_way_out(given: Path, cache: Path) -> None:
    with pytest.raises(DataMissing) as caught:
        read(FILE)
    text = str(caught.value)
    assert str(given / "fake") in text and str(cache / "fake") in text
    assert "unset DOPEGRAPH_OFFLINE" in text and "fake/numbers.gz" in text
    assert "is not set" not in text


def test_missing_says_that_the_variable_is_not_set() -> None:
    with pytest.raises(DataMissing, match="DOPEGRAPH_DATA is not set"):
        read(FILE)


def test_unreadable_is_an_error_that_names_it(given: Path) -> None:
    (given / "fake" / "numbers").mkdir(parents=True)
    with pytest.raises(DataError, match="numbers cannot be read"):
        read(FILE)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may search every folder")
def test_folder_that_may_not_be_searched(given: Path) -> None:
    folder = put(given, "numbers", CONTENT).parent
    folder.chmod(0)
    try:
        with pytest.raises(DataError, match=r"cannot be (looked for|read)"):
            read(FILE)
    finally:
        folder.chmod(0o700)


def test_errors_are_what_a_user_would_catch() -> None:
    missing = DataMissing("gone")
    assert isinstance(missing, (DataError, RuntimeError)) and isinstance(missing, FileNotFoundError)
    assert str(missing) == "gone" and str(pickle.loads(pickle.dumps(missing))) == "gone"
    assert issubclass(DataCorrupt, DataError) and not issubclass(DataCorrupt, OSError)


@pytest.mark.parametrize(("value", "expected"), [("1", True), ("yes", True), ("0", False), ("", False), ("No", False)])
def test_offline_values(monkeypatch: pytest.MonkeyPatch, value: str, expected: bool) -> None:
    monkeypatch.setenv("DOPEGRAPH_OFFLINE", value)
    assert offline() is expected


def test_cache_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOPEGRAPH_CACHE", "~/somewhere")
    assert cache_folder() == Path.home() / "somewhere" / "data"
    monkeypatch.delenv("DOPEGRAPH_CACHE")
    assert cache_folder().parts[-2:] == ("dopegraph", "data")  # with platformdirs, where it is installed
    monkeypatch.setitem(sys.modules, "platformdirs", None)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "dopegraph" / "data"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == Path.home() / ".cache" / "dopegraph" / "data"
