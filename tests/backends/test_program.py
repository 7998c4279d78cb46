"""Programs: results own their memory, policies hold, and a missing MXNet is said once."""

from __future__ import annotations

import subprocess
import sys

import numpy
import pytest

import dopegraph
import dopegraph.numpy as np
from dopegraph.backends import compile_graph
from dopegraph.backends.mxnet import library
from dopegraph.ir import parse
from dopegraph.runtime.buffer import Buffer
from dopegraph.runtime.errors import FallbackError

needs_mxnet = pytest.mark.skipif(not library.installed(), reason="MXNet is not installed")

WITHOUT_MXNET = """
import sys, warnings
sys.modules["mxnet"] = None
import dopegraph, dopegraph.numpy as np
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    first = dopegraph.compile(lambda x: np.tanh(x).sum())(np.ones(3))
    second = dopegraph.grad(lambda x: (x * x).sum())(np.ones(3))
print([str(one.message) for one in caught])
print(round(float(first), 4), second.tolist())
"""


def test_without_mxnet_everything_runs_on_numpy_and_says_so_once():
    done = subprocess.run([sys.executable, "-c", WITHOUT_MXNET], capture_output=True, text=True, check=True)
    warned, results = done.stdout.splitlines()
    assert warned.count("python -m dopegraph setup") == 1
    assert results == "2.2848 [2.0, 2.0, 2.0]"


@needs_mxnet
def test_only_mxnet_names_what_has_to_run_on_numpy():
    with dopegraph.policy("only_mxnet"), pytest.raises(FallbackError, match=r"(?s)random_normal.*test_program\.py"):
        dopegraph.compile(lambda: np.random.normal(size=3) * 2)()


@needs_mxnet
def test_random_numbers_are_drawn_before_the_one_symbol():
    explanation = dopegraph.explain(lambda x: np.exp(x * np.random.normal(size=3)) + np.random.uniform(size=3))(
        np.ones(3)
    )
    assert explanation.replayed
    assert explanation.symbols == 1
    assert {fallback.reason for fallback in explanation.fallbacks} == {"random-numbers"}
    assert "test_program.py" in str(explanation)


@pytest.mark.parametrize("policy", ["only_numpy", pytest.param("prefer_mxnet", marks=needs_mxnet)])
def test_no_result_shares_memory_with_an_argument_or_another_result(policy):
    text = """graph f(%x: f32[2]; state %w: f32[2]) {
      %0: f32[2] = exp(%x)
      %1: f32[] = full() {value=3.0, shape=(), dtype=f32}
      return %x, %0, %0, %1; %w <- %0
    }"""
    program = compile_graph(parse(text), policy)
    arguments = [Buffer(numpy.zeros(2, numpy.float32)), Buffer(numpy.zeros(2, numpy.float32))]
    first, second = program.run(arguments), program.run(arguments)
    assert [buffer.array.tolist() for buffer in first] == [[0, 0], [1, 1], [1, 1], 3, [1, 1]]
    buffers = [*arguments, *first, *second]
    for place, one in enumerate(buffers):
        assert not any(numpy.may_share_memory(one.array, other.array) for other in buffers[:place])
