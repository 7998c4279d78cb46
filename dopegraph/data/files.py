"""Finds a dataset file: in ``$DOPEGRAPH_DATA``, in the user's cache, or by downloading it into that cache.

The datasets (`mnist.py`) stand on it. The environment is read at each call, so it can be changed while Python runs.
"""

from __future__ import annotations

import os
from pathlib import Path

from dopegraph.runtime import folders

from .download import fetch
from .entry import DataFile, content_of
from .errors import DataCorrupt, DataError, DataMissing

__all__ = ["cache_folder", "data_folders", "find", "offline", "read"]


def cache_folder() -> Path:
    """Where downloaded datasets are kept: ``$DOPEGRAPH_CACHE/data``, or ``data`` in the user's cache folder.

    Examples
    --------
    >>> cache_folder().name
    'data'
    """
    return folders.cache_folder() / "data"


def offline() -> bool:
    """Whether ``DOPEGRAPH_OFFLINE`` forbids downloads.

    Any value does but an empty one, ``0``, ``false`` and ``no``.
    """
    return os.environ.get("DOPEGRAPH_OFFLINE", "").strip().lower() not in ("", "0", "false", "no")


def find(file: DataFile) -> Path | None:
    """The path of `file` on this machine, plain or gzipped and not yet checked; None if it is not here."""
    for folder in data_folders():
        for name in file.names:
            path = folder / file.dataset / name
            try:
                path.stat()
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError as error:  # a folder that may not be searched must not pass for an empty one
                raise DataError(f"{path} cannot be looked for: {error}") from error
            return path
    return None


def read(file: DataFile) -> bytes:
    """The unzipped, checked content of `file`, downloaded if it is not on this machine.

    Parameters
    ----------
    file : DataFile
        What to read.

    Returns
    -------
    bytes
        Content whose sha256 is ``file.sha256``.

    Raises
    ------
    DataMissing
        If it is not here and cannot be downloaded.
    DataCorrupt
        If what is here, or what was downloaded, is not the file.
    """
    path = find(file)
    if path is not None:
        try:
            return content_of(path, file)
        except DataCorrupt as error:
            raise DataCorrupt(
                f"{error}\nDelete or replace {path}; without it, the file is looked for in the cache, then downloaded."
            ) from error
    if offline():
        raise DataMissing(f"{file} is not on this machine, and DOPEGRAPH_OFFLINE forbids the download.\n{_ways(file)}")
    try:
        return fetch(file, cache_folder() / file.dataset)
    except DataError as error:
        raise type(error)(f"{error}\n{_ways(file)}") from error


def data_folders() -> list[Path]:
    """Where datasets are looked for: ``$DOPEGRAPH_DATA``, if set, and the user's cache."""
    given = os.environ.get("DOPEGRAPH_DATA")
    return [*([Path(given).expanduser()] if given else []), cache_folder()]


def _ways(file: DataFile) -> str:
    """Where the file was looked for, and what the user can do."""
    looked = ", ".join(str(folder / file.dataset) for folder in data_folders())
    unset = "" if os.environ.get("DOPEGRAPH_DATA") else " (DOPEGRAPH_DATA is not set)"
    first = "unset DOPEGRAPH_OFFLINE to download it" if offline() else "try again with a network connection"
    return (
        f"Looked for {' or '.join(file.names)} in {looked}{unset}.\n"
        f"To go on, {first}, or set DOPEGRAPH_DATA to a folder that holds {file} or {file}.gz."
    )
