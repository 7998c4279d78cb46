"""Key-value stores: arrays by key, to which several devices or machines push, and from which they pull the sums.

``local`` and ``device`` are this process alone; ``dist_sync`` and ``dist_async`` are MXNet's, over servers, which
`launch` starts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Union

import numpy

import dopegraph.numpy as np
from dopegraph.array import ndarray
from dopegraph.parallel.reduction import sum_on_first
from dopegraph.runtime.errors import DopegraphError
from dopegraph.runtime.location import here, located

Key = Union[int, str]
Arrays = Union[ndarray, Sequence[ndarray]]

LOCAL = ("local", "device")
DISTRIBUTED = ("dist_sync", "dist_async", "dist")


class KVStoreError(DopegraphError, RuntimeError):
    """A store that cannot be made, or a key that is not in it."""


def create_store(name: str = "local") -> KVStore:
    """A store by its name in MXNet: ``local``, ``device``, ``dist_sync``, ``dist_async``; ``dist`` is ``dist_sync``.

    Examples
    --------
    >>> import dopegraph.numpy as np
    >>> from dopegraph import parallel
    >>> store = parallel.create_store("local")
    >>> store.init("weight", np.zeros(2))
    >>> store.push("weight", [np.ones(2), np.ones(2) + 1])
    >>> pulled = np.zeros(2)
    >>> store.pull("weight", out=pulled)
    >>> pulled
    array([3., 3.], dtype=float32)
    """
    if name in LOCAL:
        return KVStore(name)
    if name in DISTRIBUTED:
        from dopegraph.parallel.distributed import DistributedStore

        return DistributedStore("dist_sync" if name == "dist" else name)
    known = ", ".join(LOCAL + DISTRIBUTED)
    raise KVStoreError(located(f"create_store: there is no store {name!r}; the stores are {known}", here()))


class KVStore:
    """A store in this process. What is pushed to a key is summed, and replaces what was there."""

    rank = 0
    """Which of the workers this is."""

    num_workers = 1
    """How many processes push and pull."""

    def __init__(self, kind: str) -> None:
        self.type = kind
        self._values: dict[Key, ndarray] = {}

    def init(self, key: Key, value: Arrays) -> None:
        """Give a new key its first value."""
        if key in self._values:
            raise KVStoreError(located(f"init: the key {key!r} is in the store already", here()))
        self._values[key] = np.asarray(as_list(value)[0]).copy()

    def push(self, key: Key, value: Arrays, priority: int = 0) -> None:
        """Put the sum of one or more arrays, on any devices, in place of the value."""
        self._known(key)
        self._values[key] = sum_on_first(as_list(value))

    def pull(self, key: Key, out: Arrays, priority: int = 0) -> None:
        """Write the value into one or more arrays, on any devices."""
        value = self._known(key)
        for array in as_list(out):
            array[...] = value.to(array.device)

    def pushpull(self, key: Key, value: Arrays, out: Arrays | None = None, priority: int = 0) -> None:
        """Push, and pull the sum back, into the same arrays unless `out` is given."""
        self.push(key, value, priority)
        self.pull(key, value if out is None else out, priority)

    def _known(self, key: Key) -> ndarray:
        if key not in self._values:
            raise KVStoreError(located(f"the key {key!r} is not in the store; begin with init({key!r}, value)", here()))
        return self._values[key]

    def sum(self, name: str, array: ndarray) -> ndarray:
        """The sum of the arrays with which all workers call it."""
        return array

    def first(self, name: str, array: ndarray) -> ndarray:
        """The array with which the worker of rank 0 calls it."""
        return array

    def barrier(self) -> None:
        """Wait until all workers are here."""

    def shard(self, *arrays: Any) -> Any:
        """This worker's part of the examples: every `num_workers`-th, from `rank` on.

        Where they cannot be divided, the last ones belong to nobody: all workers have equally many, and take as many
        steps.
        """
        if not arrays:
            raise KVStoreError(located("shard: no arrays", here()))
        length = len(arrays[0]) - len(arrays[0]) % self.num_workers
        found = tuple(array[self.rank : length : self.num_workers] for array in arrays)
        return found if len(found) > 1 else found[0]

    def __repr__(self) -> str:
        return f"KVStore({self.type!r}, rank {self.rank} of {self.num_workers})"


def as_list(arrays: Arrays) -> list[ndarray]:
    """One array or several, as a list."""
    found = [arrays] if isinstance(arrays, (ndarray, numpy.ndarray)) else list(arrays)
    if not found or isinstance(arrays, Mapping):
        raise KVStoreError(located("a store takes an array or a list of arrays", here()))
    return found
