"""The book's first models trained on real data: what must be reached, and that every step is one program."""

from __future__ import annotations

import numpy
import pytest

import dopegraph
from dopegraph.backends.mxnet import library
from dopegraph.transform.plan import ReplayPlan
from tests.examples.chapters import fresh


def one_program_for_each_batch_shape(step, shapes):
    assert [type(plan) for plan in step.plans] == [ReplayPlan] * shapes
    for plan in step.plans:
        assert plan.fallbacks == []
        assert len(plan.program.stages) == 1


def test_linear_regression_recovers_the_parameters():
    found = fresh("linear_regression_scratch").main([])
    numpy.testing.assert_allclose(found["w"], [2, -3.4], atol=1e-3)
    numpy.testing.assert_allclose(found["b"], [4.2], atol=1e-3)
    assert 0.8e-4 < found["moving_loss"] < 1.3e-4
    one_program_for_each_batch_shape(found["train_step"], 1)


@pytest.mark.usefixtures("real_digits")
def test_softmax_regression_reaches_the_books_accuracy():
    found = fresh("softmax_regression_scratch").main([])
    assert found["test_accuracy"] >= 0.875
    one_program_for_each_batch_shape(found["train_step"], 2)


@pytest.mark.usefixtures("real_digits")
def test_the_multilayer_perceptron_reaches_the_books_accuracy():
    found = fresh("multilayer_perceptrons_scratch").main([])
    assert found["test_accuracy"] >= 0.965
    one_program_for_each_batch_shape(found["train_step"], 2)
    assert found["train_step"].recompiles[0].detail.startswith("argument data: ")


def test_linear_regression_with_layers_recovers_the_parameters():
    found = fresh("linear_regression_gluon").main([])
    numpy.testing.assert_allclose(found["w"], [2, -3.4], atol=5e-3)
    numpy.testing.assert_allclose(found["b"], [4.2], atol=5e-3)
    assert 4.5e-5 < found["moving_loss"] < 6.5e-5  # half of the noise's variance; the book's is 4.95e-5
    one_program_for_each_batch_shape(found["train_step"], 1)
    assert found["train_step"].cache_info().python_calls == 0


@pytest.mark.usefixtures("real_digits")
def test_softmax_regression_with_layers_reaches_the_books_accuracy():
    found = fresh("softmax_regression_gluon").main([])
    assert found["test_accuracy"] >= 0.865
    one_program_for_each_batch_shape(found["train_step"], 2)


@pytest.mark.usefixtures("real_digits")
def test_the_multilayer_perceptron_with_layers_reaches_the_books_accuracy():
    found = fresh("multilayer_perceptrons_gluon").main(["--epochs", "4"])
    assert found["test_accuracy"] >= 0.962  # the book's 0.977 after ten
    one_program_for_each_batch_shape(found["train_step"], 2)


@pytest.mark.usefixtures("real_digits")
def test_dropout_with_layers_reaches_the_books_accuracy(capsys):
    found = fresh("dropout_gluon").main(["--epochs", "3"])
    assert found["test_accuracy"] >= 0.962  # the book's 0.9774 after ten
    assert "training: False, equal: True\ntraining: True, equal: False" in capsys.readouterr().out
    step = found["train_step"]
    assert [type(plan) for plan in step.plans] == [ReplayPlan] * 2 and step.cache_info().python_calls == 0
    assert {one.reason for plan in step.plans for one in plan.fallbacks} <= {"random-numbers"}


def losses(policy, steps=100):
    mlp = fresh("multilayer_perceptrons_scratch")
    from dopegraph.data import mnist

    images, labels = mnist(train=True)
    found = []
    with dopegraph.policy(policy):
        for step in range(steps):
            part = slice(step * mlp.batch_size, (step + 1) * mlp.batch_size)
            found.append(float(mlp.compiled_step(images[part], labels[part], mlp.learning_rate)))
    return found


@pytest.mark.usefixtures("real_digits")
@pytest.mark.skipif(not library.installed(), reason="compares MXNet with NumPy")
def test_mxnet_and_numpy_train_alike():
    numpy.testing.assert_allclose(losses("prefer_mxnet"), losses("only_numpy"), rtol=1e-4)
