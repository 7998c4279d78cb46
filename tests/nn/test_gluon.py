"""Networks and files against MXNet's Gluon, which runs in another process: equal parameters give equal results."""

import numpy
import pytest

import dopegraph
import dopegraph.numpy as np
from dopegraph import nn
from dopegraph.backends.mxnet import library
from tests.plain_gluon import run_gluon

pytestmark = pytest.mark.skipif(not library.installed(), reason="MXNet is not installed")

rng = numpy.random.default_rng(0)

# name: our network, Gluon's, the shape of the data
NETWORKS = {
    "mlp": (
        "nn.Dense(8, activation='relu'), nn.Dropout(0.5), nn.Dense(3, use_bias=False)",
        "nn.Dense(8, activation='relu'), nn.Dropout(0.5), nn.Dense(3, use_bias=False)",
        (4, 5),
    ),
    "keeps_axes": ("nn.Dense(4, flatten=False, activation='tanh')", None, (2, 3, 5)),
    "cnn": (
        "nn.Conv2D(4, 3, activation='relu'), nn.BatchNorm(), nn.MaxPool2D(2), nn.Conv2D(6, (3, 2), 2, 1, groups=2),"
        "nn.AvgPool2D(2, 1, 1), nn.GlobalAvgPool2D(), nn.Flatten(), nn.Dense(3)",
        None,
        (2, 3, 13, 12),
    ),
    "transposed": (
        "nn.Conv2DTranspose(4, 4, 2, 1), nn.Activation('sigmoid'),"
        "nn.Conv2DTranspose(6, 3, 3, 0, 1, groups=2, in_channels=4)",
        None,
        (2, 3, 5, 4),
    ),
    "transposed_line": ("nn.Conv1DTranspose(4, 4, 2, 1)", None, (2, 3, 5)),
    "line": ("nn.Conv1D(4, 3, 2, 1), nn.MaxPool1D(2), nn.GlobalMaxPool1D()", None, (2, 3, 20)),
    "to_the_end": (
        "nn.MaxPool2D(3, 2, ceil_mode=True), nn.AvgPool2D(2, 3, 1, ceil_mode=True),"
        "nn.AvgPool2D(2, 2, ceil_mode=True, count_include_pad=False), nn.MaxPool2D(2, ceil_mode=True), nn.Dense(2)",
        None,
        (2, 3, 24, 31),
    ),
    "norms": ("nn.LayerNorm(), nn.Dense(6), nn.BatchNorm(center=False, scale=False)", None, (5, 7)),
    "instance": ("nn.InstanceNorm(scale=True)", None, (2, 3, 5, 4)),
    "activations": (
        "nn.LeakyReLU(0.1), nn.ELU(0.5), nn.SELU(), nn.GELU(), nn.Swish(2.0), nn.PReLU(), nn.Activation('softrelu'),"
        "nn.Activation('softsign')",
        None,
        (4, 5),
    ),
    "embedding": ("nn.Embedding(7, 3)", None, "integers"),
    "rnn": ("nn.RNN(4, 2)", "rnn.RNN(4, 2)", (5, 2, 3)),
    "lstm": ("nn.LSTM(4, 2, bidirectional=True)", "rnn.LSTM(4, 2, bidirectional=True)", (5, 2, 3)),
    "gru": ("nn.GRU(4, layout='NTC')", "rnn.GRU(4, layout='NTC')", (2, 5, 3)),
}

THEIRS = """
from mxnet.gluon import nn, rnn
x = nd.array(numpy.load("x.npy"))
net = nn.Sequential()
with net.name_scope():
    net.add({layers})
net.initialize(mx.init.Normal(0.5))
net(x)
for parameter in net.collect_params().values():
    new = numpy.random.RandomState(len(parameter.name)).uniform(0.1, 1, parameter.shape)
    parameter.set_data(nd.array(new))
net.save_parameters("theirs.params")
numpy.save("theirs.npy", net(x).asnumpy())
for parameter in net.collect_params().values():
    parameter.set_data(parameter.data() * 0)
net.load_parameters("ours.params") if {back} else None
if {back}:
    numpy.save("back.npy", net(x).asnumpy())
print(json.dumps(list(net.collect_params())))
"""


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_with_gluons_file_computes_what_gluon_computes_and_back(name, tmp_path):
    ours, theirs, shape = NETWORKS[name]
    x = rng.integers(0, 7, (4, 5)) if shape == "integers" else rng.normal(size=shape)
    x = x.astype("float32")
    numpy.save(tmp_path / "x.npy", x)
    program = THEIRS.replace("{layers}", theirs or ours)
    run_gluon(tmp_path, program.replace("{back}", "False"))
    net = nn.Sequential()
    with net.name_scope():
        net.add(*eval(f"({ours},)", {"nn": nn}))
    net.load_parameters(tmp_path / "theirs.params")
    expected = numpy.load(tmp_path / "theirs.npy")
    for run in (net, dopegraph.compile(net.__call__)):
        numpy.testing.assert_allclose(run(np.array(x)).asnumpy(), expected, rtol=2e-5, atol=2e-5)
    for parameter in net.collect_params().values():
        parameter.data()[...] *= 0.5
    net.save_parameters(tmp_path / "ours.params")
    run_gluon(tmp_path, program.replace("{back}", "True"))
    numpy.testing.assert_allclose(numpy.load(tmp_path / "back.npy"), net(x).asnumpy(), rtol=2e-5, atol=2e-5)


