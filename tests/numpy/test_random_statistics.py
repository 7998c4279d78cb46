"""Random numbers have the distributions they should: moments, distribution functions, probabilities, independence.

Everything is seeded. With another seed all bounds together would be exceeded with a probability below 1e-6.
"""

from __future__ import annotations

import math
from typing import Any

import numpy
import pytest

import dopegraph.numpy as np
from tests.numpy.random_distributions import CONTINUOUS, DISCRETE, Distribution, binomial_pmf, normal_cdf

SIZE = 20_000
# Standard errors that a normal number exceeds once in 1e9, and the Kolmogorov-Smirnov distance that is as rare.
DEVIATIONS, DISTANCE = 6.2, 3.3


def draw(one: Distribution, size: int = SIZE, seed: int = 20) -> Any:
    np.random.seed(seed)
    return getattr(np.random, one.name)(*one.args, size=size).asnumpy().astype(numpy.float64)


def assert_moments(x: Any, mean: float | None, variance: float | None) -> None:
    if mean is not None:
        error = math.sqrt(variance if variance is not None else x.var())
        assert abs(x.mean() - mean) <= DEVIATIONS * error / math.sqrt(x.size)
    if variance is not None:
        squares = (x - mean) ** 2
        assert abs(squares.mean() - variance) <= DEVIATIONS * squares.std() / math.sqrt(x.size)


def assert_follows(x: Any, cdf: Any) -> None:
    """Kolmogorov and Smirnov's test."""
    ordered = numpy.sort(x.ravel())
    expected = cdf(ordered)
    above = numpy.arange(1, ordered.size + 1) / ordered.size - expected
    assert max(above.max(), (1 / ordered.size - above).max()) * math.sqrt(ordered.size) < DISTANCE


def assert_probabilities(counts: Any, pmf: Any) -> None:
    """Pearson's test; bins are joined until 20 are expected in each."""
    counts = numpy.asarray(counts, numpy.int64).ravel()
    limit = int(numpy.quantile(counts, 0.995)) + 2
    expected = numpy.asarray(pmf(numpy.arange(limit)), numpy.float64) * counts.size
    found = numpy.bincount(numpy.minimum(counts, limit), minlength=limit + 1).astype(float)
    expected = numpy.append(expected, counts.size - expected.sum())
    assert expected[-1] > -1e-6 * counts.size
    assert not found[expected == 0].any()
    bins: list[list[float]] = [[0.0, 0.0]]
    for one, other in zip(found, expected):
        if bins[-1][1] >= 20:
            bins.append([0.0, 0.0])
        bins[-1][0] += one
        bins[-1][1] += other
    if len(bins) > 1 and bins[-1][1] < 20:
        last = bins.pop()
        bins[-1] = [bins[-1][0] + last[0], bins[-1][1] + last[1]]
    distance = sum((one - other) ** 2 / other for one, other in bins)
    # Wilson and Hilferty: the cube root of a chi-square number over its degrees of freedom is nearly normal.
    free = max(len(bins) - 1, 1)
    assert distance < free * (1 - 2 / (9 * free) + DEVIATIONS * math.sqrt(2 / (9 * free))) ** 3


@pytest.mark.parametrize("one", CONTINUOUS, ids=str)
def test_continuous_numbers_have_their_moments_and_distribution(one: Distribution) -> None:
    x = draw(one)
    assert_moments(x, one.mean, one.variance)
    if one.cdf is not None:
        assert_follows(x, one.cdf)


@pytest.mark.parametrize("one", DISCRETE, ids=str)
def test_counts_have_their_moments_and_probabilities(one: Distribution) -> None:
    x = draw(one)
    assert_moments(x, one.mean, one.variance)
    assert_probabilities(x, one.pmf)


def test_the_tests_notice_wrong_distributions() -> None:
    rng = numpy.random.default_rng(0)
    with pytest.raises(AssertionError):
        assert_follows(rng.normal(0.1, 1, SIZE), normal_cdf)
    with pytest.raises(AssertionError):
        assert_moments(rng.normal(0, 1.1, SIZE), 0, 1)
    with pytest.raises(AssertionError):
        assert_probabilities(rng.binomial(10, 0.33, SIZE), binomial_pmf(10, 0.3))


SCIPY = [
    ("beta", (0.3, 2.2), "beta", (0.3, 2.2)),
    ("standard_t", (30.0,), "t", (30,)),
    ("standard_t", (0.7,), "t", (0.7,)),
    ("f", (3.0, 5.0), "f", (3, 5)),
    ("noncentral_f", (4.0, 20.0, 2.0), "ncf", (4, 20, 2)),
    ("noncentral_f", (1.0, 30.0, 3.0), "ncf", (1, 30, 3)),
    ("noncentral_chisquare", (0.5, 1.0), "ncx2", (0.5, 1)),
    ("gamma", (1e4, 2.0), "gamma", (1e4, 0, 2)),
]


