"""Every expression of `test_calls` gives the same array by the short way as by the long one: bits, strides, sharing."""

from __future__ import annotations

from typing import Any

import numpy
import pytest

import dopegraph
import dopegraph.numpy as np
from dopegraph.runtime.direct import direct, hold, release
from tests.numpy.calls import inputs
from tests.numpy.test_calls import EXPRESSIONS, WRONG, Call, attempt

# NumPy takes other steps than our composition: the last bits, or the sign of a zero, differ.
INEXACT = ("np.clip(n, 0, 1)", "np.sinc(d / 100)", "np.interp(x, np.sort(v), y[0])")


def described(result: Any, arrays: list[numpy.ndarray]) -> Any:
    """All that can be seen of a result."""
    if isinstance(result, Exception):
        return type(result), str(result)
    if isinstance(result, (list, tuple)):
        return type(result), [described(one, arrays) for one in result]
    if not isinstance(result, np.ndarray):
        return type(result), result.tobytes() if isinstance(result, numpy.ndarray) else str(result)
    memory = result.asnumpy() if not result.device.is_host else result._settled().array
    strides = memory.strides if memory.size else None
    shared = [numpy.may_share_memory(memory, one) for one in arrays]
    return result.dtype.char, memory.shape, memory.tobytes(), strides, memory.flags.writeable, shared


def outcome(expression: str) -> Any:
    call = Call(expression)
    arrays = [inputs()[name] for name in call.names]
    np.random.seed(0)
    return described(attempt(call.function(np), *[np.asarray(one) for one in arrays]), arrays)


@pytest.mark.parametrize("default", ["float32", "float64"])
@pytest.mark.filterwarnings("ignore")
@pytest.mark.skipif(direct.held > 0, reason="the environment forbids the short way")
def test_every_call_gives_the_same_both_ways(default):
    dopegraph.set_default_dtype(default)
    try:
        with numpy.errstate(all="ignore"):
            expressions = [one for one in (*EXPRESSIONS, *WRONG) if one not in INEXACT]
            short = {one: outcome(one) for one in expressions}
            hold()
            try:
                different = [one for one in expressions if outcome(one) != short[one]]
            finally:
                release()
    finally:
        dopegraph.set_default_dtype("float32")
    assert not different
