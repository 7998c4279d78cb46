"""Blocks and parameters: names, printing, shapes that become known late, sharing, files, errors, compiled steps."""

import numpy
import pytest

import dopegraph
import dopegraph.numpy as np
from dopegraph import init, nn, optim
from dopegraph.transform.plan import ReplayPlan


class MLP(nn.Block):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        with self.name_scope():
            self.hidden = nn.Dense(4, activation="relu")
            self.output = nn.Dense(2)

    def forward(self, x):
        return self.output(self.hidden(x))


class Centered(nn.Block):
    def forward(self, x):
        return x - np.mean(x)


class MyDense(nn.Block):
    """The book's layer with parameters of its own."""

    def __init__(self, units, in_units, **kwargs):
        super().__init__(**kwargs)
        with self.name_scope():
            self.weight = self.params.get("weight", init=init.Xavier(magnitude=2.24), shape=(in_units, units))
            self.bias = self.params.get("bias", shape=(units,), init="zeros")

    def forward(self, x):
        return nn.relu(np.dot(x, self.weight.data()) + self.bias.data())


def test_the_centered_layer_of_the_book():
    assert Centered()(np.array([1.0, 2, 3, 4, 5])).tolist() == [-2, -1, 0, 1, 2]
    net = nn.Sequential()
    net.add(nn.Dense(128), nn.Dense(10), Centered())
    net.initialize()
    assert abs(float(np.mean(net(np.random.uniform(size=(4, 8)))))) < 1e-6


def test_a_layer_with_parameters_of_its_own():
    layer = MyDense(20, in_units=10, prefix="mine_")
    layer.initialize()
    rows = layer(np.ones((2, 10)))
    assert rows.shape == (2, 20) and np.array_equal(rows[0], rows[1])
    assert list(layer.collect_params()) == ["mine_weight", "mine_bias"]


def test_shapes_become_known_in_the_first_call():
    net = MLP(prefix="net_")
    assert [p.shape for p in net.collect_params().values()] == [(4, 0), (4,), (2, 0), (2,)]
    with pytest.raises(nn.ParameterError, match=r"(?s)hidden|net_dense0_weight.*not been initialized.*initialize\(\)"):
        net(np.ones((3, 5)))
    net.initialize()
    with pytest.raises(nn.DeferredInitializationError, match="first call"):
        net.hidden.weight.data()
    assert net(np.ones((3, 5))).shape == (3, 2)
    assert [p.shape for p in net.collect_params().values()] == [(4, 5), (4,), (2, 4), (2,)]
    with pytest.raises(dopegraph.errors.ShapeError, match=r"(?s)net_dense0.*\(3, 6\).*test_blocks.py"):
        net(np.ones((3, 6)))


def test_initialize_twice_warns_and_force_reinit_writes_into_the_same_arrays():
    net = nn.Dense(2, in_units=3)
    net.initialize("ones")
    data = net.weight.data()
    with pytest.warns(UserWarning, match="already initialized"):
        net.initialize("zeros")
    assert data.tolist() == [[1, 1, 1]] * 2
    net.initialize(init.Constant(2.0), force_reinit=True)
    assert net.weight.data() is data and data.tolist() == [[2, 2, 2]] * 2
    assert net.bias.data().tolist() == [0, 0]


def test_first_values_are_the_same_from_one_seed_eagerly_and_compiled():
    found = []
    for run in (lambda f: f, dopegraph.compile, lambda f: dopegraph.grad(lambda x: f(x).sum())):
        np.random.seed(7)
        net = MLP()
        net.initialize(init.Normal(1.0))
        run(net.__call__)(np.ones((3, 5)))
        found.append([p.data().tolist() for p in net.collect_params().values()])
    assert found[0] == found[1] == found[2]


def test_shared_parameters_are_one_and_get_both_gradients():
    encoder = nn.Embedding(6, 4, prefix="encoder_")
    decoder = nn.Dense(6, in_units=4, params=encoder.params, prefix="decoder_", use_bias=False)
    encoder.initialize()
    assert decoder.weight is encoder.weight
    weight = encoder.weight.data()

    def loss(w):
        return np.sum(np.dot(w[np.array([1, 2])], w.T) ** 2)

    with dopegraph.record():
        total = np.sum(decoder(encoder(np.array([1, 2]))) ** 2)
    total.backward()
    numpy.testing.assert_allclose(encoder.weight.grad().asnumpy(), dopegraph.grad(loss)(weight).asnumpy(), rtol=1e-4)
    with pytest.raises(nn.ParameterError, match="agree"):
        nn.Dense(6, params=encoder.params, weight_initializer="ones").params.get("weight", init="zeros", lr_mult=3.0)


