"""dopegraph's own format: a zip of the graph's text and its arrays. Reading one runs nothing that it says, and trusts
none of it.
"""

from __future__ import annotations

import io
import os
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy

from dopegraph.interchange.taken import Taken
from dopegraph.ir import format_graph, parse, verify
from dopegraph.ir.graph import Graph
from dopegraph.numpy import files
from dopegraph.numpy.stored import FileError
from dopegraph.runtime.errors import BackendError, DopegraphError
from dopegraph.runtime.location import here, located

GRAPH, ARRAYS = "graph.txt", "arrays.npz"

# A text of this length is read in minutes; more is no graph of anybody's.
_LONGEST_TEXT = 2**28
_DEEPEST = 100
_LARGEST_VALUE = 2**36

_PYTHON = frozenset(["host_call"])

# What reading a damaged file raises, here and in the libraries that do it.
_DAMAGE = (
    DopegraphError, KeyError, ValueError, TypeError, OSError, OverflowError, RecursionError, MemoryError, EOFError,
    zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, AttributeError,
)  # fmt: skip


def text_of(graph: Graph) -> str:
    """The text that is written: without the lines of the source."""
    return format_graph(graph, locations=False)


def write(path: Path, taken: Taken) -> None:
    """Write a recorded function.

    Raises
    ------
    BackendError
        When it calls a Python function, which no file holds; with the user's line.
    """
    for node in taken.graph.nodes:
        if node.op.name in _PYTHON:
            raise BackendError(located(f"export: {node.op.name} calls a Python function, not saved", node.location))
    arrays = io.BytesIO()
    example = {f"input:{number}": array for number, array in enumerate(taken.inputs)}
    numpy.savez(arrays, **{f"state:{number}": array for number, array in enumerate(taken.state)}, **example)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        # With a date of its own a file would be another one each time.
        file.writestr(zipfile.ZipInfo(GRAPH), text_of(taken.graph), zipfile.ZIP_DEFLATED)
        file.writestr(zipfile.ZipInfo(ARRAYS), arrays.getvalue())


def is_bundle(path: str | os.PathLike[str]) -> bool:
    """Whether a zip has a graph in it."""
    try:
        with zipfile.ZipFile(path) as file:
            return GRAPH in file.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return False


def read(path: str | os.PathLike[str]) -> Taken:
    """Read a function back.

    Raises
    ------
    FileError
        When the file is damaged, or holds what no graph is.
    """
    name = os.fspath(path)
    try:
        with zipfile.ZipFile(path) as file:
            size = file.getinfo(GRAPH).file_size
            if size > _LONGEST_TEXT:
                raise FileError(located(f"load: {name}: its graph has {size} bytes, more than {_LONGEST_TEXT}", here()))
            with file.open(GRAPH) as member:
                text = member.read(_LONGEST_TEXT).decode()
            with file.open(ARRAYS) as member:
                stored = member.read()
        if "(" * _DEEPEST in text:
            raise ValueError("its graph is nested too deeply")
        graph = parse(text)
        verify(graph)
        if any(node.op.name in _PYTHON for node in graph.nodes):
            raise ValueError("its graph calls a Python function")  # one that this process happens to have
        values = [value for node in graph.nodes for value in node.outputs]
        if any(value.type.nbytes > _LARGEST_VALUE for value in values):
            raise ValueError(f"its graph has a value of more than {_LARGEST_VALUE} bytes")
        arrays = files.load(io.BytesIO(stored))
        found = {key: arrays[key] for key in arrays}
        state = [_fitting(found, f"state:{number}", value.type) for number, value in enumerate(graph.state)]
        inputs = [_fitting(found, f"input:{number}", value.type) for number, value in enumerate(graph.inputs)]
        return Taken(graph, inputs, state)
    except (FileError, FileNotFoundError):
        raise
    except _DAMAGE as cause:
        raise FileError(located(f"load: {name}: the file is damaged: {cause}", here())) from cause


def _fitting(arrays: dict[str, Any], key: str, type: Any) -> Any:
    array = numpy.asarray(arrays[key].asnumpy() if hasattr(arrays[key], "asnumpy") else arrays[key])
    if array.shape != type.shape or array.dtype != type.dtype:
        raise ValueError(f"{key} is {array.dtype} of shape {array.shape}, not {type}")
    return array
