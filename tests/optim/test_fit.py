"""Trainer, fit, early stopping, checkpoints, schedules and clipping, without MXNet's help."""

import numpy
import pytest

import dopegraph
import dopegraph.numpy as np
from dopegraph import init, metrics, nn, optim
from dopegraph.data import batches


def problem(seed=0, count=64):
    rng = numpy.random.default_rng(seed)
    x = rng.normal(size=(count, 2)).astype("float32")
    return x, (x @ numpy.array([2, -3.4]) + 4.2).astype("float32")


def made(optimizer="sgd", **how):
    net = nn.Dense(1)
    net.initialize(init.Normal(0.1))
    return net, optim.Trainer(net.collect_params(), optimizer, how or {"learning_rate": 0.1})


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("sgd", {"learning_rate": 0.1}),
        ("sgd", {"learning_rate": 0.05, "momentum": 0.8}),
        ("nesterov", {"learning_rate": 0.05, "momentum": 0.8}),
        ("adagrad", {"learning_rate": 2.0}),
        ("adadelta", {"epsilon": 1e-2}),
        ("rmsprop", {"learning_rate": 0.1}),
        ("adam", {"learning_rate": 0.3}),
        ("adamw", {"learning_rate": 0.3}),
        ("ftrl", {"learning_rate": 3.0, "lamda1": 0.0}),
    ],
)
def test_every_optimizer_finds_the_line_in_replayed_steps(name, how):
    x, y = problem()
    net, trainer = made(name, **how)
    found = optim.fit(net, batches(x, y, batch_size=16, seed=1), nn.L2Loss(), trainer, epochs=60, verbose=False)
    assert found.epochs[-1]["loss"] < 0.02 * found.epochs[0]["loss"]
    assert found.train_step.cache_info().misses == 2 and found.train_step.cache_info().python_calls == 0


def test_validation_metrics_and_a_progress_bar(capsys):
    rng = numpy.random.default_rng(0)
    x = rng.normal(size=(60, 4)).astype("float32")
    y = (x[:, 0] > 0).astype("int64")
    net = nn.Dense(2)
    net.initialize()
    trainer = optim.Trainer(net.collect_params(), "adam", {"learning_rate": 0.1})
    train, test = batches(x[:40], y[:40], batch_size=16, seed=0), batches(x[40:], y[40:], batch_size=16)
    seen = []
    found = optim.fit(
        *(net, train, nn.SoftmaxCrossEntropyLoss(), trainer, 15, test, [metrics.Accuracy()]),
        callbacks=[lambda history: seen.append(len(history.epochs))],
    )
    assert seen == list(range(1, 16))
    last = found.epochs[-1]
    assert set(last) == {"epoch", "loss", "accuracy", "val_loss", "val_accuracy"}
    assert last["accuracy"] > 0.9 and last["val_accuracy"] > 0.8
    outputs = net(np.asarray(x[40:])).asnumpy()
    assert last["val_accuracy"] == (outputs.argmax(1) == y[40:]).mean()
    assert "epoch 14 loss" in capsys.readouterr().out


def test_early_stopping_goes_back_to_the_best(tmp_path):
    x, y = problem()
    net, trainer = made()
    path = tmp_path / "best.params"
    kept = []

    def worse_after_three(history):
        kept.append(net.weight.data().tolist())
        if len(history.epochs) >= 3:
            trainer.set_learning_rate(3.0)

    data = batches(x, y, batch_size=16, seed=1)
    found = optim.fit(
        *(net, data, nn.L2Loss(), trainer, 50),
        val_data=data,
        early_stopping=2,
        checkpoint=path,
        callbacks=[worse_after_three],
        verbose=False,
    )
    assert len(found.epochs) == 5 and found.best["epoch"] == 2
    assert "val_loss" in found.stopped
    assert net.weight.data().tolist() == kept[2] != kept[4]
    assert dopegraph.load(path)["weight"].tolist() == kept[2]


def test_a_figure_that_should_rise_is_watched():
    x, y = problem()
    net, trainer = made("sgd", learning_rate=0.0)
    stopping = optim.EarlyStopping(patience=2, min_delta=1e-6, monitor="pearsonr")
    data = batches(x, y, batch_size=64)
    how = {"metrics": [metrics.PearsonCorrelation()], "early_stopping": stopping, "verbose": False}
    assert len(optim.fit(net, data, nn.L2Loss(), trainer, 9, **how).epochs) == 3
    with pytest.raises(ValueError, match="'nothing'"):
        optim.fit(net, data, nn.L2Loss(), trainer, early_stopping=optim.EarlyStopping(monitor="nothing"), verbose=False)


