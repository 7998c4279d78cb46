"""The deterministic results that the book's first part prints (book notes, part 1, section 6), eagerly and compiled."""

from __future__ import annotations

import pickle
from fractions import Fraction

import numpy
import pytest

import dopegraph
import dopegraph.numpy as np
from dopegraph.data import mnist

# The twelve normal numbers that the book's chapters print.
Y = [
    [-0.67765152, 0.03629481, 0.10073948, -0.49024421],
    [0.57595438, -0.95017916, -0.3469252, 0.03751944],
    [-0.22134334, -0.72984636, -1.80471897, -2.04010558],
]


@pytest.fixture(params=[lambda f: f, dopegraph.compile], ids=["eager", "compiled"])
def run(request):
    return request.param


def close(actual, expected, rtol=1e-5):
    numpy.testing.assert_allclose(numpy.asarray(actual), expected, rtol=rtol, atol=1e-6)


def test_the_ndarray_tour_gives_the_printed_arrays(run):
    def tour(y):
        x = np.ones((3, 4))
        product = np.dot(x, y.T)
        z = np.zeros_like(x)
        np.add(x, y, out=z)
        first = z[0].copy()
        x += y
        x[1, 2] = 9.0
        row = x[1].copy()
        x[1:2, 1:3] = 5.0
        return np.exp(y)[0], product[0], first, row, x[1]

    exp_row, product, added, assigned, sliced = run(tour)(np.array(Y))
    close(exp_row, [0.50780815, 1.03696156, 1.1059885, 0.61247683])
    close(product, [-1.03086138, -0.68363053, -4.79601431])
    close(added, [0.32234848, 1.03629481, 1.10073948, 0.50975579])
    close(assigned, [1.57595438, 0.04982084, 9.0, 1.03751944])
    close(sliced, [1.57595438, 5.0, 5.0, 1.03751944])


def test_broadcasting_adds_rows_and_columns():
    y = np.arange(3)
    assert (np.ones((3, 3)) + y).tolist() == [[1, 2, 3]] * 3
    assert (np.ones((3, 3)) + y.reshape((3, 1))).tolist() == [[1] * 3, [2] * 3, [3] * 3]


def test_the_linear_algebra_chapter(run):
    def chapter(u, v, A):
        return (
            np.sum(u), np.sum(A), np.mean(A), np.sum(A) / A.size, np.dot(u, v), np.sum(u * v), np.dot(A, u),
            np.sqrt(np.sum(u * u)), np.sum(np.abs(u)), np.dot(A, np.ones((4, 5))), A[2, 3], A[2, :], A[:, 3],
        )  # fmt: skip

    u, v, A = np.array([1.0, 2, 4, 8]), np.ones(4) * 2, np.arange(20).reshape((5, 4)).astype("float32")
    found = run(chapter)(u, v, A)
    expected = [15, 190, 9.5, 9.5, 30, 30, [34, 94, 154, 214, 274], 9.219544, 15]
    for actual, value in zip(found, expected):
        close(actual, value)
    close(found[9][0], [6.0] * 5)
    close(found[10], 11)
    close(found[11], [8, 9, 10, 11])
    close(found[12], [3, 7, 11, 15, 19])


@pytest.mark.usefixtures("real_digits")
def test_the_naive_bayes_prior_follows_from_the_class_counts(run):
    labels = mnist(train=True)[1]

    def prior(y):
        return (np.sum(np.equal(y.reshape((-1, 1)), np.arange(10)).astype("float32"), axis=0) + 1) / 60010

    printed = [0.09871688, 0.11236461, 0.09930012, 0.10218297, 0.09736711]
    printed += [0.09035161, 0.09863356, 0.10441593, 0.09751708, 0.09915014]
    close(run(prior)(labels), printed)


def test_gradients_of_the_autograd_chapter():
    x = np.array([[1.0, 2.0], [3.0, 4.0]])
    x.attach_grad()
    for head, expected in ((None, [[4, 8], [12, 16]]), (np.array([[10, 1.0], [0.1, 0.01]]), [[40, 8], [1.2, 0.16]])):
        with dopegraph.record():
            z = x * 2 * x
        z.backward(head)
        close(x.grad, expected)


