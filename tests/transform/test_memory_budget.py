"""`compile(f, memory=bytes)`: values are computed again, results stay what they are."""

import numpy
import pytest

import dopegraph
import dopegraph.numpy as np
from dopegraph import nn


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
    numpy.testing.assert_allclose(found[0][0], found[1][0], rtol=1e-6)
    numpy.testing.assert_allclose(found[0][1], found[1][1], rtol=1e-6)


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