def test_gradients_add_up_until_they_are_used():
    x, y = problem(count=32)
    whole, parts = made()[0], made()[0]
    for net in (whole, parts):
        net(np.asarray(x))
        net.weight.set_data([[0.5, 0.5]])
    parts.collect_params().setattr("grad_req", "add")
    trainers = [optim.Trainer(net.collect_params(), "sgd", {"learning_rate": 0.1}) for net in (whole, parts)]
    loss = nn.L2Loss()

    @dopegraph.compile
    def gradients(net, x, y):
        with dopegraph.record():
            one = loss(net(x), y)
        one.backward()

    for _ in range(3):
        gradients(whole, x, y)
        trainers[0].step(32)
        for start in range(0, 32, 8):
            gradients(parts, x[start : start + 8], y[start : start + 8])
        trainers[1].step(32)
        parts.collect_params().zero_grad()
    numpy.testing.assert_allclose(parts.weight.data().asnumpy(), whole.weight.data().asnumpy(), rtol=1e-5)
    assert parts.weight.grad().tolist() == [[0, 0]]


def test_states_are_written_and_read(tmp_path):
    x, y = problem()
    loss, path = nn.L2Loss(), tmp_path / "trainer.states"

    def run(net, trainer, steps):
        for _ in range(steps):
            with dopegraph.record():
                one = loss(net(np.asarray(x)), y)
            one.backward()
            trainer.step(64)

    net, trainer = made("adam", learning_rate=0.1)
    run(net, trainer, 3)
    net.save_parameters(tmp_path / "net.params")
    trainer.save_states(path)
    run(net, trainer, 3)
    other, second = made("adam", learning_rate=0.5)
    other.load_parameters(tmp_path / "net.params")
    second.load_states(path)
    assert second.learning_rate == 0.1 and second.optimizer.num_update == 3
    run(other, second, 3)
    assert np.array_equal(other.weight.data(), net.weight.data())
    with pytest.raises(ValueError, match=r"Adam.*SGD"):
        made()[1].load_states(path)


def test_clipping_by_the_norm_of_all():
    arrays = [np.array([3.0, 0.0]), np.array([[4.0]])]
    compiled = dopegraph.compile(lambda: optim.clip_global_norm(arrays, 10.0))
    assert float(compiled()) == 5 and arrays[1].tolist() == [[4]]
    assert float(optim.clip_global_norm(arrays, 1.0)) == 5
    numpy.testing.assert_allclose(arrays[0].asnumpy(), [0.6, 0], rtol=1e-6)


def test_a_schedule_sets_the_rate_without_compiling_again():
    w = np.array([0.0])
    optimizer = optim.create("sgd", learning_rate=1.0, lr_scheduler=optim.MultiFactorScheduler([2, 4], 0.1))

    @dopegraph.compile(fullgraph=True)
    def step():
        optimizer.step()
        optimizer.update(w, np.array([-1.0]), ())

    moved = []
    for _ in range(6):
        before = float(w[0])
        step()
        moved.append(float(w[0]) - before)
    numpy.testing.assert_allclose(moved, [1, 1, 0.1, 0.1, 0.01, 0.01], rtol=1e-4)
    assert step.cache_info().misses == 1 and optimizer.num_update == 6
    assert optimizer.learning_rate == pytest.approx(0.01)
    with pytest.raises(ValueError, match="lr_scheduler"):
        optimizer.set_learning_rate(1.0)


@pytest.mark.parametrize(
    ("name", "rate"), [("sgd", 0.01), ("nag", 0.01), ("adam", 0.001), ("rmsprop", 0.001), ("ftrl", 0.1)]
)
def test_the_rate_is_the_given_one_or_the_schedules_or_the_optimizers(name, rate):
    def schedule():
        return optim.MultiFactorScheduler([5], 0.1, base_lr=0.25)

    assert optim.create(name).learning_rate == pytest.approx(rate)
    assert optim.create(name, lr_scheduler=schedule()).learning_rate == pytest.approx(0.25)
    assert optim.create(name, learning_rate=0.5, lr_scheduler=schedule()).learning_rate == pytest.approx(0.5)


def test_what_cannot_be_is_refused():
    net, _ = made()
    for make, message in (
        (lambda: optim.create("nothing"), "adadelta"),
        (lambda: optim.create(optim.SGD(), wd=1.0), "wd"),
        (lambda: optim.Trainer([np.zeros(2)], "sgd"), "collect_params"),
        (lambda: optim.Trainer(net.collect_params(), "sgd").step(0), "batch_size"),
        (lambda: optim.FactorScheduler(0), "at least 1"),
        (lambda: optim.FactorScheduler(1, 2), "at most 1"),
        (lambda: optim.MultiFactorScheduler([3, 2]), "increasing"),
        (lambda: optim.PolyScheduler(5, warmup_steps=5), "larger"),
        (lambda: optim.LRScheduler(warmup_mode="x"), "linear"),
        (lambda: optim.LRScheduler(warmup_begin_lr=1), "above"),
        (lambda: optim.clip_global_norm([], 1.0), "no arrays"),
    ):
        with pytest.raises(ValueError, match=message):
            make()
    with pytest.raises(nn.ParameterError, match="not been initialized"):
        optim.Trainer(nn.Dense(1).collect_params(), "sgd").step(1)
