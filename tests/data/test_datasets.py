"""Datasets and the loader of batches: orders, last batches, threads, errors."""

import threading

import numpy
import pytest

from dopegraph.data import ArrayDataset, DataLoader, Dataset, SimpleDataset, split, stacked


def pairs(count=10):
    return ArrayDataset(numpy.arange(float(count)), numpy.arange(count) * 2)


def test_datasets_are_changed_filtered_and_cut():
    data = pairs()
    assert data[3] == (3.0, 6) and len(data) == 10
    assert list(data.transform(lambda x, y: x + y)) == [3.0 * n for n in range(10)]
    assert data.transform_first(lambda x: x + 0.5)[2] == (2.5, 4)
    assert [y for _, y in data.filter(lambda pair: pair[0] > 6.5)] == [14, 16, 18]
    assert len(data.take(3)) == 3 and len(data.take(99)) == 10 and len(data.take(None)) == 10
    assert [[x for x, _ in data.shard(3, part)] for part in range(3)] == [[0, 1, 2, 3], [4, 5, 6], [7, 8, 9]]
    assert ArrayDataset(data.transform(lambda x, y: y), [1] * 10)[2] == (4, 1)
    assert SimpleDataset([5, 6]).transform_first(lambda x: x * 2)[1] == 12


def test_transform_is_called_when_asked_or_at_once():
    calls = []
    lazy = SimpleDataset([1, 2]).transform(lambda x: calls.append(x) or x)
    assert calls == [] and lazy[1] == 2 and lazy[1] == 2 and calls == [2, 2]
    now = SimpleDataset([1, 2]).transform(lambda x: calls.append(x) or x, lazy=False)
    assert now[1] == 2 and calls == [2, 2, 1, 2]


def test_parts_of_a_dataset():
    train, rest = split(pairs(), 0.7, seed=1)
    assert (len(train), len(rest)) == (7, 3)
    assert sorted(x for x, _ in [*train, *rest]) == list(range(10))
    again, _ = split(pairs(), 0.7, seed=1)
    assert list(again) == list(train)
    assert [list(part) for part in split(range(5), 2, 3, shuffle=False)] == [[0, 1], [2, 3, 4]]
    with pytest.raises(ValueError, match="12"):
        split(range(10), 12)


@pytest.mark.parametrize("workers", [0, 3])
@pytest.mark.parametrize("changed", [False, True])
def test_batches_are_the_rows_in_order(workers, changed):
    data = pairs().transform(lambda x, y: (x, y)) if changed else pairs()
    found = list(DataLoader(data, 4, num_workers=workers))
    assert [x.tolist() for x, _ in found] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert [y.tolist() for _, y in found] == [[0, 2, 4, 6], [8, 10, 12, 14], [16, 18]]
    assert found[0][0].dtype == numpy.float64 and found[0][1].dtype == numpy.int64


def test_last_batches():
    assert len(DataLoader(range(10), 4)) == 3 == len(list(DataLoader(range(10), 4)))
    assert [b.tolist() for b in DataLoader(range(10), 4, last_batch="discard")] == [[0, 1, 2, 3], [4, 5, 6, 7]]
    loader = DataLoader(range(10), 4, last_batch="rollover")
    assert [b.tolist() for b in loader] == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert len(loader) == 3
    assert [b.tolist() for b in loader] == [[8, 9, 0, 1], [2, 3, 4, 5], [6, 7, 8, 9]]
    assert len(list(DataLoader([], 4))) == 0


def test_orders_are_new_each_epoch_and_repeatable():
    loader, again = (DataLoader(range(100), 10, shuffle=True, seed=4, num_workers=n) for n in (0, 2))
    first, second = ([b.tolist() for b in loader] for _ in range(2))
    assert first != second and sorted(n for batch in first for n in batch) == list(range(100))
    assert [b.tolist() for b in again] == first
    assert [b.tolist() for b in DataLoader(range(9), 2, sampler=[3, 1, 8])] == [[3, 1], [8]]


def test_threads_work_ahead_and_end_with_the_loop():
    started = threading.Semaphore(0)

    class Slow(Dataset):
        def __getitem__(self, number):
            started.release()
            if number == 7:
                raise OSError("example 7 cannot be read")
            return number

        def __len__(self):
            return 8

    before = threading.active_count()
    loader = iter(DataLoader(Slow(), 1, num_workers=2, prefetch=3))
    assert next(loader).tolist() == [0]
    for _ in range(4):
        assert started.acquire(timeout=10)  # the one that came, and three ahead
    loader.close()
    assert threading.active_count() == before
    with pytest.raises(OSError, match="example 7"):
        list(DataLoader(Slow(), 1, num_workers=2))
    assert threading.active_count() == before


def test_batches_of_ones_own():
    loader = DataLoader([[1], [2, 3]], 2, batchify_fn=lambda examples: [n for one in examples for n in one])
    assert list(loader) == [[1, 2, 3]]
    inner, label = stacked([((1, numpy.zeros(2)), 0), ((2, numpy.ones(2)), 1)])
    assert inner[0].tolist() == [1, 2] and inner[1].shape == (2, 2) and label.tolist() == [0, 1]


def test_what_cannot_be_is_refused():
    for make, message in (
        (lambda: ArrayDataset([1, 2], [1]), "lengths"),
        (lambda: DataLoader([1], 0), "batch_size"),
        (lambda: DataLoader([1], 1, last_batch="drop"), "rollover"),
        (lambda: DataLoader([1], 1, shuffle=True, sampler=[0]), "sampler"),
        (lambda: DataLoader([1], 1, num_workers=-1), "num_workers"),
        (lambda: pairs().take(-1), "at least 0"),
        (lambda: pairs().shard(2, 2), "index"),
    ):
        with pytest.raises(ValueError, match=message):
            make()
    with pytest.raises(TypeError, match="at least one"):
        ArrayDataset()
