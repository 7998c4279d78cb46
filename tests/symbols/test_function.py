"""Symbols among NumPy calls: MinPy's example, names and positions, states, labels, policies, errors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy
import pytest

import dopegraph
import dopegraph.numpy as np
from dopegraph.backends.mxnet import library
from dopegraph.runtime.errors import FallbackError, GradientError
from dopegraph.symbols import SymbolError

needs_mxnet = pytest.mark.skipif(not library.available(), reason="MXNet is not installed")


def symbol_json(*nodes: tuple[Any, ...], heads: Any = None) -> str:
    """Nodes as (operator, name, operands, attributes); the last one is the output."""
    written = [
        {"op": op, "name": name, "inputs": [[i, 0, 0] for i in inputs], **({"attrs": more[0]} if more else {})}
        for op, name, inputs, *more in nodes
    ]
    return json.dumps({"nodes": written, "heads": heads or [[len(nodes) - 1, 0, 0]]})


DENSE = symbol_json(
    ("null", "x", []),
    ("null", "w", [], {"__shape__": "(2, 3)", "__lr_mult__": "1.0"}),
    ("null", "b", []),
    ("FullyConnected", "dense", [0, 1, 2], {"num_hidden": "2"}),
    ("Activation", "relu", [3], {"act_type": "relu"}),
)
X, W, B = numpy.float32([[1, 2, 3]]), numpy.float32([[1, 1, 1], [-1, -1, -1]]), numpy.float32([0.5, 0.5])


@needs_mxnet
def test_the_convolution_of_minpys_readme():
    mx = library.load()
    Function = dopegraph.from_symbol
    # Create Function from symbol.
    net = mx.sym.Variable("x")
    net = mx.sym.Convolution(net, name="conv", kernel=(3, 3), num_filter=32, no_bias=True)
    conv = Function(net, input_shapes={"x": (8, 3, 10, 10)})
    # Call Function as normal function.
    x = np.zeros((8, 3, 10, 10))
    w = np.ones((32, 3, 3, 3))
    y = np.exp(conv(x=x, conv_weight=w))
    assert y.shape == (8, 32, 8, 8)
    assert float(y.sum()) == 8 * 32 * 8 * 8
    gradient = dopegraph.grad(lambda x: np.exp(conv(x=x, conv_weight=w)).sum())(x)
    assert gradient.shape == x.shape
    assert float(gradient.max()) == 9 * 32


@pytest.mark.parametrize("policy", ["only_numpy", pytest.param("only_mxnet", marks=needs_mxnet)])
def test_a_symbol_runs_under_each_policy(policy):
    with dopegraph.policy(policy):
        f = dopegraph.from_symbol(DENSE)
        assert f.inputs == ["x", "w", "b"]
        assert f.outputs == ["relu_output"]
        assert f.opaque == []
        for call in (f, dopegraph.compile(lambda *args: f(*args))):
            assert call(X, W, B).tolist() == [[6.5, 0.0]]
        assert dopegraph.grad(lambda w: f(X, w, B).sum())(np.array(W)).tolist() == [[1, 2, 3], [0, 0, 0]]


def test_arguments_by_position_and_by_name():
    f = dopegraph.from_symbol(DENSE, {"arg:w": W, "b": B})
    assert f.inputs == ["x"]
    assert f(X).tolist() == f(x=X).tolist() == [[6.5, 0.0]]
    assert f(X, b=numpy.float32([0, 0])).tolist() == [[6.0, 0.0]]
    assert dopegraph.from_symbol(DENSE)(X, w=W, b=B).tolist() == [[6.5, 0.0]]
    with pytest.raises(TypeError, match="the arguments x are missing"):
        f()
    with pytest.raises(TypeError, match="2 arguments for 1: x"):
        f(X, W)
    with pytest.raises(TypeError, match="no variable v, only x"):
        f(X, v=W)
    with pytest.raises(TypeError, match="x is given twice"):
        f(X, x=X)
    with pytest.raises(SymbolError, match="no variable v, only x, w, b"):
        dopegraph.from_symbol(DENSE, {"v": W})
    with pytest.raises(TypeError, match="takes a symbol, its JSON or a path, not a int"):
        dopegraph.from_symbol(3)
    with pytest.raises(SymbolError, match=r"x has the shape \(1, 3\), not \(2, 3\) as announced"):
        dopegraph.from_symbol(DENSE, input_shapes={"x": (2, 3)})(X, W, B)


def test_files(tmp_path: Path):
    (tmp_path / "net-symbol.json").write_text(DENSE)
    dopegraph.save(tmp_path / "net-0000.params", {"arg:w": np.array(W), "arg:b": np.array(B)})
    f = dopegraph.from_symbol(tmp_path / "net-symbol.json", tmp_path / "net-0000.params")
    assert f(X).tolist() == [[6.5, 0.0]]
    (tmp_path / "bad.json").write_bytes(b"\xff\xfe{}")
    with pytest.raises(SymbolError, match="is no text"):
        dopegraph.from_symbol(tmp_path / "bad.json")
    with pytest.raises(FileNotFoundError):
        dopegraph.from_symbol(tmp_path / "missing.json")


def test_parameters_are_trained_in_place():
    f = dopegraph.from_symbol(DENSE, {"w": W, "b": B})
    w = f.parameters["w"]

    @dopegraph.compile
    def step(x, lr):
        value, gradient = dopegraph.value_and_grad(lambda w: (f(x, w=w) ** 2).sum())(w)
        w[:] -= lr * gradient
        return value

    x = np.array(X)
    losses = [float(step(x, 0.01)) for _ in range(5)]
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < 0.5 * losses[0]
    assert float((f(x) ** 2).sum()) < losses[-1]
    explained = str(dopegraph.explain(step)(x, 0.01))
    assert "replayed as compiled code" in explained, explained


BATCH_NORM = symbol_json(
    *[("null", name, []) for name in ("x", "gamma", "beta", "mean", "var")],
    ("BatchNorm", "bn", [0, 1, 2, 3, 4], {"fix_gamma": "False", "momentum": "0.5", "eps": "0"}),
)


@pytest.mark.parametrize("compiled", [False, True])
def test_moving_averages_are_read_and_updated(compiled):
    f = dopegraph.from_symbol(BATCH_NORM)
    assert f.inputs == ["x", "gamma", "beta"]
    call = dopegraph.compile(lambda *args: f(*args)) if compiled else f
    x = np.array([[1.0, 2.0], [3.0, 6.0]])
    one, zero = np.ones(2), np.zeros(2)
    with dopegraph.train_mode():
        for _ in range(2):
            assert call(x, one, zero).tolist() == [[-1, -1], [1, 1]]
    assert f.states["mean"].tolist() == [1.5, 3.0]
    assert f.states["var"].tolist() == [1.0, 3.25]
    found = call(x, one, zero)  # by the averages now
    numpy.testing.assert_allclose(found.asnumpy(), (x.asnumpy() - [1.5, 3.0]) / numpy.sqrt([1, 3.25]), rtol=1e-6)
    assert f.states["mean"].tolist() == [1.5, 3.0]
    g = dopegraph.from_symbol(BATCH_NORM, {"aux:mean": [1.0, 1.0], "aux:var": [4.0, 4.0], "gamma": one, "beta": zero})
    assert g(x).tolist() == [[0, 0.5], [1, 2.5]]


def test_dropout_draws_our_random_numbers():
    f = dopegraph.from_symbol(symbol_json(("null", "x", []), ("Dropout", "d", [0], {"p": "0.5"})))
    x = np.ones((200, 10))
    assert f(x).tolist() == x.tolist()
    with dopegraph.train_mode():
        np.random.seed(3)
        eager = f(x).asnumpy()
        np.random.seed(3)
        assert (dopegraph.compile(lambda x: f(x))(x).asnumpy() == eager).all()
    assert set(eager.ravel()) == {0.0, 2.0}
    assert 0.4 < (eager == 0).mean() < 0.6


# What has no primitive -----------------------------------------------------------------------------------------------

TOPK = symbol_json(("null", "x", []), ("topk", "top", [0], {"k": "1", "ret_typ": "value"}))
LRN = symbol_json(("null", "x", []), ("LRN", "lrn", [0], {"nsize": "3"}))


@needs_mxnet
def test_an_operator_without_primitives_is_a_node_that_mxnet_runs():
    f = dopegraph.from_symbol(LRN)
    assert f.opaque == [("lrn", "LRN", "there is no rule for LRN")]
    x = np.random.normal(size=(2, 4, 3, 3))
    graph = dopegraph.trace(lambda x: np.exp(f(x)))(x)
    assert "mxnet_operator(%x)" in str(graph)
    c = dopegraph.compile(lambda x: np.exp(f(x)))
    assert numpy.allclose(c(x).asnumpy(), np.exp(f(x)).asnumpy(), rtol=1e-6)
    assert "1 MXNet symbol(s)" in str(dopegraph.explain(c)(x))
    with dopegraph.policy("only_mxnet"):
        assert numpy.allclose(c(x).asnumpy(), np.exp(f(x)).asnumpy(), rtol=1e-6)
        gradient = dopegraph.compile(dopegraph.grad(lambda x: np.exp(f(x)).sum()))(x)
    eager = dopegraph.grad(lambda x: np.exp(f(x)).sum())(x)
    assert numpy.allclose(gradient.asnumpy(), eager.asnumpy(), rtol=1e-5)
    step = 1e-2
    one = np.zeros(x.shape)
    one[1, 2, 1, 1] = step
    difference = float(np.exp(f(x + one)).sum() - np.exp(f(x - one)).sum()) / (2 * step)
    assert abs(difference - float(eager[1, 2, 1, 1])) < 2e-2


@needs_mxnet
def test_its_gradient_has_no_gradient():
    f = dopegraph.from_symbol(LRN)
    with pytest.raises(GradientError, match=r"LRN has no derivative"):
        dopegraph.hessian(lambda x: np.exp(f(x)).sum())(np.ones((1, 2, 1, 1)))


@needs_mxnet
def test_a_loss_with_its_label_has_mxnets_own_gradient():
    text = symbol_json(("null", "x", []), ("null", "label", []), ("SoftmaxOutput", "softmax", [0, 1]))
    f = dopegraph.from_symbol(text)
    x, label = np.zeros((2, 4)), np.array([1.0, 3.0])
    assert f(x).tolist() == f(x, label).tolist() == [[0.25] * 4] * 2
    gradient = dopegraph.grad(lambda x: f(x, label).sum())(x)
    assert gradient.tolist() == [[0.25, -0.75, 0.25, 0.25], [0.25, 0.25, 0.25, -0.75]]


@needs_mxnet
def test_without_mxnet_it_is_an_error_that_says_why():
    with dopegraph.policy("only_numpy"):
        f = dopegraph.from_symbol(TOPK)
        with pytest.raises(FallbackError, match=r"(?s)topk has no primitive.*only_numpy.*test_function"):
            f(np.ones((2, 3)))
    assert f(np.ones((2, 3))).shape == (2, 1)


@pytest.mark.parametrize(
    ("operator", "expected"), [("SequenceLast", [4, 5]), ("SequenceReverse", [[4, 5], [2, 3], [0, 1]]),
                               ("SequenceMask", [[0, 1], [2, 3], [4, 5]])]
)  # fmt: skip
def test_sequences_of_one_length(operator, expected):
    """In MXNet their gradient ends the process."""
    f = dopegraph.from_symbol(symbol_json(("null", "x", []), (operator, "s", [0])))
    x = np.arange(6.0).reshape(3, 2)
    assert f(x).tolist() == expected
    assert dopegraph.grad(lambda x: (f(x) ** 2).sum())(x).shape == (3, 2)


@needs_mxnet
def test_a_symbol_of_other_dtypes():
    f = dopegraph.from_symbol(DENSE)
    assert f(X.astype("f8"), W.astype("f8"), B.astype("f8")).dtype == "float64"
    with pytest.raises(SymbolError, match="dense"):
        f(X.astype("f8"), W, B)
    with pytest.raises(SymbolError, match="dense"):
        f(numpy.ones((1, 4), "f4"), W, B)


@needs_mxnet
def test_what_is_exported_comes_back(tmp_path: Path):
    w = np.random.normal(size=(3, 4))

    def net(x):
        return np.tanh(x @ w).sum(axis=1)

    x = np.random.normal(size=(5, 3))
    dopegraph.export(net, x, path=tmp_path / "net")
    f = dopegraph.from_symbol(tmp_path / "net-symbol.json", tmp_path / "net-0000.params")
    assert f.opaque == []
    assert numpy.allclose(f(x).asnumpy(), net(x).asnumpy(), rtol=1e-6)
    one = dopegraph.grad(lambda x: (f(x) ** 2).sum())(x)
    assert numpy.allclose(one.asnumpy(), dopegraph.grad(lambda x: (net(x) ** 2).sum())(x).asnumpy(), rtol=1e-5)


@needs_mxnet
def test_vmap_does_mxnets_own_operators_one_by_one():
    f = dopegraph.from_symbol(TOPK)
    x = np.random.normal(size=(3, 2, 4))
    assert dopegraph.vmap(f)(x).tolist() == x.max(axis=2, keepdims=True).tolist()
    g = dopegraph.from_symbol(DENSE, {"w": W, "b": B})
    many = np.random.normal(size=(4, 1, 3))
    assert np.allclose(dopegraph.vmap(g)(many)[:, 0], g(many[:, 0]))
