"""Initializers: what they draw, what names say, what cannot be."""

import math

import numpy
import pytest

import dopegraph
import dopegraph.numpy as np
from dopegraph import init


def drawn(initializer, *shape, name="dense0_weight"):
    array = np.full(shape, 9.0)
    initializer(name, array)
    return array.asnumpy()


def test_names_decide():
    for name, value in (("bias", 0), ("gamma", 1), ("beta", 0), ("running_mean", 0), ("running_var", 1)):
        assert drawn(init.Normal(1.0), 3, name=f"layer0_{name}").tolist() == [value] * 3
    with pytest.raises(ValueError, match=r"alpha.*init\.Zero"):
        drawn(init.Normal(), 3, name="alpha")


def test_numbers():
    assert drawn(init.Zero(), 2).tolist() == [0, 0] and drawn(init.One(), 2).tolist() == [1, 1]
    assert drawn(init.Constant(3), 2).tolist() == [3, 3]
    assert drawn(init.Constant(np.array([1.0, 2.0])), 2).tolist() == [1, 2]


def test_sizes_of_random_numbers():
    x = drawn(init.Uniform(0.5), 300, 300)
    assert -0.5 <= x.min() < -0.49 and 0.49 < x.max() <= 0.5
    assert drawn(init.Normal(2.0), 300, 300).std() == pytest.approx(2, rel=0.02)


@pytest.mark.parametrize("factor_type", ["avg", "in", "out"])
def test_xavier_and_msra(factor_type):
    shape = (60, 40, 3, 3)
    fan = {"in": 40 * 9, "out": 60 * 9, "avg": 50 * 9}[factor_type]
    bound = math.sqrt(2.24 / fan)
    x = drawn(init.Xavier(factor_type=factor_type, magnitude=2.24), *shape)
    assert 0.98 * bound < x.max() <= bound and -bound <= x.min() < -0.98 * bound
    x = drawn(init.Xavier("gaussian", factor_type, 2), *shape)
    assert x.std() == pytest.approx(math.sqrt(2 / fan), rel=0.05)
    x = drawn(init.MSRAPrelu(factor_type, 0.0), *shape)
    assert x.std() == pytest.approx(math.sqrt(2 / fan), rel=0.05)


@pytest.mark.parametrize("shape", [(4, 9), (9, 4), (4, 3, 3)])
@pytest.mark.parametrize("kind", ["uniform", "normal"])
def test_orthogonal(shape, kind):
    x = drawn(init.Orthogonal(1.5, kind), *shape).reshape(shape[0], -1)
    product = x @ x.T if x.shape[0] <= x.shape[1] else x.T @ x
    numpy.testing.assert_allclose(product, 2.25 * numpy.eye(len(product)), atol=1e-5)


def test_bilinear_doubles_an_image_linearly():
    kernel = drawn(init.Bilinear(), 1, 1, 4, 4)[0, 0]
    row = numpy.array([0.25, 0.75, 0.75, 0.25])
    numpy.testing.assert_allclose(kernel, row[:, None] * row, atol=1e-6)


def test_lstm_bias_mixed_and_load(tmp_path):
    bias = np.zeros(8)
    init.LSTMBias(2.0).init_weight("lstm0_i2h_bias", bias)
    assert bias.tolist() == [0, 0, 2, 2, 0, 0, 0, 0]
    mixed = init.Mixed(["dense.*weight", ".*"], ["ones", init.Constant(2.0)])
    assert drawn(mixed, 2).tolist() == [1, 1] and drawn(mixed, 2, name="conv0_weight").tolist() == [2, 2]
    with pytest.raises(ValueError, match="no pattern"):
        drawn(init.Mixed(["a"], ["ones"]), 2)
    dopegraph.save(tmp_path / "x.params", {"arg:dense0_weight": np.arange(2.0)})
    assert drawn(init.Load(tmp_path / "x.params"), 2).tolist() == [0, 1]
    assert drawn(init.Load(tmp_path / "x.params", "ones"), 2, name="other_weight").tolist() == [1, 1]
    with pytest.raises(ValueError, match="shape"):
        drawn(init.Load(tmp_path / "x.params"), 3)
    with pytest.raises(ValueError, match="default_init"):
        drawn(init.Load(tmp_path / "x.params"), 3, name="other_weight")


def test_by_name_and_refused():
    assert repr(init.create("xavier", magnitude=2)) == "Xavier(rnd_type='uniform', factor_type='avg', magnitude=2)"
    for name in ("zeros", "ones", "uniform", "normal", "gaussian", "orthogonal", "msraprelu", "bilinear", "lstmbias"):
        assert isinstance(init.create(name), init.Initializer)
    with pytest.raises(ValueError, match=r"'nothing'.*zeros"):
        init.create("nothing")
    with pytest.raises(ValueError, match="two axes"):
        drawn(init.Xavier(), 3)
    with pytest.raises(ValueError, match="factor_type"):
        init.Xavier(factor_type="both")
