"""Derivatives of random numbers by their parameters: of the same draw where it is transformed, of means anyway."""

from __future__ import annotations

import math
from typing import Any

import numpy
import pytest

import dopegraph
import dopegraph.numpy as np
from dopegraph import grad
from tests.numpy.random_distributions import gamma_cdf, wald_cdf

DEVIATIONS = 6.2


@pytest.fixture(autouse=True)
def float64():
    dopegraph.set_default_dtype("float64")
    with dopegraph.policy("only_numpy"):
        yield
    dopegraph.set_default_dtype("float32")


# Functions of the parameters, and where to differentiate them. The same key gives the same numbers.
TRANSFORMATIONS: list[tuple[str, list[Any]]] = [
    ("rng.uniform(a, b, 5)", [-1.0, 2.0]),
    ("rng.normal(a, b)", [[0.5, 1.0, 2.0], 1.5]),
    ("rng.exponential(a, 5)", [1.5]),
    ("rng.laplace(a, b, 5)", [0.5, 1.5]),
    ("rng.logistic(a, b, 5)", [0.5, 1.5]),
    ("rng.gumbel(a, b, (2, 3))", [[0.5, 1.0, 2.0], 1.5]),
    ("rng.lognormal(a, b, 5)", [0.5, 0.25]),
    ("rng.rayleigh(a, 5)", [1.5]),
    ("rng.weibull(a, 5)", [[0.7, 1.0, 2.0, 3.0, 5.0]]),
    ("rng.pareto(a, 5)", [3.0]),
    ("rng.power(a, 5)", [[0.7, 1.0, 2.0, 3.0, 5.0]]),
    ("rng.triangular(a, b, c, 9)", [-1.0, 0.5, 2.0]),
    ("rng.vonmises(a, 2.0, 5)", [0.1]),
    ("rng.multivariate_normal(a, [[2.0, 0.5], [0.5, 1.0]], 3)", [[1.0, 2.0]]),
    ("rng.multivariate_normal([0.5], a, 3)", [[[2.0]]]),
    ("rng.normal(a * rng.uniform(size=5), 1.0)", [2.0]),
]


def functional(expression: str) -> Any:
    """A scalar, nonlinear function of the parameters a, b, c through what is drawn from a fixed key."""
    code = compile(expression, __file__, "eval")

    def f(*parameters: Any) -> Any:
        x = eval(code, {"np": np, "rng": np.random.default_rng(3), **dict(zip("abc", parameters))})
        return (np.sin(x) * np.linspace(0.5, 1.5, x.size).reshape(x.shape)).sum()

    return f


def central_difference(f: Any, parameters: list[Any], place: int, step: float = 1e-5) -> Any:
    result = numpy.zeros(numpy.shape(parameters[place]))
    for index in numpy.ndindex(*result.shape):
        values = []
        for sign in (1, -1):
            moved = [numpy.array(one, numpy.float64) for one in parameters]
            moved[place][index] += sign * step
            values.append(float(f(*[np.array(one) for one in moved])))
        result[index] = (values[0] - values[1]) / (2 * step)
    return result


@pytest.mark.parametrize(("expression", "parameters"), TRANSFORMATIONS)
def test_numbers_move_with_their_parameters(expression: str, parameters: list[Any]) -> None:
    """First and second derivatives against central differences of the same draw."""
    f = functional(expression)
    for place in range(len(parameters)):
        arrays = [np.array(one, "float64") for one in parameters]
        expected = central_difference(f, parameters, place)
        first = grad(f, place)
        numpy.testing.assert_allclose(first(*arrays).asnumpy(), expected, rtol=1e-6, atol=1e-6)

        def total(*arrays: Any, first: Any = first) -> Any:
            return np.sin(first(*arrays)).sum()

        expected = central_difference(total, parameters, place)
        found = grad(total, place)(*arrays)
        numpy.testing.assert_allclose(found.asnumpy(), expected, rtol=1e-5, atol=1e-5)


# Implicit derivatives ----------------------------------------------------------------------------------------------

ALPHAS = [0.05, 0.4, 1.0, 3.0, 20.0, 300.0]


@pytest.mark.parametrize("alpha", ALPHAS)
def test_a_gamma_number_moves_so_that_its_distribution_function_stays(alpha: float) -> None:
    def draw(a: Any) -> Any:
        return np.random.default_rng(5).gamma(a * np.ones(40))

    x = draw(np.array(alpha)).asnumpy()
    velocity = numpy.array([float(grad(lambda a, i=i: draw(a)[i])(np.array(alpha))) for i in range(40)])
    step = 1e-5 * alpha
    kept = x > 1e-200
    ahead, behind = (gamma_cdf((x + sign * step * velocity)[kept], alpha + sign * step) for sign in (1, -1))
    # What the distribution function would change by if the numbers stood still.
    still = abs(gamma_cdf(x[kept], alpha + step) - gamma_cdf(x[kept], alpha - step))
    assert (abs(ahead - behind) < 2e-4 * still + 1e-12).all() and still.max() > 0


