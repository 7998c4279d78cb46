"""``export``: a function as files that others run: an MXNet symbol, an ONNX model, or a graph with its arrays.

Everything is written beside and checked first; then the files take their places. After an error nothing has changed.
"""

from __future__ import annotations

import os
import platform
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy

from dopegraph.backends.onnx.export import agree
from dopegraph.interchange import bundle
from dopegraph.interchange.manifest import described, write_example, write_manifest
from dopegraph.interchange.taken import Taken, take, with_batches
from dopegraph.ir.graph import Graph
from dopegraph.runtime.errors import BackendError
from dopegraph.runtime.location import here, located
from dopegraph.version import __version__

FORMATS = ("mxnet", "onnx", "dopegraph")


def export(
    function: Callable[..., Any],
    *args: Any,
    path: str | os.PathLike[str],
    format: str = "mxnet",
    free_batch: bool = True,
    updates: bool = False,
    check: bool = True,
) -> tuple[Path, ...]:
    """Write a function into files that run elsewhere.

    Parameters
    ----------
    function : callable
    *args
        Example arguments; their shapes and dtypes become those of the inputs. Arrays that the function reaches without
        being passed them become parameters, named as in the source.
    path : path
        Without the endings. The folder is made if need be; files appear only when all are complete and checked.
    format : {"mxnet", "onnx", "dopegraph"}
        ``PATH-symbol.json`` and ``PATH-0000.params``, which run wherever MXNet does; ``PATH.onnx`` of opset 18 (needs
        the package `onnx`); or ``PATH.dopegraph``, the graph's text with its arrays.
    free_batch : bool
        Whether axis 0 of the arguments may have any length, where the graph allows it; the manifest says so. Not in
        dopegraph's own format.
    updates : bool
        Whether what the function writes into its parameters belongs to it: further outputs in the formats of others,
        writes again in our own. For training steps.
    check : bool
        Whether the files are loaded and run with the example first: the symbol in another process in plain MXNet, the
        model by onnx's checker and, where it is installed, in onnxruntime.

    Returns
    -------
    tuple of Path
        All files: those named above; ``PATH-manifest.json`` with versions, names, shapes and dtypes; and
        ``PATH-example.npz`` with the example's arrays, ``input:NAME``, and results, ``output:NUMBER``. `load` reads
        any of the first back.

    Raises
    ------
    BackendError
        When an operation cannot be exported, naming it and its line, or when the files give other results.
    MXNetMissing, OnnxMissing
        When what has to write them is not installed.

    Examples
    --------
    >>> import dopegraph, dopegraph.numpy as np
    >>> w = np.ones((3, 2))
    >>> files = dopegraph.export(lambda x: x @ w, np.ones((1, 3)), path="net", format="dopegraph")
    >>> [file.name for file in files]
    ['net.dopegraph', 'net-manifest.json', 'net-example.npz']
    >>> dopegraph.load("net.dopegraph")(np.ones((1, 3)))
    array([[3., 3.]], dtype=float32)
    """
    if format not in FORMATS:
        raise ValueError(located(f"export: the format {format!r} is not one of {', '.join(FORMATS)}", here()))
    # Our own format keeps what was written; it is optimized again when it runs.
    taken = take(function, args, updates, optimized=format != "dopegraph")
    others = with_batches(function, args, updates, taken) if free_batch and format != "dopegraph" else None
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent.absolute(), prefix=f".{target.name}.") as folder:
        draft = Path(folder) / target.name
        results = taken.results()
        files, facts = _WRITERS[format](taken, others, results, draft, updates, check)
        shape_of = others if facts["free_batch"] else None
        manifest = {"format": format, **_versions(), **described(taken, shape_of), **facts,
                    "files": [file.name for file in files]}  # fmt: skip
        files += [write_manifest(draft, manifest), write_example(draft, taken, results)]
        return tuple([_placed(file, target.parent) for file in files])


def _placed(file: Path, folder: Path) -> Path:
    """A written file in its place; `folder` as the caller names it."""
    os.replace(file, folder / file.name)
    return folder / file.name


