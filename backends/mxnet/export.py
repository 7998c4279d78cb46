"""Writes a graph in MXNet's own format: ``PATH-symbol.json`` and ``PATH-0000.params``, to be run without dopegraph."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy

from dopegraph.backends.mxnet import library
from dopegraph.backends.mxnet.arrays import holds
from dopegraph.backends.mxnet.free_batch import freed
from dopegraph.backends.mxnet.lowering import LoweredSymbol, lacking, lower
from dopegraph.ir.graph import Graph
from dopegraph.runtime.errors import BackendError
from dopegraph.runtime.location import located


def export_graph(
    graph: Graph,
    path: str | os.PathLike[str],
    parameters: Mapping[str, Any],
    updates: bool = False,
    text: str | None = None,
) -> tuple[Path, Path]:
    """Write a graph as an MXNet symbol with its parameters.

    The files are those of ``mx.model.save_checkpoint`` and ``HybridBlock.export``: ``mx.sym.load``,
    ``mx.mod.Module.load``, ``gluon.SymbolBlock.imports`` and the C predict API read them.

    Parameters
    ----------
    graph : Graph
        Its inputs become the symbol's data, its state the parameters. Both keep their names, with underscores for
        what is not a letter or a digit.
    path : path
        The two files' names without ``-symbol.json`` and ``-0000.params``.
    parameters : mapping of str to array
        For every state value, by its name, the array to write.
    updates : bool
        Whether new values of state are outputs, behind the others; otherwise they are left out.
    text : str, optional
        The symbol, if it was made for any batch (`text_for_any_batch`).

    Returns
    -------
    tuple of Path
        The symbol's file and the parameters' file.

    Raises
    ------
    BackendError
        If a node has no MXNet operator, naming it and the user's line, or if a parameter does not fit.
    """
    graph, lowered = lower_for_export(graph, updates)
    text = text if text is not None else lowered.json
    names = dict(zip(graph.arguments, lowered.argument_names))
    arrays = {}
    for value in graph.state:
        array = _parameter(parameters, names[value], value.name)
        if array.shape != value.shape or array.dtype != value.type.dtype:
            raise BackendError(
                f"export: the parameter {value.name} should be {value.type}, not {array.dtype} of shape {array.shape}"
            )
        arrays[names[value]] = array
    arrays.update(lowered.constants)
    mx = library.load()
    # A parameter that the symbol does not read is refused by some loaders.
    read = set(mx.sym.load_json(text).list_inputs())
    saved = {f"arg:{name}": _ndarray(array) for name, array in arrays.items() if name in read}
    symbol_file, parameter_file = Path(f"{os.fspath(path)}-symbol.json"), Path(f"{os.fspath(path)}-0000.params")
    _replace(parameter_file, lambda file: mx.nd.save(file, saved))
    _replace(symbol_file, lambda file: Path(file).write_text(text, encoding="utf-8"))
    return symbol_file, parameter_file


def text_for_any_batch(batches: Sequence[Graph], updates: bool = False) -> str | None:
    """The symbol of a graph that was recorded with two batches, if no more than lengths differ."""
    return freed(*[lower_for_export(one, updates)[1] for one in batches])


def lower_for_export(graph: Graph, updates: bool = False) -> tuple[Graph, LoweredSymbol]:
    """The part of a graph that is exported, and its symbol."""
    forward = graph.copy()
    if not updates:
        forward.updates = []
        forward = forward.copy()  # without what only the updates need
    for node in forward.nodes:
        found = lacking(node)
        if found is not None and node.inputs:
            raise BackendError(located(f"export: {node.op.name} cannot be exported: {found.detail}", node.location))
    return forward, lower(forward, target="portable")


def _parameter(parameters: Mapping[str, Any], name: str, place: str | None) -> Any:
    """The array for a parameter, by the name it has in the file or by the place the user's program has it in."""
    if name not in parameters and place is not None:
        name = place
    if name not in parameters:
        given = ", ".join(parameters) or "none"
        raise BackendError(f"export: there is no array for the parameter {name}, only {given}")
    array = numpy.asarray(parameters[name])
    if not holds(array):
        raise BackendError(f"export: MXNet cannot hold the parameter {name}, {array.dtype} of shape {array.shape}")
    return array


def _ndarray(array: Any) -> Any:
    carried = numpy.ascontiguousarray(array).reshape(array.shape or (1,))
    return library.load().nd.array(carried, dtype=carried.dtype)


def _replace(target: Path, write: Callable[[str], Any]) -> None:
    """Write a file under another name first, so that nobody ever sees half of it."""
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    os.close(handle)
    try:
        write(temporary)
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(temporary, 0o666 & ~mask)  # mkstemp gives the owner alone access
        os.replace(temporary, target)
    except BaseException:
        os.unlink(temporary)
        raise
