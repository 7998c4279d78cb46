"""The book's second part: the printed results that are deterministic, and that every step is one program."""

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


def close(actual, expected, atol=1e-6):
    numpy.testing.assert_allclose(numpy.asarray(actual), expected, rtol=1e-5, atol=atol)


def chapter(name):
    return fresh(name, "part2")


def replayed(step, shapes=1):
    """A plan for each shape of the batches, each replayed, in one program without calls of Python."""
    assert [type(plan) for plan in step.plans] == [ReplayPlan] * shapes
    assert step.cache_info().python_calls == 0


def without_fallback(step):
    assert [one.reason for plan in step.plans for one in plan.fallbacks] == []


FINISHED = [one for one in chapters() if one.part == "part2" and one.result.exists()]
# Nats a character after 40 epochs, where knowing nothing has log(77) = 4.34.
LOSSES = {"simple_rnn": 1.9, "lstm_rnn": 1.65, "gru_rnn": 1.5}


@pytest.mark.parametrize("finished", FINISHED, ids=lambda one: one.name)
def test_the_last_full_run_reached_what_the_book_did(finished):
    result = json.loads(finished.result.read_text(encoding="utf-8"))
    book, here = result["book"], result["here"]
    if finished.name != "hybrid_blocks":  # a block that prints runs as Python
        assert result["as_python"] == 0
    if finished.name != "deep_cnns_alexnet":  # its images are others
        for name in [name for name in book if name.startswith(("test_accuracy", "accuracy_"))]:
            assert here[name] >= book[name] - 0.015
    if finished.name in LOSSES:
        assert here["last_epoch_loss"] < LOSSES[finished.name]
    for name in [name for name in book if name.startswith("batch_")]:
        numpy.testing.assert_allclose(here[name], [2, -3.4, 4.2], atol=0.01)


def image(count, channels=1, width=28):
    rng = numpy.random.default_rng(0)
    return rng.uniform(size=(count, channels, width, width)).astype("float32"), rng.integers(0, 10, count)


@pytest.mark.parametrize(
    "name", ["cnn_scratch", "cnn_gluon", "batch_normalization_gluon", "very_deep_nets_vgg", "deep_cnns_alexnet"]
)
def test_a_step_of_images_is_one_program_and_learns(name):
    module = chapter(name)
    data = image(2, 3, 32) if "alexnet" in name else image(8)
    losses = [float(module.train_step(*data)) for _ in range(4)]
    assert numpy.isfinite(losses).all()
    replayed(module.train_step)
    assert all(len(plan.program.stages) >= 1 for plan in module.train_step.plans)
    if name != "very_deep_nets_vgg" and library.installed():  # dropout draws its numbers with NumPy
        without_fallback(module.train_step)
    if "alexnet" not in name and "vgg" not in name and "scratch" not in name:
        assert losses[-1] < losses[0]


def test_the_shapes_of_the_convolutional_network(capsys):
    module = chapter("cnn_scratch")
    module.net(np.zeros((64, 1, 28, 28)), debug=True)
    printed = capsys.readouterr().out.split("\n")
    assert printed[:5] == [
        "h1 shape: (64, 20, 13, 13)",
        "h2 shape: (64, 50, 4, 4)",
        "flat shape: (64, 800)",
        "h3 shape: (64, 128)",
        "yhat shape: (64, 10)",
    ]
    assert sum(param.size for param in module.params) == 129068


@pytest.mark.parametrize(
    ("name", "net", "parameters"),
    [
        ("cnn_gluon", "net", 440812),
        ("very_deep_nets_vgg", "net", 5030154),
        ("multiple_devices_gluon", "net", 129068),
    ],
)
def test_the_networks_have_the_books_numbers_of_parameters(name, net, parameters):
    network = getattr(chapter(name), net)
    params = network.collect_params()
    if not all(param.is_initialized() or param._waiting for param in params.values()):
        network.initialize()
    network(np.zeros((1, 1, 28, 28)))
    assert sum(param.data().size for param in params.values()) == parameters


