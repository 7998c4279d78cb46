"""A dataset file by name and hash, and reading one from disk so that only the right content gets through.

Both the lookup (`files.py`) and the download (`download.py`) stand on it.
"""

from __future__ import annotations

import gzip
import hashlib
import zlib
from dataclasses import dataclass
from pathlib import Path

from .errors import DataCorrupt, DataError

__all__ = ["DataFile", "content_of"]

_GZIP_MAGIC = b"\x1f\x8b"


@dataclass(frozen=True)
class DataFile:
    """One file of a dataset.

    Attributes
    ----------
    dataset : str
        The dataset's name; also the folder its files lie in.
    name : str
        The file's name when unzipped. On disk and on mirrors it may be ``name`` or ``name.gz``.
    sha256 : str
        The hash of the unzipped content, in hex.
    urls : tuple of str
        Full addresses to download it from, in the order to try.
    """

    dataset: str
    name: str
    sha256: str
    urls: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, str]:
        """The names it may have on disk, in the order to look; unzipped first, because that is quicker to read."""
        return self.name, self.name + ".gz"

    def __str__(self) -> str:
        return f"{self.dataset}/{self.name}"


def content_of(path: Path, file: DataFile, shown: str | None = None) -> bytes:
    """Read `path` and return its unzipped content, if that is the content of `file`.

    Every read is checked, not only the first: it costs about 0.03 s for the largest MNIST file, and spares a record
    of what has been checked.

    Parameters
    ----------
    path : Path
        A plain or gzipped file; its content tells which, not its name.
    file : DataFile
        What it should be.
    shown : str, optional
        What to call it in an error; the path if not given.

    Returns
    -------
    bytes
        The unzipped content.

    Raises
    ------
    DataCorrupt
        If it cannot be unzipped or its hash differs.
    DataError
        If it cannot be read.
    """
    shown = shown or str(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{shown} cannot be read: {error}") from error
    if content.startswith(_GZIP_MAGIC):
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError, zlib.error) as error:  # a bad header, a truncated stream, bad data
            raise DataCorrupt(
                f"{shown} is a damaged or incomplete gzip file ({error}), not {file}:\n"
                f"  expected sha256 {file.sha256} (of the unzipped content)\n"
                f"  found           nothing that can be unzipped"
            ) from error
    found = hashlib.sha256(content).hexdigest()
    if found != file.sha256:
        raise DataCorrupt(
            f"{shown} ({len(content)} bytes unzipped) is not {file}:\n"
            f"  expected sha256 {file.sha256} (of the unzipped content)\n"
            f"  found    sha256 {found}"
        )
    return content
