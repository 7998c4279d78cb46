"""The chapters beyond the book: full runs came to what PyTorch comes to, steps are one program, on both backends."""

from __future__ import annotations

import importlib
import json

import numpy
import pytest

import dopegraph
import dopegraph.numpy as np
from dopegraph.backends.mxnet import library
from dopegraph.transform.plan import ReplayPlan
from examples.book import chapters
from examples.torch_beside import in_torch
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
    "resnet20": [("parameters", 269722, 0), ("train_accuracy", 1, 0.005), ("test_accuracy", 0.998, 0.005)],
    "seq2seq_attention": [("letters_right", 1, 0.001), ("dates_right", 1, 0.005), ("last_loss", 0.000115, 3e-5)],
    "transformer": [("training_loss", 1.388, 0.01), ("validation_loss", 1.594, 0.01)],
    "vae": [
        ("train_elbo", -104.072, 0.5),
        ("test_elbo", -103.938, 0.5),
        ("log_likelihood_by_importance", -98.912, 0.5),
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


def images(count=4):
    rng = numpy.random.default_rng(0)
    return rng.normal(size=(count, 3, 32, 32)).astype("float32"), rng.integers(0, 10, count)


def letters(count, length, different):
    return numpy.random.default_rng(0).integers(0, different, (count, length))


def translated(module, count=4):
    source, target = zip(*module.dates(count, 0))
    return (
        module.numbered(source, module.source_letters, module.source_length),
        module.numbered(target, module.target_letters, module.target_length),
    )


# Arguments of each chapter's step, and the reasons for which nodes may run on NumPy.
STEPS = {
    "svm_classifier": (lambda module: (*rows(785), 0.01, 0.1), set()),
    "two_layer_net": (lambda module: (*rows(3 * 32 * 32), 0.01), set()),
    "cart_pole": (lambda module: (), {"random-numbers"}),
    "resnet20": (lambda module: images(), set()),
    "seq2seq_attention": (translated, set()),
    "transformer": (lambda module: (letters(2, 16, 70), letters(2, 16, 70)), set()),
    "vae": (lambda module: rows(784)[:1], {"random-numbers"}),
}


def started(name):
    module = chapter(name)
    if name == "resnet20":  # its first steps go so far that they amplify rounding
        module.schedule.base_lr = 0.001
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


def moved(layer, x, place):
    """Which results of a layer change with its input at a place."""
    other = x.copy()
    other[place] = other[place] + 1
    return ~np.isclose(layer(x), layer(other), atol=1e-6)


def test_letters_see_what_is_before_them():
    module = chapter("transformer")
    x = np.array(letters(1, 12, 70))
    changed = np.any(moved(module.net, x, (0, 5)), axis=2)[0]
    assert changed.tolist() == [False] * 5 + [True] * 7
    attention = module.looks(x).asnumpy()
    numpy.testing.assert_allclose(attention.sum(axis=-1), 1, rtol=1e-5)
    assert not attention[(slice(None), *numpy.triu_indices(12, 1))].any()


def test_windows_follow_each_other_and_their_labels_are_one_further():
    module = chapter("transformer")
    text = numpy.arange(1000)
    x, y = module.windows(text, 3)
    assert x.ravel().tolist() == list(range(3, 3 + x.size)) and (y == x + 1).all()
    assert x.size + module.context > 1000 - 1 - 3


def test_a_residual_block_is_a_way_around():
    module = chapter("resnet20")
    block = module.Residual(6, 4, 2)
    block.initialize()
    for norm in (block.norm1, block.norm2):
        norm.gamma.set_data(np.zeros(6))
    x = np.array(numpy.random.default_rng(0).normal(size=(2, 4, 8, 8)))
    found = block(x).asnumpy()
    numpy.testing.assert_allclose(found[:, :4], numpy.maximum(x.asnumpy()[:, :, ::2, ::2], 0), rtol=1e-6)
    assert found.shape == (2, 6, 4, 4) and not found[:, 4:].any()


def test_dates_are_written_in_many_forms():
    module = chapter("seq2seq_attention")
    pairs = list(module.dates(200, 0))
    assert all(len(source) <= module.source_length and len(target) == 10 for source, target in pairs)
    assert len({len(source.split()) for source, _ in pairs}) == 2 and pairs == list(module.dates(200, 0))
    numbers = module.numbered(["May 7", "7"], module.source_letters, 6)
    assert numbers[1].tolist() == [module.source_letters.index("7"), -1, -1, -1, -1, -1]


def test_attention_looks_at_letters_only_and_what_is_written_can_be_read_again():
    module = chapter("seq2seq_attention")
    source, _ = translated(module, 3)
    written, looks = (one.asnumpy() for one in module.translate(source))
    numpy.testing.assert_allclose(looks.sum(axis=-1), 1, rtol=1e-5)
    assert not looks[numpy.broadcast_to((source < 0)[:, None], looks.shape)].any()
    # With its own letters as those before, the decoder's scores have their maxima at them.
    scores = module.decoder(np.array(source), module.encoder(np.array(source)), np.array(written))
    assert (np.argmax(scores, axis=2) == written).all()


# Losses of the chapters' parts as functions of one parameter: their first and second derivatives.
GRADIENTS = {
    "seq2seq_attention": lambda module: (
        lambda source, target: module.softmax_cross_entropy(
            module.decoder(source, module.encoder(source), target), target
        ),
        translated(module, 2),
        module.decoder.of_letters.weight,
    ),
    "transformer": lambda module: (
        lambda x, y: module.softmax_cross_entropy(module.net(x), y),
        (letters(2, 6, 70), letters(2, 6, 70)),
        module.net.layers[0].attention.queries_keys_values.weight,
    ),
}


@pytest.mark.parametrize("name", GRADIENTS)
def test_derivatives_of_attention(name):
    """Along a direction of a weight, in double precision, beside differences."""
    module = chapter(name)
    nets = [module.net] if name == "transformer" else [module.encoder, module.decoder]
    for net in nets:
        net.cast("float64")
    loss, arrays, weight = GRADIENTS[name](module)
    arrays = [np.array(one) for one in arrays]
    at = weight.data().copy()
    direction = np.array(numpy.random.default_rng(1).normal(size=at.shape))

    def along(t):
        weight.data()[:] = at + t * direction
        return np.sum(loss(*arrays))

    slope = dopegraph.grad(along)
    curvature = dopegraph.grad(slope)
    step, zero = 1e-5, np.array(0.0, dtype="float64")
    for derivative, function in ((slope, along), (curvature, slope)):
        ends = [float(function(zero + sign * step)) for sign in (1, -1)]
        assert abs(ends[0] - ends[1]) > 1e-3 * step
        assert float(derivative(zero)) == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=1e-5, abs=1e-6)