@pytest.mark.parametrize("run", [lambda f: f, dopegraph.compile], ids=["eager", "compiled"])
def test_batches_are_normalized_as_the_book_prints_it(run):
    module = chapter("batch_normalization_scratch")
    one, zero = np.array([1.0, 1.0]), np.array([0.0, 0.0])
    A = np.array([[1.0, 7.0], [5.0, 4.0], [6.0, 10.0]])
    close(run(module.pure_batch_norm)(A, one, zero), module.BOOK["normalized"])
    B = numpy.array([1, 6, 5, 7, 4, 3, 2, 5, 6, 3, 2, 4, 5, 3, 2, 5], "float32").reshape((2, 2, 2, 2))
    mean, variance = B.mean(axis=(0, 2, 3), keepdims=True), B.var(axis=(0, 2, 3), keepdims=True)
    close(run(module.pure_batch_norm)(np.array(B), one, zero), (B - mean) / numpy.sqrt(variance + 1e-5), 1e-5)
    with pytest.raises(ValueError, match="only supports dense or 2dconv"):
        run(module.pure_batch_norm)(np.zeros((2, 2, 2)), one, zero)


def test_moving_statistics_are_state_of_the_compiled_step():
    module = chapter("batch_normalization_scratch")
    data, label = image(16)
    first = numpy.mean(module.nn.conv(np.array(data), module.W1, module.b1).asnumpy(), axis=(0, 2, 3))
    module.train_step(data, label)
    close(module._BN_MOVING_MEANS["bn1"].ravel(), first, 1e-5)  # the first call keeps what it sees
    second = numpy.mean(module.nn.conv(np.array(2 * data), module.W1, module.b1).asnumpy(), axis=(0, 2, 3))
    module.train_step(2 * data, label)
    close(module._BN_MOVING_MEANS["bn1"].ravel(), 0.9 * first + 0.1 * second, 1e-5)
    held = module._BN_MOVING_MEANS["bn1"].asnumpy()
    module.classify(data)
    close(module._BN_MOVING_MEANS["bn1"], held, 0)  # evaluating changes nothing
    module.train_step(data, label)
    assert module.train_step.cache_info().replays >= 1 and module.train_step.cache_info().python_calls == 0


@pytest.mark.usefixtures("real_digits")
def test_the_convolutional_network_reaches_the_books_accuracy():
    """The other chapters' accuracies are in examples/results; this one stands for all."""
    found = chapter("cnn_gluon").main([])
    assert found["test_accuracy"] > 0.9759 - 0.015
    replayed(found["train_step"], 2)
    without_fallback(found["train_step"]) if library.installed() else None


def test_softmax_with_temperature_and_the_cross_entropy():
    module = chapter("simple_rnn")
    y = np.array([[1.0, -1.0], [-1.0, 1.0]])
    close(module.softmax(y), [[0.88079703, 0.11920292], [0.11920292, 0.88079703]])
    close(module.softmax(y, 1000.0), [[0.50049996, 0.49949998], [0.49949998, 0.50049996]])
    close(module.softmax(10 * y, 0.1), [[1, 0], [0, 1]])
    # The book divides by three, as its sum over the classes of one example sums nothing.
    close(module.cross_entropy(np.array([0.2, 0.5, 0.3]), np.array([1.0, 0, 0])) / 3, 0.53647929)


@pytest.mark.parametrize(
    ("name", "sizes", "parameters"), [("simple_rnn", 1, 105293), ("lstm_rnn", 2, 361805), ("gru_rnn", 1, 276301)]
)
def test_character_networks_learn_in_one_program(name, sizes, parameters, monkeypatch):
    module = chapter(name)
    if module.vocab_size == 77:
        assert sum(param.size for param in module.params) == parameters
    numbers = numpy.arange(8 * 33).reshape(33, 8) % 7
    data, label = module.one_hots(numbers[:-1]), module.one_hots(numbers[1:])
    states = [np.zeros((8, module.num_hidden))] * sizes
    losses = [float(module.train_step(data, label, *states, rate)[0]) for rate in (0.5, 0.4, 0.3, 0.2)]
    assert losses[-1] < losses[0]
    replayed(module.train_step)  # the rate changes, the program stays
    without_fallback(module.train_step)
    text = module.sample("The ", 5)
    assert text.startswith("The ") and len(text) == 9


def test_carried_states_are_constants_of_the_next_batch():
    """The book's state * w: gradients 1, 2, 4, as what was before is not differentiated again."""
    w, state, found = np.array(2.0), np.array(1.0), []
    w.attach_grad()
    for _ in range(3):
        with dopegraph.record():
            state = state * w
        state.backward()
        found.append(float(w.grad))
    assert found == [1, 2, 4]


