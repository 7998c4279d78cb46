"""The typed SSA graph that all below the front end works on: types, values, nodes, builder, text form, verifier."""

from dopegraph.ir.builder import Builder, current_builder
from dopegraph.ir.graph import Graph, Node, Value, extract
from dopegraph.ir.parser import parse
from dopegraph.ir.primitive import Primitive, not_differentiable, primitive, primitives
from dopegraph.ir.printer import format_graph
from dopegraph.ir.types import TensorType
from dopegraph.ir.verifier import verify

__all__ = [
    "Builder",
    "Graph",
    "Node",
    "Primitive",
    "TensorType",
    "Value",
    "current_builder",
    "extract",
    "format_graph",
    "not_differentiable",
    "parse",
    "primitive",
    "primitives",
    "verify",
]
