"""Batches of a dataset, made ahead by threads while the last ones are computed with.

Stands on `datasets.py`; plain NumPy.
"""

from __future__ import annotations

import operator
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np

from .datasets import ArrayDataset, Dataset

__all__ = ["DataLoader", "stacked"]

_LAST = ("keep", "discard", "rollover")


def stacked(examples: Sequence[Any]) -> Any:
    """Examples as one batch: arrays and numbers stacked, parts of tuples each by itself.

    Examples
    --------
    >>> stacked([(1.0, 2), (3.0, 4)])
    (array([1., 3.]), array([2, 4]))
    """
    if isinstance(examples[0], (tuple, list)):
        return tuple(stacked(part) for part in zip(*examples))
    return np.stack([np.asarray(example) for example in examples])


class DataLoader:
    """Iterates over a dataset in batches; each iteration is an epoch.

    Parameters
    ----------
    dataset : Dataset or sequence
    batch_size : int
    shuffle : bool
        Whether examples come in a new random order each epoch.
    sampler : iterable of int, optional
        The numbers of the examples of each epoch, in place of `shuffle`.
    last_batch : {"keep", "discard", "rollover"}
        What is done with a last batch that is smaller: kept, left out, or put before those of the next epoch.
    batchify_fn : callable, optional
        Makes a batch of a list of examples; `stacked` by default.
    num_workers : int
        So many threads make batches ahead. They help where examples are read from files, or computed by NumPy.
    prefetch : int, optional
        How many batches they are ahead; twice `num_workers` by default.
    seed : int or numpy.random.Generator, optional
        Makes the orders repeatable.

    Examples
    --------
    >>> import numpy as np
    >>> from dopegraph.data import ArrayDataset
    >>> for x, y in DataLoader(ArrayDataset(np.arange(5.0), np.arange(5)), batch_size=2):
    ...     print(x, y)
    [0. 1.] [0 1]
    [2. 3.] [2 3]
    [4.] [4]
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int,
        shuffle: bool = False,
        sampler: Any = None,
        last_batch: str = "keep",
        batchify_fn: Callable[[list[Any]], Any] | None = None,
        num_workers: int = 0,
        prefetch: int | None = None,
        seed: int | np.random.Generator | None = None,
    ) -> None:
        if operator.index(batch_size) < 1:
            raise ValueError(f"batch_size must be at least 1, not {batch_size}")
        if last_batch not in _LAST:
            raise ValueError(f"last_batch must be one of {', '.join(_LAST)}, not {last_batch!r}")
        if shuffle and sampler is not None:
            raise ValueError("a sampler decides about the order: shuffle must be False")
        if num_workers < 0:
            raise ValueError(f"num_workers must be at least 0, not {num_workers}")
        self._dataset = dataset
        self._batch_size = operator.index(batch_size)
        self._sampler = sampler
        self._random = np.random.default_rng(seed) if shuffle else None
        self._last_batch = last_batch
        self._batchify = batchify_fn
        self._workers = num_workers
        self._ahead = 2 * num_workers if prefetch is None else prefetch
        self._rest: list[int] = []

    def _examples(self) -> int:
        return len(self._dataset) if self._sampler is None else len(self._sampler)

    def __len__(self) -> int:
        total = self._examples() + len(self._rest)
        return -(-total // self._batch_size) if self._last_batch == "keep" else total // self._batch_size

    def __iter__(self) -> Iterator[Any]:
        # Drawn here, not at the first batch, so that the epochs' orders follow the order of the `iter` calls.
        if self._sampler is not None:
            order = [operator.index(number) for number in self._sampler]
        elif self._random is not None:
            order = self._random.permutation(len(self._dataset)).tolist()
        else:
            order = list(range(len(self._dataset)))
        order = self._rest + order
        whole = len(order) - len(order) % self._batch_size
        if self._last_batch == "rollover":
            self._rest = order[whole:]
        if self._last_batch != "keep":
            order = order[:whole]
        cuts = [order[start : start + self._batch_size] for start in range(0, len(order), self._batch_size)]
        return self._made_ahead(cuts) if self._workers and self._ahead else map(self._batch, cuts)

    def _batch(self, numbers: list[int]) -> Any:
        if self._batchify is None and type(self._dataset) is ArrayDataset and not self._has_datasets():
            found = tuple(array.take(numbers, axis=0) for array in self._dataset.arrays)
            return found if len(found) > 1 else found[0]
        return (self._batchify or stacked)([self._dataset[number] for number in numbers])

    def _has_datasets(self) -> bool:
        return any(isinstance(array, Dataset) for array in self._dataset.arrays)

    def _made_ahead(self, cuts: list[list[int]]) -> Iterator[Any]:
        left = iter(cuts)
        pool = ThreadPoolExecutor(self._workers, thread_name_prefix="dopegraph-data")
        waiting: deque[Future[Any]] = deque()
        try:
            for numbers in left:
                waiting.append(pool.submit(self._batch, numbers))
                if len(waiting) > self._ahead:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            # Also when the loop is left early, or an example cannot be read.
            for future in waiting:
                future.cancel()
            pool.shutdown(wait=True)

    def __repr__(self) -> str:
        return f"<{len(self)} batches of {self._batch_size} from {self._examples()} examples>"
