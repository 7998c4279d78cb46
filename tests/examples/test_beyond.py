"""The chapters beyond the book: full runs came to what PyTorch comes to, steps are one program, on both backends."""

from __future__ import annotations

import json

import numpy
import pytest

import dopegraph
from dopegraph.backends.mxnet import library
from dopegraph.transform.plan import ReplayPlan
from examples.book import chapters
from tests.examples.chapters import fresh

FINISHED = [one for one in chapters() if one.part == "beyond" and one.result.exists()]
# Figures of full runs: which, what they must be near, how near.
NEAR = {
    "svm_classifier": [
        ("first_loss", 9, 0.01),
        ("distance_of_gradients", 0, 1e-9),
        ("validation_accuracy", 0.9276, 0.002),
        ("test_accuracy", 0.9111, 0.002),
    ],
    "two_layer_net": [
        ("first_loss", 2.302585, 0.01),
        ("distance_of_gradients", 0, 1e-5),
        ("test_accuracy", 0.9835, 0.005),
    ],
}


@pytest.mark.parametrize("finished", FINISHED, ids=lambda one: one.name)
def test_the_last_full_run_reached_what_others_do(finished):
    result = json.loads(finished.result.read_text(encoding="utf-8"))
    assert result["as_python"] == 0
    for name, value, distance in NEAR.get(finished.name, []):
        numpy.testing.assert_allclose(result["here"][name], value, rtol=0, atol=distance, err_msg=name)


def chapter(name):
    return fresh(name, "beyond")


def rows(width, count=8, classes=10):
    rng = numpy.random.default_rng(0)
    return rng.uniform(size=(count, width)).astype("float32"), rng.integers(0, classes, count)


# Arguments of each chapter's step, and the reasons for which nodes may run on NumPy.
STEPS = {
    "svm_classifier": (lambda module: (*rows(785), 0.01, 0.1), set()),
    "two_layer_net": (lambda module: (*rows(3 * 32 * 32), 0.01), set()),
}


def started(name):
    module = chapter(name)
    return module, STEPS[name][0](module)


@pytest.mark.parametrize("name", STEPS)
def test_a_step_is_one_program(name):
    module, arguments = started(name)
    for _ in range(3):
        module.train_step(*arguments)
    assert [type(plan) for plan in module.train_step.plans] == [ReplayPlan]
    assert module.train_step.cache_info().python_calls == 0
    fallbacks = [one for plan in module.train_step.plans for one in plan.fallbacks if one.operation != "recurrence"]
    assert {one.reason for one in fallbacks} <= STEPS[name][1]


@pytest.mark.skipif(not library.installed(), reason="compares MXNet with NumPy")
@pytest.mark.parametrize("name", STEPS)
def test_a_step_is_the_same_on_both_backends(name, monkeypatch):
    monkeypatch.setenv("DOPEGRAPH_SMALL", "0")  # small graphs, too, on MXNet
    found = {}
    for policy in ("prefer_mxnet", "only_numpy"):
        with dopegraph.policy(policy):
            module, arguments = started(name)
            found[policy] = [float(module.train_step(*arguments)) for _ in range(3)]
    numpy.testing.assert_allclose(found["prefer_mxnet"], found["only_numpy"], rtol=1e-4)


def test_both_losses_of_the_support_vector_machine_have_the_gradient_by_hand():
    module = chapter("svm_classifier")
    X, y = rows(785, 5)
    assert module.compared_gradients(X, y) < 1e-9
    W = 0.1 * numpy.random.default_rng(1).normal(size=(785, 10))
    losses = [float(one(dopegraph.numpy.array(W), X.astype("float64"), y, 0.1)) for one in module.LOSSES]
    assert losses[0] == pytest.approx(losses[1], rel=1e-12)


def test_the_two_layer_networks_gradients_are_differences_of_its_losses():
    assert chapter("two_layer_net").compared_gradients() < 1e-5