@pytest.mark.parametrize(("name", "peer"), [("seq2seq_attention", "seq2seq"), ("transformer", "transformer")])
def test_pytorch_has_the_same_loss_of_the_same_weights(name, peer):
    """What stands in the other column was reached by the same model."""
    torch = pytest.importorskip("torch")
    module = chapter(name)
    if name == "transformer":
        arrays, params = (letters(32, 64, 77), letters(32, 64, 77)), module.net.collect_params()
    else:
        arrays, params = translated(module, 50), module.parameters
    model = importlib.import_module(f"benchmarks.models.{peer}")
    theirs = model.in_torch(torch, in_torch(params), *map(torch.tensor, arrays))
    assert float(module.train_step(*arrays)) == pytest.approx(float(theirs.detach()), rel=1e-5)


@pytest.mark.skipif(not library.installed(), reason="the other device is MXNet's")
def test_a_chapter_runs_on_another_device():
    with dopegraph.cpu(1):
        found = chapter("two_layer_net").main(["--quick", "--device", "cpu(1)"])
    assert found["train_step"].cache_info().replays > 0


def test_the_autoencoders_bounds():
    """By hand: the divergence of normal distributions, and the bound that the weights of many codes make tighter."""
    module = chapter("vae")
    x = rows(784)[0]
    mean, log_var = (one.asnumpy().astype("float64") for one in module.encode(x))
    random = numpy.random.default_rng(1)
    noise = random.standard_normal((2000, *mean.shape))
    z = mean + numpy.exp(log_var / 2) * noise
    likelihood = np.stack([module.log_likelihood(x, one.astype("float32")) for one in z]).asnumpy()
    log_prior = -0.5 * numpy.sum(z**2 + numpy.log(2 * numpy.pi), axis=2)
    log_posterior = -0.5 * numpy.sum(noise**2 + log_var + numpy.log(2 * numpy.pi), axis=2)
    wanted = (likelihood + log_prior - log_posterior).mean(axis=0)
    elbo = np.stack([module.elbo(x) for _ in range(2000)]).asnumpy().mean(axis=0)
    numpy.testing.assert_allclose(elbo, wanted, rtol=1e-3)
    weights = np.stack([module.importance(x) for _ in range(200)]).asnumpy()
    numpy.testing.assert_allclose(weights.mean(axis=0), wanted, rtol=3e-3)
    assert numpy.all(numpy.logaddexp.reduce(weights) - numpy.log(200) > weights.mean(axis=0))


def test_derivatives_go_through_the_noise_of_the_autoencoder():
    """With the same seed the noise is the same, and differences of losses are derivatives."""
    module = chapter("vae")
    x = rows(784)[0]
    for param in module.params.values():
        param.cast("float64")
    weight = module.encoder[0].weight.data()
    way = numpy.random.default_rng(1).normal(size=weight.shape)

    def loss():
        np.random.seed(3)
        return -np.mean(module.elbo(x.astype("float64")))

    with dopegraph.record():
        value = loss()
    value.backward()
    found = float(np.sum(weight.grad * way))
    ends = []
    for sign in (1, -2):
        weight += sign * 1e-7 * way
        ends.append(float(loss()))
    assert found == pytest.approx((ends[0] - ends[1]) / 2e-7, rel=1e-5)