def test_tied_words_have_one_weight_and_the_sum_of_its_gradients():
    module = chapter("rnns_gluon")
    model = module.RNNModel("gru", 11, 6, 6, 1, 0.0, True)
    model.initialize("uniform")
    assert model.encoder.weight is model.decoder.weight
    x, hidden = np.array([[1, 2], [3, 4]]), model.begin_state(2)
    with dopegraph.record():
        loss = np.sum(model(x, hidden)[0] ** 2)
    loss.backward()
    weight = model.encoder.weight.data()
    before, step, place = weight.grad.asnumpy(), 1e-2, (3, 2)
    values = []
    for sign in (1, -1):
        weight[place] += sign * step
        values.append(float(np.sum(model(x, hidden)[0] ** 2)))
        weight[place] -= sign * step
    assert before[place] == pytest.approx((values[0] - values[1]) / (2 * step), rel=2e-2, abs=1e-4)
    with pytest.raises(ValueError, match="Invalid mode elman"):
        module.RNNModel("elman", 5, 2, 2, 1)


def test_downhill_one_comes_to_the_minima():
    found = chapter("optimization_introduction").main([])
    close(found["slopes"], [0, 0, 0, 0], 1e-5)
    assert found["local_minimum"] == pytest.approx(-0.27385, abs=1e-4)
    assert found["global_minimum"] == pytest.approx(1.09041, abs=1e-4)
    close(found["weights"], [2, -3.4], 1e-4)


def test_batches_of_all_sizes_find_the_weights():
    found = chapter("gradient_descent").main(["--epochs", "1"])
    for size in (1, 10, 100):
        close(found[f"batch_{size}"], [2, -3.4, 4.2], 0.012)
    replayed(found["train_step"])
    without_fallback(found["train_step"]) if library.installed() else None


def test_momentum_goes_faster_through_the_valley():
    found = chapter("momentum").main(["--epochs", "1"])
    slow, fast = found["paths"]["sgd"][-1], found["paths"]["sgd_with_momentum"][-1]
    valley = chapter("momentum").valley
    assert float(valley(fast)) < 0.1 * float(valley(slow))
    assert float(found["terminal_speed"]) == pytest.approx(100, rel=1e-5)
    close(found["batch_10"], [2, -3.4, 4.2], 0.012)


@pytest.mark.skipif(not library.installed(), reason="exports to MXNet")
def test_the_chapter_on_hybrid_blocks():
    module = chapter("hybrid_blocks")
    found = module.main(["--quick"])
    exact = ("imperative_bytes", "symbolic_bytes", "nodes", "arg_nodes", "heads")
    assert {name: found[name] for name in exact} == {name: module.BOOK[name] for name in exact}
    assert found["printed_imperative"] == found["printed_compiled"] == ["ndarray", "ndarray"]
    assert len(found["gluon_seconds"]) == 3


@pytest.mark.skipif(not library.installed(), reason="further devices are MXNet's")
def test_devices_from_scratch_are_equal_to_one():
    module = chapter("multiple_devices_scratch")
    data, label = image(8)
    devices = [dopegraph.cpu(0), dopegraph.cpu(1)]
    copies = [module.get_params(module.params, device) for device in devices]
    parts = zip(module.split_and_load(data, devices), module.split_and_load(label, devices), copies)
    for part in parts:
        module.forward_backward(*part)
    for i in range(len(module.params)):
        module.allreduce([copy[i].grad for copy in copies])
    alone = module.get_params(module.params, devices[0])
    module.forward_backward(np.array(data), np.array(label), alone)
    for i, param in enumerate(alone):
        for copy in copies:
            close(copy[i].grad.asnumpy(), param.grad.asnumpy(), 1e-6)
    with pytest.raises(AssertionError, match="7 examples are not divisible by 2 devices"):
        module.split_and_load(data[:7], devices)


@pytest.mark.skipif(not library.installed(), reason="the other device is MXNet's")
@pytest.mark.parametrize("name", ["simple_rnn", "hybrid_blocks", "momentum"])
def test_a_chapter_runs_on_another_device(name):
    with dopegraph.cpu(1):
        found = chapter(name).main(["--quick", "--device", "cpu(1)"])
    assert found["train_step"].cache_info().replays > 0
