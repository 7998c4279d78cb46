"""The chapters that look at pictures: full runs found what is there, steps are one program and the same everywhere."""

from __future__ import annotations

import json

import numpy
import pytest

import dopegraph
import dopegraph.numpy as np
from dopegraph import optim
from dopegraph.backends.mxnet import library
from dopegraph.data import normalized, sprites
from dopegraph.transform.plan import ReplayPlan
from dopegraph.vision import squeezenet1_1
from examples.book import chapters
from tests.examples.chapters import fresh

RESULTS = {one.name: one.result for one in chapters() if one.part == "part3"}


def figures(name):
    return json.loads(RESULTS[name].read_text(encoding="utf-8"))["here"]


def test_ssd_found_the_creatures():
    here = figures("ssd")
    assert here["average_precision_at_half_overlap"] > 0.7
    assert here["overlap_of_the_surest_box"] > 0.7
    assert here["accuracy"] > 0.99
    assert (here["parameters"], here["anchors_at_256_pixels"]) == (1012360, 5444)


def test_what_was_learned_before_helps():
    here = figures("fine_tuning")
    assert here["best_f1"] > 0.7
    assert here["f1"][0] > here["best_f1_of_a_new_network"] + 0.2
    assert here["best_f1"] >= here["best_f1_with_a_new_head"]
    assert here["parameters"] == 723522


def ssd():
    module = fresh("ssd", "part3")
    images, labels = sprites(4, 64, seed=1)
    labels[1] = -1
    # Adam goes equally far for the smallest derivatives, which are rounding here: long steps would amplify it.
    module.trainer.set_learning_rate(1e-5)
    return module.train_step, (normalized(images), labels)


def fine_tuning():
    module = fresh("fine_tuning", "part3")
    net = squeezenet1_1(classes=2)
    net.initialize("xavier")
    net.features.layers.pop()  # dropout: MXNet's graphs are cut at random numbers
    trainer = optim.Trainer(net.collect_params(), "sgd", {"learning_rate": 0.02, "wd": 0.002})
    train_step, _ = module.make_steps(net, trainer, module.positive_class_weight)
    rng = numpy.random.default_rng(0)
    return train_step, (rng.normal(size=(4, 3, 48, 48)).astype("float32"), np.array([0.0, 1.0, 0.0, 0.0]))


@pytest.mark.parametrize("start", [ssd, fine_tuning])
def test_a_step_is_one_program_without_fallbacks(start):
    train_step, arguments = start()
    for _ in range(3):
        train_step(*arguments)
    assert type(train_step.plans[-1]) is ReplayPlan
    assert train_step.cache_info().python_calls == 0
    assert not [one for plan in train_step.plans for one in plan.fallbacks]


def numbers(result):
    return [float(one) for one in (result if isinstance(result, tuple) else (result,))]


@pytest.mark.skipif(not library.installed(), reason="compares MXNet with NumPy")
@pytest.mark.parametrize("start", [ssd, fine_tuning])
def test_a_step_is_the_same_on_both_backends(start):
    found = {}
    for policy, codegen in (("prefer_mxnet", "auto"), ("prefer_mxnet", "never"), ("only_numpy", "never")):
        with dopegraph.policy(policy), dopegraph.codegen(codegen):
            train_step, arguments = start()
            found[policy, codegen] = [numbers(train_step(*arguments)) for _ in range(2)]
    wanted = found.pop(("only_numpy", "never"))
    for one in found.values():
        numpy.testing.assert_allclose(one, wanted, rtol=2e-4)


def test_the_head_begins_with_the_row_of_the_class(tmp_path):
    module = fresh("fine_tuning", "part3")
    net = squeezenet1_1(classes=10)
    net.initialize("xavier")
    x = np.random.normal(size=(1, 3, 48, 48))
    net(x)
    net.output[0].bias.set_data(np.arange(10.0))
    net.save_parameters(tmp_path / "net.params")
    found = module.deep_dog(tmp_path / "net.params", "the row of the sevens")
    head, old = found.output[0], net.output[0]
    assert np.array_equal(head.weight.data()[1], old.weight.data()[7]) and head.bias.data().tolist() == [0, 7]
    assert 0.015 < float(np.std(head.weight.data()[0])) < 0.025
    assert np.array_equal(found.features(x), net.features(x))
    new = module.deep_dog(tmp_path / "net.params", "a new network")
    assert not np.array_equal(new.features(x), net.features(x))


def test_rare_examples_count_more():
    """The book's factors: 1.2 for a picture with the class, 0.2 for one without; at first both are as likely."""
    module = fresh("fine_tuning", "part3")
    data = np.zeros((2, 3, 48, 48))
    for label, wanted in ((1.0, 1.2), (0.0, 0.2)):
        net = squeezenet1_1(classes=2)
        net.initialize("zeros")
        step, _ = module.make_steps(net, optim.Trainer(net.collect_params(), "sgd"), module.positive_class_weight)
        assert float(step(data, np.full(2, label))) == pytest.approx(wanted * numpy.log(2), rel=1e-5)