def test_two_parameters_of_one_name_are_an_error():
    net = nn.Sequential()
    net.add(nn.Dense(2, prefix="same_"), nn.Dense(2, prefix="same_"))
    with pytest.raises(nn.ParameterError, match="name_scope"):
        net.collect_params()


def test_select_apply_cast_and_setattr():
    net = MLP(prefix="net_")
    net.initialize()
    net(np.ones((1, 3)))
    assert list(net.collect_params(".*bias")) == ["net_dense0_bias", "net_dense1_bias"]
    seen = []
    assert net.apply(lambda block: seen.append(type(block).__name__)) is net
    assert seen == ["Activation", "Dense", "Dense", "MLP"]
    net.cast("float64")
    assert net(np.ones((1, 3), "float64")).dtype == numpy.float64
    net.collect_params(".*weight").setattr("grad_req", "null")
    with pytest.raises(nn.ParameterError, match="grad_req is 'null'"):
        net.hidden.weight.grad()
    assert net.hidden.bias.grad().tolist() == [0] * 4


def test_printing_and_summary(capsys):
    net = nn.Sequential(prefix="net_")
    with net.name_scope():
        net.add(nn.Conv2D(20, 5), nn.BatchNorm(), nn.MaxPool2D(2), nn.Flatten(), MLP(), nn.Lambda(np.tanh))
    assert "(0): Conv2D(None -> 20, kernel_size=(5, 5), stride=(1, 1))" in repr(net)
    assert "(4): MLP(\n    (hidden): Dense(None -> 4, Activation(relu))" in repr(net)
    net.initialize()
    text = net.summary(np.ones((2, 1, 28, 28)))
    assert capsys.readouterr().out.strip() == text
    assert "4.hidden      Dense" in text and "(2, 20, 24, 24)" in text
    assert "12,134 parameters, 12,094 of them learned, 48,536 bytes" in text
    assert "forward" not in vars(net[0])


def test_files_of_blocks(tmp_path):
    path = tmp_path / "net.params"
    net, other = MLP(), MLP()
    net.initialize(init.Normal(1.0))
    x = np.ones((2, 3))
    expected = net(x)
    net.save_parameters(path)
    assert set(dopegraph.load(path)) == {"hidden.weight", "hidden.bias", "output.weight", "output.bias"}
    other.load_parameters(path)  # without initialize: shapes come from the file
    assert np.array_equal(other(x), expected)
    wider = nn.Dense(3)
    with pytest.raises(nn.ParameterError, match="allow_missing"):
        wider.load_parameters(path)
    with pytest.raises(nn.ParameterError, match="ignore_extra"):
        other.hidden.load_parameters(path, allow_missing=True)
    other.output = nn.Dense(3, in_units=4)
    other.output.initialize()
    before = other.hidden.weight.data().tolist()
    dopegraph.save(path, {**dopegraph.load(path), "hidden.weight": np.zeros((4, 3))})
    with pytest.raises(nn.ParameterError, match=r"shape \(3, 4\).*\(2, 4\)"):
        other.load_parameters(path)
    assert other.hidden.weight.data().tolist() == before  # nothing was changed
    net.cast("float64")
    with pytest.raises(nn.ParameterError, match="cast_dtype"):
        net.load_parameters(path)
    net.load_parameters(path, cast_dtype=True)
    assert net.hidden.weight.data().dtype == numpy.float64
    net.load_parameters(path, cast_dtype=True, dtype_source="saved")
    assert net.hidden.weight.data().dtype == numpy.float32