def test_the_gradient_through_control_flow():
    a = np.array(Y[0][:3])
    a.attach_grad()
    with dopegraph.record():
        b = a * 2
        while np.sqrt(np.sum(b * b)) < 1000:
            b = b * 2
        c = b if np.sum(b) > 0 else 100 * b
    c.backward(np.array([0.01, 1.0, 0.1]))
    close(a.grad, [2048.0, 204800.0, 20480.0])


def test_the_perceptron_makes_the_printed_updates(run):
    w, b = np.zeros(2), np.zeros(1)

    def perceptron(x, y):
        nonlocal w, b
        wrong = (y * (np.dot(w, x) + b) <= 0).astype("float32")
        w += wrong * y * x
        b += wrong * y
        return wrong

    step = run(perceptron)
    seen = [
        ([0.57595438, -0.95017916], -1.0, [-0.57595438, 0.95017916], -1.0),
        ([-0.3469252, 0.03751944], 1.0, [-0.92287958, 0.98769861], 0.0),
        ([-1.80471897, -2.04010558], 1.0, [-2.72759867, -1.05240703], 1.0),
        ([0.60334933, -1.08074296], -1.0, [-3.33094788, 0.02833593], 0.0),
    ]
    for data, label, weight, bias in seen:
        assert float(step(np.array(data), np.array([label]))[0]) == 1
        close(w, weight)
        close(b, [bias])


def test_the_distribution_function_is_the_cumulated_sum(run):
    close(run(np.cumsum)(np.array([0.1, 0.2, 0.05, 0.3, 0.25, 0.1])), [0.1, 0.3, 0.35, 0.65, 0.9, 1.0])


def test_mean_and_variance_of_the_central_limit_example():
    values, p = np.array([0.0, 1.0, 2.0]), np.array([0.3, 0.5, 0.2])
    mean = np.dot(p, values)
    close(mean, 0.9)
    close(np.dot(p, (values - mean) ** 2), 0.49)


def test_bayes_rule_of_the_two_tests():
    prior = np.array([1 - 0.0015, 0.0015])
    positive = np.array([0.01, 1.0])
    close(np.dot(prior, positive), 0.011485)
    close((prior * positive)[1] / np.dot(prior, positive), float(Fraction(15, 10000) / Fraction(11485, 1000000)))
    both = np.array([0.01 * 0.03, 1.0 * 0.98])  # the book prints 0.0001 for 0.01 * 0.03
    assert round(float((prior * both)[1] / np.dot(prior, both)), 4) == 0.8307


def dropout(X, drop_probability):
    keep = 1 - drop_probability
    mask = np.random.uniform(0, 1.0, X.shape) < keep
    scale = 1 / keep if keep > 0 else 0
    return mask * X * scale


@pytest.mark.parametrize(("p", "allowed"), [(0.0, {1.0}), (0.5, {0.0, 2.0}), (1.0, {0.0})])
def test_dropout_keeps_scaled_values(run, p, allowed):
    A = np.arange(1, 21).reshape((5, 4)).astype("float32")
    factor = np.asarray(run(lambda X: dropout(X, p))(A)) / A
    assert set(factor.ravel().tolist()) == allowed


def test_dropout_draws_anew_in_every_call_the_same_eagerly_and_compiled():
    A = np.ones((50, 4))
    draws = {}
    for name, function in (("eager", dropout), ("compiled", dopegraph.compile(lambda X: dropout(X, 0.5)))):
        np.random.seed(3)
        arguments = (A, 0.5) if name == "eager" else (A,)
        draws[name] = [function(*arguments).tolist() for _ in range(3)]
    assert draws["eager"] == draws["compiled"]
    assert draws["eager"][0] != draws["eager"][1]


def test_the_centered_layer(run):
    close(run(lambda x: x - np.mean(x))(np.array([1.0, 2, 3, 4, 5])), [-2, -1, 0, 1, 2])


def test_reloaded_arrays_are_equal():
    X = np.random.normal(size=(100, 100))
    assert np.array_equal(pickle.loads(pickle.dumps(X)), X)
