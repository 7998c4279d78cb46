"""Every distribution with parameters, mean, variance, and distribution function or probabilities, in closed form.

The formulas are those of Johnson, Kotz and Balakrishnan, Continuous univariate distributions, and of Johnson, Kemp and
Kotz, Univariate discrete distributions.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy

INF, EULER = math.inf, 0.5772156649015329
_erf = numpy.vectorize(math.erf)
_erfc = numpy.vectorize(math.erfc)
_lgamma = numpy.vectorize(math.lgamma)


@dataclass(frozen=True)
class Distribution:
    """A distribution by name; `cdf` of a continuous one, probabilities `pmf` of the integers from 0 on of another.

    A mean or variance of None is infinite, or there is none.
    """

    name: str
    args: tuple[Any, ...]
    mean: float | None
    variance: float | None
    cdf: Callable[[Any], Any] | None = None
    pmf: Callable[[Any], Any] | None = None

    def __str__(self) -> str:
        return f"{self.name}({', '.join(map(str, self.args))})"


def normal_cdf(x: Any) -> Any:
    return _erfc(-numpy.asarray(x) / math.sqrt(2)) / 2


def gamma_cdf(x: Any, a: float) -> Any:
    """The regularized incomplete gamma function: its series below, its continued fraction above (DLMF 8.7.1, 8.9.2)."""
    x = numpy.asarray(x, numpy.float64)
    with numpy.errstate(all="ignore"):
        front = numpy.exp(a * numpy.log(x) - x - math.lgamma(a))
        term = numpy.full(x.shape, 1 / a)
        series = term.copy()
        for n in range(1, 400):
            term = term * x / (a + n)
            series += term
        fraction = numpy.zeros(x.shape)
        for n in range(400, 0, -1):
            fraction = n * (n - a) / (x + 2 * n + 1 - a - fraction)
        upper = front / (x + 1 - a - fraction)
    return numpy.where(x <= 0, 0.0, numpy.where(x < a + 1, front * series, 1 - upper))


def beta_cdf(x: Any, a: int, b: int) -> Any:
    """For integers: the probability that a binomial count of a + b - 1 trials is at least a."""
    n = a + b - 1
    return sum(math.comb(n, k) * x**k * (1 - x) ** (n - k) for k in range(a, n + 1))


def t4_cdf(x: Any) -> Any:
    root = numpy.sqrt(1 + x * x / 4)
    return 0.5 + 0.375 * x / root * (1 - x * x / 12 / (1 + x * x / 4))


def triangular_cdf(left: float, mode: float, right: float) -> Callable[[Any], Any]:
    def cdf(x: Any) -> Any:
        below = (x - left) ** 2 / ((right - left) * max(mode - left, 1e-300))
        above = 1 - (right - x) ** 2 / ((right - left) * max(right - mode, 1e-300))
        return numpy.where(x < mode, below, above)

    return cdf


def vonmises_cdf(mu: float, kappa: float) -> Callable[[Any], Any]:
    grid = numpy.linspace(-math.pi, math.pi, 20001)
    density = numpy.exp(kappa * (numpy.cos(grid - mu) - 1))
    sums = numpy.concatenate([[0], numpy.cumsum(density[1:] + density[:-1])])
    return lambda x: numpy.interp(x, grid, sums / sums[-1])


def _vonmises_moments(mu: float, kappa: float) -> tuple[float, float]:
    grid = numpy.linspace(-math.pi, math.pi, 20001)
    weights = numpy.exp(kappa * (numpy.cos(grid - mu) - 1))
    mean = float((grid * weights).sum() / weights.sum())
    return mean, float(((grid - mean) ** 2 * weights).sum() / weights.sum())


def wald_cdf(mean: float, scale: float) -> Callable[[Any], Any]:
    def cdf(x: Any) -> Any:
        root = numpy.sqrt(scale / x)
        return normal_cdf(root * (x / mean - 1)) + math.exp(2 * scale / mean) * normal_cdf(-root * (x / mean + 1))

    return cdf


def noncentral_chisquare_cdf(df: float, nonc: float) -> Callable[[Any], Any]:
    def cdf(x: Any) -> Any:
        weights = [math.exp(k * math.log(nonc / 2) - nonc / 2 - math.lgamma(k + 1)) for k in range(60)]
        return sum(weight * gamma_cdf(x / 2, df / 2 + k) for k, weight in enumerate(weights))

    return cdf


def poisson_pmf(lam: float) -> Callable[[Any], Any]:
    return lambda k: numpy.exp(k * math.log(lam) - lam - _lgamma(k + 1.0))


def binomial_pmf(n: int, p: float) -> Callable[[Any], Any]:
    return lambda k: numpy.array([math.comb(n, one) * p**one * (1 - p) ** (n - one) if one <= n else 0.0 for one in k])


def negative_binomial_pmf(n: float, p: float) -> Callable[[Any], Any]:
    return lambda k: numpy.exp(
        _lgamma(k + n) - _lgamma(k + 1.0) - math.lgamma(n) + n * math.log(p) + k * math.log1p(-p)
    )


def hypergeometric_pmf(good: int, bad: int, drawn: int) -> Callable[[Any], Any]:
    total = math.comb(good + bad, drawn)
    return lambda k: numpy.array(
        [math.comb(good, one) * math.comb(bad, drawn - one) / total if one <= drawn else 0.0 for one in k.tolist()]
    )


def from_one(pmf: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda k: numpy.where(k > 0, pmf(numpy.maximum(k, 1).astype(float)), 0.0)


def _logseries(p: float) -> Distribution:
    a = -1 / math.log1p(-p)
    return Distribution(
        "logseries", (p,), a * p / (1 - p), a * p * (1 - a * p) / (1 - p) ** 2, pmf=from_one(lambda k: a * p**k / k)
    )


def zeta(a: float) -> float:
    """Euler and Maclaurin's sum."""
    n = 50
    ends = n ** (1 - a) / (a - 1) - 0.5 * n**-a + a / 12 * n ** (-a - 1) - a * (a + 1) * (a + 2) / 720 * n ** (-a - 3)
    return sum(k**-a for k in range(1, n + 1)) + ends