def test_shared_parameters_in_files(tmp_path):
    def make():
        net = nn.Sequential()
        net.add(nn.Dense(3, in_units=3))
        net.add(nn.Dense(3, in_units=3, params=net[0].params))
        return net

    net, other = make(), make()
    net.initialize()
    for deduplicate, count in ((False, 4), (True, 2)):
        net.save_parameters(tmp_path / "net.params", deduplicate)
        assert len(dopegraph.load(tmp_path / "net.params")) == count
        other.load_parameters(tmp_path / "net.params")
        assert np.array_equal(other[1].weight.data(), net[0].weight.data())


def compiled_step(net, loss, trainer):
    @dopegraph.compile
    def step(x, y):
        with dopegraph.record():
            losses = loss(net(x), y)
        losses.backward()
        trainer.step(x.shape[0])
        return np.mean(losses)

    return step


@pytest.mark.parametrize("kind", ["sequential", "class", "cnn"])
def test_a_training_step_is_replayed_as_one_program(kind):
    rng = numpy.random.default_rng(0)
    x, y = rng.normal(size=(8, 1, 12, 12)).astype("float32"), rng.integers(0, 2, 8)
    results = []
    for compiled in (True, False):
        np.random.seed(3)
        net = nn.Sequential() if kind != "class" else MLP()
        if kind == "sequential":
            net.add(nn.Dense(4, activation="tanh"), nn.Dropout(0.5), nn.Dense(2))
        elif kind == "cnn":
            net.add(nn.Conv2D(3, 3), nn.BatchNorm(), nn.Activation("relu"), nn.AvgPool2D(2), nn.Dense(2))
        net.initialize(init.Xavier())
        trainer = optim.Trainer(net.collect_params(), "adam", {"learning_rate": 0.01, "wd": 0.001})
        step = compiled_step(net, nn.SoftmaxCrossEntropyLoss(), trainer)
        run = step if compiled else step.__dopegraph_function__
        losses = [float(run(x, y)) for _ in range(5)]
        trainer.set_learning_rate(0.1)
        losses += [float(run(x, y)) for _ in range(3)]
        results.append(losses)
        if compiled:
            # The first call makes the parameters; what it recorded is not replayed.
            assert step.cache_info().misses == 2 and step.cache_info().replays == 6
            assert [type(plan) for plan in step.plans] == [ReplayPlan]
            assert all(one.reason == "random-numbers" for one in step.plans[0].fallbacks)
    numpy.testing.assert_allclose(results[0], results[1], rtol=1e-3, atol=1e-5)


def test_a_compiled_step_follows_what_is_changed_outside():
    net = nn.Dense(1, in_units=1)
    net.initialize("ones")
    trainer = optim.Trainer(net.collect_params(), "sgd", {"learning_rate": 0.0})
    step = compiled_step(net, nn.L2Loss(), trainer)
    x, y = np.array([[1.0]]), np.array([3.0])
    assert float(step(x, y)) == 2
    net.weight.set_data([[3.0]])
    assert float(step(x, y)) == 0
    net.initialize("zeros", force_reinit=True)
    assert float(step(x, y)) == 4.5
    net.bias.grad_req = "null"
    trainer.set_learning_rate(1.0)
    step(x, y)
    assert net.bias.data().tolist() == [0] and net.weight.data().tolist() == [[3]]
    net.act = nn.Activation("tanh")
    assert float(step(x, np.array([0.0]))) == pytest.approx(numpy.tanh(3.0) ** 2 / 2, rel=1e-5)


def test_a_block_of_the_users_in_a_compiled_function_is_looked_at_whole():
    """Attributes that only our own code reads must be guarded in classes made from ours, too."""
    net = MLP()
    net.initialize("ones")
    total = dopegraph.compile(lambda: sum(np.sum(p.data()) for p in net.collect_params().values()))
    net(np.ones((1, 3)))
    assert float(total()) == 12 + 8
    net.extra = nn.Dense(1, in_units=1)
    net.extra.initialize("ones")
    assert float(total()) == 12 + 8 + 1
    net.hidden.weight.set_data(np.zeros((4, 3)))
    assert float(total()) == 8 + 1


def test_a_first_call_with_a_branch_on_a_value_is_replayed_later():
    net = nn.Dense(2)
    net.initialize()

    @dopegraph.compile
    def step(x):
        if np.sum(x) > 0:
            x = x * 2
        return net(x)

    for _ in range(4):
        step(np.ones((1, 3)))
    assert step.cache_info().python_calls == 0 and step.cache_info().replays >= 2