@pytest.mark.parametrize(("mean", "scale"), [(1.0, 2.0), (3.0, 0.5), (0.2, 4.0), (5.0, 100.0)])
def test_an_inverse_gaussian_number_moves_so_that_its_distribution_function_stays(mean: float, scale: float) -> None:
    def draw(m: Any, s: Any) -> Any:
        return np.random.default_rng(5).wald(m, s, 20)

    x, parameters = draw(mean, scale).asnumpy(), [np.array(mean), np.array(scale)]
    for place in (0, 1):
        velocity = numpy.array([float(grad(lambda m, s, i=i: draw(m, s)[i], place)(*parameters)) for i in range(20)])
        moved = []
        for sign in (1, -1):
            there = [mean, scale]
            there[place] *= 1 + sign * 1e-5
            moved.append(wald_cdf(*there)(x + (there[place] - [mean, scale][place]) * velocity))
        assert abs(moved[0] - moved[1]).max() < 1e-9


# Expressions of what is drawn from parameters a, b; the closed form of their mean; where.
MEANS: list[tuple[str, Any, list[float]]] = [
    ("rng.gamma(a, b, n)", lambda a, b: a * b, [0.3, 2.0]),
    ("rng.gamma(a, b, n) ** 2", lambda a, b: a * (a + 1) * b * b, [2.5, 0.5]),
    ("rng.standard_gamma(a, n) ** 2", lambda a: a * (a + 1), [60.0]),
    ("rng.chisquare(a, n) ** 2", lambda a: a * (a + 2), [3.0]),
    ("rng.beta(a, b, n)", lambda a, b: a / (a + b), [0.4, 1.5]),
    ("rng.beta(a, b, n) ** 2", lambda a, b: a * (a + 1) / ((a + b) * (a + b + 1)), [3.0, 2.0]),
    ("rng.dirichlet(np.stack([a, b, 2 * b]), n)[:, 0]", lambda a, b: a / (a + 3 * b), [0.7, 0.5]),
    ("rng.dirichlet(np.stack([a, b, 2 * b]), n)[:, 1] ** 2", lambda a, b: b * (b + 1) / ((a + 3 * b) * (a + 3 * b + 1)),
        [2.0, 3.0]),
    ("rng.f(a, b, n)", lambda a, b: b / (b - 2), [5.0, 12.0]),
    ("rng.standard_t(a, n) ** 2", lambda a: a / (a - 2), [15.0]),
    ("rng.noncentral_chisquare(a, b, n)", lambda a, b: a + b, [3.0, 2.0]),
    ("rng.noncentral_chisquare(a, 2.0, n)", lambda a: a + 2.0, [0.5]),
    ("rng.noncentral_f(a, 20.0, b, n)", lambda a, b: 20 * (a + b) / (a * 18), [4.0, 2.0]),
    ("rng.wald(a, b, n)", lambda a, b: a + 0 * b, [1.5, 2.0]),
    ("rng.wald(a, b, n) ** 2", lambda a, b: a**3 / b + a * a, [1.5, 6.0]),
    ("np.cos(rng.vonmises(a, b, n))", lambda a, b: math.cos(a) * bessel_ratio(b), [0.5, 2.0]),
    ("np.cos(rng.vonmises(0.0, b, n))", lambda a, b: bessel_ratio(b), [0.0, 0.3]),
    ("np.cos(2 * rng.vonmises(0.0, b, n))", lambda a, b: 1 - 2 * bessel_ratio(b) / b, [0.0, 20.0]),
    ("rng.multivariate_normal(np.zeros(2), np.stack([np.stack([a, b]), np.stack([b, a])]), n).prod(-1)",
        lambda a, b: b, [2.0, 0.5]),
    ("rng.multivariate_normal(np.zeros(2), np.stack([np.stack([a, b]), np.stack([b, a])]), n)[:, 0] ** 4",
        lambda a, b: 3 * a * a, [2.0, 0.5]),
    ("rng.multivariate_normal(np.zeros(2), np.stack([np.stack([a, b]), np.stack([b, a])]), n, method='cholesky')"
     ".sum(-1) ** 2", lambda a, b: 2 * a + 2 * b, [1.0, -0.5]),
]  # fmt: skip


def bessel_ratio(kappa: float) -> float:
    angles = numpy.linspace(0, 2 * math.pi, 4001)[:-1]
    weights = numpy.exp(kappa * (numpy.cos(angles) - 1))
    return float((numpy.cos(angles) * weights).sum() / weights.sum())


def partial(f: Any, parameters: list[float], places: tuple[int, ...], step: float = 1e-3) -> float:
    """A partial derivative of a closed form, by central differences."""
    if not places:
        return f(*parameters)
    ahead, behind = list(parameters), list(parameters)
    ahead[places[0]] += step
    behind[places[0]] -= step
    return (partial(f, ahead, places[1:]) - partial(f, behind, places[1:])) / (2 * step)


