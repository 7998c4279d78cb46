"""Attributes of MXNet's operators are strings; import rules say by their annotations what they take them for."""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable, Mapping
from typing import Any, Optional

import numpy

from dopegraph.symbols.errors import SymbolError, Unsupported

Shape = tuple[int, ...]
Gaps = tuple[Optional[int], ...]

# More axes than this no array has; larger numbers no length is.
_MOST_AXES = 32
_LARGEST = 2**62

# What tells MXNet how to compute, not what.
IGNORED = frozenset(["workspace", "cudnn_tune", "cudnn_off", "cudnn_algo_verbose", "ctx", "mkldnn_off"])

_DTYPES = ("bool", "float32", "float64", "float16", "uint8", "int32", "int8", "int64")


def _int(text: str) -> int:
    match = re.fullmatch(r"\s*([+-]?\d{1,19})[lL]?\s*", text)
    if match is None or abs(int(match[1])) > _LARGEST:
        raise ValueError("no integer")
    return int(match[1])


def _float(text: str) -> float:
    number = float(text) if len(text) < 400 and "_" not in text else math.nan
    if math.isnan(number) and text.strip().lower() not in ("nan", "-nan", "+nan"):
        raise ValueError("no number")
    return number


def _bool(text: str) -> bool:
    known = {"true": True, "1": True, "false": False, "0": False}
    if text.strip().lower() not in known:
        raise ValueError("neither True nor False")
    return known[text.strip().lower()]


def _shape(text: str) -> Shape:
    return tuple([_int(part) for part in _parts(text)])


def _parts(text: str) -> list[str]:
    stripped = text.strip()
    if stripped[:1] + stripped[-1:] in ("()", "[]"):
        stripped = stripped[1:-1].strip()
    parts = stripped.split(",")
    if len(parts) > 1 and not parts[-1].strip():
        parts.pop()
    if len(parts) > _MOST_AXES:
        raise ValueError(f"more than {_MOST_AXES} numbers")
    return [part for part in parts if stripped]


def _shape_with_gaps(text: str) -> tuple[int | None, ...]:
    return tuple([None if part.strip() == "None" else _int(part) for part in _parts(text)])


def _dtype(text: str) -> Any:
    if text not in _DTYPES:
        raise ValueError(f"no dtype of {', '.join(_DTYPES)}")
    return numpy.dtype(text)


def _optional(parse: Callable[[str], Any]) -> Callable[[str], Any]:
    return lambda text: None if text.strip() == "None" else parse(text)


_KINDS: dict[str, Callable[[str], Any]] = {
    "int": _int,
    "float": _float,
    "bool": _bool,
    "str": str,
    "Shape": _shape,
    "Gaps": _shape_with_gaps,
    "DType": _dtype,
}
PARSERS = {
    **_KINDS,
    **{f"{kind} | None": _optional(parse) for kind, parse in _KINDS.items()},
}
"""How an attribute is read, by the annotation of the rule's parameter."""


def bound(rule: Callable[..., Any], operator: str, attributes: Mapping[str, str]) -> dict[str, Any]:
    """The attributes of a node as an import rule takes them.

    Raises
    ------
    Unsupported
        For an attribute that the rule does not know.
    SymbolError
        For one that cannot be what the rule takes, or that is missing.
    """
    wanted = {p.name: p for p in inspect.signature(rule).parameters.values() if p.kind is p.KEYWORD_ONLY}
    result = {}
    for name, text in attributes.items():
        if name in wanted:
            try:
                result[name] = PARSERS[wanted[name].annotation](text)
            except ValueError as cause:
                raise SymbolError(f"{operator}: {name}={text[:100]!r}: {cause}") from None
        elif name not in IGNORED:
            raise Unsupported(f"{operator} has no primitive for {name}={text[:100]}")
    for name, parameter in wanted.items():
        if parameter.default is parameter.empty and name not in result:
            raise SymbolError(f"{operator}: the attribute {name} is missing")
    return result