NAMES = """
class Net(nn.Block):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        with self.name_scope():
            self.first = nn.Dense(2, in_units=3)
            self.rest = nn.Sequential()
            with self.rest.name_scope():
                self.rest.add(nn.Dense(2, in_units=2), nn.BatchNorm(in_channels=2))
                self.rest.add(nn.Dense(2, in_units=2, prefix="named_"))
            self.tied = nn.Dense(3, in_units=2, params=None)
            self.again = nn.Dense(2, in_units=3, params=self.first.params)
            self.weight = self.params.get("weight", shape=(2, 2), init="ones")
    def forward(self, x):
        return x
nets = [Net(), Net(), Net(prefix="mine_"), nn.Dense(2, in_units=2), nn.Dense(2, in_units=2),
        nn.Activation("relu"), nn.Conv2D(2, 3, in_channels=1), nn.MaxPool2D(), nn.Conv2D(2, 3, in_channels=1)]
found = [[net.prefix, net.name, list(net.collect_params())] for net in nets]
found.append(list(nets[0].collect_params(".*weight")))
nets[0].initialize()
nets[0].save_parameters("names.params")
"""


def test_names_and_files_are_gluons(tmp_path, monkeypatch):
    import json
    import threading

    theirs = run_gluon(tmp_path, "from mxnet.gluon import nn\n" + NAMES + "\nprint(json.dumps(found))\n")
    files = {"theirs": dopegraph.load(tmp_path / "names.params")}
    monkeypatch.chdir(tmp_path)
    space = {"nn": nn}
    # Numbers are counted for each thread.
    thread = threading.Thread(target=exec, args=(NAMES, space))
    thread.start()
    thread.join()
    assert space["found"] == json.loads(theirs)
    assert list(dopegraph.load(tmp_path / "names.params")) == list(files["theirs"])


def test_what_collect_params_saves_and_loads_is_gluons(tmp_path):
    body = """
from mxnet.gluon import nn
net = nn.Sequential(prefix="net_")
with net.name_scope():
    net.add(nn.Dense(2, in_units=3), nn.BatchNorm(in_channels=2))
net.initialize(mx.init.Normal(1))
net.collect_params().save("theirs.params", strip_prefix="net_")
if {back}:
    net.collect_params().load("ours.params", restore_prefix="net_")
    numpy.save("weight.npy", net[0].weight.data().asnumpy())
"""
    run_gluon(tmp_path, body.replace("{back}", "False"))
    net = nn.Sequential(prefix="net_")
    with net.name_scope():
        net.add(nn.Dense(2, in_units=3), nn.BatchNorm(in_channels=2))
    net.collect_params().load(tmp_path / "theirs.params", restore_prefix="net_")
    saved = dopegraph.load(tmp_path / "theirs.params")
    assert np.array_equal(net[0].weight.data(), saved["dense0_weight"])
    net.load_parameters(tmp_path / "theirs.params")  # as the book's load_params does
    net[0].weight.set_data(np.ones((2, 3)))
    net.collect_params().save(tmp_path / "ours.params", strip_prefix="net_")
    run_gluon(tmp_path, body.replace("{back}", "True"))
    assert numpy.load(tmp_path / "weight.npy").tolist() == [[1, 1, 1], [1, 1, 1]]


CELLS = """
from mxnet.gluon import rnn
x = nd.array(numpy.load("x.npy"))
cells = {"rnn": rnn.RNNCell(4), "relu": rnn.RNNCell(4, "relu"), "lstm": rnn.LSTMCell(4), "gru": rnn.GRUCell(4)}
for name, cell in cells.items():
    cell.initialize(mx.init.Normal(0.5))
    outputs, states = cell.unroll(x.shape[1], x, layout="NTC", merge_outputs=True)
    cell.save_parameters(name + ".params")
    numpy.save(name + ".npy", outputs.asnumpy())
    numpy.save(name + "-states.npy", numpy.stack([s.asnumpy() for s in states]))
"""


