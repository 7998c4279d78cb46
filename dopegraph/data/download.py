"""Downloads a dataset file into a folder: the whole, checked file appears there at once, or nothing does.

Below `files.py`, which decides whether to download at all.
"""

from __future__ import annotations

import contextlib
import http.client
import logging
import os
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Callable

from .entry import DataFile, content_of
from .errors import DataCorrupt, DataError, DataMissing

__all__ = ["fetch"]

_CHUNK = 1 << 16
_TIMEOUT = 15.0  # seconds without a byte before a mirror is given up
_ABANDONED = 3600.0  # seconds since the last write; a live download cannot pause that long, see _TIMEOUT

_log = logging.getLogger(__name__)


def fetch(file: DataFile, folder: Path) -> bytes:
    """Download `file` into `folder`, trying its addresses in turn, and return its unzipped content.

    Processes may do this at the same time: each writes a temporary file of its own and renames it when it is checked.

    Parameters
    ----------
    file : DataFile
        What to download; ``file.urls`` says from where.
    folder : Path
        Where to keep it; made if it is not there.

    Returns
    -------
    bytes
        The unzipped content, already checked.

    Raises
    ------
    DataMissing
        If no address could be reached, or `folder` cannot be written to.
    DataCorrupt
        If something came, but from no address the right thing.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _sweep(file, folder)
    except OSError as error:
        raise DataMissing(
            f"{file} cannot be kept in {folder}: {error}. Set DOPEGRAPH_CACHE to a folder that can be written to."
        ) from error
    failures: list[Exception] = []
    for url in file.urls:
        try:
            return _fetch_from(url, file, folder)
        except DataError as error:
            failures.append(error)
        except (OSError, http.client.HTTPException) as error:
            if isinstance(error, urllib.error.HTTPError):
                error.close()  # it is the server's answer too, and holds the connection
            failures.append(OSError(f"{url}: {str(error) or type(error).__name__}"))
            failures[-1].__cause__ = error
        _log.info("download failed: %s", failures[-1])
    # Wrong content tells more than an unreachable mirror does, so one such failure decides the kind of error.
    kind = DataCorrupt if any(isinstance(failure, DataCorrupt) for failure in failures) else DataMissing
    reasons = "".join(f"\n- {failure}" for failure in failures) or "\n- no address is known"
    raise kind(f"{file} could not be downloaded, and nothing was kept:{reasons}") from next(iter(failures), None)


def _fetch_from(url: str, file: DataFile, folder: Path) -> bytes:
    # Not `tempfile`: its files are readable by their owner alone, and a cache may be shared.
    part = folder / f".{file.name}.{uuid.uuid4().hex}.part"
    try:
        _log.info("downloading %s", url)
        with urllib.request.urlopen(url, timeout=_TIMEOUT) as response, open(part, "xb") as out:
            length = response.headers.get("Content-Length")
            expected = int(length) if length and length.isdigit() else None
            with _progress(file.name, expected) as advance:
                while chunk := response.read(_CHUNK):
                    out.write(chunk)
                    advance(len(chunk))
            # `read(n)` takes a connection that breaks off for the end of the file.
            if expected is not None and out.tell() != expected:
                raise OSError(f"the connection broke after {out.tell()} of {expected} bytes")
        content = content_of(part, file, shown=f"what {url} sent")
        os.replace(part, folder / (file.name if url.endswith(file.name) else file.name + ".gz"))
        return content
    finally:  # also on Ctrl-C
        part.unlink(missing_ok=True)


def _sweep(file: DataFile, folder: Path) -> None:
    """Remove what a killed process left behind."""
    for part in folder.glob(f".{file.name}.*.part"):
        with contextlib.suppress(FileNotFoundError):  # another process may be sweeping too
            if time.time() - part.stat().st_mtime > _ABANDONED:
                part.unlink()


@contextlib.contextmanager
def _progress(title: str, total: int | None) -> Iterator[Callable[[int], object]]:
    try:
        from tqdm import tqdm
    except ImportError:
        yield lambda count: None
        return
    # disable=None: no bar where the output is not a terminal.
    with tqdm(desc=title, total=total, unit="B", unit_scale=True, unit_divisor=1024, disable=None) as bar:
        yield bar.update
