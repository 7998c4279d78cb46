"""ONNX models as functions to call, trace, compile and differentiate; their operators by the table in `onnx_rules`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy

from dopegraph.array import ndarray, owned
from dopegraph.backends.onnx import library
from dopegraph.interchange.onnx_rules import NEEDS, RULES, Known
from dopegraph.numpy.promotion import as_array
from dopegraph.numpy.stored import FileError
from dopegraph.runtime.errors import DopegraphError
from dopegraph.runtime.location import here, located
from dopegraph.runtime.unchanging import Unchanging

_LARGEST_FILE = 2**31


class OnnxFunction:
    """A model to call.

    Attributes
    ----------
    name : str
    parameters : dict of str to ndarray
        The model's floating arrays with axes; what is written into them is read by the next call.
    """

    def __init__(self, model: Any, name: str) -> None:
        self._plan = _Plan(model, name)
        self.name = name
        self.parameters = {
            key: owned(numpy.array(array))
            for key, array in self._plan.constants.items()
            if array.dtype.kind == "f" and array.ndim
        }

    @property
    def inputs(self) -> list[str]:
        """Names of the arguments, in order."""
        return list(self._plan.inputs)

    @property
    def outputs(self) -> list[str]:
        """Names of the results."""
        return list(self._plan.outputs)

    @property
    def kinds(self) -> dict[str, tuple[Any, tuple[int | None, ...]]]:
        """Dtype and shape by input; a length that may be any is None."""
        return dict(self._plan.kinds)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._plan.run(self.parameters, args, kwargs)

    def __repr__(self) -> str:
        return f"<{self.name}({', '.join(self.inputs)}), an ONNX model: {len(self._plan.nodes)} nodes>"


class _Plan(Unchanging):
    """The model's nodes, which no compiled function has to watch."""

    def __init__(self, model: Any, name: str) -> None:
        onnx = library.load()
        graph = model.graph
        self.name = name
        self.constants = {one.name: onnx.numpy_helper.to_array(one) for one in graph.initializer}
        self.nodes = []
        self.inputs = [one.name for one in graph.input if one.name not in self.constants]
        self.outputs = [one.name for one in graph.output]
        self.kinds = {one.name: _kind(onnx, one.type.tensor_type) for one in graph.input if one.name in self.inputs}
        for node in graph.node:
            attrs = {one.name: onnx.helper.get_attribute_value(one) for one in node.attribute}
            if node.op_type == "Constant" and "value" in attrs:
                self.constants[node.output[0]] = onnx.numpy_helper.to_array(attrs["value"])
            elif node.op_type not in RULES or node.domain not in ("", "ai.onnx"):
                raise FileError(f"the operator {node.op_type} of node {node.name!r} is not known here")
            else:
                self.nodes.append((node.op_type, node.name, tuple(node.input), tuple(node.output), attrs))

    def run(self, parameters: dict[str, ndarray], args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        """The outputs of a call."""
        if len(args) > len(self.inputs) or any(key not in self.inputs for key in kwargs):
            raise TypeError(located(f"{self.name}: takes {', '.join(self.inputs)}", here()))
        given = {**dict(zip(self.inputs, args)), **kwargs}
        missing = [key for key in self.inputs if key not in given]
        if missing:
            raise TypeError(located(f"{self.name}: the arguments {', '.join(missing)} are missing", here()))
        values: dict[str, Any] = {key: as_array(value) for key, value in given.items()}
        for kind, name, inputs, outputs, attrs in self.nodes:
            operands = [self._operand(kind, place, key, values, parameters) for place, key in enumerate(inputs)]
            more = {"outputs": len(outputs)} if kind == "Split" else {}
            try:
                made = RULES[kind](*operands, **attrs, **more)
            except (DopegraphError, TypeError, ValueError, IndexError) as cause:
                raise FileError(located(f"{self.name}: node {name!r} ({kind}): {cause}", here())) from cause
            for key, one in zip(outputs, made if isinstance(made, tuple) else (made,)):
                values[key] = one
        results = [self._operand("", 0, key, values, parameters) for key in self.outputs]
        return results[0] if len(results) == 1 else tuple(results)

    def _operand(self, kind: str, place: int, key: str, values: dict[str, Any], parameters: dict[str, ndarray]) -> Any:
        if not key:
            return None
        if place in NEEDS.get(kind, ()):
            return Known(self.constants[key]) if key in self.constants else values.get(key)
        if key in values:
            return values[key]
        if key in parameters:
            return parameters[key]
        if key not in self.constants:
            raise FileError(located(f"{self.name}: nothing makes {key!r}", here()))
        return as_array(self.constants[key])


def _kind(onnx: Any, type: Any) -> tuple[Any, tuple[int | None, ...]]:
    shape = tuple([one.dim_value if one.HasField("dim_value") else None for one in type.shape.dim])
    return numpy.dtype(onnx.helper.tensor_dtype_to_np_dtype(type.elem_type)), shape


def read(path: Path) -> OnnxFunction:
    """A model as a function.

    Raises
    ------
    FileError
        When the file is damaged, or has operators that are not known here.
    """
    onnx = library.load()
    try:
        if os.path.getsize(path) > _LARGEST_FILE:
            raise FileError(f"it has more than {_LARGEST_FILE} bytes")
        model = onnx.load_model_from_string(path.read_bytes())
        onnx.checker.check_model(model)
        return OnnxFunction(model, path.stem)
    except FileError as cause:
        raise FileError(located(f"load: {path}: {cause}", here())) from None
    except OSError:
        raise
    except Exception as cause:  # protobuf and the checker have errors of their own
        said = str(cause).splitlines()[0] if str(cause) else type(cause).__name__
        raise FileError(located(f"load: {path}: the file is damaged: {said}", here())) from cause
