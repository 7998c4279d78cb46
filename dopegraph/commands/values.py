"""The values of ``--arg``: an array of a type written as graphs write it, an array from a file, or a Python literal."""

from __future__ import annotations

import argparse
import ast
import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy

import dopegraph.numpy as np
from dopegraph.commands.failures import CommandError, UsageError
from dopegraph.ir.types import SHORT_NAMES

_TYPE = re.compile(r"(?P<dtype>[a-z]+[0-9]*)\[(?P<shape>[0-9, ]*)\]")
_NAMED = re.compile(r"(?P<name>[A-Za-z_]\w*)=(?P<value>.+)", re.DOTALL)

HELP = (
    "an example of an argument, once for each: f32[64,784] (random numbers; integers and booleans are 0), "
    "@FILE.npy, @FILE.npz:NAME, or a Python literal such as 0.1; NAME=VALUE passes it by name"
)


def add_values(parser: argparse.ArgumentParser) -> None:
    """The option ``--arg``."""
    parser.add_argument("--arg", action="append", default=[], metavar="[NAME=]VALUE", dest="args", help=HELP)


def read_values(texts: Sequence[str]) -> tuple[list[Any], dict[str, Any]]:
    """Positional values and named ones.

    Raises
    ------
    UsageError
        When a text is no value, or a positional one comes after a named one.
    """
    positional: list[Any] = []
    by_name: dict[str, Any] = {}
    for number, text in enumerate(texts):
        found = _NAMED.fullmatch(text)
        if found is None and by_name:
            raise UsageError(f"--arg {text}: it has no name, and comes after one that has")
        if found is None:
            positional.append(read_value(text, number))
        elif found["name"] in by_name:
            raise UsageError(f"--arg {text}: {found['name']} is given twice")
        else:
            by_name[found["name"]] = read_value(found["value"], number)
    return positional, by_name


def read_value(text: str, seed: int = 0) -> Any:
    """The value of a text; the seed is that of the random numbers."""
    text = text.strip()
    if text.startswith("@"):
        return _from_file(text[1:])
    found = _TYPE.fullmatch(text)
    if found is not None:
        return example(_dtype(found["dtype"], text), _shape(found["shape"], text), seed)
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        raise UsageError(
            f"--arg {text}: neither a type such as f32[64,784], nor @FILE, nor a Python literal (text needs quotes)"
        ) from None


def example(dtype: Any, shape: Sequence[int], seed: int = 0) -> Any:
    """An array of a type: normal numbers for floats, zeros otherwise, which are good labels and indices."""
    dtype, shape = numpy.dtype(dtype), tuple(shape)
    if math.prod(shape) * dtype.itemsize > 2**40:
        raise UsageError(f"an array of shape {shape} has more than a terabyte")
    if dtype.kind not in "fc":
        return np.array(numpy.zeros(shape, dtype))
    return np.array(numpy.asarray(numpy.random.RandomState(seed).standard_normal(shape), dtype))


def _dtype(name: str, text: str) -> Any:
    if name in SHORT_NAMES:
        return SHORT_NAMES[name]
    for dtype in SHORT_NAMES.values():
        if dtype.name == name:
            return dtype
    raise UsageError(f"--arg {text}: there is no dtype {name}, only {', '.join(SHORT_NAMES)}")


def _shape(text: str, whole: str) -> tuple[int, ...]:
    try:
        return tuple([int(length) for length in text.split(",")]) if text.strip() else ()
    except ValueError:
        raise UsageError(f"--arg {whole}: [{text}] is no shape") from None


def _from_file(text: str) -> Any:
    name, _, key = text.partition(":")
    try:
        found = numpy.load(name, allow_pickle=False)
    except (OSError, ValueError, EOFError) as cause:
        raise CommandError(f"--arg @{text}: {getattr(cause, 'strerror', None) or cause}") from None
    if isinstance(found, numpy.ndarray):
        return np.array(found)
    with found as opened:
        keys = list(opened.files)
        if key not in keys:
            raise CommandError(f"--arg @{text}: {Path(name).name} has the arrays {', '.join(keys)}; write @{name}:NAME")
        return np.array(opened[key])
