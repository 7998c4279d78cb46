"""oneDNN wants weights in layouts of its own: two of one weight, and never in the memory that the user has."""

from __future__ import annotations

import numpy
import pytest

from dopegraph.backends.mxnet import library
from dopegraph.backends.mxnet.executable import MXNetExecutable
from dopegraph.backends.numpy.executable import NumpyExecutable
from dopegraph.ir import parse
from dopegraph.runtime.buffer import Buffer

pytestmark = pytest.mark.skipif(not library.available(), reason="MXNet is not installed")

HOW = "stride=(1, 1), pad=(0, 0), dilate=(1, 1)"
GRAPH = f"""graph f(%x: f32[8,3,10,10], %w: f32[32,3,3,3]) {{
  %0: f32[8,32,8,8] = conv(%x, %w) {{{HOW}}}
  %1: f32[8,32,8,8] = tanh(%0)
  %2: f32[8,3,10,10] = conv_grad_data(%1, %w) {{shape=(8, 3, 10, 10), {HOW}}}
  %3: f32[8,32,8,8] = conv(%2, %w) {{{HOW}}}
  return %2, %3
}}"""


def test_the_weight_may_be_read_both_ways() -> None:
    graph = parse(GRAPH)
    random = numpy.random.RandomState(0)
    arrays = [0.3 * random.randn(*value.shape).astype("float32") for value in graph.inputs]
    wanted = NumpyExecutable(graph).run(arrays)
    run = MXNetExecutable(graph)
    for _ in range(3):
        found = run([Buffer(numpy.array(one)) for one in arrays], [None, None])
        for one, expected in zip(found, wanted):
            numpy.testing.assert_allclose(one.array, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("filters", "channels"), [(8, 3), (16, 3), (32, 16)])
def test_a_weight_is_left_as_it_is(filters: int, channels: int) -> None:
    """It was rearranged in place: NumPy then read another one."""
    import dopegraph
    import dopegraph.numpy as np
    from dopegraph import nn

    x, w = np.random.normal(size=(2, channels, 8, 8)), np.random.normal(size=(filters, channels, 3, 3))
    v = np.random.normal(size=(filters, 64))
    before, rows = w.asnumpy(), v.asnumpy()
    eager = nn.conv(x, w)
    assert (w.asnumpy() == before).all()

    def f(x):
        return nn.relu(nn.conv(x, w)), x.reshape(-1, 64) @ v.T

    compiled = dopegraph.compile(f)
    for _ in range(3):
        found = compiled(x)[0]
        assert (w.asnumpy() == before).all()
        assert (v.asnumpy() == rows).all()
    with dopegraph.policy("only_numpy"):
        wanted = nn.conv(x, w).asnumpy()
    numpy.testing.assert_allclose(eager.asnumpy(), wanted, rtol=1e-4, atol=1e-4)
    numpy.testing.assert_allclose(found.asnumpy(), numpy.maximum(wanted, 0), rtol=1e-4, atol=1e-4)
