"""Linear dynamical systems (the book's chapter 6): a Kalman filter, its likelihood, what it learns, and smoothing.

python -m examples.part3.kalman_filter

The filter is the book's, with a Cholesky factor and triangular solves; Särkkä, *Bayesian Filtering and Smoothing*,
2013, has its algorithms in theorems 4.2 and 8.2. Learning and smoothing are what the book leaves as exercises.
"""

import math

import numpy

import dopegraph
import dopegraph.numpy as np
from dopegraph import init, nn, optim
from examples.chapter import compare, options, picture

# The book shows plots only; to the left stands what made the data, and what dense linear algebra gives.
BOOK = {
    "log_likelihood": "that of the joint Gaussian",
    "distance_from_it": "0",
    "distance_of_smoothed_means": "0",
    "theta": math.pi / 6,
    "alpha": 0.5,
    "sigma": 0.5,
    "gain_by_learning": "not in the book",
}

T, theta, alpha, sigma = 50, math.pi / 6, 0.5, 0.5
dtype = "float64"

B = np.array([[1.0, 0.0]], dtype=dtype)
eye = np.eye(2, dtype=dtype)


def rotation(theta):
    return np.stack([np.stack([np.cos(theta), -np.sin(theta)]), np.stack([np.sin(theta), np.cos(theta)])])


def observed(seed=1):
    """A point that goes round, with noise, from (1, 0); of it, with more noise, the first coordinate."""
    random = numpy.random.default_rng(seed)
    A, h, v = rotation(np.array(theta, dtype=dtype)).asnumpy(), numpy.array([1.0, 0.0]), []
    for _ in range(T):
        h = A @ h + alpha * random.normal(size=2)
        v.append(h[:1] + sigma * random.normal(size=1))
    return numpy.stack(v)


def kalman_filter(v, A, B, S_h, S_v):
    """Means and covariances of the hidden states given the data so far, and the log likelihood of all data."""
    f, F, log_p = np.zeros(2, dtype=dtype), np.zeros((2, 2), dtype=dtype), 0.0
    means, covariances = [], []
    for t in range(len(v)):
        # What is expected before the datum is seen.
        mu_h, S_hh = A @ f, A @ F @ A.T + S_h
        mu_v, S_vv = B @ mu_h, B @ S_hh @ B.T + S_v
        # The gain S_hh B^T S_vv^-1.
        L = np.linalg.cholesky(S_vv)
        half = np.linalg.solve_triangular(L, B @ S_hh, lower=True)
        K = np.linalg.solve_triangular(L, half, trans=1, lower=True).T
        # What the datum tells; the covariance in Joseph's form, which stays symmetric.
        delta = v[t] - mu_v
        f = mu_h + K @ delta
        rest = eye - K @ B
        F = rest @ S_hh @ rest.T + K @ S_v @ K.T
        z = np.linalg.solve_triangular(L, delta, lower=True)
        log_p = log_p - 0.5 * (z @ z + math.log(2 * math.pi)) - np.sum(np.log(np.diagonal(L)))
        means.append(f)
        covariances.append(F)
    return np.stack(means), np.stack(covariances), log_p


def smoothed(means, covariances, A, S_h):
    """Means and covariances given all data, from the last to the first: Rauch, Tung and Striebel's pass."""
    f, F = means[-1], covariances[-1]
    found = [(f, F)]
    for t in reversed(range(len(means) - 1)):
        S_hh = A @ covariances[t] @ A.T + S_h
        G = np.linalg.solve(S_hh, A @ covariances[t]).T
        f = means[t] + G @ (f - A @ means[t])
        F = covariances[t] + G @ (F - S_hh) @ G.T
        found.append((f, F))
    return tuple(np.stack(part[::-1]) for part in zip(*found))


# Learning: the angle, and logarithms of the noises' deviations --------------------------------------------------------

params = nn.ParameterDict("kalman_")
start = {"theta": 0.3, "log_alpha": 0.0, "log_sigma": 0.0}
learned = {name: params.get(name, shape=(), dtype=dtype, init=init.Constant(value)) for name, value in start.items()}
params.initialize()
trainer = optim.Trainer(params, "adam", {"learning_rate": 0.05})


