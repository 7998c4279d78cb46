"""Exponential smoothing (the book's chapter 7): innovation state space models, learned by gradient, that forecast.

python -m examples.part3.exponential_smoothing

The book's beer shipments are not to be had; instead: the yearly flow of the Nile at Aswan, 1871 to 1970 (Cobb, *The
problem of the Nile*, 1978), normalized. Hyndman, Koehler, Ord, Snyder, *Forecasting with Exponential Smoothing*, 2008,
has the models. The book's band of the forecast is a variance, without the innovations; this one is correct, too.
"""

import math

import numpy

import dopegraph
import dopegraph.numpy as np
from dopegraph import init, nn, optim
from examples.chapter import compare, options, picture

# The book shows plots only; to the left stands what dense linear algebra gives, or what a forecast should have.
BOOK = {
    "log_likelihood_level": "that of the joint Gaussian",
    "distance_level": "0",
    "log_likelihood_trend": "that of the joint Gaussian",
    "distance_trend": "0",
    "learned_level": "not in the book",
    "learned_trend": "not in the book",
    "band_of_the_book": "a variance",
    "band": "its root, and the innovations",
}

NILE = [
    1120, 1160, 963, 1210, 1160, 1160, 813, 1230, 1370, 1140, 995, 935, 1110, 994, 1020, 960, 1180, 799, 958, 1140,
    1100, 1210, 1150, 1250, 1260, 1220, 1030, 1100, 774, 840, 874, 694, 940, 833, 701, 916, 692, 1020, 1050, 969,
    831, 726, 456, 824, 702, 1120, 1100, 832, 764, 821, 768, 845, 864, 862, 698, 845, 744, 796, 1040, 759,
    781, 865, 845, 944, 984, 897, 822, 1010, 771, 676, 649, 846, 812, 742, 801, 1040, 860, 874, 848, 890,
    744, 749, 838, 1050, 918, 986, 797, 923, 975, 815, 1020, 906, 901, 1170, 912, 746, 919, 718, 714, 740,
]  # fmt: skip

horizon, dtype = 13, "float64"

flow = numpy.array(NILE, dtype=dtype)
z = np.array((flow - flow.mean()) / flow.std())


def level_issm(alpha, sigma):
    """F, a, g, sigma: the level goes on, moved by `alpha` of each surprise."""
    return np.ones((1, 1), dtype=dtype), np.ones(1, dtype=dtype), np.stack([alpha]), sigma


def trend_issm(alpha, beta, sigma):
    """The same with a slope, moved by `beta`."""
    F = np.array([[1.0, 1.0], [0.0, 1.0]], dtype=dtype)
    return F, np.ones(2, dtype=dtype), np.stack([alpha, beta]), sigma


def issm_filter(z, F, a, g, sigma):
    """Levels and covariances after each datum, and the log likelihood of all; the prior is a standard Gaussian."""
    eye = np.eye(len(g), dtype=dtype)
    mu, S, log_p = np.zeros(len(g), dtype=dtype), eye, 0.0
    means, covariances = [], []
    for t in range(len(z)):
        if t:
            mu, S = F @ mu, F @ S @ F.T + np.outer(g, g)
        S_vv = a @ S @ a + sigma**2
        delta = z[t] - a @ mu
        gain = S @ a / S_vv
        rest = eye - np.outer(gain, a)
        mu = mu + gain * delta
        S = rest @ S @ rest.T + sigma**2 * np.outer(gain, gain)
        log_p = log_p - 0.5 * (delta * delta / S_vv + math.log(2 * math.pi) + np.log(S_vv))
        means.append(mu)
        covariances.append(S)
    return np.stack(means), np.stack(covariances), log_p


def forecast(mu, S, F, a, g, sigma):
    """Means, deviations, and what the book takes for deviations, of the next data."""
    found, of_book = [], S
    for _ in range(horizon):
        mu, S, of_book = F @ mu, F @ S @ F.T + np.outer(g, g), F @ of_book @ F.T
        found.append((a @ mu, np.sqrt(a @ S @ a + sigma**2), a @ of_book @ a + sigma**2))
    return tuple(np.stack(part) for part in zip(*found))


def reconstruction(means, covariances, a, sigma):
    """Means and deviations of the data that the levels explain."""
    variances = np.einsum("i,tij,j->t", a, covariances, a) + sigma**2
    return means @ a, np.sqrt(variances)


# The models with the book's numbers, and what is learned: their logarithms --------------------------------------------