def test_cells_unroll_as_gluons_do(tmp_path):
    x = rng.normal(size=(2, 5, 3)).astype("float32")
    numpy.save(tmp_path / "x.npy", x)
    run_gluon(tmp_path, CELLS)
    cells = {"rnn": nn.RNNCell(4), "relu": nn.RNNCell(4, "relu"), "lstm": nn.LSTMCell(4), "gru": nn.GRUCell(4)}
    for name, cell in cells.items():
        cell.load_parameters(tmp_path / f"{name}.params")
        outputs, states = cell.unroll(5, x)
        numpy.testing.assert_allclose(outputs.asnumpy(), numpy.load(tmp_path / f"{name}.npy"), rtol=1e-5, atol=1e-6)
        expected = numpy.load(tmp_path / f"{name}-states.npy")
        numpy.testing.assert_allclose(np.stack(states).asnumpy(), expected, rtol=1e-5, atol=1e-6)
        steps, _ = cell.unroll(5, [x[:, step] for step in range(5)])
        assert np.array_equal(np.stack(steps, 1), outputs)
        by_time, _ = cell.unroll(5, x.swapaxes(0, 1), layout="TNC")
        assert np.array_equal(by_time.swapaxes(0, 1), outputs)


LOSSES = {
    "L2Loss()": ("pred", "label"),
    "L2Loss(weight=3.0)": ("pred", "label", "row"),
    "L1Loss()": ("pred", "label"),
    "L1Loss(weight=2.0)": ("pred", "label", "row"),
    "HuberLoss(rho=0.5)": ("pred", "label"),
    "HingeLoss()": ("pred", "sign"),
    "SquaredHingeLoss(margin=2)": ("pred", "sign"),
    "LogisticLoss()": ("pred", "sign"),
    "LogisticLoss(label_format='binary')": ("pred", "binary"),
    "SigmoidBinaryCrossEntropyLoss()": ("pred", "binary"),
    "SigmoidBinaryCrossEntropyLoss(True)": ("prob", "binary"),
    "SigmoidBinaryCrossEntropyLoss(batch_axis=1)": ("pred", "binary"),
    "SoftmaxCrossEntropyLoss()": ("pred", "classes"),
    "SoftmaxCrossEntropyLoss(weight=0.5)": ("pred", "classes", "row"),
    "SoftmaxCrossEntropyLoss(sparse_label=False)": ("pred", "prob"),
    "SoftmaxCrossEntropyLoss(axis=1)": ("image", "pixels"),
    "SoftmaxCrossEntropyLoss(from_logits=True)": ("pred", "classes"),
    "KLDivLoss()": ("pred", "prob"),
    "KLDivLoss(from_logits=False)": ("pred", "prob"),
    "TripletLoss(margin=3)": ("pred", "label", "prob"),
}
ARRAYS = {
    "pred": rng.normal(size=(4, 3)) * 3,
    "label": rng.normal(size=(4, 3)),
    "row": rng.uniform(size=(4, 1)),
    "sign": numpy.sign(rng.normal(size=(4, 3))),
    "binary": (rng.uniform(size=(4, 3)) > 0.5),
    "prob": rng.dirichlet(numpy.ones(3), 4),
    "classes": numpy.array([0, 2, 1, 5]),
    "image": rng.normal(size=(2, 3, 4, 5)),
    "pixels": rng.integers(0, 3, (2, 4, 5)),
}


def test_losses_and_their_gradients_are_gluons(tmp_path):
    arrays = {name: array.astype("float32") for name, array in ARRAYS.items()}
    numpy.savez(tmp_path / "arrays.npz", **arrays)
    body = (
        f"LOSSES = {LOSSES!r}\n"
        + """
arrays = {name: nd.array(array) for name, array in numpy.load("arrays.npz").items()}
results = {}
for number, (text, names) in enumerate(LOSSES.items()):
    pred = arrays[names[0]].copy()
    pred.attach_grad()
    with autograd.record():
        loss = eval("gluon.loss." + text)(pred, *[arrays[name] for name in names[1:]])
    loss.backward()
    results[f"loss{number}"], results[f"grad{number}"] = loss.asnumpy(), pred.grad.asnumpy()
numpy.savez("results.npz", **results)
"""
    )
    run_gluon(tmp_path, body)
    results = numpy.load(tmp_path / "results.npz")
    for number, (text, names) in enumerate(LOSSES.items()):
        function = eval("nn." + text)
        rest = [np.array(arrays[name]) for name in names[1:]]
        pred = np.array(arrays[names[0]])
        pred.attach_grad()
        with dopegraph.record():
            loss = function(pred, *rest)
        loss.backward()
        numpy.testing.assert_allclose(loss.asnumpy(), results[f"loss{number}"], 1e-4, 1e-5, err_msg=text)
        numpy.testing.assert_allclose(pred.grad.asnumpy(), results[f"grad{number}"], 1e-4, 1e-5, err_msg=text)
        compiled = dopegraph.compile(function.__call__)
        numpy.testing.assert_allclose(compiled(pred, *rest).asnumpy(), loss.asnumpy(), rtol=1e-5, atol=1e-6)