def _zipf(a: float) -> Distribution:
    mean = zeta(a - 1) / zeta(a) if a > 2 else None
    variance = zeta(a - 2) / zeta(a) - (zeta(a - 1) / zeta(a)) ** 2 if a > 3 else None
    return Distribution("zipf", (a,), mean, variance, pmf=from_one(lambda k: k**-a / zeta(a)))


def _weibull(a: float) -> Distribution:
    first, second = math.gamma(1 + 1 / a), math.gamma(1 + 2 / a)
    return Distribution("weibull", (a,), first, second - first**2, lambda x: -numpy.expm1(-(x**a)))


def _lognormal(mean: float, sigma: float) -> Distribution:
    middle = math.exp(mean + sigma**2 / 2)
    return Distribution(
        "lognormal", (mean, sigma), middle, math.expm1(sigma**2) * middle**2,
        lambda x: normal_cdf((numpy.log(x) - mean) / sigma),
    )  # fmt: skip


def _triangular(left: float, mode: float, right: float) -> Distribution:
    variance = (left**2 + mode**2 + right**2 - left * mode - left * right - mode * right) / 18
    return Distribution(
        "triangular", (left, mode, right), (left + mode + right) / 3, variance, triangular_cdf(left, mode, right)
    )


def _f_variance(a: float, b: float) -> float:
    return 2 * b**2 * (a + b - 2) / (a * (b - 2) ** 2 * (b - 4))


def _beta_variance(a: float, b: float) -> float:
    return a * b / ((a + b) ** 2 * (a + b + 1))


