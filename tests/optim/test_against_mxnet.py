"""Optimizers and schedules against MXNet's own, step by step, which run in another process."""

import json

import numpy
import pytest

import dopegraph
import dopegraph.numpy as np
from dopegraph import nn, optim
from dopegraph.backends.mxnet import library
from tests.plain_gluon import run_gluon

pytestmark = pytest.mark.skipif(not library.installed(), reason="MXNet is not installed")

OPTIMIZERS = [
    ("sgd", {"learning_rate": 0.1}),
    ("sgd", {"learning_rate": 0.1, "momentum": 0.9, "wd": 0.01, "clip_gradient": 0.3}),
    ("sgd", {"learning_rate": 0.1, "wd": 0.1, "rescale_grad": 0.5}),
    ("nag", {"learning_rate": 0.1}),
    # Without wd: MXNet 1.9.1 writes the weight first and then takes its decay for the momentum from the new one.
    ("nag", {"learning_rate": 0.1, "momentum": 0.9, "clip_gradient": 0.3}),
    ("nag", {"learning_rate": 0.1, "wd": 0.01, "clip_gradient": 0.3}),
    ("adagrad", {"learning_rate": 0.1, "wd": 0.01, "clip_gradient": 0.3}),
    ("adadelta", {"wd": 0.01, "clip_gradient": 0.3}),
    ("adadelta", {"rho": 0.8, "epsilon": 1e-4}),
    ("rmsprop", {"learning_rate": 0.01, "wd": 0.01, "clip_gradient": 0.3}),
    ("rmsprop", {"learning_rate": 0.01, "centered": True, "wd": 0.01, "gamma2": 0.8}),
    ("rmsprop", {"learning_rate": 0.1, "clip_weights": 0.5}),
    ("adam", {}),
    ("adam", {"learning_rate": 0.1, "wd": 0.01, "clip_gradient": 0.3, "beta1": 0.5}),
    ("ftrl", {"wd": 0.01}),
    ("ftrl", {"learning_rate": 0.5, "lamda1": 0.2, "clip_gradient": 0.3}),
]

THEIRS = """
weights = numpy.load("weights.npy")
found = []
for number, (name, how) in enumerate(OPTIMIZERS):
    optimizer = mx.optimizer.create(name, **how)
    updater = mx.optimizer.get_updater(optimizer)
    w = nd.array(weights)
    for grad in numpy.load("grads.npy"):
        updater(0, nd.array(grad), w)
        found.append(w.asnumpy())
numpy.save("found.npy", numpy.stack(found))
"""


def test_every_update_is_mxnets(tmp_path):
    rng = numpy.random.default_rng(0)
    weights, grads = rng.normal(size=(4, 3)).astype("float32"), rng.normal(size=(12, 4, 3)).astype("float32")
    numpy.save(tmp_path / "weights.npy", weights)
    numpy.save(tmp_path / "grads.npy", grads)
    run_gluon(tmp_path, f"OPTIMIZERS = {OPTIMIZERS!r}\n{THEIRS}")
    expected = iter(numpy.load(tmp_path / "found.npy"))
    for name, how in OPTIMIZERS:
        made = {"eager": optim.create(name, **how), "compiled": optim.create(name, **how)}
        arrays = {kind: np.array(weights) for kind in made}
        states = {kind: made[kind].create_state(arrays[kind]) for kind in made}

        def update(kind, grad, made=made, arrays=arrays, states=states):
            made[kind].step()
            made[kind].update(arrays[kind], grad, states[kind])

        compiled = dopegraph.compile(lambda grad, update=update: update("compiled", grad), fullgraph=True)
        for grad in grads:
            theirs = next(expected)
            update("eager", np.array(grad))
            compiled(np.array(grad))
            for found in arrays.values():
                numpy.testing.assert_allclose(found.asnumpy(), theirs, rtol=2e-4, atol=2e-6, err_msg=f"{name} {how}")
        assert compiled.cache_info().misses == 1


def test_adamw_is_mxnets_operator(tmp_path):
    rng = numpy.random.default_rng(1)
    weights, grads = rng.normal(size=5).astype("float32"), rng.normal(size=(6, 5)).astype("float32")
    numpy.save(tmp_path / "weights.npy", weights)
    numpy.save(tmp_path / "grads.npy", grads)
    body = """
w, mean, var = nd.array(numpy.load("weights.npy")), nd.zeros(5), nd.zeros(5)
for t, grad in enumerate(numpy.load("grads.npy"), 1):
    lr = (1 - 0.999 ** t) ** 0.5 / (1 - 0.9 ** t)
    nd.contrib.adamw_update(w, nd.array(grad), mean, var, nd.ones(1), lr=lr, eta=0.01, wd=0.1, out=w)
numpy.save("found.npy", w.asnumpy())
"""
    run_gluon(tmp_path, body)
    w = np.array(weights)
    optimizer = optim.AdamW(learning_rate=0.01, wd=0.1)
    state = optimizer.create_state(w)
    for grad in grads:
        optimizer.step()
        optimizer.update(w, np.array(grad), state)
    numpy.testing.assert_allclose(w.asnumpy(), numpy.load(tmp_path / "found.npy"), rtol=1e-5)


