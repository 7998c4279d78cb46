from __future__ import annotations

import math
from typing import Any

import numpy
import pytest

from dopegraph import ops
from dopegraph.ops.random import box_muller, half
from tests.ops.cases import F16, F32, F64, I8, I64, RANDOM, U64, Case

DRAWS = [case for case in RANDOM if case.result.size > 1]
FLOATS = [F16, F32, F64]


def key(seed: int = 7, count: int = 0) -> Any:
    return numpy.array([seed, count], numpy.uint64)


@pytest.mark.parametrize("case", DRAWS, ids=str)
def test_the_same_key_gives_the_same_numbers(case: Case) -> None:
    first, second = (case.primitive.kernel(key(), **case.attrs) for _ in range(2))
    numpy.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("case", DRAWS, ids=str)
@pytest.mark.parametrize("other", [key(8, 0), key(7, 1), key(7 + 2**63, 0), key(7, 2**63)], ids=str)
def test_another_key_gives_other_numbers(case: Case, other: Any) -> None:
    first, second = (case.primitive.kernel(one, **case.attrs) for one in (key(), other))
    assert first.tolist() != second.tolist()


def test_advancing_counts_draws_and_keeps_the_seed() -> None:
    assert ops.random_advance.kernel(key(7, 3)).tolist() == [7, 4]
    assert ops.random_advance.kernel(key(7, 2**64 - 1)).tolist() == [7, 0]


def test_draws_of_neighbouring_keys_do_not_overlap() -> None:
    drawn = [ops.random_uniform.kernel(key(7, count), shape=(5000,), dtype=F64) for count in range(4)]
    assert len(set(numpy.concatenate(drawn).tolist())) == 4 * 5000


def kolmogorov_smirnov(numbers: Any, distribution: Any) -> float:
    """The largest distance between the empirical and the given distribution function, times the root of the size."""
    ordered = numpy.sort(numpy.asarray(numbers, numpy.float64).ravel())
    size = ordered.size
    expected = numpy.array([distribution(one) for one in ordered])
    above = numpy.arange(1, size + 1) / size - expected
    return float(max(above.max(), (1 / size - above).max()) * math.sqrt(size))


@pytest.mark.parametrize("dtype", [F32, F64], ids=str)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_uniform_numbers_are_uniform(dtype: Any, seed: int) -> None:
    drawn = ops.random_uniform.kernel(key(seed), shape=(101, 97), dtype=dtype)
    assert drawn.min() >= 0 and drawn.max() < 1
    assert kolmogorov_smirnov(drawn, lambda x: x) < 1.95  # exceeded once in a thousand


@pytest.mark.parametrize("dtype", [F32, F64], ids=str)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_normal_numbers_are_normal(dtype: Any, seed: int) -> None:
    drawn = ops.random_normal.kernel(key(seed), shape=(101, 97), dtype=dtype)
    assert kolmogorov_smirnov(drawn, lambda x: (1 + math.erf(x / math.sqrt(2))) / 2) < 1.95
    for power, moment in ((1, 0), (2, 1), (3, 0), (4, 3)):
        assert abs(float(numpy.mean(drawn.astype(F64) ** power)) - moment) < 0.25


def test_the_two_halves_of_normal_numbers_do_not_correlate() -> None:
    drawn = ops.random_normal.kernel(key(), shape=(2, 5000), dtype=F64)
    assert abs(numpy.corrcoef(drawn)[0, 1]) < 0.05


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_uniform_numbers_never_round_up_to_one(dtype: Any) -> None:
    drawn = ops.random_uniform.kernel(key(), shape=(200_000,), dtype=dtype)
    assert 0.99 < drawn.max() < 1


@pytest.mark.parametrize("dtype", [F32, F64], ids=str)
def test_no_uniform_number_makes_a_normal_one_infinite(dtype: Any) -> None:
    extremes = numpy.array([0, numpy.nextafter(dtype.type(1), dtype.type(0))], dtype)
    assert numpy.isfinite(box_muller(numpy.stack([extremes, extremes]), (4,))).all()


@pytest.mark.parametrize("shape", [(), (1,), (3,), (3, 5), (0, 3)])
def test_odd_and_empty_shapes_are_filled(shape: tuple[int, ...]) -> None:
    drawn = ops.random_normal.kernel(key(), shape=shape, dtype=F64)
    assert drawn.shape == shape
    assert half(shape) == (math.ceil(math.prod(shape) / 2),)
    assert len(set(drawn.ravel().tolist())) == math.prod(shape)


def test_a_permutation_has_every_number_once() -> None:
    drawn = ops.random_permutation.kernel(key(), size=1000)
    assert sorted(drawn.tolist()) == list(range(1000)) != drawn.tolist()


@pytest.mark.parametrize(
    ("low", "high", "dtype"),
    [(-3, 4, I8), (-128, 128, I8), (0, 1, I64), (2**63 - 2, 2**63, I64), (2**63, 2**63 + 3, U64)],
)
def test_integers_fill_their_bounds_evenly(low: int, high: int, dtype: Any) -> None:
    drawn = ops.random_integers.kernel(key(), low=low, high=high, shape=(20_000,), dtype=dtype).tolist()
    expected = 20_000 / (high - low)
    counts = [drawn.count(number) for number in range(low, high)]
    assert sum(counts) == 20_000
    assert all(abs(count - expected) < 5 * math.sqrt(expected) for count in counts)
