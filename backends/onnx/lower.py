"""Writes a whole graph as an ONNX model with the rules of the primitives' families."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dopegraph.backends.onnx.context import Context
from dopegraph.backends.onnx.lowering import RULES, lacking
from dopegraph.ir.graph import Graph, Value
from dopegraph.ir.printer import value_names
from dopegraph.runtime.errors import BackendError
from dopegraph.runtime.location import located
from dopegraph.version import __version__

OPSET = 18
# The format's own version that came with that opset.
_IR_VERSION = 8


def lower(graph: Graph, parameters: Mapping[Value, Any] | None = None, updates: Sequence[str] = ()) -> Any:
    """An ONNX model of a graph.

    Parameters
    ----------
    graph : Graph
        Its inputs become the model's inputs, its results the outputs.
    parameters : mapping of Value to array, optional
        State that becomes part of the model; the rest of it are inputs.
    updates : sequence of str
        Names for the outputs that are new values of state.

    Raises
    ------
    BackendError
        If a node has no lowering; it names the operation and the user's line.
    OnnxMissing
        If the package `onnx` is not installed.
    """
    c = Context(graph)
    helper, known = c.onnx.helper, parameters or {}
    names = {value: name[1:] for value, name in value_names(graph).items()}
    inputs = []
    for value in graph.arguments:
        c.names[value] = c.unique(names[value])
        if value in known:
            c.constants[c.names[value]] = known[value]
        else:
            inputs.append(_described(c, c.names[value], value))
    for node in graph.nodes:
        why = lacking(node)
        if why is not None:
            raise BackendError(located(f"export: {node.op.name} cannot be written in ONNX: {why}", node.location))
        if node.inputs:
            c.begin(node)
            made = RULES[node.op.name](c, node)
            c.names.update(zip(node.outputs, made if isinstance(made, tuple) else (made,)))
    outputs = []
    for position, value in enumerate(graph.results):
        number = position - len(graph.outputs)
        wanted = f"output{position}" if number < 0 else updates[number]
        # Inputs, constants and repeated results need a name of their own.
        name = c.unique(wanted)
        found = c[value]
        c.nodes.append(helper.make_node("Identity", [found], [name], name=name))
        outputs.append(_described(c, name, value))
    read = {name for node in c.nodes for name in node.input}
    constants = [c.onnx.numpy_helper.from_array(array, name) for name, array in c.constants.items() if name in read]
    body = helper.make_graph(c.nodes, graph.name, inputs, outputs, constants)
    return helper.make_model(
        body,
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=_IR_VERSION,
        producer_name="dopegraph",
        producer_version=__version__,
    )


def _described(c: Context, name: str, value: Value) -> Any:
    kind = c.onnx.helper.np_dtype_to_tensor_dtype(value.type.dtype)
    return c.onnx.helper.make_tensor_value_info(name, kind, list(value.shape))
