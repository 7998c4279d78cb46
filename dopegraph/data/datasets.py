"""Datasets: what has a length and gives examples by number; transformed, filtered, cut, split.

Plain NumPy; needs nothing else of `dopegraph.data`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

__all__ = ["ArrayDataset", "Dataset", "SimpleDataset", "split"]


class Dataset:
    """The base of all datasets; one of your own defines ``__getitem__(number)`` and ``__len__``.

    Examples
    --------
    >>> class Squares(Dataset):
    ...     def __getitem__(self, number):
    ...         return number**2
    ...
    ...     def __len__(self):
    ...         return 5
    >>> list(Squares().filter(lambda x: x % 2 == 0).transform(lambda x: x + 1))
    [1, 5, 17]
    """

    def __getitem__(self, number: int) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must define __getitem__(self, number)")

    def __len__(self) -> int:
        raise NotImplementedError(f"{type(self).__name__} must define __len__(self)")

    def __iter__(self) -> Iterator[Any]:
        return (self[number] for number in range(len(self)))

    def transform(self, function: Callable[..., Any], lazy: bool = True) -> Dataset:
        """Examples after a function; one that consists of several parts gives it so many arguments.

        Parameters
        ----------
        function : callable
        lazy : bool
            Whether it is called whenever an example is asked for (default), or once for all now.
        """
        changed = _Transformed(self, function)
        return changed if lazy else SimpleDataset(list(changed))

    def transform_first(self, function: Callable[[Any], Any], lazy: bool = True) -> Dataset:
        """Examples with the function applied to their first part, such as the image before its label."""
        return self.transform(_First(function), lazy)

    def filter(self, function: Callable[[Any], Any]) -> Dataset:
        """Those examples for which the function is true; it is asked now, for all."""
        return _Rows(self, [number for number, example in enumerate(self) if function(example)])

    def take(self, count: int | None) -> Dataset:
        """The first examples."""
        total = len(self)
        if count is not None and count < 0:
            raise ValueError(f"take: the number of examples must be at least 0, not {count}")
        return _Rows(self, range(total if count is None else min(count, total)))

    def shard(self, num_shards: int, index: int) -> Dataset:
        """One of several parts that differ in length by at most one: what each of several workers reads."""
        if not 0 <= index < num_shards:
            raise ValueError(f"shard: index must be in [0, {num_shards}), not {index}")
        length, rest = divmod(len(self), num_shards)
        start = length * index + min(rest, index)
        return _Rows(self, range(start, start + length + (index < rest)))

    def rows(self, numbers: Sequence[int]) -> Dataset:
        """The examples with given numbers, in their order."""
        return _Rows(self, list(numbers))


class SimpleDataset(Dataset):
    """A list, or anything else with a length and numbers, as a dataset."""

    def __init__(self, data: Sequence[Any]) -> None:
        self._data = data

    def __getitem__(self, number: int) -> Any:
        return self._data[number]

    def __len__(self) -> int:
        return len(self._data)


class ArrayDataset(Dataset):
    """Rows of arrays, of each the same one: images with labels.

    Parameters
    ----------
    *args : array_like or Dataset
        Of one length. Arrays are converted to NumPy's, once.

    Examples
    --------
    >>> import numpy as np
    >>> image, label = ArrayDataset(np.arange(6).reshape(3, 2), np.array([7, 8, 9]))[1]
    >>> print(image, label)
    [2 3] 8
    """

    def __init__(self, *args: Any) -> None:
        if not args:
            raise TypeError("ArrayDataset() needs at least one array")
        self.arrays = tuple(one if isinstance(one, Dataset) else np.asarray(one) for one in args)
        lengths = [len(one) for one in self.arrays]
        if len(set(lengths)) > 1:
            raise ValueError(f"ArrayDataset() takes the same row of each array, but their lengths are {lengths}")

    def __getitem__(self, number: int) -> Any:
        found = tuple(one[number] for one in self.arrays)
        return found if len(found) > 1 else found[0]

    def __len__(self) -> int:
        return len(self.arrays[0])


class _Transformed(Dataset):
    def __init__(self, dataset: Dataset, function: Callable[..., Any]) -> None:
        self._dataset = dataset
        self._function = function

    def __getitem__(self, number: int) -> Any:
        example = self._dataset[number]
        return self._function(*example) if isinstance(example, tuple) else self._function(example)

    def __len__(self) -> int:
        return len(self._dataset)


class _First:
    """Calls a function with the first of several arguments."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self.function = function

    def __call__(self, first: Any, *rest: Any) -> Any:
        return (self.function(first), *rest) if rest else self.function(first)


class _Rows(Dataset):
    def __init__(self, dataset: Dataset, numbers: Sequence[int]) -> None:
        self._dataset = dataset
        self._numbers = numbers

    def __getitem__(self, number: int) -> Any:
        return self._dataset[self._numbers[operator.index(number)]]

    def __len__(self) -> int:
        return len(self._numbers)


def split(
    dataset: Any, *parts: float, shuffle: bool = True, seed: int | np.random.Generator | None = None
) -> tuple[Dataset, ...]:
    """Cut a dataset into parts, to train, validate and test on.

    Parameters
    ----------
    dataset : Dataset or sequence
    *parts : float or int
        For each part its share (float), or its length (int); what is left over is a last part.
    shuffle : bool
        Whether examples are drawn at random (default).
    seed : int or numpy.random.Generator, optional
        Makes the drawing repeatable.

    Examples
    --------
    >>> train, valid, test = split(range(10), 0.5, 3, seed=0)
    >>> len(train), len(valid), len(test), sorted([*train, *valid, *test]) == list(range(10))
    (5, 3, 2, True)
    """
    source = dataset if isinstance(dataset, Dataset) else SimpleDataset(dataset)
    total = len(source)
    lengths = [round(part * total) if isinstance(part, float) else operator.index(part) for part in parts]
    if min(lengths, default=0) < 0 or sum(lengths) > total:
        raise ValueError(f"split: parts of lengths {lengths} of {total} examples")
    if sum(lengths) < total:
        lengths.append(total - sum(lengths))
    order = np.random.default_rng(seed).permutation(total).tolist() if shuffle else list(range(total))
    ends = np.cumsum([0, *lengths]).tolist()
    return tuple(source.rows(order[start:end]) for start, end in zip(ends, ends[1:]))