CONTINUOUS: list[Distribution] = [
    Distribution("uniform", (), 0.5, 1 / 12, lambda x: x),
    Distribution("uniform", (-1.0, 3.0), 1, 16 / 12, lambda x: (x + 1) / 4),
    Distribution("random_sample", (), 0.5, 1 / 12, lambda x: x),
    Distribution("normal", (), 0, 1, normal_cdf),
    Distribution("normal", (5.0, 2.0), 5, 4, lambda x: normal_cdf((x - 5) / 2)),
    Distribution("standard_normal", (), 0, 1, normal_cdf),
    Distribution("exponential", (), 1, 1, lambda x: -numpy.expm1(-x)),
    Distribution("exponential", (3.0,), 3, 9, lambda x: -numpy.expm1(-x / 3)),
    Distribution("standard_exponential", (), 1, 1, lambda x: -numpy.expm1(-x)),
    Distribution("standard_cauchy", (), None, None, lambda x: 0.5 + numpy.arctan(x) / math.pi),
    Distribution("laplace", (), 0, 2, lambda x: numpy.where(x < 0, numpy.exp(x) / 2, 1 - numpy.exp(-x) / 2)),
    Distribution("laplace", (2.0, 0.5), 2, 0.5,
        lambda x: numpy.where(x < 2, numpy.exp((x - 2) * 2) / 2, 1 - numpy.exp((2 - x) * 2) / 2)),
    Distribution("logistic", (), 0, math.pi**2 / 3, lambda x: 1 / (1 + numpy.exp(-x))),
    Distribution("logistic", (1.0, 2.0), 1, 4 * math.pi**2 / 3, lambda x: 1 / (1 + numpy.exp((1 - x) / 2))),
    Distribution("gumbel", (), EULER, math.pi**2 / 6, lambda x: numpy.exp(-numpy.exp(-x))),
    Distribution("gumbel", (-1.0, 3.0), -1 + 3 * EULER, 9 * math.pi**2 / 6,
        lambda x: numpy.exp(-numpy.exp(-(x + 1) / 3))),
    _lognormal(0.0, 0.25), _lognormal(1.0, 0.5),
    Distribution("rayleigh", (), math.sqrt(math.pi / 2), 2 - math.pi / 2, lambda x: -numpy.expm1(-x * x / 2)),
    Distribution("rayleigh", (3.0,), 3 * math.sqrt(math.pi / 2), 9 * (2 - math.pi / 2),
        lambda x: -numpy.expm1(-x * x / 18)),
    _weibull(1.0), _weibull(2.5), _weibull(0.8),
    Distribution("pareto", (9.0,), 1 / 8, 9 / (64 * 7), lambda x: 1 - (1 + x) ** -9.0),
    Distribution("pareto", (0.7,), None, None, lambda x: 1 - (1 + x) ** -0.7),
    Distribution("power", (3.0,), 3 / 4, 3 / (16 * 5), lambda x: x**3),
    Distribution("power", (0.4,), 0.4 / 1.4, 0.4 / (1.4**2 * 2.4), lambda x: x**0.4),
    _triangular(-1.0, 0.5, 4.0), _triangular(0.0, 0.0, 1.0), _triangular(0.0, 2.0, 2.0),
    Distribution("vonmises", (0.0, 2.0), *_vonmises_moments(0, 2), vonmises_cdf(0, 2)),
    Distribution("vonmises", (2.5, 0.7), *_vonmises_moments(2.5, 0.7), vonmises_cdf(2.5, 0.7)),
    Distribution("vonmises", (0.0, 0.0), 0, math.pi**2 / 3, lambda x: (x + math.pi) / (2 * math.pi)),
    Distribution("wald", (1.0, 2.0), 1, 1 / 2, wald_cdf(1, 2)),
    Distribution("wald", (3.0, 10.0), 3, 27 / 10, wald_cdf(3, 10)),
    *[Distribution("standard_gamma", (a,), a, a, lambda x, a=a: gamma_cdf(x, a)) for a in (0.1, 0.9, 1.0, 7.5, 80.0)],
    *[Distribution("gamma", (a, b), a * b, a * b * b, lambda x, a=a, b=b: gamma_cdf(x / b, a))
        for a, b in ((0.5, 2.0), (4.0, 0.5))],
    *[Distribution("chisquare", (k,), k, 2 * k, lambda x, k=k: gamma_cdf(x / 2, k / 2)) for k in (1.0, 5.0)],
    Distribution("beta", (2.0, 3.0), 2 / 5, _beta_variance(2, 3), lambda x: beta_cdf(x, 2, 3)),
    Distribution("beta", (0.5, 0.5), 1 / 2, 1 / 8, lambda x: 2 / math.pi * numpy.arcsin(numpy.sqrt(x))),
    Distribution("beta", (40.0, 7.0), 40 / 47, _beta_variance(40, 7), lambda x: beta_cdf(x, 40, 7)),
    Distribution("beta", (0.1, 1.0), 0.1 / 1.1, _beta_variance(0.1, 1), lambda x: x**0.1),
    Distribution("f", (4.0, 6.0), 1.5, None, lambda x: beta_cdf(2 * x / (2 * x + 3), 2, 3)),
    Distribution("f", (8.0, 24.0), 24 / 22, _f_variance(8, 24), lambda x: beta_cdf(x / (x + 3), 4, 12)),
    Distribution("standard_t", (1.0,), None, None, lambda x: 0.5 + numpy.arctan(x) / math.pi),
    Distribution("standard_t", (4.0,), 0, None, t4_cdf),
    Distribution("standard_t", (30.0,), 0, 30 / 28),
    *[Distribution("noncentral_chisquare", (k, c), k + c, 2 * (k + 2 * c), noncentral_chisquare_cdf(k, c))
        for k, c in ((3.0, 2.0), (1.0, 4.0), (0.5, 1.0))],
    Distribution("noncentral_f", (4.0, 20.0, 2.0), 20 * 6 / (4 * 18),
        2 * ((4 + 2) ** 2 + (4 + 2 * 2) * 18) / (18**2 * 16) * (20 / 4) ** 2),
    Distribution("noncentral_f", (1.0, 30.0, 3.0), 30 * 4 / 28, 2 * (4**2 + (1 + 6) * 28) / (28**2 * 26) * 30**2),
]  # fmt: skip

