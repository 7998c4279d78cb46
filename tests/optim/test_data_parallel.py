"""Training over several devices comes to what one device with the whole batch comes to."""

from __future__ import annotations

import numpy
import pytest

import dopegraph
import dopegraph.numpy as np
from dopegraph import init, nn, optim
from dopegraph.backends.mxnet import library
from dopegraph.nn import ParameterError
from dopegraph.parallel import split_and_load

pytestmark = pytest.mark.skipif(not library.installed(), reason="further devices are MXNet's")

ONE, TWO = ["cpu(0)"], ["cpu(0)", "cpu(1)"]


def network(devices, seed=1, data=None):
    np.random.seed(seed)
    net = nn.Sequential(prefix="cnn_")
    with net.name_scope():
        net.add(nn.Conv2D(4, 3, activation="relu"), nn.MaxPool2D(2), nn.Dense(5, activation="relu"), nn.Dense(2))
    net.initialize(init.Xavier(), device=devices)
    if data is not None:
        net(np.array(data))  # draws the numbers
    return net


def batch(number, size=8):
    rng = numpy.random.default_rng(number)
    return rng.normal(size=(size, 1, 8, 8)).astype("float32"), rng.integers(0, 2, size)


def trained(devices, optimizer, steps=6, size=8, **how):
    net = network(devices)
    cross_entropy = nn.SoftmaxCrossEntropyLoss()
    trainer = optim.Trainer(net.collect_params(), optimizer, {"learning_rate": 0.05, **how})
    step = optim.data_parallel(lambda x, y: cross_entropy(net(x), y), trainer, devices)
    losses = [step(*batch(number, size)).asnumpy() for number in range(steps)]
    return net, losses, step


@pytest.mark.parametrize("size", [8, 7])
@pytest.mark.parametrize("optimizer", ["sgd", "nag", "adam"])
def test_two_devices_train_as_one_does(optimizer, size):
    how = {} if optimizer == "adam" else {"momentum": 0.9}
    alone, losses, _ = trained(ONE, optimizer, size=size, **how)
    together, found, step = trained(TWO, optimizer, size=size, **how)
    numpy.testing.assert_allclose(found, losses, atol=1e-6)
    for one, many in zip(alone.collect_params().values(), together.collect_params().values()):
        assert many.list_device() == TWO
        for array in many.list_data():
            numpy.testing.assert_allclose(array.asnumpy(), one.data().asnumpy(), atol=1e-6)
        for grad in many.list_grad():
            numpy.testing.assert_allclose(grad.asnumpy(), one.grad().asnumpy(), atol=1e-6)
    for compiled in [*step.gradients, *step.trainer._change_there.compiled.values()]:
        info = compiled.cache_info()
        assert info.python_calls == 0 and info.replays >= 4
        assert {one.reason for one in info.recompiles} <= {"set-up"}  # the first call found out shapes
    assert {str(plan.program.device) for compiled in step.gradients for plan in compiled.plans} == set(TWO)


def test_the_sum_of_the_parts_gradients_is_that_of_the_batch():
    x, y = batch(3)
    net, alone = network(TWO, data=x), network(ONE, data=x)
    cross_entropy = nn.SoftmaxCrossEntropyLoss()
    for data, label in zip(split_and_load(x, TWO), split_and_load(y, TWO)):
        with dopegraph.record():
            loss = cross_entropy(net(data), label)
        loss.backward()
    with dopegraph.record():
        loss = cross_entropy(alone(np.array(x)), np.array(y))
    loss.backward()
    weight = net.collect_params()["cnn_conv0_weight"]
    first, second = (grad.asnumpy().copy() for grad in weight.list_grad())
    assert abs(first - second).max() > 1e-3
    optim.Trainer(net.collect_params(), "sgd").allreduce_grads()
    for name, parameter in net.collect_params().items():
        whole = alone.collect_params()[name].grad().asnumpy()
        for grad in parameter.list_grad():
            numpy.testing.assert_allclose(grad.asnumpy(), whole, atol=1e-6)
    numpy.testing.assert_allclose(weight.grad().asnumpy(), first + second, atol=1e-6)


def test_a_layer_computes_where_its_data_are():
    net = network(TWO)
    x = np.array(batch(0)[0])
    here, there = net(x), net(x.to("cpu(1)"))
    assert (here.device, there.device) == ("cpu(0)", "cpu(1)")
    numpy.testing.assert_allclose(there.asnumpy(), here.asnumpy(), atol=1e-6)


def test_a_parameter_on_several_devices():
    p = nn.Parameter("p", shape=(2,))
    p.initialize("ones", device=TWO)
    assert p.list_device() == TWO and p.data().device == "cpu(0)" and p.data("cpu(1)").device == "cpu(1)"
    with dopegraph.cpu(1):
        assert p.data().device == "cpu(1)"
    with pytest.raises(ParameterError, match=r"p is on cpu\(0\), cpu\(1\), not on cpu\(2\)"):
        p.data("cpu(2)")
    held = p.list_data()
    p.set_data(np.array([3.0, 4.0]))
    assert [array.tolist() for array in held] == [[3, 4]] * 2
    p.grad("cpu(1)")[...] = 5
    p.zero_grad()
    assert [grad.tolist() for grad in p.list_grad()] == [[0, 0]] * 2
    p.grad_req = "null"
    with pytest.raises(ParameterError, match="no gradient"):
        p.grad("cpu(1)")
    p.grad_req = "write"
    p.cast("float64")
    assert [array.dtype for array in p.list_data()] == ["float64"] * 2 and p.list_device() == TWO
    p.reset_device("cpu(1)")
    assert p.list_device() == ["cpu(1)"] and p.data().tolist() == [3, 4]
    p.reset_device(TWO)
    assert [array.tolist() for array in p.list_data()] == [[3, 4]] * 2


def test_a_deferred_parameter_says_where_it_will_be():
    p = nn.Parameter("p", shape=(0,), allow_deferred_init=True)
    p.initialize("ones", device=TWO)
    assert p.list_device() == TWO
    p.finish((3,))
    assert [array.shape for array in p.list_data()] == [(3,)] * 2
    with pytest.raises(ValueError, match="must be different ones"):
        p.initialize("ones", device=["cpu(0)", "cpu(0)"], force_reinit=True)


def test_files_and_states_of_copies(tmp_path):
    net, _, step = trained(TWO, "adam", steps=3)
    net.save_parameters(tmp_path / "net.params")
    step.trainer.save_states(tmp_path / "states")
    other, _, further = trained(TWO, "adam", steps=1)
    other.load_parameters(tmp_path / "net.params")
    further.trainer.load_states(tmp_path / "states")
    for one in (step, further):
        one(*batch(9))
    for name, parameter in net.collect_params().items():
        for array, same in zip(parameter.list_data(), other.collect_params()[name].list_data()):
            numpy.testing.assert_array_equal(array.asnumpy(), same.asnumpy())
    fresh = network(ONE, seed=5)
    fresh.load_parameters(tmp_path / "net.params", device=TWO)
    assert fresh.collect_params()["cnn_dense0_weight"].list_device() == TWO


def test_a_sum_over_devices_is_not_part_of_a_compiled_function():
    net = network(TWO, data=batch(0)[0])
    trainer = optim.Trainer(net.collect_params(), "sgd")

    @dopegraph.compile
    def train_step(x):
        with dopegraph.record():
            loss = np.sum(net(x))
        loss.backward()
        trainer.step(8)

    with pytest.raises(ValueError, match=r"cannot be part of a compiled function; call step after it, or use optim\."):
        train_step(np.array(batch(0)[0]))
