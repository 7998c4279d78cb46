"""How a symbol's time is shared among its nodes, which run in bulk: each is run alone, on ones, as a symbol of its own.

MXNet's own profiler sees a CachedOp with static memory as one operator.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Hashable

import numpy

from dopegraph.backends.mxnet.executable import MXNetExecutable
from dopegraph.backends.origins import cost
from dopegraph.ir.graph import Graph, Node, Value, extract
from dopegraph.ir.types import TensorType, attribute_key
from dopegraph.runtime.buffer import Buffer
from dopegraph.runtime.device import Device
from dopegraph.runtime.errors import DopegraphError

# Symbols that are made to find out; nodes beyond are taken to cost what they compute.
_MOST = 200
# What an addition is taken to cost, in seconds.
_ADDITION = 2e-10


def weights(graph: Graph, device: Device, repeats: int) -> dict[Node, float]:
    """For each node of a symbol's graph about how many seconds it takes."""
    found: dict[Node, float] = {}
    known: dict[Hashable, float] = {}
    empty = _alone(_nothing(), device, repeats)
    for node in graph.nodes:
        if not node.inputs or node.op.view:
            continue
        key = _key(node)
        if key not in known:
            try:
                known[key] = max(_alone(_graph_of(node), device, repeats) - empty, 1e-7) if len(known) < _MOST else 0.0
            except (DopegraphError, ValueError, TypeError):
                known[key] = 0.0  # it runs as a part of others only
        found[node] = known[key] or cost(node) * _ADDITION
    return found


def _key(node: Node) -> Hashable:
    operands = tuple([(value.type, value.node is not None and not value.node.inputs) for value in node.inputs])
    return node.op.name, operands, tuple(sorted((name, attribute_key(value)) for name, value in node.attrs.items()))


def _graph_of(node: Node) -> Graph:
    """A node alone, with the constants it reads."""
    constants = [value.node for value in dict.fromkeys(node.inputs) if value.node is not None and not value.node.inputs]
    inputs = [value for value in dict.fromkeys(node.inputs) if value.node is None or value.node.inputs]
    return extract(node.op.name, [*constants, node], inputs, (), node.outputs)


def _nothing() -> Graph:
    from dopegraph.ir.primitive import primitives

    graph = Graph("nothing")
    graph.inputs.append(Value(TensorType(numpy.dtype("float32"), (1,))))
    node = Node(primitives["neg"], graph.inputs, {}, [graph.inputs[0].type])
    graph.nodes.append(node)
    graph.outputs.append(node.output)
    return graph


def _alone(graph: Graph, device: Device, repeats: int) -> float:
    from dopegraph.backends.mxnet.arrays import to_device

    executable = MXNetExecutable(graph, device)
    inputs = [Buffer(numpy.ones(value.shape, value.type.dtype)) for value in graph.inputs]
    if not device.is_host:
        inputs = [to_device(buffer, device) for buffer in inputs]
    nowhere = [None] * len(graph.results)
    executable(inputs, nowhere)
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        executable(inputs, nowhere)
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)
