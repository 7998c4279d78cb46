"""Several devices and several machines: batches are split over them, and what they computed is summed on all of them.

Stands on `dopegraph.numpy`; `optim.Trainer` and `optim.data_parallel` use it.
"""

from dopegraph.parallel.kvstore import KVStore, KVStoreError, create_store
from dopegraph.parallel.launching import WorkerFailed, launch
from dopegraph.parallel.reduction import all_reduce, broadcast
from dopegraph.parallel.splitting import split_and_load, split_data

__all__ = [
    "KVStore",
    "KVStoreError",
    "WorkerFailed",
    "all_reduce",
    "broadcast",
    "create_store",
    "launch",
    "split_and_load",
    "split_data",
]
