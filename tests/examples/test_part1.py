"""Part 1 of the book: what its chapters print is what they compute here, and how their steps run."""

from __future__ import annotations

import json

import numpy
import pytest

import dopegraph
from dopegraph.transform.plan import PythonPlan
from examples.book import chapters
from tests.examples.chapters import fresh

# The figures of chapters that must be the book's, up to the digits that it prints.
EXACT = {
    "fizzbuzz": ["rule_15"],
    "ndarray": ["*"],
    "linear_algebra": ["*"],
    "probability": ["P(positive)", "P(ill | positive)", "P(ill | two positive)", "F", "mean", "variance"],
    "autograd": ["*"],
    "perceptron": ["w_after_4_updates", "b_after_4_updates", "within_the_bound"],
    "dropout_scratch": ["dropout_0", "dropout_0.5", "dropout_1"],
    "plumbing": ["*"],
    "custom_layer": ["centered"],
    "serialization": ["list", "dict", "output_and_reloaded"],
}
DIGITS = {"P(ill | positive)": 1e-3, "P(ill | two positive)": 1e-4}
# A random mask is drawn on NumPy, so that it is the same on every backend.
RANDOM = {"dropout_scratch", "dropout_gluon"}
STEPS = [
    "fizzbuzz", "naive_bayes", "covariate_shift", "custom_layer", "linear_regression_scratch",
    "linear_regression_gluon", "softmax_regression_scratch", "softmax_regression_gluon", "regularization_scratch",
    "regularization_gluon", "multilayer_perceptrons_scratch", "multilayer_perceptrons_gluon", "dropout_scratch",
    "dropout_gluon", "perceptron",
]  # fmt: skip


# What full runs must reach, by `make book`; the MNIST chapters not named here are compared with the book's accuracy.
AT_LEAST = {"regularization_scratch": {"test_accuracy_with_penalty": 0.83}}
NEAR = {
    "linear_regression_scratch": ({"w": [2, -3.4], "b": [4.2]}, 1e-3),
    "linear_regression_gluon": ({"w": [2, -3.4], "b": [4.2]}, 5e-3),
}


@pytest.mark.parametrize("chapter", [one for one in chapters() if one.part == "part1"], ids=lambda one: one.name)
def test_the_last_full_run_reached_what_the_book_did(chapter):
    result = json.loads(chapter.result.read_text(encoding="utf-8"))
    book, here = result["book"], result["here"]
    assert result["as_python"] == 0
    accuracies = [name for name, value in book.items() if "test_accuracy" in name and isinstance(value, float)]
    for name in accuracies:
        assert here[name] >= book[name] - 0.015
    for name, bound in AT_LEAST.get(chapter.name, {}).items():
        assert here[name] >= bound
    expected, tolerance = NEAR.get(chapter.name, ({}, 0))
    for name, value in expected.items():
        numpy.testing.assert_allclose(here[name], value, atol=tolerance)


@pytest.mark.parametrize("name", EXACT)
@pytest.mark.filterwarnings("ignore:using scikit-learn's digits")
def test_deterministic_results_are_the_books(name):
    module = fresh(name)
    found = module.main(["--quick"])
    for key in module.BOOK if EXACT[name] == ["*"] else EXACT[name]:
        expected, value = module.BOOK[key], found[key]
        if isinstance(expected, (str, bool)):
            assert value == expected
            continue
        made = [numpy.asarray(one) for one in (value if isinstance(value, list) else [value])]
        wanted = [numpy.asarray(one) for one in (expected if isinstance(value, list) else [expected])]
        for one, other in zip(made, wanted):
            numpy.testing.assert_allclose(one, other, rtol=1e-6, atol=DIGITS.get(key, 1e-6), err_msg=key)
        assert len(made) == len(wanted)


@pytest.mark.usefixtures("real_digits")
def test_the_prior_of_naive_bayes_is_the_books_to_the_last_digit():
    module = fresh("naive_bayes")
    found = module.main([])
    assert numpy.allclose(found["prior"].asnumpy(), module.BOOK["prior"], rtol=0, atol=1e-8)
    assert found["test_accuracy"] > 0.84


@pytest.mark.parametrize("name", STEPS)
@pytest.mark.filterwarnings("ignore:using scikit-learn's digits")
def test_a_step_is_replayed_without_fallbacks(name):
    step = fresh(name).main(["--quick"])["train_step"]
    assert step.cache_info().python_calls == 0
    assert not any(isinstance(plan, PythonPlan) for plan in step.plans)
    reasons = {one.reason for plan in step.plans for one in plan.fallbacks}
    assert reasons <= ({"random-numbers"} if name in RANDOM else set())  # C draws them where there is a compiler


def test_the_margin_decides_how_many_mistakes_a_perceptron_makes():
    updates = fresh("perceptron").main(["--quick"])["updates"]
    assert sum(updates[:4]) > 2 * sum(updates[-4:])


def test_weights_of_examples_help_where_the_data_have_shifted():
    module = fresh("covariate_shift")
    found = module.main([])
    numpy.testing.assert_allclose(found["classifier"].asnumpy(), module.BOOK["classifier"], atol=0.15)
    assert found["test_loss_weighted"] < 0.7 * found["test_loss_unweighted"]


def test_fizzbuzz_is_learned_but_not_perfectly():
    found = fresh("fizzbuzz").main(["--epochs", "1000"])
    assert 0.8 < found["learned_accuracy"] < 1


@pytest.mark.usefixtures("real_digits")
def test_an_accuracy_that_is_never_reset_lags_behind():
    found = fresh("custom_layer").main(["--epochs", "2"])
    assert found["train_accuracy_cumulative"] < found["train_accuracy"]
    assert found["test_accuracy"] > 0.75


def test_the_graph_of_a_dropout_step_draws_a_mask_for_each_hidden_layer():
    module = fresh("dropout_scratch")
    data, label = dopegraph.numpy.ones((4, 784)), dopegraph.numpy.arange(4)
    nodes = dopegraph.compile(module.train_step.__dopegraph_function__).lower(data, label).graph.nodes
    assert sum(node.op.name == "random_uniform" for node in nodes) == 2


@pytest.mark.usefixtures("real_digits")
def test_a_penalty_makes_the_test_accuracy_better():
    module = fresh("regularization_scratch")
    found = module.main(["--epochs", "300"])
    assert found["train_accuracy"] > 0.96 and found["train_accuracy_with_penalty"] > 0.96
    assert found["test_accuracy_with_penalty"] > found["test_accuracy"] + 0.03
    assert module.train_step.cache_info().misses == 2  # a strength is a number like others; the last batch is smaller


@pytest.mark.usefixtures("real_digits")
def test_weight_decay_makes_weights_smaller():
    module = fresh("regularization_gluon")
    sizes = {}
    for wd in (0.0, 1.0):
        dopegraph.numpy.random.seed(1)
        mnist = module.digits(train=1000, test=1000)
        data = module.batches(mnist.train_images, mnist.train_labels, batch_size=64, seed=1)
        _, history = module.train(data, data, wd, 20)
        (weight, _) = module.net.collect_params().values()
        sizes[wd] = float(dopegraph.numpy.sum(weight.data() ** 2)), history[-1][0]
    assert sizes[1.0][0] < sizes[0.0][0] and sizes[1.0][1] > sizes[0.0][1]
