"""What all files of arrays have in common: they appear whole or not at all, and errors name them."""

from __future__ import annotations

import contextlib
import os
import shutil
import uuid
from collections.abc import Iterator
from typing import Any, BinaryIO

from dopegraph.runtime.errors import DopegraphError
from dopegraph.trace.active import active_recording


class FileError(DopegraphError, ValueError):
    """A file that is damaged, or of another kind than was asked for."""


def noted(name: str, what: str) -> None:
    """A recording cannot repeat what is done with files."""
    recording = active_recording()
    if recording is not None:
        recording.escape("host-only", f"{name} {what}")


@contextlib.contextmanager
def atomic_write(path: Any) -> Iterator[BinaryIO]:
    """A file to write into, which takes the place of `path` at the end; after an error nothing has changed."""
    target = os.path.realpath(os.fspath(path))
    if os.path.exists(target) and not os.path.isfile(target):  # a pipe or a device has no place to take
        with open(target, "wb") as file:
            yield file
        return
    folder, name = os.path.split(target)
    temporary = os.path.join(folder, f".{name}.{os.getpid()}-{uuid.uuid4().hex[:8]}")
    try:
        # Not with `tempfile`: the file gets the rights that `open` gives.
        with open(temporary, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if os.path.exists(target):
            shutil.copymode(target, temporary)
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
