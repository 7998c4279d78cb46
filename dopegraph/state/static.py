"""Static arguments: those that are part of the graph and compared by equality; found by number or by name."""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, Union

import numpy

from dopegraph.array import ndarray
from dopegraph.runtime.errors import StaticArgumentError
from dopegraph.runtime.location import here, located

Numbers = Union[int, Iterable[int]]
Strings = Union[str, Iterable[str]]


class Static(NamedTuple):
    """Positions and names of the static arguments."""

    positions: frozenset[int] = frozenset()
    names: frozenset[str] = frozenset()


def static_arguments(function: Callable[..., Any], argnums: Numbers, argnames: Strings) -> Static:
    """The static arguments that numbers and names stand for: a parameter with a name is static however it is passed.

    Raises
    ------
    StaticArgumentError
        When the function has no such parameter.
    """
    numbers = [_number(one) for one in ([argnums] if not isinstance(argnums, Iterable) else argnums)]
    names = [argnames] if isinstance(argnames, str) else list(argnames)
    for name in names:
        if not isinstance(name, str):
            raise TypeError(f"static_argnames takes strings, not a {type(name).__name__}")
    if not numbers and not names:
        return Static()
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):  # built in: nothing is known of it
        return Static(frozenset(numbers), frozenset(names))
    label = getattr(function, "__name__", "the function")
    passed = [one.name for one in parameters if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]
    keywords = [one.name for one in parameters if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)]
    kinds = {one.kind for one in parameters}
    positions, found = set(), set()
    for number in numbers:
        position = number + len(passed) if number < 0 else number
        if position < 0 or (position >= len(passed) and inspect.Parameter.VAR_POSITIONAL not in kinds):
            raise StaticArgumentError(
                f"static_argnums={number}: the positional arguments of {label} are {', '.join(passed) or 'none'}"
            )
        positions.add(position)
        if position < len(passed) and passed[position] in keywords:
            found.add(passed[position])
    for name in names:
        if name not in keywords and name not in passed and inspect.Parameter.VAR_KEYWORD not in kinds:
            raise StaticArgumentError(f"static_argnames={name!r}: the arguments of {label} are {', '.join(keywords)}")
        found.add(name)
        if name in passed:
            positions.add(passed.index(name))
    return Static(frozenset(positions), frozenset(found))


def _number(number: Any) -> int:
    try:
        return operator.index(number)
    except TypeError:
        raise TypeError(f"static_argnums takes integers, not a {type(number).__name__}") from None


def check_static(value: Any, path: str) -> None:
    """Raise an error for a value that cannot be compared by equality because it may change."""
    try:
        hash(value)
    except TypeError:
        pass
    else:
        return
    kind = type(value)
    if isinstance(value, (ndarray, numpy.ndarray)):
        hint = "arrays are compared by shape and dtype when they are not static; leave it out of static_argnums"
    elif kind in (list, set, dict):
        hint = f"pass a {'frozenset' if kind is set else 'tuple'}{' of its items' if kind is dict else ''}"
    else:
        hint = f"give {kind.__name__} __hash__ and __eq__, as @dataclass(frozen=True) does"
    raise StaticArgumentError(
        located(f"the static argument {path} is a {kind.__name__}, which is not hashable; {hint}", here())
    )