SCHEDULES = [
    "FactorScheduler(5, 0.5, base_lr=1.0)",
    "FactorScheduler(3, 0.1, stop_factor_lr=0.05, base_lr=1.0, warmup_steps=4, warmup_begin_lr=0.1)",
    "MultiFactorScheduler([3, 7, 15], 0.5, base_lr=1.0)",
    "PolyScheduler(20, base_lr=1.0, pwr=2, final_lr=0.1, warmup_steps=5, warmup_mode='constant')",
    "PolyScheduler(12, base_lr=0.5, pwr=3)",
    "CosineScheduler(20, base_lr=1.0, final_lr=0.1, warmup_steps=5, warmup_begin_lr=0.2)",
]


def test_schedules_are_mxnets(tmp_path):
    body = (
        f"SCHEDULES = {SCHEDULES!r}\n"
        + """
made = [eval("mx.lr_scheduler." + text) for text in SCHEDULES]
print(json.dumps([[one(step) for step in range(1, 31)] for one in made]))
"""
    )
    theirs = json.loads(run_gluon(tmp_path, body))
    for text, expected in zip(SCHEDULES, theirs):
        schedule = eval("optim." + text)
        numpy.testing.assert_allclose(schedule(np.arange(1, 31)).asnumpy(), expected, rtol=1e-12, err_msg=text)
        compiled = dopegraph.compile(lambda step, schedule=schedule: schedule(step))
        numpy.testing.assert_allclose([float(compiled(np.array(s))) for s in range(1, 31)], expected, rtol=1e-12)
        assert compiled.cache_info().misses == 1


def test_a_trainer_takes_gluons_steps(tmp_path):
    body = """
net = gluon.nn.Sequential()
with net.name_scope():
    net.add(gluon.nn.Dense(4, activation="tanh"), gluon.nn.BatchNorm(), gluon.nn.Dense(1))
net.initialize(mx.init.Normal(0.5))
data = numpy.load("data.npz")
net(nd.array(data["x"]))
net.save_parameters("before.params")
net[0].weight.lr_mult = 0.5
net[0].bias.wd_mult = 0.0
schedule = mx.lr_scheduler.FactorScheduler(2, 0.5)
trainer = gluon.Trainer(net.collect_params(), "sgd",
    {"learning_rate": 0.1, "momentum": 0.9, "wd": 0.01, "lr_scheduler": schedule}, kvstore=None)
loss, losses = gluon.loss.L2Loss(), []
for step in range(7):
    with autograd.record():
        one = loss(net(nd.array(data["x"])), nd.array(data["y"]))
    one.backward()
    trainer.step(8)
    losses.append(one.mean().asscalar().item())
net.save_parameters("after.params")
print(json.dumps(losses))
"""
    rng = numpy.random.default_rng(2)
    x, y = rng.normal(size=(8, 3)).astype("float32"), rng.normal(size=8).astype("float32")
    numpy.savez(tmp_path / "data.npz", x=x, y=y)
    expected = json.loads(run_gluon(tmp_path, body).splitlines()[-1])
    net = nn.Sequential()
    with net.name_scope():
        net.add(nn.Dense(4, activation="tanh"), nn.BatchNorm(), nn.Dense(1))
    net.load_parameters(tmp_path / "before.params")
    net[0].weight.lr_mult = 0.5
    net[0].bias.wd_mult = 0.0
    how = {"learning_rate": 0.1, "momentum": 0.9, "wd": 0.01, "lr_scheduler": optim.FactorScheduler(2, 0.5)}
    trainer = optim.Trainer(net.collect_params(), "sgd", how)
    loss = nn.L2Loss()

    @dopegraph.compile(fullgraph=True)
    def step(x, y):
        with dopegraph.record():
            one = loss(net(x), y)
        one.backward()
        trainer.step(x.shape[0])
        return np.mean(one)

    numpy.testing.assert_allclose([float(step(x, y)) for _ in range(7)], expected, rtol=1e-4)
    after = dopegraph.load(tmp_path / "after.params")
    for name, parameter in net.structural_parameters().items():
        numpy.testing.assert_allclose(parameter.data().asnumpy(), after[name].asnumpy(), rtol=1e-3, atol=1e-5)
    assert step.cache_info().misses == 1
