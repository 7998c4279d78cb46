"""Downloads, from a mirror on the loopback: a whole, right file is kept, and nothing else ever is."""

from __future__ import annotations

import gzip
import hashlib
import http.server
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

import dopegraph.data
from dopegraph.data import DataCorrupt, DataMissing, download
from dopegraph.data.files import read

if TYPE_CHECKING:
    from conftest import Mirror

# Incompressible, so that it takes several reads.
CONTENT = np.random.default_rng(0).bytes(300_000)
ZIPPED = gzip.compress(CONTENT)
NAME = "numbers-idx1-ubyte"


def kept(cache: Path) -> list[str]:
    return sorted(path.name for path in cache.rglob("*") if path.is_file())


def breaks_off(handler: http.server.BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(ZIPPED)))
    handler.end_headers()
    handler.wfile.write(ZIPPED[:100_000])


def test_right_file_is_kept_and_asked_for_once(mirror: Mirror, cache: Path) -> None:
    mirror.answers["/right.gz"] = ZIPPED
    file = mirror.file(CONTENT, "/right.gz")
    assert read(file) == CONTENT
    assert kept(cache) == [NAME + ".gz"]
    assert read(file) == CONTENT
    assert mirror.asked == ["/right.gz"]


def test_unzipped_file_is_kept_under_its_name(mirror: Mirror, cache: Path) -> None:
    mirror.answers[f"/{NAME}"] = CONTENT
    assert read(mirror.file(CONTENT, f"/{NAME}")) == CONTENT
    assert kept(cache) == [NAME]


def test_no_length_given(mirror: Mirror, cache: Path) -> None:
    def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        handler.wfile.write(ZIPPED)

    mirror.answers["/right.gz"] = answer
    assert read(mirror.file(CONTENT, "/right.gz")) == CONTENT


def test_cache_is_readable_as_the_umask_says(mirror: Mirror, cache: Path) -> None:
    mirror.answers["/right.gz"] = ZIPPED
    before = os.umask(0o022)
    try:
        read(mirror.file(CONTENT, "/right.gz"))
    finally:
        os.umask(before)
    if os.name == "posix":
        assert (cache / "fake" / (NAME + ".gz")).stat().st_mode & 0o777 == 0o644


def test_next_mirror_is_tried(mirror: Mirror, cache: Path) -> None:
    mirror.answers.update({"/wrong": b"<html>please log in</html>", "/broken": breaks_off, "/right": ZIPPED})
    assert read(mirror.file(CONTENT, "/absent", "/wrong", "/broken", "/right")) == CONTENT
    assert mirror.asked == ["/absent", "/wrong", "/broken", "/right"]
    assert kept(cache) == [NAME + ".gz"]


@pytest.mark.parametrize(
    "sent",
    [b"wrong", b"", gzip.compress(b"wrong"), ZIPPED[:-100]],
    ids=["plain", "empty", "zipped", "truncated"],
)
def test_wrong_bytes(mirror: Mirror, cache: Path, sent: bytes) -> None:
    mirror.answers["/wrong.gz"] = sent
    file = mirror.file(CONTENT, "/wrong.gz")
    with pytest.raises(DataCorrupt) as caught:
        read(file)
    text = str(caught.value)
    assert "fake/" + NAME in text and mirror.url + "/wrong.gz" in text and "DOPEGRAPH_DATA" in text
    assert file.sha256 in text and "nothing was kept" in text
    if b"wrong" in sent:
        assert hashlib.sha256(b"wrong").hexdigest() in text
    assert kept(cache) == []


def test_broken_connection(mirror: Mirror, cache: Path) -> None:
    mirror.answers["/broken.gz"] = breaks_off
    with pytest.raises(DataMissing, match=f"the connection broke after 100000 of {len(ZIPPED)} bytes"):
        read(mirror.file(CONTENT, "/broken.gz"))
    assert kept(cache) == []


def test_every_failure_is_told(mirror: Mirror, cache: Path) -> None:
    mirror.answers["/broken.gz"] = breaks_off
    with pytest.raises(DataMissing) as caught:
        read(mirror.file(CONTENT, "/absent.gz", "/broken.gz"))
    assert "404" in str(caught.value) and "broke after" in str(caught.value)
    assert kept(cache) == []