@pytest.mark.parametrize(("name", "args", "theirs", "parameters"), SCIPY)
def test_distributions_without_closed_forms_are_those_of_scipy(name: str, args: Any, theirs: str, parameters: Any):
    stats = pytest.importorskip("scipy.stats")
    x = draw(Distribution(name, args, None, None))
    assert_follows(x, lambda values: getattr(stats, theirs).cdf(values, *parameters))


@pytest.mark.parametrize("one", [*CONTINUOUS, *DISCRETE], ids=str)
def test_arrays_of_parameters_give_each_element_its_own_distribution(one: Distribution) -> None:
    if not one.args:
        return
    np.random.seed(21)
    columns = [np.array([[arg], [arg]], "int64" if isinstance(arg, int) else "float64") for arg in one.args]
    x = getattr(np.random, one.name)(*columns, size=(2, SIZE // 2)).asnumpy().astype(numpy.float64)
    for row in x:
        assert_moments(row, one.mean, one.variance)
        if one.cdf is not None:
            assert_follows(row, one.cdf)
        if one.pmf is not None:
            assert_probabilities(row, one.pmf)


# Several numbers at a time -----------------------------------------------------------------------------------------


def assert_covariance(x: Any, mean: Any, covariance: Any) -> None:
    centred = x - mean
    error = x.std(0) / math.sqrt(len(x))
    assert (abs(centred.mean(0)) <= DEVIATIONS * error + 1e-12).all()
    products = centred[:, :, None] * centred[:, None, :]
    error = products.std(0) / math.sqrt(len(x))
    assert (abs(products.mean(0) - covariance) <= DEVIATIONS * error + 1e-12).all()


@pytest.mark.parametrize("alpha", [[1.0, 2.0, 3.0], [0.1, 0.2, 0.05], [50.0, 1.0, 1.0, 1.0]])
def test_dirichlet_numbers_have_their_covariance_and_sum_to_one(alpha: list[float]) -> None:
    np.random.seed(5)
    x = np.random.dirichlet(alpha, SIZE).asnumpy().astype(float)
    total, mean = sum(alpha), numpy.array(alpha) / sum(alpha)
    assert abs(x.sum(-1) - 1).max() < 1e-5
    assert_covariance(x, mean, (numpy.diag(mean) - numpy.outer(mean, mean)) / (total + 1))


@pytest.mark.parametrize(("n", "p"), [(10, [0.2, 0.3, 0.5]), (3, [0.1, 0.2, 0.3, 0.1, 0.3]), (5, [0.25, 0.25])])
def test_multinomial_counts_have_their_covariance_and_sum(n: int, p: list[float]) -> None:
    np.random.seed(6)
    x = np.random.multinomial(n, p, SIZE).asnumpy()
    p = [*p[:-1], 1 - sum(p[:-1])]
    assert (x.sum(-1) == n).all()
    assert_covariance(x.astype(float), n * numpy.array(p), n * (numpy.diag(p) - numpy.outer(p, p)))
    for kind, one in enumerate(p):
        assert_probabilities(x[:, kind], binomial_pmf(n, one))


@pytest.mark.parametrize("method", ["marginals", "count"])
def test_multivariate_hypergeometric_counts_have_their_covariance(method: str) -> None:
    colors, n = numpy.array([5, 9, 3]), 6
    x = np.random.default_rng(7).multivariate_hypergeometric(colors, n, SIZE, method).asnumpy()
    assert (x.sum(-1) == n).all() and (x <= colors).all()
    share = colors / 17
    assert_covariance(x.astype(float), n * share, n * (17 - n) / 16 * (numpy.diag(share) - numpy.outer(share, share)))


COVARIANCE = numpy.array([[2.0, 0.6, -0.4], [0.6, 1.0, 0.1], [-0.4, 0.1, 0.5]])


@pytest.mark.parametrize("method", ["svd", "eigh", "cholesky"])
def test_normal_vectors_have_their_covariance_by_every_method(method: str) -> None:
    mean = numpy.array([1.0, -2.0, 0.5])
    x = np.random.default_rng(8).multivariate_normal(mean, COVARIANCE, SIZE, method=method).asnumpy().astype(float)
    assert_covariance(x, mean, COVARIANCE)
    for axis in range(3):
        assert_follows((x[:, axis] - mean[axis]) / math.sqrt(COVARIANCE[axis, axis]), normal_cdf)


def test_normal_vectors_may_have_a_singular_covariance() -> None:
    x = np.random.default_rng(9).multivariate_normal([0, 0], [[1, 1], [1, 1]], 500).asnumpy()
    assert abs(x[:, 0] - x[:, 1]).max() < 1e-5 and abs(x).max() > 1


@pytest.mark.parametrize("p", [[0.5, 0.3, 0.2], [0.0, 0.25, 0.75, 0.0], [1.0]])
def test_categories_and_choices_have_their_probabilities(p: list[float]) -> None:
    def pmf(k: Any) -> Any:
        return numpy.array([p[one] if one < len(p) else 0.0 for one in k])

    rng = np.random.RandomState(10)
    assert_probabilities(rng.categorical(p=p, size=SIZE).asnumpy(), pmf)
    with numpy.errstate(divide="ignore"):
        logits = numpy.log(p) + 7
    assert_probabilities(rng.categorical(logits, size=SIZE).asnumpy(), pmf)
    assert_probabilities(rng.choice(len(p), SIZE, p=p).asnumpy(), pmf)
    many = rng.categorical(np.array([logits, logits[::-1]]).T, axis=0, size=(SIZE, 2)).asnumpy()
    assert_probabilities(many[:, 0], pmf)
    assert_probabilities(len(p) - 1 - many[:, 1], pmf)


def test_choices_without_replacement_follow_their_weights() -> None:
    """The first is drawn by the weights, the second by those that are left."""
    rng, p = np.random.default_rng(11), [0.6, 0.3, 0.1]
    pairs = numpy.array([rng.choice(3, 2, replace=False, p=p).tolist() for _ in range(4000)])
    outcomes = [(i, j) for i in range(3) for j in range(3) if i != j]
    expected = [p[i] * p[j] / (1 - p[i]) for i, j in outcomes]
    found = numpy.array([outcomes.index(tuple(pair)) for pair in pairs.tolist()])
    assert_probabilities(found, lambda k: numpy.array([*expected, *[0.0] * 9])[k])


@pytest.mark.parametrize("make", ["permutation", "shuffle", "permuted", "choice"])
def test_all_orders_are_equally_likely(make: str) -> None:
    rng = np.random.default_rng(12)
    orders = []
    for _ in range(3000):
        x = np.arange(3)
        if make == "shuffle":
            rng.shuffle(x)
        elif make == "choice":
            x = rng.choice(3, 3, replace=False)
        else:
            x = getattr(rng, make)(x)
        orders.append(int((x * np.array([9, 3, 1])).sum()))
    numbers = {code: place for place, code in enumerate(sorted(set(orders)))}
    assert len(numbers) == 6
    assert_probabilities([numbers[one] for one in orders], lambda k: numpy.where(k < 6, 1 / 6, 0.0))


def test_rows_are_permuted_independently() -> None:
    x = np.random.default_rng(13).permuted(np.tile(np.arange(4), (3000, 1)), axis=1).asnumpy()
    assert (numpy.sort(x, 1) == numpy.arange(4)).all()
    for column in range(4):
        assert_probabilities(x[:, column], lambda k: numpy.where(k < 4, 1 / 4, 0.0))


# Independence ------------------------------------------------------------------------------------------------------


def assert_independent(x: Any, y: Any) -> None:
    """Correlations of the numbers, of their squares, and of one's square with the other."""
    for one in (x, (x - x.mean()) ** 2):
        for other in (y, (y - y.mean()) ** 2):
            assert abs(numpy.corrcoef(one, other)[0, 1]) < DEVIATIONS / math.sqrt(x.size)


@pytest.mark.parametrize("one", [one for one in CONTINUOUS if one.variance is not None][::3], ids=str)
def test_neighbours_and_successive_draws_are_independent(one: Distribution) -> None:
    np.random.seed(30)
    first, second = (getattr(np.random, one.name)(*one.args, size=SIZE).asnumpy().astype(float) for _ in range(2))
    assert_independent(first, second)
    assert_independent(first[1:], first[:-1])
    assert_independent(first[: SIZE // 2], first[SIZE // 2 :])


def test_draws_of_one_number_each_are_as_random_as_one_draw_of_many() -> None:
    np.random.seed(31)
    x = numpy.array([float(np.random.normal()) for _ in range(5000)])
    assert_follows(x, normal_cdf)
    assert_independent(x[1:], x[:-1])


def test_spawned_and_neighbouring_generators_are_independent() -> None:
    parent = np.random.default_rng(32)
    generators = [parent, *parent.spawn(2), *parent.spawn(1), np.random.default_rng(33)]
    generators += generators[1].spawn(1)
    drawn = [one.normal(size=SIZE).asnumpy().astype(float) for one in generators]
    for place, x in enumerate(drawn):
        assert_follows(x, normal_cdf)
        for y in drawn[:place]:
            assert_independent(x, y)
