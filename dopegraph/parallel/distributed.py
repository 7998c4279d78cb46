"""Stores that several processes share, on one machine or on many: MXNet's, over its servers.

The processes are started by `launch`; each finds its part in the variables ``DMLC_*`` of its environment.
"""

from __future__ import annotations

import os
from typing import Any

from dopegraph.array import ndarray
from dopegraph.backends.mxnet import library
from dopegraph.backends.mxnet.arrays import check, empty, native
from dopegraph.ir.types import TensorType
from dopegraph.parallel.kvstore import Arrays, Key, KVStore, KVStoreError, as_list
from dopegraph.parallel.reduction import sum_on_first
from dopegraph.runtime.device import HOST
from dopegraph.runtime.location import here, located

NEEDED = ("DMLC_ROLE", "DMLC_PS_ROOT_URI", "DMLC_PS_ROOT_PORT", "DMLC_NUM_WORKER", "DMLC_NUM_SERVER")


class DistributedStore(KVStore):
    """A store in servers. What all workers push to a key is summed, and replaces what was there.

    Parameters
    ----------
    kind : {"dist_sync", "dist_async"}
        With ``dist_sync`` everyone waits for everyone: a pull after a push gives the sum of what all workers pushed.
        With ``dist_async`` nobody waits: what a worker pushes is a gradient, with which the servers do a step of their
        optimizer at once.

    Raises
    ------
    KVStoreError
        If this process was not started as a worker.
    """

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        missing = [name for name in NEEDED if name not in os.environ]
        if missing:
            message = f"create_store: {kind!r} is for processes that are started together; {', '.join(missing)} not set"
            raise KVStoreError(located(f"{message}. Run `python -m dopegraph.parallel -n 2 script.py`", here()))
        self._store: Any = library.load().kv.create(kind)
        self.rank = self._store.rank
        self.num_workers = self._store.num_workers
        self._types: dict[Key, TensorType] = {}
        self._has_optimizer = False

    def init(self, key: Key, value: Arrays) -> None:
        """Give a new key its first value: that of the worker with rank 0. All workers call it."""
        if key in self._types:
            raise KVStoreError(located(f"init: the key {key!r} is in the store already", here()))
        array = as_list(value)[0].to(HOST)
        if array.dtype.kind != "f":  # a server would abort
            message = f"init: {key!r} is {array.dtype}; stores of several machines hold floating numbers only"
            raise KVStoreError(located(message, here()))
        self._types[key] = TensorType(array.dtype, array.shape)
        self._store.init(str(key), native(array._settled(), HOST))

    def push(self, key: Key, value: Arrays, priority: int = 0) -> None:
        """Add the sum of one or more arrays, on any devices, to what the other workers push."""
        self._type(key)
        if self.type == "dist_async" and not self._has_optimizer:
            message = "push: servers of 'dist_async' change values with an optimizer; begin with set_optimizer"
            raise KVStoreError(located(message, here()))
        array = sum_on_first(as_list(value)).to(HOST)
        self._store.push(str(key), native(array._settled(), HOST), priority)
        # Pushing goes on after the call; the memory stays as it is until then.
        self._pushed = array

    def pull(self, key: Key, out: Arrays, priority: int = 0) -> None:
        """Write the value into one or more arrays, on any devices."""
        buffer = empty(self._type(key))
        self._store.pull(str(key), out=buffer.native, priority=priority)
        # The whole way, as the array is to be read from NumPy.
        check(library.load().base._LIB.MXNDArrayWaitToRead(buffer.native.handle))
        value = ndarray(buffer)
        for array in as_list(out):
            array[...] = value.to(array.device)

    def _type(self, key: Key) -> TensorType:
        if key not in self._types:
            raise KVStoreError(located(f"the key {key!r} is not in the store; begin with init({key!r}, value)", here()))
        return self._types[key]

    def sum(self, name: str, array: ndarray) -> ndarray:
        """The sum of the arrays with which all workers call it."""
        key = f"sum {name}"
        if key not in self._types:
            self.init(key, array)
        self.push(key, array)
        return self._pulled(key, array)

    def first(self, name: str, array: ndarray) -> ndarray:
        """The array with which the worker of rank 0 calls it, once for each name."""
        key = f"first {name}"
        self.init(key, array)
        return self._pulled(key, array)

    def set_optimizer(self, name: str, **arguments: Any) -> None:
        """Give the servers an optimizer of MXNet's, with which they use what is pushed. All workers call it.

        Raises
        ------
        KVStoreError
            If MXNet has no such optimizer, or not with these arguments.
        """
        try:
            made = library.load().optimizer.create(name, **arguments)
        except (TypeError, ValueError) as cause:
            raise KVStoreError(
                located(f"set_optimizer: MXNet makes no {name} with {arguments}: {cause}", here())
            ) from cause
        self.barrier()
        if self.rank == 0:
            self._store.set_optimizer(made)
        self.barrier()
        self._has_optimizer = True

    def changed(self, name: str, gradient: ndarray) -> ndarray:
        """The array that `first` named, after the servers have used a gradient for it."""
        key = f"first {name}"
        self.push(key, gradient)
        return self._pulled(key, gradient)

    def _pulled(self, key: Key, like: ndarray) -> ndarray:
        made = like.copy()
        self.pull(key, made)
        return made

    def barrier(self) -> None:
        """Wait until all workers are here."""
        self._store._barrier()
