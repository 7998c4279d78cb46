"""What the tests of `dopegraph.data` share: the real files, a clean environment, and a mirror on the loopback."""

from __future__ import annotations

import hashlib
import http.server
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Callable

import pytest

from dopegraph.data import digits
from dopegraph.data.entry import DataFile

REPOSITORY = Path(__file__).parents[2]
GIVEN = os.environ.get("DOPEGRAPH_DATA")
Answer = Callable[[http.server.BaseHTTPRequestHandler], None]


@pytest.fixture
def real_data(monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder with the real datasets, in ``$DOPEGRAPH_DATA`` for the length of the test."""
    folder = Path(GIVEN) if GIVEN else REPOSITORY.parent / "shared" / "data"
    if not (folder / "mnist").is_dir():
        pytest.skip(f"no MNIST in {folder}")
    monkeypatch.setenv("DOPEGRAPH_DATA", str(folder))
    return folder


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty cache, no dataset on the machine, no download; returns where the cache will be."""
    monkeypatch.setenv("DOPEGRAPH_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("DOPEGRAPH_DATA", raising=False)
    monkeypatch.setenv("DOPEGRAPH_OFFLINE", "1")
    digits._say_once.cache_clear()
    return tmp_path / "cache" / "data"


class Mirror:
    """A server on the loopback. `answers` maps a path to bytes, or to a function that answers by itself."""

    def __init__(self) -> None:
        self.answers: dict[str, bytes | Answer] = {}
        self.asked: list[str] = []
        mirror = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                mirror.asked.append(self.path)
                answer = mirror.answers.get(self.path)
                if answer is None:
                    self.send_error(404)
                elif callable(answer):
                    answer(self)
                else:
                    self.send_response(200)
                    self.send_header("Content-Length", str(len(answer)))
                    self.end_headers()
                    self.wfile.write(answer)

            def log_message(self, *args: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def file(self, content: bytes, *paths: str) -> DataFile:
        """An entry for `content`, to be had at `paths` of this mirror."""
        sha256 = hashlib.sha256(content).hexdigest()
        return DataFile("fake", "numbers-idx1-ubyte", sha256, tuple(self.url + path for path in paths))


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    """A `Mirror` that runs for the length of the test, with downloads allowed."""
    monkeypatch.delenv("DOPEGRAPH_OFFLINE")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    mirror = Mirror()
    thread = threading.Thread(target=mirror.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield mirror
    mirror.server.shutdown()
    thread.join()
    mirror.server.server_close()
