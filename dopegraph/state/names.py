"""Which names code uses: the globals and attributes that a recorded function may have read, from its bytecode."""

from __future__ import annotations

import dis
import functools
import inspect
import re
import types
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

# Code that uses one of these may read or write any attribute of an object.
_DYNAMIC_GLOBALS = frozenset([
    "getattr", "setattr", "delattr", "hasattr", "vars", "dir", "attrgetter", "methodcaller", "asdict", "astuple",
    "fields", "replace", "copy", "deepcopy", "dataclasses"
])  # fmt: skip
_DYNAMIC_ATTRIBUTES = frozenset([
    "__dict__", "__getattribute__", "__getstate__", "__setattr__", "attrgetter", "methodcaller", "asdict",
    "astuple", "deepcopy"
])  # fmt: skip
# Code that uses one of these can tell a stand-in from a float.
_TYPE_TESTS = frozenset(["isinstance", "issubclass", "type", "singledispatch", "json", "pickle", "marshal", "struct"])

# What stands before the attributes of an object that is recorded itself; and the arrays of a function that was loaded.
_OWNER = re.compile(r"^(the function|__self__)\.")
_LOADED = re.compile(r"(parameters|states)\['(?P<name>\w+)'\]")

_GLOBALS = frozenset([
    "LOAD_GLOBAL", "STORE_GLOBAL", "DELETE_GLOBAL", "LOAD_NAME", "STORE_NAME", "LOAD_FROM_DICT_OR_GLOBALS"
])  # fmt: skip
_ENCLOSING = frozenset(["LOAD_DEREF", "LOAD_CLASSDEREF", "LOAD_FROM_DICT_OR_DEREF"])
_READ_ATTRIBUTE = frozenset(["LOAD_ATTR", "LOAD_METHOD"])
_ATTRIBUTES = _READ_ATTRIBUTE | frozenset(["STORE_ATTR", "DELETE_ATTR", "LOAD_SUPER_ATTR", "IMPORT_FROM"])


@dataclass(frozen=True)
class Names:
    """The names of one code object, without those defined inside it.

    Attributes
    ----------
    globals, attributes : frozenset of str
        Read, set or deleted.
    stored : frozenset of str
        Attributes that are set.
    loaded : frozenset of str
        Attributes that are used otherwise.
    chains : frozenset of tuple of str
        Dotted names as written: ``numpy.random.rand`` is ``("numpy", "random", "rand")``.
    imports : frozenset of (int, str)
        Modules imported by ``import`` statements, with the number of leading dots.
    """

    globals: frozenset[str]
    attributes: frozenset[str]
    stored: frozenset[str]
    loaded: frozenset[str]
    chains: frozenset[tuple[str, ...]]
    imports: frozenset[tuple[int, str]]

    @property
    def dynamic(self) -> bool:
        """Whether code may name attributes by strings."""
        return not (_DYNAMIC_GLOBALS.isdisjoint(self.globals) and _DYNAMIC_ATTRIBUTES.isdisjoint(self.attributes))

    @property
    def tests_types(self) -> bool:
        """Whether code may tell a stand-in from a float."""
        return not _TYPE_TESTS.isdisjoint(self.globals) or "__class__" in self.attributes


@functools.lru_cache(maxsize=4096)
def names_used(code: types.CodeType) -> Names:
    """The names that code uses. A class pattern of a ``match`` counts as ``getattr`` and ``isinstance``."""
    read: set[str] = set()
    attributes: set[str] = set()
    stored: set[str] = set()
    loaded: set[str] = set()
    chains: set[tuple[str, ...]] = set()
    imports: set[tuple[int, str]] = set()
    chain: tuple[str, ...] = ()
    constants: list[object] = []
    for instruction in dis.get_instructions(code):
        operation, name = instruction.opname, instruction.argval
        if operation == "EXTENDED_ARG":
            continue
        if operation in ("LOAD_CONST", "LOAD_SMALL_INT"):
            constants.append(name)
        if chain and operation in _READ_ATTRIBUTE:
            chain = (*chain, name)
        else:
            chains.add(chain)
            chain = (name,) if operation in _GLOBALS or operation in _ENCLOSING else ()
        if operation in _GLOBALS:
            read.add(name)
        elif operation in _ATTRIBUTES:
            attributes.add(name)
            (stored if operation == "STORE_ATTR" else loaded).add(name)
        elif operation == "IMPORT_NAME":
            level = constants[-2]
            imports.add((level if isinstance(level, int) else 0, name))
        elif operation == "MATCH_CLASS":
            read |= {"getattr", "isinstance"}
    chains.add(chain)
    return Names(*map(frozenset, (read, attributes, stored, loaded, chains - {()}, imports)))  # type: ignore[arg-type]


def nested(code: types.CodeType) -> Iterator[types.CodeType]:
    """A code object and all that are defined inside it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from nested(constant)


def parameter_names(function: Any, count: int) -> list[str]:
    """What a function, a method or an object to call calls its first positional arguments.

    An object whose ``__call__`` takes any arguments, as blocks of layers do, hands them to its ``forward``; a function
    that was loaded has them in `inputs`.
    """
    inputs = None if hasattr(function, "__code__") else getattr(function, "inputs", None)
    if isinstance(inputs, list) and len(inputs) >= count and all(isinstance(one, str) for one in inputs):
        return inputs[:count]
    code, skipped = _code_of(function)
    names = list(code.co_varnames[skipped : code.co_argcount]) if code is not None else []
    return names[:count] + [f"argument_{i}" for i in range(len(names), count)]


def _code_of(function: Any) -> tuple[types.CodeType | None, int]:
    """The code that gives names to the arguments, and whether its first parameter is the object."""
    found, owner = function, getattr(function, "__self__", None)
    if isinstance(found, types.MethodType):
        found = found.__func__
    elif not isinstance(getattr(found, "__code__", None), types.CodeType):
        found, owner = type(function).__call__, function
    code = getattr(found, "__code__", None)
    if not isinstance(code, types.CodeType):
        return None, 0
    forward = getattr(type(owner), "forward", None)
    if code.co_argcount == 1 and code.co_flags & inspect.CO_VARARGS and forward is not None:
        other = getattr(forward, "__code__", None)
        code = other if isinstance(other, types.CodeType) else code
    return code, int(owner is not None)


def readable(path: str | None) -> str | None:
    """The place of an array as its owner would write it: ``layers[0].weight`` for ``the function.__self__.layers[0]
    .weight._data``, where `Parameter` keeps its array.
    """
    if path is None:
        return None
    short = _OWNER.sub("", path)
    while short != path:
        path, short = short, _OWNER.sub("", short)
    known = _LOADED.fullmatch(short) if short else None
    return known["name"] if known is not None else short.replace("._data", "") or None
