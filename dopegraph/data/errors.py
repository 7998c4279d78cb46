"""What can go wrong when a dataset is asked for: catch `DataError` for all of it.

The leaf of `dopegraph.data`; it imports nothing.
"""

from __future__ import annotations

__all__ = ["DataCorrupt", "DataError", "DataMissing"]


class DataError(RuntimeError):
    """A dataset could not be loaded."""


class DataMissing(DataError, FileNotFoundError):
    """A dataset file is neither on this machine nor could it be downloaded."""


class DataCorrupt(DataError):
    """A dataset file was found or downloaded, but its content is not what it has to be."""
