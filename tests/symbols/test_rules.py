"""Every import rule gives what MXNet's own operator gives: outputs in both modes, and gradients."""

from __future__ import annotations

from typing import Any

import numpy
import pytest

import dopegraph
import dopegraph.numpy as np
from dopegraph.backends.mxnet import library
from dopegraph.symbols.function import RULES

pytestmark = pytest.mark.skipif(not library.available(), reason="MXNet is not installed")

# Shape of `x` (and of `y`, `z`), and expressions over `sym` = mxnet.sym.
SHAPES = {"image": (2, 4, 7, 6), "rows": (3, 4), "cube": (2, 3, 4), "line": (2, 3, 8)}
CASES = {
    "image": """
        sym.Convolution(x, kernel=(3, 3), num_filter=6)
        sym.Convolution(x, kernel=(3, 2), num_filter=6, stride=(2, 1), pad=(1, 0), num_group=2, no_bias=True)
        sym.Convolution(x, kernel=(2, 2), num_filter=6, dilate=(1, 2))
        sym.Deconvolution(x, kernel=(3, 3), num_filter=5)
        sym.Deconvolution(x, kernel=(3, 2), num_filter=6, stride=(2, 2), pad=(1, 0), adj=(1, 0), num_group=2)
        sym.Deconvolution(x, kernel=(3, 2), num_filter=6, stride=(2, 2), dilate=(1, 2), no_bias=False)
        sym.FullyConnected(x, num_hidden=3)
        sym.FullyConnected(x, num_hidden=3, flatten=False, no_bias=True)
        sym.Pooling(x, kernel=(2, 2), pool_type='max')
        sym.Pooling(x, kernel=(3, 3), pool_type='max', stride=(2, 2), pad=(1, 1))
        sym.Pooling(x, kernel=(3, 3), pool_type='max', stride=(2, 2), pooling_convention='full')
        sym.Pooling(x, kernel=(2, 2), pool_type='avg', stride=(2, 2), pad=(1, 1))
        sym.Pooling(x, kernel=(2, 2), pool_type='avg', stride=(2, 2), pad=(1, 1), count_include_pad=False)
        sym.Pooling(x, kernel=(2, 2), pool_type='sum', stride=(2, 1))
        sym.Pooling(x, kernel=(1, 1), pool_type='avg', global_pool=True)
        sym.Pooling(x, global_pool=True, pool_type='max', kernel=(1, 1))
        sym.BatchNorm(x)
        sym.BatchNorm(x, fix_gamma=False, eps=1e-5, momentum=0.8)
        sym.BatchNorm(x, fix_gamma=False, use_global_stats=True, axis=3)
        sym.InstanceNorm(x)
        sym.L2Normalization(x)
        sym.L2Normalization(x, mode='channel')
        sym.L2Normalization(x, mode='spatial')
        sym.LeakyReLU(x, act_type='prelu')
        sym.Dropout(x, p=0.0)
        sym.SoftmaxActivation(x, mode='channel')
        sym.UpSampling(x, scale=2, sample_type='nearest')
        sym.Pad(x, mode='constant', pad_width=(0, 0, 0, 0, 1, 2, 2, 1), constant_value=1.5)
        sym.Pad(x, mode='edge', pad_width=(0, 0, 0, 0, 1, 2, 2, 1))
        sym.Pad(x, mode='reflect', pad_width=(0, 0, 0, 0, 1, 2, 2, 1))
        sym.Flatten(x)
        sym.Reshape(x, shape=(0, -1))
        sym.Reshape(x, shape=(-3, -2))
        sym.Reshape(x, shape=(0, -4, 2, -1, 0, 0))
        sym.Reshape(x, shape=(-1, 6), reverse=True)
        sym.Reshape(x, shape=(0, 0, -3))
        sym.LRN(x, nsize=3)
    """,
    "line": """
        sym.Convolution(x, kernel=(3,), num_filter=2, stride=(2,), pad=(1,))
        sym.Deconvolution(x, kernel=(4,), num_filter=2, stride=(2,), pad=(1,))
        sym.Pooling(x, kernel=(2,), stride=(2,), pool_type='avg')
        sym.LayerNorm(x)
        sym.LayerNorm(x, axis=1, eps=1e-3)
        sym.BatchNorm(x, axis=2, fix_gamma=False)
    """,
    "rows": """
        sym.FullyConnected(x, num_hidden=5)
        sym.Activation(x, act_type='relu')
        sym.Activation(x, act_type='sigmoid')
        sym.Activation(x, act_type='tanh')
        sym.Activation(x, act_type='softrelu')
        sym.Activation(x, act_type='softsign')
        sym.LeakyReLU(x)
        sym.LeakyReLU(x, act_type='elu', slope=0.7)
        sym.LeakyReLU(x, act_type='selu')
        sym.LeakyReLU(x, act_type='gelu')
        sym.softmax(x)
        sym.softmax(x, axis=0, temperature=2.0)
        sym.log_softmax(x)
        sym.softmin(x)
        sym.SoftmaxActivation(x)
        sym.BatchNorm(x)
        sym.elemwise_add(x, y)
        sym.elemwise_sub(x, y)
        sym.elemwise_mul(x, y)
        sym.elemwise_div(x, y)
        sym.broadcast_maximum(x, y)
        sym.broadcast_minimum(x, y)
        sym.broadcast_hypot(x, y)
        sym.broadcast_power(sym.abs(x), y)
        sym.broadcast_greater(x, y) * x
        sym.broadcast_lesser_equal(x, y) * x
        sym.broadcast_logical_and(x, y)
        x + 2
        2 - x
        x * 3
        x / 4
        2 / x
        sym.abs(x) ** 1.5
        2 ** x
        x > 0.1
        x <= 0.1
        sym.maximum(x, 0.2)
        sym.minimum(x, 0.2)
        sym.negative(x)
        sym.abs(x)
        sym.sign(x)
        sym.floor(3 * x)
        sym.ceil(3 * x)
        sym.trunc(3 * x)
        sym.fix(3 * x)
        sym.rint(3 * x)
        sym.round(3 * x)
        sym.exp(x)
        sym.expm1(x)
        sym.log(sym.abs(x))
        sym.log2(sym.abs(x))
        sym.log10(sym.abs(x))
        sym.log1p(sym.abs(x))
        sym.sqrt(sym.abs(x))
        sym.cbrt(x)
        sym.rsqrt(sym.abs(x))
        sym.rcbrt(sym.abs(x))
        sym.square(x)
        sym.reciprocal(x)
        sym.sin(x)
        sym.cos(x)
        sym.tan(x)
        sym.arcsin(0.2 * x)
        sym.arccos(0.2 * x)
        sym.arctan(x)
        sym.sinh(x)
        sym.cosh(x)
        sym.tanh(x)
        sym.arcsinh(x)
        sym.arccosh(1.1 + sym.abs(x))
        sym.arctanh(0.2 * x)
        sym.degrees(x)
        sym.radians(x)
        sym.erf(x)
        sym.sigmoid(x)
        sym.relu(x)
        sym.softsign(x)
        sym.logical_not(x)
        sym.zeros_like(x)
        sym.ones_like(x)
        sym.smooth_l1(3 * x, scalar=1.5)
        sym.clip(x, a_min=-0.5, a_max=0.3)
        sym.where(x > 0, x, y)
        sym.dot(x, y, transpose_b=True)
        sym.dot(x, y, transpose_a=True)
        sym.add_n(x, y, x)
        sym.Concat(x, y, dim=1)
        sym.concat(x, y, dim=0)
        sym.stack(x, y, axis=1)
        sym.SliceChannel(x, num_outputs=2, axis=1)
        sym.split(x, num_outputs=4, axis=1, squeeze_axis=True)
        sym.transpose(x)
        sym.expand_dims(x, axis=1)
        sym.squeeze(sym.expand_dims(x, axis=1))
        sym.reverse(x, axis=1)
        sym.slice(x, begin=(1, 0), end=(None, 3))
        sym.slice(x, begin=(0, 3), end=(2, None), step=(1, -1))
        sym.slice_axis(x, axis=1, begin=1, end=-1)
        sym.slice_axis(x, axis=0, begin=1, end=None)
        sym.slice_like(x, sym.slice_axis(y, axis=1, begin=0, end=2), axes=(1,))
        sym.tile(x, reps=(2, 3))
        sym.repeat(x, repeats=2, axis=1)
        sym.reshape_like(x, sym.transpose(y))
        sym.diag(x)
        sym.identity(x)
        sym.BlockGrad(x) * x
        sym.cumsum(x, axis=1)
        sym.Cast(x, dtype='float64')
        sym.pick(x, sym.argmax(y, axis=1))
        sym.SoftmaxOutput(x, name='softmax')
        sym.LinearRegressionOutput(x, y)
        sym.LogisticRegressionOutput(x, y)
        sym.MakeLoss(sym.square(x))
    """,
    "cube": """
        sym.sum(x)
        sym.sum(x, axis=1)
        sym.sum(x, axis=(0, 2), keepdims=True)
        sym.sum(x, axis=1, exclude=True)
        sym.mean(x, axis=(1, 2))
        sym.prod(x, axis=2)
        sym.max(x, axis=1)
        sym.min(x, axis=(0, 1))
        sym.nansum(x, axis=0)
        sym.norm(x)
        sym.norm(x, ord=1, axis=1)
        sym.norm(x, axis=2, keepdims=True)
        sym.argmax(x, axis=1)
        sym.argmin(x, axis=2, keepdims=True)
        sym.argmax(x)
        sym.batch_dot(x, y, transpose_b=True)
        sym.batch_dot(x, y, transpose_a=True)
        sym.transpose(x, axes=(2, 0, 1))
        sym.SwapAxis(x, dim1=0, dim2=2)
        sym.broadcast_add(x, sym.sum(y, axis=1, keepdims=True))
        sym.broadcast_mul(x, sym.sum(y, axis=(0, 1), keepdims=True))
        sym.broadcast_to(sym.sum(x, axis=1, keepdims=True), shape=(0, 5, 0))
        sym.broadcast_axis(sym.sum(x, axis=1, keepdims=True), axis=1, size=5)
        sym.broadcast_like(sym.sum(x, axis=1, keepdims=True), y)
        sym.take(x, sym.argmax(y, axis=2), axis=1)
        sym.one_hot(sym.argmax(x, axis=2), depth=4)
        sym.one_hot(sym.argmax(x, axis=2), depth=4, on_value=3.0, off_value=-1.0, dtype='float64')
        sym.Embedding(sym.argmax(x, axis=2), input_dim=4, output_dim=3)
        sym.SoftmaxOutput(x, name='softmax', multi_output=True)
        sym.topk(x, axis=2, k=2, ret_typ='value')
        sym.sort(x, axis=1)
        sym.linalg.gemm2(x, y, transpose_b=True)
        sym.zeros(shape=(2, 3, 4)) + sym.ones(shape=(2, 3, 4)) * x
        x * sym.full(shape=(2, 3, 4), val=2.5)
        sym.broadcast_add(x, sym.reshape(sym.arange(4), shape=(1, 1, 4)))
        sym.GroupNorm(x, num_groups=3)
        sym.SequenceLast(x, sym.abs(sym.sum(y, axis=(0, 2))) * 0 + 1, use_sequence_length=True)
        sym.L2Normalization(x, mode='instance')
    """,
}
ALL = [(group, line.strip()) for group, lines in CASES.items() for line in lines.strip().splitlines()]