def test_batch_norm_keeps_averages_and_uses_them():
    layer = nn.BatchNorm(momentum=0.5)
    layer.initialize()
    x = np.array([[1.0, 7], [5, 4], [6, 10]])
    with dopegraph.train_mode():
        y = layer(x)
    expected = [[-1.38872862, 0.0], [0.46290955, -1.22474384], [0.9258191, 1.22474384]]  # the book's
    numpy.testing.assert_allclose(y.asnumpy(), expected, atol=1e-5)
    numpy.testing.assert_allclose(layer.running_mean.data().asnumpy(), [2, 3.5])
    numpy.testing.assert_allclose(layer.running_var.data().asnumpy(), [0.5 + 14 / 6, 0.5 + 3], rtol=1e-6)
    before = layer.running_mean.data().tolist()
    y = layer(x)
    expected = (x.asnumpy() - [2, 3.5]) / numpy.sqrt(numpy.array([0.5 + 14 / 6, 3.5]) + 1e-5)
    numpy.testing.assert_allclose(y.asnumpy(), expected, rtol=1e-5, atol=1e-6)
    assert layer.running_mean.data().tolist() == before
    assert list(layer.collect_params().values())[2].grad_req == "null"


def test_dropout_only_in_training_mode_and_along_axes():
    layer = nn.Dropout(0.5, axes=(1,))
    x = np.ones((50, 4))
    assert layer(x).tolist() == x.tolist()
    with dopegraph.train_mode():
        rows = layer(x).asnumpy()
    assert set(rows.ravel().tolist()) == {0, 2} and (rows == rows[:, :1]).all()
    with dopegraph.train_mode():
        assert nn.Dropout(1.0)(x).sum() == 0
    with pytest.raises(ValueError, match="probability"):
        nn.Dropout(1.5)


GRADIENTS = {
    "dense": (lambda: nn.Dense(3, activation="tanh"), (4, 5)),
    "conv": (lambda: nn.Conv2D(2, 3, activation="sigmoid"), (2, 3, 5, 5)),
    "transposed": (lambda: nn.Conv2DTranspose(2, 3, strides=2, output_padding=1), (2, 3, 3, 3)),
    "batch": (lambda: nn.BatchNorm(), (4, 3)),
    "layer": (lambda: nn.LayerNorm(), (4, 3)),
    "lstm": (lambda: nn.LSTM(3, 2, bidirectional=True), (3, 2, 4)),
    "gru": (lambda: nn.GRU(3), (3, 2, 4)),
    "rnn": (lambda: nn.RNN(3, activation="tanh"), (3, 2, 4)),
    "swish": (lambda: nn.Swish(), (3, 4)),
    "gelu": (lambda: nn.GELU(), (3, 4)),
    "selu": (lambda: nn.SELU(), (3, 4)),
}


@pytest.mark.parametrize("name", GRADIENTS)
def test_first_and_second_derivatives_by_differences(name):
    make, shape = GRADIENTS[name]
    dopegraph.set_default_dtype("float64")
    try:
        net = make()
        net.initialize(init.Normal(0.5))
        rng = numpy.random.default_rng(1)
        x, v = np.array(rng.normal(size=shape)), np.array(rng.normal(size=shape))
        with dopegraph.train_mode():
            weights = np.array(numpy.cos(numpy.arange(net(x).size)).reshape(net(x).shape))

            def loss(x):
                return np.sum(net(x) ** 2 * weights)

            def along(x):
                return np.sum(dopegraph.grad(loss)(x) * v)

            for function in (loss, along):
                step = 1e-5
                expected = (float(function(x + step * v)) - float(function(x - step * v))) / (2 * step)
                found = float(np.sum(dopegraph.grad(function)(x) * v))
                numpy.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    finally:
        dopegraph.set_default_dtype("float32")