DISCRETE: list[Distribution] = [
    *[Distribution("poisson", (lam,), lam, lam, pmf=poisson_pmf(lam)) for lam in (0.3, 4.0, 60.0)],
    *[Distribution("binomial", (n, p), n * p, n * p * (1 - p), pmf=binomial_pmf(n, p))
        for n, p in ((10, 0.3), (200, 0.9), (1, 0.5))],
    *[Distribution("negative_binomial", (n, p), n * (1 - p) / p, n * (1 - p) / p**2, pmf=negative_binomial_pmf(n, p))
        for n, p in ((3, 0.4), (0.5, 0.2))],
    *[Distribution("geometric", (p,), 1 / p, (1 - p) / p**2, pmf=from_one(lambda k, p=p: p * (1 - p) ** (k - 1)))
        for p in (0.5, 0.05)],
    *[Distribution("hypergeometric", (g, b, n), n * g / (g + b), n * g * b * (g + b - n) / ((g + b) ** 2 * (g + b - 1)),
        pmf=hypergeometric_pmf(g, b, n)) for g, b, n in ((7, 5, 4), (30, 60, 40))],
    _logseries(0.6), _logseries(0.95), _zipf(6.0), _zipf(1.7), _zipf(8.5),
    Distribution("randint", (6,), 2.5, 35 / 12, pmf=lambda k: numpy.where(k < 6, 1 / 6, 0.0)),
    Distribution("randint", (2, 5), 3, 2 / 3, pmf=lambda k: numpy.where((k > 1) & (k < 5), 1 / 3, 0.0)),
]  # fmt: skip
