"""Operators of MXNet's own as nodes: their type rules, their text, and what they refuse."""

from __future__ import annotations

import numpy
import pytest

import dopegraph.ops  # noqa: F401  (declares the primitives)
from dopegraph.backends.mxnet import library
from dopegraph.ir import parse, primitives, verify
from dopegraph.runtime.errors import BackendError, DopegraphError, GraphError

LRN = """graph f(%x: f32[2,4,3,3]) {
  %0: f32[2,4,3,3] = mxnet_operator(%x) {operator="LRN", attributes=(("nsize", "3"),), types=((f32, (2, 4, 3, 3)),)}
  %1: f32[2,4,3,3] = mxnet_gradient(%x, %0) {operator="LRN", attributes=(("nsize", "3"),), types=((f32, (2, 4, 3, 3)),), wanted=(0,)}
  return %0, %1
}"""  # noqa: E501


def test_the_text_reads_back() -> None:
    graph = parse(LRN)
    verify(graph)
    assert str(graph) == LRN


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('operator="LRN"', "operator=3"),
        ('attributes=(("nsize", "3"),)', 'attributes=(("nsize", 3),)'),
        ("types=((f32, (2, 4, 3, 3)),)}", "types=((f32, (2, 4, 3)),)}"),
        ("wanted=(0,)", "wanted=(1,)"),
        ("mxnet_gradient(%x, %0)", "mxnet_gradient(%x)"),
    ],
)
def test_the_type_rules_refuse(old: str, new: str) -> None:
    with pytest.raises(GraphError):
        parse(LRN.replace(old, new))


@pytest.mark.skipif(not library.available(), reason="MXNet is not installed")
@pytest.mark.parametrize(
    ("operator", "attributes", "shape", "message"),
    [
        ("LRN", (("nsize", "3"),), (2, 4, 3, 4), "MXNet says"),
        ("LRN", (("nsize", "three"),), (2, 4, 3, 3), "Invalid Parameter"),
        ("elemwise_add", (), (2, 4, 3, 3), "1 operands for 2"),
        ("_cvimread", (("filename", "/etc/passwd"),), (2,), "reads files"),
        ("_backward_copy", (), (2, 4, 3, 3), "belongs to another operator"),
    ],
)
def test_what_a_graph_claims_is_checked_before_mxnet_runs_it(operator, attributes, shape, message) -> None:
    """A graph may come from a file of anybody's."""
    x = numpy.ones((2, 4, 3, 3), "float32")
    types = ((numpy.dtype("float32"), shape),)
    with pytest.raises(BackendError, match=message):
        primitives["mxnet_operator"].kernel(x, operator=operator, attributes=attributes, types=types)
    with pytest.raises(DopegraphError, match=message):
        primitives["mxnet_gradient"].kernel(
            x, numpy.ones(shape, "float32"), operator=operator, attributes=attributes, types=types, wanted=(0,)
        )