@pytest.mark.parametrize(("expression", "mean", "parameters"), MEANS)
def test_means_of_derivatives_are_derivatives_of_means(expression: str, mean: Any, parameters: list[float]) -> None:
    """First and second ones. Each number has parameters of its own, so that the spread of the derivatives is known."""
    code, count, batches = compile(expression, __file__, "eval"), 4000, 16
    arrays = [np.array(one) for one in parameters]

    rng = np.random.default_rng(1)

    def total(a: Any, b: Any = None) -> Any:
        return eval(code, {"np": np, "rng": rng, "n": count // batches, "a": a, "b": b}).mean()

    def drawn(derivative: Any) -> Any:
        """Values of a derivative, for one draw after another."""
        return numpy.array([float(derivative(*arrays)) for _ in range(batches)])

    wanted = [place for place in range(len(parameters)) if "abc"[place] in expression.replace("vonmises(0.0", "")]
    wanted = [place for place in wanted if parameters[place] != 0.0]
    for place in wanted:
        found = drawn(grad(total, place))
        error = found.std(ddof=1) / math.sqrt(batches)
        # Few batches: the error itself is known by 15 per cent, and tails are those of Student's t.
        assert abs(found.mean() - partial(mean, parameters, (place,))) < 2 * DEVIATIONS * error + 1e-6
        for other in wanted[wanted.index(place) :]:
            found = drawn(grad(grad(total, place), other))
            error = found.std(ddof=1) / math.sqrt(batches)
            assert abs(found.mean() - partial(mean, parameters, (place, other))) < 2 * DEVIATIONS * error + 1e-5


def test_a_side_of_a_triangle_may_be_upright() -> None:
    for corners in ([0.0, 0.0, 1.0], [0.0, 1.0, 1.0]):
        found = grad(lambda *three: np.random.default_rng(1).triangular(*three, 50).sum(), (0, 1, 2))(*corners)
        assert abs(sum(float(one) for one in found) - 50) < 1e-9


@pytest.mark.parametrize("kappa", [1e-3, 0.5, 4.0, 60.0, 1e4])
def test_a_von_mises_number_moves_so_that_its_distribution_function_stays(kappa: float) -> None:
    def draw(k: Any) -> Any:
        return np.random.default_rng(5).vonmises(0.0, k, 20)

    x, step = draw(kappa).asnumpy(), 1e-4 * kappa
    velocity = numpy.array([float(grad(lambda k, i=i: draw(k)[i])(np.array(kappa))) for i in range(20)])

    def cdf(x: Any, kappa: float) -> Any:
        """By Gauss and Legendre's nodes from 0 to every x, over those from 0 to where nothing is left."""
        points, weights = numpy.polynomial.legendre.leggauss(100)
        ends = numpy.append(x, min(math.pi, 9 / math.sqrt(kappa)))
        inside = numpy.exp(-2 * kappa * numpy.sin(ends[:, None] * (points + 1) / 4) ** 2)
        areas = (inside * weights).sum(-1) * ends / 2
        return areas[:-1] / areas[-1]

    moved = [cdf(x + sign * step * velocity, kappa + sign * step) for sign in (1, -1)]
    still = abs(cdf(x, kappa + step) - cdf(x, kappa - step)).max()
    assert abs(moved[0] - moved[1]).max() < 1e-5 * still


def test_derivatives_of_small_and_large_gamma_parameters_are_finite() -> None:
    for dtype in ("float32", "float64"):
        dopegraph.set_default_dtype(dtype)
        alpha = np.array([1e-4, 1e-2, 1.0, 1e3, 1e6])

        def f(a: Any) -> Any:
            rng = np.random.default_rng(2)
            return (rng.gamma(a) + rng.beta(a, 2.0) + rng.dirichlet(a)).sum()

        found = grad(f)(alpha).asnumpy()
        assert found.dtype == dtype and numpy.isfinite(found).all() and found[3:].min() > 0.5


def test_derivatives_are_the_same_in_compiled_code() -> None:
    rng = np.random.default_rng(4)
    twin = np.random.default_rng(4)

    def step(generator: Any, a: Any, b: Any) -> Any:
        return grad(lambda a, b: (generator.gamma(a, b, 5) * generator.normal(b, a, 5)).sum(), (0, 1))(a, b)

    compiled = dopegraph.compile(step)
    for _ in range(3):
        found, expected = compiled(rng, np.array(1.5), np.array(0.5)), step(twin, np.array(1.5), np.array(0.5))
        numpy.testing.assert_allclose([float(x) for x in found], [float(x) for x in expected], rtol=1e-12)


def test_recorded_draws_have_derivatives_too() -> None:
    a = np.array([2.0, 3.0])
    a.attach_grad()
    with dopegraph.record():
        y = np.random.default_rng(1).gamma(a).sum()
    y.backward()
    expected = grad(lambda a: np.random.default_rng(1).gamma(a).sum())(np.array([2.0, 3.0]))
    assert a.grad.tolist() == expected.tolist()