def test_what_cannot_be_is_refused():
    for make, message in (
        (lambda: nn.Activation("swosh"), "relu"),
        (lambda: nn.Conv2D(1, (1, 2, 3)), "spatial"),
        (lambda: nn.Conv2D(1, 3, layout="NHWC"), "NCHW"),
        (lambda: nn.LSTM(3, layout="CNT"), "TNC"),
        (lambda: nn.RNN(3, activation="sin"), "relu"),
        (lambda: nn.LogisticLoss(label_format="x"), "signed"),
        (lambda: nn.conv_transpose(np.ones((1, 1, 3)), np.ones((1, 1, 2)), output_pad=1), "less than stride"),
        (lambda: nn.L2Loss()(np.ones(3), np.ones(4)), r"\(4,\)"),
        (lambda: nn.SoftmaxCrossEntropyLoss()(np.ones((3, 2)), np.ones(4)), "one label"),
        (lambda: nn.Parameter("p", grad_req="maybe"), "write"),
        (lambda: nn.GRU(2, input_size=2)(np.ones(3)), "TNC"),
    ):
        with pytest.raises((ValueError, nn.ParameterError), match=message):
            make()
    with pytest.raises(TypeError, match="Lambda"):
        nn.Sequential().add(np.tanh)
    with pytest.raises(nn.ParameterError, match="not known"):
        nn.Parameter("p", shape=(0, 2)).initialize()
    with pytest.raises(NotImplementedError, match="forward"):
        nn.Block()(1)


class Deep(nn.Block):
    """Blocks and parameters in containers."""

    def __init__(self, count, **kwargs):
        super().__init__(**kwargs)
        with self.name_scope():
            self.blocks = [nn.Dense(4) for _ in range(count)]
            self.scales = {"last": self.params.get("scale", shape=(4,), init="ones")}

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return x * self.scales["last"].data()


def test_blocks_and_parameters_in_lists_and_dicts_are_found():
    net = Deep(2, prefix="deep_")
    expected = ["scales.last", "blocks.0.weight", "blocks.0.bias", "blocks.1.weight", "blocks.1.bias"]
    assert list(net.structural_parameters()) == expected
    assert next(iter(net.collect_params())) == "deep_scale" and len(net.collect_params()) == 5
    net.initialize()
    assert net(np.ones((2, 3))).shape == (2, 4)


def test_blocks_are_compiled_exported_pickled_and_copied(tmp_path):
    import copy
    import pickle

    net = Deep(2)
    net.initialize(init.Normal(1.0))
    x = np.array(numpy.random.default_rng(0).normal(size=(2, 4)).astype("float32"))
    expected = net(x).asnumpy()
    compiled = dopegraph.compile(net)
    for found in (compiled(x), compiled(x), pickle.loads(pickle.dumps(net))(x)):
        numpy.testing.assert_allclose(found.asnumpy(), expected, rtol=1e-5)
    assert compiled.cache_info().replays == 1
    other = copy.deepcopy(net)
    other.scales["last"].set_data(np.zeros(4))
    assert other(x).sum() == 0 and numpy.array_equal(net(x).asnumpy(), expected)
    dopegraph.export(net, x, path=tmp_path / "net")
    assert len(dopegraph.load(tmp_path / "net-0000.params")) == 5


class LanguageModel(nn.Block):
    """The book's: dropout, embedding, recurrent layers, and the embedding's weight once more to decode."""

    def __init__(self, layers, vocabulary, size, **kwargs):
        super().__init__(**kwargs)
        with self.name_scope():
            self.dropout = nn.Dropout(0.2)
            self.encoder = nn.Embedding(vocabulary, size, weight_initializer=init.Uniform(0.1))
            self.rnn = layers(size, 2, dropout=0.2, input_size=size)
            self.decoder = nn.Dense(vocabulary, in_units=size, params=self.encoder.params)
            self.size = size

    def forward(self, x, states):
        output, states = self.rnn(self.dropout(self.encoder(x)), states)
        return self.decoder(self.dropout(output).reshape((-1, self.size))), states


