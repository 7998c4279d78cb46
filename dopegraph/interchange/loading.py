"""``load``: arrays or a function from a file, by what the file holds."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Union

import numpy

from dopegraph.dispatch import apply
from dopegraph.interchange import bundle, onnx_import
from dopegraph.interchange.loaded import LoadedFunction
from dopegraph.numpy import params
from dopegraph.numpy.promotion import as_array
from dopegraph.numpy.shape import reshape
from dopegraph.numpy.stored import FileError, noted
from dopegraph.ops import cast
from dopegraph.runtime.location import here, located
from dopegraph.symbols import SymbolFunction, from_symbol

_ENDINGS = ("-symbol.json", ".onnx", ".dopegraph")

Loaded = Union[list[Any], dict[str, Any], LoadedFunction, SymbolFunction, onnx_import.OnnxFunction]


def load(path: str | os.PathLike[str]) -> Loaded:
    """Read arrays or a function back, whichever the file holds.

    Parameters
    ----------
    path : path
        A file in MXNet's format of arrays (``NAME-0000.params``); or what `export` wrote: ``NAME-symbol.json`` (with
        its parameters beside it), ``NAME.onnx`` or ``NAME.dopegraph``. Also just ``NAME``, if one of those is there.

    Returns
    -------
    list of ndarray, or dict of str to ndarray
        Of a file of arrays; a dict when they have names.
    callable
        Of a file with a function: it takes arrays in the order of its `inputs`, or by name; is traced, compiled and
        differentiated like others; and has its arrays in `parameters`.

    Raises
    ------
    ValueError
        When the file is damaged or of another kind; the message names it.
    FileNotFoundError
        When it is not there.

    Notes
    -----
    None of the files is trusted: nothing that they say is run as Python.

    Examples
    --------
    >>> import dopegraph, dopegraph.numpy as np
    >>> dopegraph.save("net.params", {"w": np.ones((2, 2))})
    >>> dopegraph.load("net.params")["w"].shape
    (2, 2)
    """
    noted("load", "reads a file")
    file = _found(path)
    with open(file, "rb") as opened:
        start = opened.read(64)
    if start.startswith(b"PK"):
        if bundle.is_bundle(file):
            return LoadedFunction(bundle.read(file))
        raise FileError(located(f"load: {os.fspath(file)}: a zip without a graph; numpy.load reads .npz files", here()))
    if start.lstrip()[:1] == b"{":
        return _symbol(file)
    if file.suffix == ".onnx":
        return onnx_import.read(file)
    return params.load(file)


def _found(path: str | os.PathLike[str]) -> Path:
    file = Path(path)
    if not file.is_file():
        for ending in _ENDINGS:
            beside = file.with_name(file.name + ending)
            if beside.is_file():
                return beside
    return file


def _symbol(file: Path) -> Any:
    """A symbol with the parameters beside it; what the manifest says of arrays without axes holds again."""
    prefix = file.name[: -len("-symbol.json")] if file.name.endswith("-symbol.json") else file.stem
    beside = file.with_name(f"{prefix}-0000.params")
    given = params.load(beside) if beside.is_file() else None
    function = from_symbol(file, given if isinstance(given, dict) else None, name=prefix or "symbol")
    manifest = _manifest(file.with_name(f"{prefix}-manifest.json"))
    return AsExported(function, *manifest) if manifest is not None else function


Rows = dict[str, tuple[Any, str]]


def _manifest(file: Path) -> tuple[Rows, list[tuple[Any, str]]] | None:
    """Shape and dtype of each input by name, and of each output; None where there is no manifest that can be read."""
    try:
        whole = json.loads(file.read_text(encoding="utf-8"))
        inputs = {str(row["name"]): (row["shape"], str(numpy.dtype(row["dtype"]))) for row in whole["inputs"]}
        outputs = [(row["shape"], str(numpy.dtype(row["dtype"]))) for row in [*whole["outputs"], *whole["updates"]]]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return inputs, outputs


class AsExported(SymbolFunction):
    """A symbol with the arguments that its manifest tells: some it may not read, and MXNet has no arrays without axes
    and hardly any booleans."""

    def __init__(self, function: SymbolFunction, inputs: Rows, outputs: list[tuple[Any, str]]) -> None:
        self.__dict__.update(function.__dict__)
        self._kinds = inputs
        self._results = tuple(outputs)

    @property
    def kinds(self) -> Rows:
        """Shape and dtype by input; a length that may be any is None."""
        return dict(self._kinds)

    @property
    def inputs(self) -> list[str]:
        """The arguments of the function that was exported."""
        return list(self._kinds)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        names, read = list(self._kinds), super().inputs
        missing = [name for name in names[len(args) :] if name not in kwargs]
        if len(args) > len(names) or missing:
            given = f"{len(args)} arguments" if len(args) > len(names) else f"no {', '.join(missing)}"
            raise TypeError(located(f"{self.name}: takes {', '.join(names)}, and is given {given}", here()))
        arrays = {
            name: self._carried(name, value)
            for name, value in [*zip(names, args), *kwargs.items()]
            if name in read or name not in names  # the latter may be parameters, or is an error
        }
        made = super().__call__(**arrays)
        results = list(made) if isinstance(made, tuple) else [made]
        if len(results) != len(self._results):
            return made
        for place, (shape, dtype) in enumerate(self._results):
            one = results[place]
            if shape == [] and one.shape == (1,):
                one = reshape(one, ())
            results[place] = one.astype(bool) if dtype == "bool" and one.dtype != bool else one
        return results[0] if len(results) == 1 else tuple(results)

    def _carried(self, name: str, value: Any) -> Any:
        """An argument as MXNet has it."""
        array = as_array(value)
        shape, dtype = self._kinds.get(name, (None, None))
        if dtype is not None and isinstance(value, (bool, int, float)):
            array = array.astype(dtype)
        if array.dtype == bool:
            array = apply(cast, array, dtype=numpy.dtype("uint8"))
        return reshape(array, (1,)) if shape == [] and array.shape == () else array
