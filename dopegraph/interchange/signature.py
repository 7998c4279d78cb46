"""Which arrays a loaded function takes, as far as its file says."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import Any

import numpy

from dopegraph.interchange.loaded import LoadedFunction
from dopegraph.interchange.loading import AsExported
from dopegraph.interchange.onnx_import import OnnxFunction
from dopegraph.symbols import SymbolFunction

Kind = tuple[Any, Sequence["int | None"]]


def kinds(function: Any) -> Mapping[str, Kind]:
    """Dtype and shape by input; a length that may be any is None, and an input that the file says nothing of is left
    out.
    """
    if isinstance(function, LoadedFunction):
        return dict(zip(function.inputs, [(one.type.dtype, one.shape) for one in function.graph.inputs]))
    if isinstance(function, OnnxFunction):
        return function.kinds
    if isinstance(function, AsExported):
        return {name: (dtype, shape) for name, (shape, dtype) in function.kinds.items()}
    return _announced(function) if isinstance(function, SymbolFunction) else {}


def _announced(function: SymbolFunction) -> dict[str, Kind]:
    """What variables of a symbol say of themselves; 0 is what MXNet did not know."""
    found: dict[str, Kind] = {}
    for node in function.graph.nodes:
        if node.is_variable and node.name in function.inputs and "__shape__" in node.hidden:
            try:
                shape = tuple([int(length) for length in ast.literal_eval(node.hidden["__shape__"])])
            except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
                continue
            if shape and min(shape) > 0:
                found[node.name] = (numpy.dtype("float32"), shape)
    return found