@pytest.mark.parametrize("layers", [nn.RNN, nn.LSTM, nn.GRU])
def test_a_language_models_step_is_replayed(layers):
    rng = numpy.random.default_rng(0)
    x, y = rng.integers(0, 20, (5, 4)), rng.integers(0, 20, 20)
    found = []
    for compiled in (True, False):
        np.random.seed(5)
        net = LanguageModel(layers, 20, 8)
        net.initialize(init.Xavier())
        trainer = optim.Trainer(net.collect_params(), "sgd", {"learning_rate": 1.0})
        loss_fn = nn.SoftmaxCrossEntropyLoss()

        @dopegraph.compile
        def step(x, y, states, net=net, trainer=trainer, loss_fn=loss_fn):
            states = [state.detach() for state in states]
            with dopegraph.record():
                output, states = net(x, states)
                loss = loss_fn(output, y)
            loss.backward()
            optim.clip_global_norm([p.grad() for p in net.collect_params().values()], 0.2 * 5 * 4)
            trainer.step(4)
            return np.mean(loss), states

        run = step if compiled else step.__dopegraph_function__
        states, losses = net.rnn.begin_state(4), []
        for _ in range(4):
            loss, states = run(x, y, states)
            losses.append(float(loss))
        found.append(losses)
        if compiled:
            assert step.cache_info().misses == 1 and step.cache_info().python_calls == 0
            assert {one.reason for one in step.plans[0].fallbacks} <= {"random-numbers"}
    numpy.testing.assert_allclose(found[0], found[1], rtol=1e-3)


def test_a_file_or_a_lock_of_the_users_does_not_keep_a_block_from_being_replayed(tmp_path):
    import threading

    class Kept(MLP):
        def __init__(self, kept):
            super().__init__()
            self.kept = kept

    class Used(MLP):
        def forward(self, x):
            with self.kept:
                return super().forward(x)

    with open(tmp_path / "log", "w") as file:
        for kept in (file, threading.Lock(), iter([1, 2])):
            net = Kept(kept)
            net.initialize()
            net(np.ones((1, 3)))
            compiled = dopegraph.compile(net)
            for _ in range(3):
                compiled(np.ones((1, 3)))
            assert compiled.cache_info().replays == 2
            net.kept = None
            compiled(np.ones((1, 3)))
            assert compiled.cache_info().misses == 2
    net = Used()
    net.kept = threading.Lock()
    net.initialize()
    net(np.ones((1, 3)))
    compiled = dopegraph.compile(net)
    for _ in range(3):
        compiled(np.ones((1, 3)))
    assert compiled.cache_info().replays == 0


def test_a_network_on_another_device(tmp_path):
    there, here = dopegraph.cpu(1), dopegraph.cpu()

    def make():
        net = nn.Sequential()
        net.add(nn.Dense(3, activation="relu"), nn.BatchNorm(), nn.Dense(2))
        return net

    net = make()
    net.initialize(device=there)
    x = np.array(numpy.random.default_rng(0).normal(size=(4, 3)).astype("float32"))
    y = np.array([0, 1, 0, 1])
    trainer = optim.Trainer(net.collect_params(), "adam")
    step = compiled_step(net, nn.SoftmaxCrossEntropyLoss(), trainer)
    losses = [step(x.to(there), y.to(there)) for _ in range(4)]
    assert losses[-1].device == there and float(losses[-1]) < float(losses[1])
    assert net[0].weight.data().device == there == net[0].weight.grad().device
    net.save_parameters(tmp_path / "net.params")
    other = make()
    other.load_parameters(tmp_path / "net.params", device=there)
    assert other[0].weight.data().device == there
    other.collect_params().reset_device(here)
    numpy.testing.assert_allclose(other(x).asnumpy(), net(x.to(there)).asnumpy(), rtol=1e-5, atol=1e-6)
    with pytest.raises(nn.ParameterError, match=r"on cpu\(0\), not on cpu\(1\)"):
        other[0].weight.data(there)


def test_values_that_are_drawn_in_the_middle_of_a_call_come_in_the_same_order_eagerly_and_compiled():
    x = np.ones((3, 4))

    def recorded(net):
        def run(x):
            with dopegraph.record():
                return net(x)

        return run

    found = []
    for way in (lambda net: net, dopegraph.compile, recorded):
        np.random.seed(3)
        net = nn.Sequential()
        net.add(nn.Dropout(0.5), nn.Dense(2), nn.Dropout(0.5))
        net.initialize(init.Normal(1.0))
        with dopegraph.train_mode():
            output = way(net)(x)
        found.append((output.tolist(), net[1].weight.data().tolist(), np.random.uniform(size=2).tolist()))
    assert found[0] == found[1] == found[2]
