"""What a command works on: ``MODULE:FUNCTION`` or ``FILE.py:FUNCTION`` with example arguments, or a file that holds a
function, which mostly brings its own.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy

import dopegraph.numpy as np
from dopegraph.commands.failures import CommandError, UsageError
from dopegraph.commands.values import add_values, example, read_values
from dopegraph.interchange import load
from dopegraph.interchange.signature import kinds
from dopegraph.state.values import unwrap

ENDINGS = (".json", ".onnx", ".dopegraph", ".params")


@dataclass(frozen=True)
class Target:
    """A function with example arguments; `function` is None where the file holds arrays, which are in `loaded`."""

    name: str
    function: Callable[..., Any] | None
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)
    loaded: Any = None
    missing: str = ""


def add_target(parser: argparse.ArgumentParser) -> None:
    """The arguments that name a target."""
    parser.add_argument(
        "target", metavar="FILE|MODULE:FUNCTION", help="a file that `export` or MXNet wrote, or a function"
    )
    add_values(parser)


def function_of(chosen: argparse.Namespace) -> tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]:
    """The function that was asked for, with all its arguments.

    Raises
    ------
    CommandError
        When it is not there, or is no function; `UsageError` when arguments are missing.
    """
    target = find(chosen.target, chosen.args)
    if target.function is None:
        raise CommandError(f"{chosen.target} holds arrays, no function; `dopegraph view` lists them")
    if target.missing:
        raise UsageError(target.missing)
    return target.function, target.args, target.kwargs


def find(text: str, given: Sequence[str]) -> Target:
    """The target that a text names, with the arguments of ``--arg``."""
    place, colon, name = text.rpartition(":")
    if Path(text).exists() or not colon or text.endswith(ENDINGS):
        return _file(text, given)
    function = _attribute(_module(place), place, name)
    args, kwargs = read_values(given)
    return Target(name, function, tuple(args), kwargs, missing=_missing(text, function, args, kwargs))


def _module(place: str) -> Any:
    sys.path.insert(0, str(Path.cwd()))  # as for `python -m`
    if not place.endswith(".py"):
        try:
            return importlib.import_module(place)
        except ModuleNotFoundError as cause:
            if cause.name is None or not f"{place}.".startswith(f"{cause.name}."):
                raise
            raise CommandError(f"there is no module {cause.name}, as seen from {Path.cwd()}") from None
    file = Path(place).resolve()
    if not file.is_file():
        raise CommandError(f"{place} is not there")
    sys.path.insert(0, str(file.parent))
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[file.stem] = module
    spec.loader.exec_module(module)
    return module


def _attribute(module: Any, place: str, name: str) -> Callable[..., Any]:
    found = module
    for part in name.split("."):
        if not part or not hasattr(found, part):
            there = [key for key, value in vars(module).items() if callable(value) and not key.startswith("_")]
            own = [key for key in there if getattr(getattr(module, key), "__module__", "") == module.__name__]
            raise CommandError(f"{place} has no {name}; it has {', '.join(own or there) or 'no functions'}")
        found = getattr(found, part)
    if not callable(found):
        raise CommandError(f"{place}:{name} is a {type(found).__name__}, no function")
    return found  # type: ignore[no-any-return]


def _missing(text: str, function: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> str:
    """What to say when a function cannot be called with these arguments; empty when it can."""
    try:
        signature = inspect.signature(unwrap(function))
    except (TypeError, ValueError):
        return ""
    try:
        signature.bind(*args, **kwargs)
    except TypeError as cause:
        return f"{text}{signature}: {cause}; give an example of each argument: --arg 'f32[64,784]' --arg 0.1"
    return ""


def _file(text: str, given: Sequence[str]) -> Target:
    if not text:
        raise UsageError("FILE or MODULE:FUNCTION is empty")
    try:
        loaded = load(text)
    except FileNotFoundError:
        raise CommandError(f"{text}: there is no such file (a function is written MODULE:FUNCTION)") from None
    if not callable(loaded):
        return Target(Path(text).name, None, loaded=loaded)
    args, kwargs = read_values(given)
    known = {**_beside(text, loaded), **dict(zip(loaded.inputs, args)), **kwargs}
    unknown = [key for key in kwargs if key not in loaded.inputs]
    if len(args) > len(loaded.inputs) or unknown:
        raise UsageError(f"{text} takes {', '.join(loaded.inputs) or 'no arguments'}")
    lacking = [key for key in loaded.inputs if key not in known]
    why = f"{text} does not say which shape {', '.join(lacking)} has; say it: " if lacking else ""
    why += " ".join(f"--arg '{key}=f32[1,3,224,224]'" for key in lacking[:3])
    values = tuple([known[key] for key in loaded.inputs if key in known])
    return Target(_stem(text), loaded, values, {}, loaded, why)


def _stem(text: str) -> str:
    """A file's name without what `export` put behind it."""
    name = Path(text).name
    for ending in ("-symbol.json", "-0000.params", *ENDINGS):
        if name.endswith(ending):
            return name[: -len(ending)]
    return name


def _beside(text: str, loaded: Any) -> dict[str, Any]:
    """Arguments that the file brings along: the example that was exported, or any of the types that it takes."""
    found = {
        key: example(dtype, [1 if length is None else length for length in shape], number)
        for number, (key, (dtype, shape)) in enumerate(kinds(loaded).items())
    }
    file = Path(text).with_name(f"{_stem(text)}-example.npz")
    try:
        with numpy.load(file, allow_pickle=False) as opened:
            for key in loaded.inputs:
                if f"input:{key}" in opened.files:
                    found[key] = np.array(opened[f"input:{key}"])
    except (OSError, ValueError, EOFError):
        pass
    return found