def _versions() -> dict[str, str]:
    return {"dopegraph": __version__, "numpy": numpy.__version__, "python": platform.python_version()}


Pair = Any  # of what was taken with two other batches, or None


def _batches(others: Pair) -> Sequence[Graph]:
    return [one.graph for one in others] if others is not None else ()


def _examples(taken: Taken, others: Pair, results: list[Any]) -> list[tuple[dict[str, Any], list[Any]]]:
    """Inputs by name, and results; those of another batch, too, if it is free."""
    found = [(_inputs(taken), results)]
    if others is not None:
        found.append((_inputs(others[0]), others[0].results()))
    return found


def _inputs(taken: Taken) -> dict[str, Any]:
    return {taken.names[value]: array for value, array in zip(taken.graph.inputs, taken.inputs)}


def _write_mxnet(
    taken: Taken, others: Pair, results: list[Any], draft: Path, updates: bool, check: bool
) -> tuple[list[Path], dict[str, Any]]:
    from dopegraph.backends.mxnet import checker, library
    from dopegraph.backends.mxnet.export import export_graph, text_for_any_batch

    parameters = {taken.names[value]: array for value, array in zip(taken.graph.state, taken.state)}
    version = library.load().__version__
    files = export_graph(taken.graph, draft, parameters, updates)  # names what cannot be exported
    facts = {"mxnet": version, "free_batch": False, "checked": None}
    by_whom = f"mxnet {version} in a process of its own" if check else None

    def checked(pair: Pair) -> None:
        examples = _examples(taken, pair, results)
        for found, (_, outputs) in zip(checker.run(draft, [one for one, _ in examples], draft.parent), examples):
            if len(found) != len(outputs) or not all(map(agree, found, outputs)):
                raise BackendError("export: plain MXNet gives other results than dopegraph")

    text = text_for_any_batch(_batches(others), updates) if others is not None else None
    if text is not None:
        export_graph(taken.graph, draft, parameters, updates, text)
        try:
            if check:
                checked(others)
            return list(files), {**facts, "free_batch": True, "checked": by_whom}
        except BackendError:  # the codes did not stand for what they replaced
            export_graph(taken.graph, draft, parameters, updates)
    if check:
        checked(None)
    return list(files), {**facts, "checked": by_whom}


def _write_onnx(
    taken: Taken, others: Pair, results: list[Any], draft: Path, updates: bool, check: bool
) -> tuple[list[Path], dict[str, Any]]:
    from dopegraph.backends.onnx import library
    from dopegraph.backends.onnx.export import check as checked
    from dopegraph.backends.onnx.export import make_model

    onnx = library.load()
    names = [f"{taken.names[old]}_new" for old, _ in taken.graph.updates]
    file = draft.with_name(f"{draft.name}.onnx")
    pairs = (others, None) if others is not None else (None,)
    for pair in pairs:
        model, free = make_model(taken.graph, taken.state, names, _batches(pair))
        file.write_bytes(model.SerializeToString())
        facts = {"onnx": onnx.__version__, "opset": 18, "free_batch": free, "checked": None}
        if not check:
            break
        try:
            facts["checked"] = checked(model, file, _examples(taken, pair if free else None, results))
            break
        except BackendError:
            if not free:
                raise
    return [file], facts


def _write_own(
    taken: Taken, others: Pair, results: list[Any], draft: Path, updates: bool, check: bool
) -> tuple[list[Path], dict[str, Any]]:
    file = draft.with_name(f"{draft.name}.dopegraph")
    bundle.write(file, taken)
    if check:
        read = bundle.read(file)
        if str(read.graph) != bundle.text_of(taken.graph) or not all(map(agree, read.results(), results)):
            raise BackendError("export: what was written does not read back as it was")
    return [file], {"free_batch": False, "checked": f"dopegraph {__version__}" if check else None}


_WRITERS = {"mxnet": _write_mxnet, "onnx": _write_onnx, "dopegraph": _write_own}