MODELS = {"level": (level_issm, [0.5, 0.5]), "trend": (trend_issm, [0.5, 0.1, 0.5])}
params = nn.ParameterDict("issm_")
logarithms = {
    name: [params.get(f"{name}_{i}", shape=(), dtype=dtype, init=init.Constant(math.log(v))) for i, v in enumerate(of)]
    for name, (_, of) in MODELS.items()
}
params.initialize()
trainer = optim.Trainer(params, "adam", {"learning_rate": 0.05})


def model(name):
    return MODELS[name][0](*(np.exp(one.data()) for one in logarithms[name]))


@dopegraph.compile
def train_step(z):
    """Both models' parameters go uphill; returns the log likelihoods."""
    with dopegraph.record():
        likelihoods = [issm_filter(z, *model(name))[2] for name in MODELS]
        loss = -sum(likelihoods)
    loss.backward()
    trainer.step(1)
    return likelihoods


@dopegraph.compile
def explained(z, name):
    """The data as the model with its present parameters explains them, the forecast, and the log likelihood."""
    F, a, g, sigma = model(name)
    means, covariances, log_p = issm_filter(z, F, a, g, sigma)
    return reconstruction(means, covariances, a, sigma), forecast(means[-1], covariances[-1], F, a, g, sigma), log_p


def dense(z, F, a, g, sigma):
    """The log likelihood from the joint Gaussian of the data, in NumPy's plain linear algebra."""
    T, P, marginal = len(z), numpy.eye(len(g)), []
    for t in range(T):
        P = F @ P @ F.T + numpy.outer(g, g) if t else P
        marginal.append(P)
    covariance = sigma**2 * numpy.eye(T)
    for s in range(T):
        row = a
        for t in range(s, T):
            covariance[s, t] += row @ marginal[s] @ a
            covariance[t, s] = covariance[s, t]
            row = row @ F
    return -0.5 * (z @ numpy.linalg.solve(covariance, z) + numpy.linalg.slogdet(2 * math.pi * covariance)[1])


def main(arguments=None):
    chosen = options(__doc__, epochs=200, arguments=arguments, quick=10)
    found, before, after = {}, {}, {}
    for name in MODELS:
        before[name] = explained(z, name)
        plain = [numpy.asarray(one) for one in model(name)]
        found[f"log_likelihood_{name}"] = float(before[name][2])
        found[f"distance_{name}"] = abs(float(before[name][2]) - dense(z.asnumpy(), *plain))
    for e in range(chosen.epochs):
        likelihoods = [float(one) for one in train_step(z)]
        if e % max(1, chosen.epochs // 5) == 0:
            print("Epoch {}. Log likelihoods {:.4f} and {:.4f}".format(e, *likelihoods))
    for name in MODELS:
        after[name] = explained(z, name)
        print(f"{name}: " + " ".join(f"{float(np.exp(one.data())):.4f}" for one in logarithms[name]))
        found[f"learned_{name}"] = float(after[name][2])
    found["band"], found["band_of_the_book"] = (float(before["trend"][1][i][-1]) for i in (1, 2))
    found["train_step"] = train_step
    compare(BOOK, found)
    if chosen.plots:
        draw(chosen.plots / "exponential_smoothing.png", {"the book's": before, "learned": after})
    return found


def draw(path, runs):
    """The data, their reconstruction and the forecast, with bands of one standard deviation."""
    with picture(path, 2, 2, (14, 8), sharex=True, sharey=True, layout="constrained") as axes:
        panels = [(f"{name}, {of} parameters", run[name]) for name in MODELS for of, run in runs.items()]
        years = numpy.arange(1871, 1871 + len(NILE) + horizon)
        for place, (title, (explained_data, (mean, deviation, of_book), _)) in zip(axes.flat, panels):
            for label, x, (middle, width) in (
                ("reconstruction", years[:-horizon], explained_data),
                ("forecast", years[-horizon:], (mean, deviation)),
            ):
                middle, width = middle.asnumpy(), width.asnumpy()
                place.plot(x, middle, label=label)
                place.fill_between(x, middle - width, middle + width, alpha=0.3)
            for side in (-1, 1):
                place.plot(years[-horizon:], (mean + side * of_book).asnumpy(), ":k", label="the book's" * (side > 0))
            place.plot(years[:-horizon], z.asnumpy(), ".", color="gray", label="flow of the Nile")
            place.set_title(title)
            place.legend(fontsize=8)


if __name__ == "__main__":
    main()