def system():
    """A, S_h and S_v of the parameters as they are."""
    angle, log_alpha, log_sigma = (one.data() for one in learned.values())
    return rotation(angle), np.exp(2 * log_alpha) * eye, np.exp(2 * log_sigma) * np.eye(1, dtype=dtype)


@dopegraph.compile
def train_step(v):
    with dopegraph.record():
        A, S_h, S_v = system()
        loss = -kalman_filter(v, A, B, S_h, S_v)[2]
    loss.backward()
    trainer.step(1)
    return loss


@dopegraph.compile
def filtered(v, theta, alpha, sigma):
    return kalman_filter(v, rotation(theta), B, alpha**2 * eye, sigma**2 * np.eye(1, dtype=dtype))


@dopegraph.compile
def smooth(means, covariances, theta, alpha):
    return smoothed(means, covariances, rotation(theta), alpha**2 * eye)


def dense(v, A, B, S_h, S_v):
    """Log likelihood and smoothed means, of the joint Gaussian of all data and states: NumPy's plain linear algebra."""
    T, P, marginal = len(v), numpy.zeros((2, 2)), []
    for _ in range(T):
        P = A @ P @ A.T + S_h
        marginal.append(P)
    states = numpy.zeros((T, 2, T, 2))
    for s in range(T):
        block = marginal[s]
        for t in range(s, T):
            states[t, :, s], states[s, :, t] = block, block.T
            block = A @ block
    states = states.reshape(2 * T, 2 * T)
    seen = numpy.kron(numpy.eye(T), B)
    covariance = seen @ states @ seen.T + numpy.kron(numpy.eye(T), S_v)
    weights = numpy.linalg.solve(covariance, v.ravel())
    log_p = -0.5 * (v.ravel() @ weights + numpy.linalg.slogdet(2 * math.pi * covariance)[1])
    return log_p, (states @ seen.T @ weights).reshape(T, 2)


def main(arguments=None):
    chosen = options(__doc__, epochs=200, arguments=arguments, quick=20)
    v = observed()[: 20 if chosen.quick else T]
    data = np.array(v)
    truth = [np.array(one, dtype=dtype) for one in (theta, alpha, sigma)]
    means, covariances, log_p = filtered(data, *truth)
    bands = {"filtered": (means, covariances), "smoothed": smooth(means, covariances, *truth[:2])}
    A = rotation(truth[0]).asnumpy()
    exact, exact_means = dense(v, A, B.asnumpy(), alpha**2 * numpy.eye(2), sigma**2 * numpy.eye(1))
    for e in range(chosen.epochs):
        loss = float(train_step(data))
        if e % max(1, chosen.epochs // 5) == 0:
            print(f"Epoch {e}. Negative log likelihood {loss:.4f}")
    estimates = [learned["theta"].data(), *(np.exp(learned[name].data()) for name in ("log_alpha", "log_sigma"))]
    found = {
        "log_likelihood": float(log_p),
        "distance_from_it": abs(float(log_p) - exact),
        "distance_of_smoothed_means": float(np.max(np.abs(bands["smoothed"][0] - exact_means))),
        **dict(zip(("theta", "alpha", "sigma"), map(float, estimates))),
        "gain_by_learning": float(filtered(data, *estimates)[2] - log_p),
        "train_step": train_step,
    }
    compare(BOOK, found)
    if chosen.plots:
        draw(chosen.plots / "kalman_filter.png", v, bands)
    return found


def draw(path, v, bands):
    """The data, and the hidden coordinate with a band of one standard deviation."""
    with picture(path, 2, 1, (10, 8), sharex=True, sharey=True, layout="constrained") as both:
        for axes, (name, (means, covariances)) in zip(both, bands.items()):
            mean, deviation = means[:, 0].asnumpy(), np.sqrt(covariances[:, 0, 0]).asnumpy()
            axes.plot(v[:, 0], ".", color="gray", label="data")
            axes.plot(mean, label=name)
            axes.fill_between(range(len(v)), mean - deviation, mean + deviation, alpha=0.3)
            axes.set_xlabel("time")
            axes.legend()


if __name__ == "__main__":
    main()
