"""`compile(f, memory=bytes)`: values are computed again, results stay what they are."""

import numpy
import pytest

import dopegraph
import dopegraph.numpy as np
from dopegraph import nn
from dopegraph.backends.codegen.source import Arena, write_source
from dopegraph.passes import memory_report
from dopegraph.passes.recompute import Recompute


def deep(params, x):
    for w in params:
        x = np.tanh(x @ w)
    return np.sum(x * x)


def setting(depth=12, width=8, batch=512):
    random = numpy.random.default_rng(0)
    params = [np.array(random.standard_normal((width, width)).astype("float32") * 0.4) for _ in range(depth)]
    return params, np.array(random.standard_normal((batch, width)).astype("float32"))


def step(**options):
    @dopegraph.compile(**options)
    def gradients(params, x):
        return dopegraph.value_and_grad(deep)(params, x)

    return gradients


@pytest.mark.parametrize("mode", ["never", "always"])
@pytest.mark.parametrize("policy", ["only_numpy", "prefer_mxnet"])
def test_a_budget_changes_the_plan_and_not_the_results(policy, mode):
    params, x = setting()
    with dopegraph.policy(policy), dopegraph.codegen(mode):
        free = step()
        planned = free.lower(params, x).memory().planned
        bounded = step(memory=planned * 7 // 10)
        assert bounded.lower(params, x).memory().planned <= planned * 7 // 10
        loss, gradients = free(params, x)
        for _ in range(2):
            loss_again, gradients_again = bounded(params, x)
            numpy.testing.assert_allclose(loss_again, loss, rtol=1e-6)
            for one, other in zip(gradients, gradients_again):
                numpy.testing.assert_allclose(other, one, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("share", [0.75, 0.6])
def test_generated_code_needs_less_workspace(share):
    """What is computed again must not join kernels that ran long before."""
    params, x = setting(depth=24, width=16, batch=4096)
    optimized = step().lower(params, x).optimized
    before = write_source(optimized).workspace
    Recompute(int(memory_report(optimized).planned * share)).run(optimized)
    assert write_source(optimized).workspace <= before * (share + 0.05)


def test_a_checkpoint_saves_workspace_in_generated_code():
    x = np.ones((512, 64))

    def layer(x):
        return np.tanh(np.sin(x) * np.exp(-x * x) + np.cos(np.arctan(x)))

    def loss(layer):
        def total(x):
            for _ in range(8):
                x = layer(x)
            return np.sum(x)

        return write_source(dopegraph.compile(dopegraph.grad(total)).lower(x).optimized).workspace

    assert loss(dopegraph.checkpoint(layer)) < loss(layer)


def test_small_values_do_not_hold_places_of_large_ones():
    arena = Arena()
    large = arena.take(1 << 20)
    arena.give(large)
    small = arena.take(64)
    assert arena.take((1 << 20) - 64) == small + 64
    assert arena.size == 1 << 20


def test_gaps_are_joined():
    arena = Arena()
    places = [arena.take(1024) for _ in range(3)]
    for place in (places[0], places[2], places[1]):
        arena.give(place)
    assert arena.take(3 * 1024) == 0
    assert arena.size == 3 * 1024


def test_dropout_keeps_its_mask():
    """The gradient reads the mask again, also when what was multiplied by it is computed again."""

    def loss(w, x):
        mask = np.random.uniform(0, 1, x.shape) < 0.5
        h = np.tanh(np.tanh(x * w) * mask)
        return np.sum(np.exp(h) * np.sin(h))

    x, w = np.ones((64, 64)), np.full((64, 64), 0.3)
    found = []
    for memory in (None, 0):
        np.random.seed(3)
        function = dopegraph.compile(dopegraph.value_and_grad(loss), memory=memory)
        found.append(function(w, x))
    numpy.testing.assert_allclose(found[0][0], found[1][0], rtol=1e-5)
    numpy.testing.assert_allclose(found[0][1], found[1][1], rtol=1e-5)


def test_state_is_updated_as_without():
    def train(memory):
        w = np.full((40, 40), 0.1)

        @dopegraph.compile(memory=memory)
        def update(x):
            nonlocal w
            loss, slope = dopegraph.value_and_grad(lambda w: np.sum(nn.relu(np.sin(x @ w)) ** 2))(w)
            w -= 0.01 * slope
            return loss

        return [float(update(np.ones((200, 40)) * 0.1)) for _ in range(4)]

    numpy.testing.assert_allclose(train(0), train(None), rtol=1e-5)


def test_a_budget_is_a_number_of_bytes():
    with pytest.raises(ValueError, match="bytes"):
        dopegraph.compile(deep, memory=-1)
