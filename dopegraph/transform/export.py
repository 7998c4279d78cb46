"""``export``: a function as MXNet symbol JSON and parameters, which run anywhere MXNet does, without dopegraph."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from dopegraph.transform.graph_of import record_graph


def export(function: Callable[..., Any], *args: Any, path: str | Path) -> tuple[Path, Path]:
    """Write a function as ``PATH-symbol.json`` and ``PATH-0000.params``.

    Parameters
    ----------
    function : callable
    *args
        Example arguments; their shapes and dtypes become those of the symbol's data inputs. Arrays that the function
        reaches without being passed them become parameters, named as in the source.
    path : path
        Without the endings. The folder is made if need be; files appear only when complete.

    Returns
    -------
    (Path, Path)
        The symbol's and the parameters' file.

    Raises
    ------
    BackendError
        When an operation cannot be exported, naming it and its line.
    MXNetMissing
        When MXNet is not installed.
    """
    from dopegraph.backends.mxnet.export import export_graph

    graph, arrays, _ = record_graph(function, args, {})
    return export_graph(graph, path, {str(value.name): array for value, array in zip(graph.state, arrays)})
