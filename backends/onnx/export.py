"""Writes a graph as an ONNX file and checks it: with the package's own checker, and in onnxruntime where it is."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy

from dopegraph.backends.onnx import library
from dopegraph.backends.onnx.lower import lower
from dopegraph.ir.graph import Graph
from dopegraph.runtime.errors import BackendError

BATCH = "batch"
_END = numpy.iinfo("int64").max

# For each operator the operand that may differ between two batches, and what stands in place of the length.
_CODES = {("Reshape", 1): -1, ("Expand", 1): 1, ("Slice", 2): _END}


def make_model(
    graph: Graph,
    parameters: Sequence[Any],
    updates: Sequence[str] = (),
    batches: Sequence[Graph] = (),
) -> tuple[Any, bool]:
    """The model of a graph, and whether it takes any batch; `batches` are the same graph for two other ones."""
    if batches:
        first, second = (lower(one, dict(zip(one.state, parameters)), updates) for one in batches)
        if _free(first, second):
            return first, True
    return lower(graph, dict(zip(graph.state, parameters)), updates), False


def _free(first: Any, second: Any) -> bool:
    """Make lengths that differ between two models free in the first; false if more than that differs."""
    one, other = first.graph, second.graph
    constants = {tensor.name: tensor for tensor in one.initializer}
    others = {tensor.name: tensor for tensor in other.initializer}
    if constants.keys() != others.keys() or len(one.node) != len(other.node):
        return False
    for mine, theirs in zip(one.node, other.node):
        if mine.SerializeToString() != theirs.SerializeToString():
            return False
    changed = [name for name in constants if constants[name] != others[name]]
    for name in changed:
        places = {(node.op_type, place) for node in one.node for place, read in enumerate(node.input) if read == name}
        if (
            len(places) != 1
            or not places <= _CODES.keys()
            or not _freed(constants[name], others[name], _CODES[places.pop()])
        ):
            return False
    for mine, theirs in zip([*one.input, *one.output], [*other.input, *other.output]):
        lengths = zip(mine.type.tensor_type.shape.dim, theirs.type.tensor_type.shape.dim)
        for axis, (length, their_length) in enumerate(lengths):
            if length.dim_value != their_length.dim_value:
                length.dim_param = BATCH if axis == 0 else f"{mine.name}_{axis}"
    return True


def _freed(tensor: Any, other: Any, code: int) -> bool:
    onnx = library.load()
    numbers, others = onnx.numpy_helper.to_array(tensor).copy(), onnx.numpy_helper.to_array(other)
    if numbers.shape != others.shape or numbers.dtype != numpy.int64:
        return False
    differing = numbers != others
    if differing.sum() > 1 and code == -1:
        return False
    numbers[differing] = code
    tensor.CopyFrom(onnx.numpy_helper.from_array(numbers, tensor.name))
    return True


def check(model: Any, path: Path, examples: Sequence[tuple[Mapping[str, Any], Sequence[Any]]]) -> str:
    """Check a written model, and compare what onnxruntime gives for examples; who checked it, in words.

    Raises
    ------
    BackendError
        When the checker refuses it or the runtime's results are others.
    """
    onnx = library.load()
    try:
        onnx.checker.check_model(os.fspath(path), full_check=True)
    except Exception as cause:
        raise BackendError(f"export: onnx.checker refuses what was written: {cause}") from cause
    checker = f"onnx.checker {onnx.__version__}"
    runtime = library.runtime()
    if runtime is None:
        return checker
    options = runtime.SessionOptions()
    options.log_severity_level = 4
    try:
        session = runtime.InferenceSession(os.fspath(path), options, providers=["CPUExecutionProvider"])
    except Exception as cause:
        if "NOT_IMPLEMENTED" in str(cause):
            return f"{checker}; onnxruntime {runtime.__version__} has no kernel for one of its operators"
        raise BackendError(f"export: onnxruntime refuses what was written: {cause}") from cause
    wanted = [one.name for one in session.get_inputs()]
    for inputs, outputs in examples:
        found = session.run(None, {name: inputs[name] for name in wanted})
        for number, (one, expected) in enumerate(zip(found, outputs)):
            if not agree(one, expected):
                raise BackendError(f"export: onnxruntime gives another output {number} than dopegraph")
    return f"{checker}, onnxruntime {runtime.__version__}"


def agree(one: Any, other: Any) -> bool:
    """Whether two results are the same but for rounding."""
    one, other = numpy.asarray(one), numpy.asarray(other)
    if one.size != other.size:
        return False
    one = one.reshape(other.shape)
    if other.dtype.kind not in "fc":
        return bool((one == other).all())
    known = numpy.abs(other[numpy.isfinite(other)])
    scale = float(known.max(initial=0.0))
    return bool(numpy.allclose(one, other, rtol=1e-3, atol=1e-4 * max(scale, 1e-3), equal_nan=True))