def test_silent_server(mirror: Mirror, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "_TIMEOUT", 0.2)
    done = threading.Event()

    def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
        breaks_off(handler)
        done.wait(10)

    mirror.answers["/silent.gz"] = answer
    try:
        with pytest.raises(DataMissing, match="timed out"):
            read(mirror.file(CONTENT, "/silent.gz"))
    finally:
        done.set()
    assert kept(cache) == []


def test_nobody_listens(mirror: Mirror, cache: Path) -> None:
    file = mirror.file(CONTENT, "/right.gz")
    mirror.server.socket.close()
    with pytest.raises(DataMissing, match="try again with a network connection"):
        read(file)
    assert kept(cache) == []


def test_offline_asks_nobody(mirror: Mirror, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOPEGRAPH_OFFLINE", "1")
    mirror.answers["/right.gz"] = ZIPPED
    with pytest.raises(DataMissing, match="DOPEGRAPH_OFFLINE forbids"):
        read(mirror.file(CONTENT, "/right.gz"))
    assert mirror.asked == [] and kept(cache) == []


def test_cache_that_cannot_be_made(mirror: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "plain").write_text("a file, not a folder")
    monkeypatch.setenv("DOPEGRAPH_CACHE", str(tmp_path / "plain"))
    with pytest.raises(DataMissing, match="Set DOPEGRAPH_CACHE"):
        read(mirror.file(CONTENT, "/right.gz"))
    assert mirror.asked == []


def test_without_tqdm(mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tqdm", None)
    mirror.answers["/right.gz"] = ZIPPED
    assert read(mirror.file(CONTENT, "/right.gz")) == CONTENT


def test_leavings_of_killed_processes_are_swept(mirror: Mirror, cache: Path) -> None:
    folder = cache / "fake"
    folder.mkdir(parents=True)
    abandoned, live, other = (folder / f".{name}.part" for name in (f"{NAME}.1", f"{NAME}.2", "other.1"))
    for part in (abandoned, live, other):
        part.write_bytes(b"half")
    for part in (abandoned, other):
        os.utime(part, (time.time() - 7200,) * 2)
    mirror.answers["/right.gz"] = ZIPPED
    read(mirror.file(CONTENT, "/right.gz"))
    assert kept(cache) == sorted([live.name, other.name, NAME + ".gz"])


SCRIPT = """
import sys
from dopegraph.data.entry import DataFile
from dopegraph.data.files import read
print(len(read(DataFile("fake", {name!r}, {sha256!r}, ({url!r},)))))
"""


def start(mirror: Mirror, path: str) -> subprocess.Popen[str]:
    file = mirror.file(CONTENT, path)
    script = SCRIPT.format(name=file.name, sha256=file.sha256, url=file.urls[0])
    assert dopegraph.data.__file__
    environment = {**os.environ, "PYTHONPATH": str(Path(dopegraph.data.__file__).parents[2])}
    # What runs the tests may ignore interrupts, and children inherit that.
    script = f"import signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n{script}"
    command = [sys.executable, "-c", script]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


def test_processes_at_once(mirror: Mirror, cache: Path) -> None:
    processes = 3
    # Nobody gets the second half before all have the first, so that all are at it at the same time.
    barrier = threading.Barrier(processes, timeout=60)

    def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
        breaks_off(handler)
        handler.wfile.flush()
        barrier.wait()
        handler.wfile.write(ZIPPED[100_000:])

    mirror.answers["/right.gz"] = answer
    children = [start(mirror, "/right.gz") for _ in range(processes)]
    for child in children:
        out, err = child.communicate(timeout=60)
        assert (child.returncode, out.strip()) == (0, str(len(CONTENT))), err
    assert len(mirror.asked) == processes
    assert kept(cache) == [NAME + ".gz"]


@pytest.mark.skipif(os.name != "posix", reason="sends SIGINT to a process")
def test_interrupt_leaves_nothing(mirror: Mirror, cache: Path) -> None:
    halfway, done = threading.Event(), threading.Event()

    def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
        breaks_off(handler)
        halfway.set()
        done.wait(60)

    mirror.answers["/slow.gz"] = answer
    child = start(mirror, "/slow.gz")
    try:
        assert halfway.wait(60)
        deadline = time.time() + 30
        while not kept(cache) and time.time() < deadline:
            time.sleep(0.01)
        assert kept(cache)[0].endswith(".part")  # it was indeed in the middle
        child.send_signal(signal.SIGINT)
        _, err = child.communicate(timeout=60)
    finally:
        child.kill()
        done.set()
    assert "KeyboardInterrupt" in err
    assert kept(cache) == []
