"""The chapters beyond the book: full runs came to what PyTorch comes to, steps are one program, on both backends."""

from __future__ import annotations

import json

import numpy
import pytest

import dopegraph
import dopegraph.numpy as np
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
    "cart_pole": [("steps_while_learning", 200, 5), ("steps_of_the_best_actions", 200, 5)],
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
    "cart_pole": (lambda module: (), {"random-numbers"}),
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
            results = [module.train_step(*arguments) for _ in range(3)]
        found[policy] = [[float(one) for one in np.atleast_1d(result)] for result in results]
    numpy.testing.assert_allclose(found["prefer_mxnet"], found["only_numpy"], rtol=1e-4)


def test_both_losses_of_the_support_vector_machine_have_the_gradient_by_hand():
    module = chapter("svm_classifier")
    X, y = rows(785, 5)
    assert module.compared_gradients(X, y) < 1e-9
    W = 0.1 * numpy.random.default_rng(1).normal(size=(785, 10))
    losses = [float(one(np.array(W), X.astype("float64"), y, 0.1)) for one in module.LOSSES]
    assert losses[0] == pytest.approx(losses[1], rel=1e-12)


def test_the_two_layer_networks_gradients_are_differences_of_its_losses():
    assert chapter("two_layer_net").compared_gradients() < 1e-5


def test_a_pole_falls_as_the_equations_say():
    """Lagrange's equations of cart and pole hold for what `move` says about accelerations."""
    module = chapter("cart_pole")
    state = np.array(numpy.random.default_rng(0).uniform(-0.2, 0.2, (6, 4)))
    action = np.array([0, 1, 0, 1, 0, 1])
    faster, turns_faster = ((module.move(state, action) - state) / module.seconds)[:, [1, 3]].asnumpy().T
    _, _, angle, turning = state.asnumpy().T
    force = numpy.where(action.asnumpy() == 1, module.force, -module.force)
    arm = module.mass_pole * module.half_length
    along = module.mass * faster + arm * (turns_faster * numpy.cos(angle) - turning**2 * numpy.sin(angle))
    numpy.testing.assert_allclose(along, force, rtol=1e-9)
    # A rod's moment of inertia about its end is 4/3 of that of a point in its middle.
    around = 4 / 3 * module.half_length * turns_faster + faster * numpy.cos(angle)
    numpy.testing.assert_allclose(around, module.gravity * numpy.sin(angle), rtol=1e-9, atol=1e-12)


def test_returns_are_discounted_sums_of_what_comes():
    module = chapter("cart_pole")
    alive = np.array([[1.0, 1.0], [1.0, 0.0], [1.0, 0.0]])
    d = module.discount
    numpy.testing.assert_allclose(module.returns(alive), [[1 + d + d * d, 1], [1 + d, 0], [1, 0]], rtol=1e-6)


def test_a_cart_that_leaves_or_a_pole_that_leans_has_ended():
    stands = chapter("cart_pole").stands
    states = np.array([[0.0, 9, 0, 9], [2.5, 0, 0, 0], [-2.5, 0, 0, 0], [0, 0, 0.22, 0], [0, 0, -0.22, 0]])
    assert stands(states).tolist() == [True, False, False, False, False]