def made(group: str, text: str) -> tuple[Any, dict[str, Any], dict[str, Any]]:
    """The symbol of a line, arrays for its arguments, and for its auxiliary states."""
    mx = library.load()
    shape = SHAPES[group]
    x, y = mx.sym.Variable("x", shape=shape), mx.sym.Variable("y", shape=shape)
    symbol = eval(text, {"sym": mx.sym, "x": x, "y": y})
    random = numpy.random.RandomState(len(text))
    shapes, _, states = symbol.infer_shape()
    arrays = {n: random.randn(*s).astype("float32") for n, s in zip(symbol.list_arguments(), shapes)}
    if "softmax_label" in arrays:
        arrays["softmax_label"] = random.randint(0, 3, arrays["softmax_label"].shape).astype("float32")
    auxiliary = zip(symbol.list_auxiliary_states(), states)
    return symbol, arrays, {n: random.rand(*s).astype("float32") + 0.5 for n, s in auxiliary}


def by_mxnet(symbol: Any, arrays: Any, states: Any, training: bool, heads: Any = None) -> tuple[Any, Any, Any]:
    """Outputs, gradients of the arguments, and the states afterwards."""
    mx = library.load()
    args = {name: mx.nd.array(array) for name, array in arrays.items()}
    grads = {name: mx.nd.zeros(array.shape) for name, array in arrays.items()}
    aux = {name: mx.nd.array(array) for name, array in states.items()}
    executor = symbol.bind(mx.cpu(), args, grads, "write" if heads is not None else "null", aux)
    outputs = [one.asnumpy() for one in executor.forward(is_train=training)]
    if heads is not None:
        executor.backward([mx.nd.array(one, dtype=one.dtype) for one in heads], is_train=training)
    return outputs, {n: g.asnumpy() for n, g in grads.items()}, {n: a.asnumpy() for n, a in aux.items()}


def several(result: Any) -> list[Any]:
    return list(result) if isinstance(result, tuple) else [result]


@pytest.mark.parametrize(("group", "text"), ALL, ids=[text for _, text in ALL])
def test_it_gives_what_mxnet_gives(group: str, text: str) -> None:
    symbol, arrays, states = made(group, text)
    function = dopegraph.from_symbol(symbol, states)
    wanted, _, _ = by_mxnet(symbol, arrays, states, training=False)
    given = {name: np.array(array) for name, array in arrays.items()}
    for call in (function, dopegraph.compile(lambda **given: function(**given))):
        found = several(call(**given))
        assert [(one.dtype, one.shape) for one in found] == [(one.dtype, one.shape) for one in wanted]
        for one, expected in zip(found, wanted):
            numpy.testing.assert_allclose(one.asnumpy(), expected, rtol=2e-4, atol=1e-5)


# Piecewise constant; and MXNet multiplies the output twice by lambda in the derivative of selu.
WITHOUT_GRADIENT = (
    "selu",
    "argm",
    "one_hot",
    "sym.logical",
    "zeros_like",
    "ones_like",
    "> 0.1",
    "<= 0.1",
    "_logical_and",
)


@pytest.mark.parametrize(("group", "text"), ALL, ids=[text for _, text in ALL])
def test_it_has_the_gradient_that_mxnet_has(group: str, text: str) -> None:
    if any(part in text and not text.startswith(("sym.take", "sym.pick", "sym.Emb")) for part in WITHOUT_GRADIENT):
        pytest.skip("MXNet's is none, or wrong")
    symbol, arrays, states = made(group, text)
    random = numpy.random.RandomState(1)
    outputs, _, _ = by_mxnet(symbol, arrays, states, training=True)
    heads = [random.randn(*one.shape).astype(one.dtype) for one in outputs]
    wanted, grads, moved = by_mxnet(symbol, arrays, states, training=True, heads=heads)
    function = dopegraph.from_symbol(symbol, states)
    names = list(arrays)

    def run(*values: Any) -> Any:
        return tuple(several(function(**dict(zip(names, values)))))

    with dopegraph.train_mode():
        found, pull = dopegraph.vjp(run, *[np.array(arrays[name]) for name in names])
        cotangents = pull(tuple([np.array(head) for head in heads]))
    for one, expected in zip(found, wanted):
        numpy.testing.assert_allclose(one.asnumpy(), expected, rtol=5e-4, atol=2e-5)
    for name, one in zip(names, cotangents):
        numpy.testing.assert_allclose(one.asnumpy(), grads[name], rtol=2e-3, atol=2e-4, err_msg=name)
    for name, expected in moved.items():
        numpy.testing.assert_allclose(function.states[name].asnumpy(), expected, rtol=1e-4, atol=1e-5, err_msg=name)


def test_every_rule_is_of_an_operator_that_mxnet_has() -> None:
    from dopegraph.backends.mxnet import operators

    assert set(RULES) <= operators.names(), set(RULES) - operators.names()
