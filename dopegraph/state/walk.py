"""Everything a function reaches: arguments, closure, globals, attributes. A walk over it finds the arrays a compiled
function reads and writes the guards under which a recording may be replayed.
"""

from __future__ import annotations

import importlib.util
import inspect
import sys
import types
from collections.abc import Collection
from typing import Any

import numpy

from dopegraph.array import ndarray
from dopegraph.runtime.location import is_ours
from dopegraph.runtime.unchanging import Unchanging
from dopegraph.state.effects import home_of, is_user_code, is_user_module
from dopegraph.state.guards import is_immutable
from dopegraph.state.names import names_used, nested, parameter_names
from dopegraph.state.places import MISSING, CellPlace, ClassPlace, NamesPlace
from dopegraph.state.static import Static
from dopegraph.state.values import BUILT_IN, Values, unwrap

# What names of other people's modules may stand for without making a function depend on hidden state.
_LIBRARY = (*BUILT_IN, types.FunctionType, type, numpy.ufunc, type(numpy.sum), type(numpy.s_), ndarray, Unchanging)

# Modules whose functions take a stand-in for the float that it stands for, or look at it.
_TAKE_STAND_INS = frozenset([
    "__future__", "_abc", "_collections", "_functools", "_operator", "abc", "builtins", "cmath", "collections",
    "contextlib", "copy", "dataclasses", "dopegraph", "enum", "functools", "itertools", "math", "numpy", "operator",
    "types", "typing", "warnings"
])  # fmt: skip

# What can be looked into although it has no ``__dict__``.
_LOOKED_INTO = (
    *(numpy.ndarray, numpy.generic, list, tuple, dict, set, frozenset),
    *(types.MethodType, property, staticmethod, classmethod),
)


class Walk(Values):
    """One walk over what `function(*args, **kwargs)` reaches.

    Attributes
    ----------
    args, kwargs : tuple, dict
        What the function is to be called with: floats and NumPy arrays have stand-ins.
    codes : set of code objects
        Of all functions that were found, with those defined inside them.
    attributes, stored, loaded : set of str
        Attributes that code uses, those that it sets, and those that it uses otherwise.
    dynamic, tests_types : bool
        Whether code may name attributes by strings, and whether it may tell a stand-in from a float.
    """

    def __init__(
        self,
        function: Any,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        floats: bool = True,
        before: Walk | None = None,
        static: Static = Static(),  # noqa: B008 - immutable
        moving: Collection[tuple[int, Any]] = (),
    ) -> None:
        super().__init__(floats)
        self.moving = moving
        self.codes: set[types.CodeType] = set()
        self.attributes: set[str] = set(before.attributes) if before is not None else set()
        self.stored: set[str] = set(before.stored) if before is not None else set()
        self.loaded: set[str] = set(before.loaded) if before is not None else set()
        self.dynamic = before is not None and before.dynamic
        self.tests_types = before is not None and before.tests_types
        self._done: dict[int, set[str]] = {}
        root = unwrap(function)
        self.home = home_of(root.__code__) if isinstance(root, types.FunctionType) else ""
        names = parameter_names(root, len(args))
        given = []
        for i, value in enumerate(args):
            if i in static.positions:
                self.static_argument(f"args[{i}]", value, names[i])
                given.append(value)
            else:
                given.append(self.argument(f"args[{i}]", value, names[i]))
        self.args = tuple(given)
        self.kwargs = {}
        for name, value in kwargs.items():
            if name in static.names:
                self.static_argument(f"kwargs[{name!r}]", value, name)
                self.kwargs[name] = value
            else:
                self.kwargs[name] = self.argument(f"kwargs[{name!r}]", value, name)
        self.guards.lines = self.guards.state
        if inspect.isgeneratorfunction(root) or inspect.iscoroutinefunction(root):
            self.problem(
                "unguarded-function", f"{root.__qualname__} is a generator or a coroutine: it runs after the call"
            )
        self._callable(root)
        while self._queue:
            self._queue.pop(0)()
        self.check_memory()
        self.expect_stand_ins()
        self.guards.walked()

    def _knowledge(self) -> tuple[Any, ...]:
        """What is known about the code: more turns up as more code is found."""
        return len(self.attributes), len(self.stored), len(self.loaded), self.dynamic, self.tests_types

    def _names_left(self, holder: Any, names: Collection[str]) -> list[str]:
        """Those names of a namespace that were not visited yet."""
        self._keep.append(holder)
        done = self._done.setdefault(id(holder), set())
        left = sorted(set(names) - done)
        done.update(left)
        return left

    # Functions ---------------------------------------------------------------------------------------------------

    def _callable(self, function: Any) -> None:
        """Visit what a callable reaches when it is called."""
        if isinstance(function, types.FunctionType):
            self._function(function)
        elif not isinstance(function, (type, *BUILT_IN, numpy.ufunc, Unchanging)):
            self.visit(self.guards.constant(function), function, "the function")

    def _function(self, function: types.FunctionType) -> None:
        """Visit closure, defaults and globals of a function."""
        if id(function) in self._done:
            return
        self._names_left(function, ())
        code, label = function.__code__, function.__qualname__
        users = is_user_code(code, self.home)
        self._gather(code)
        for free, cell in zip(code.co_freevars, function.__closure__ or ()):
            self._cell(cell, free, label)
        if is_ours(code):
            return
        name = self.guards.constant(function)
        failure = f"{name}.__code__ is not {self.guards.constant(code)}"
        self.guards.check(failure, "changed-object", label, text="other code")
        for part in ("__defaults__", "__kwdefaults__"):
            if getattr(function, part):
                self.visit(f"{name}.{part}", getattr(function, part), f"the defaults of {label}")
        if users:
            codes = list(nested(code))
            self._globals(function.__globals__, {one for inner in codes for one in names_used(inner).globals})
            for inner in codes:
                self._imports(inner, function.__globals__)
                for chain in names_used(inner).chains:
                    self._follow(function, chain)
            self.reach("function_attributes", function, name)

    def _function_attributes(self, function: types.FunctionType, name: str) -> None:
        variable, label = f"{name}.__dict__", function.__qualname__
        if function.__dict__:
            self._namespace(function.__dict__, self.guards.variable(variable), label)
        else:  # not worth a guard; but what is set by the call is a change
            self.places.append(NamesPlace(function.__dict__, variable, label, None if self.dynamic else self.stored))

    def _gather(self, code: types.CodeType) -> None:
        """Note the names that code, and code inside it, uses."""
        for one in nested(code):
            self.codes.add(one)
            if not is_ours(one):
                names = names_used(one)
                self.attributes |= names.attributes
                self.stored |= names.stored
                self.loaded |= names.loaded
                self.dynamic |= names.dynamic
                self.tests_types |= names.tests_types

    def _cell(self, cell: types.CellType, name: str, label: str) -> None:
        if id(cell) in self.seen:
            return
        variable = self.seen[id(cell)] = self.guards.constant(cell)
        self._keep.append(cell)
        place = CellPlace(cell, variable, name)
        self.places.append(place)
        value = place.before[None]
        if value is MISSING:
            self.problem("unguarded-state", f"{name} in {label} has no value yet")
        elif not isinstance(value, types.ModuleType) or is_user_module(value, self.home):
            self.held(cell, None, f"{variable}.cell_contents", value, name)
        else:
            self.guards.same(f"{variable}.cell_contents", value, name)

    def _globals(self, namespace: dict[str, Any], names: Collection[str], path: str = "") -> None:
        """Visit those globals that code names."""
        names = self._names_left(namespace, names)
        variable = self.guards.constant(namespace)
        for name in names:
            value = namespace.get(name, MISSING)
            if value is MISSING:
                failure = f"{name!r} in {variable}"
                self.guards.check(failure, "changed-structure", f"{path}{name}", text="defined now")
            elif isinstance(value, types.ModuleType) and not is_user_module(value, self.home):
                self.guards.same(f"{variable}.get({name!r})", value, f"{path}{name}")
            else:
                self.held(namespace, name, f"{variable}.get({name!r}, MISSING)", value, f"{path}{name}")
        self.places.append(NamesPlace(namespace, variable, "globals", names))

    def _imports(self, code: types.CodeType, namespace: dict[str, Any]) -> None:
        """Visit the modules that are imported inside a function."""
        for level, name in names_used(code).imports:
            full = importlib.util.resolve_name("." * level + name, namespace.get("__package__") or "")
            parts = full.split(".")
            for end in range(1, len(parts) + 1):
                module = sys.modules.get(".".join(parts[:end]))
                if module is not None:
                    loaded = f"{self.guards.constant(sys.modules)}.get({module.__name__!r})"
                    self.visit(loaded, module, module.__name__)

    # Modules -----------------------------------------------------------------------------------------------------

    def _module(self, module: types.ModuleType, path: str) -> None:
        """Visit those attributes of a module that code names; by a string, too."""
        if not is_user_module(module, self.home):
            self._library(module, path)
            return
        names = set(self.attributes)
        if self.dynamic:
            names |= {constant for code in self.codes for constant in code.co_consts if isinstance(constant, str)}
        self._globals(module.__dict__, names & set(module.__dict__), f"{path}.")

    def _follow(self, function: types.FunctionType, chain: tuple[str, ...]) -> None:
        """See what a dotted name stands for that begins with a module which is not the user's."""
        cells = dict(zip(function.__code__.co_freevars, function.__closure__ or ()))
        first, *rest = chain
        value = function.__globals__.get(first)
        if first in cells:
            value = CellPlace(cells[first], "", first).before[None]
        for name in rest:
            if not isinstance(value, types.ModuleType) or is_user_module(value, self.home):
                return
            value, first = getattr(value, name, None), f"{first}.{name}"
        if isinstance(value, types.ModuleType):
            self.reach("module", value, first)
        elif rest:
            self._library_value(value, first)

    def _library(self, module: types.ModuleType, path: str) -> None:
        for name in self._names_left(module, self.attributes & set(vars(module))):
            value = vars(module)[name]
            if isinstance(value, types.ModuleType):
                self.reach("module", value, f"{path}.{name}")
            else:
                self._library_value(value, f"{path}.{name}")

    def foreign(self, value: Any) -> None:
        name = getattr(value, "__module__", None)
        if not isinstance(name, str) or name.partition(".")[0] in _TAKE_STAND_INS:
            return
        module = sys.modules.get(name)
        if module is not None and not is_user_module(module, self.home):
            self.tests_types = True

    def _library_value(self, value: Any, path: str) -> None:
        if isinstance(value, (type, types.FunctionType, *BUILT_IN)):
            self.foreign(value)
        self.dynamic |= getattr(value, "__module__", None) in ("copy", "dataclasses")
        if isinstance(value, types.MethodType):
            value = value.__self__
        kind = type(value)
        if not isinstance(value, _LIBRARY) and not is_immutable(value):
            self.problem(
                "unguarded-state", f"{path} is a {kind.__module__}.{kind.__qualname__}, which may change unseen"
            )

    # Objects and classes -----------------------------------------------------------------------------------------

    def _object(self, variable: str, value: Any, path: str) -> None:
        """Visit the class, and attributes that code names; all of them of our own objects, whose code is not read.

        So of objects of the user's classes that are made from ours; but our code does nothing with files, locks and
        iterators that the user put there.
        """
        kind = type(value)
        self._class(kind)
        ours = any(has_our_code(base) for base in kind.__mro__)
        left_out: set[str] = set()
        if ours and not self.dynamic and not has_our_code(kind):
            left_out = {name for name, held in value.__dict__.items() if is_opaque(held)} - self.loaded
        self._namespace(value.__dict__, self.guards.variable(f"{variable}.__dict__"), path, ours, left_out)

    def _namespace(
        self,
        held: dict[str, Any],
        variable: str,
        path: str,
        dynamic: bool = False,
        left_out: Collection[str] = (),
    ) -> None:
        """Visit names of a ``__dict__`` that code names; all of them where code may name them by a string."""
        dynamic = dynamic or self.dynamic
        if dynamic:
            self.guards.keys(variable, tuple(held), path)
        else:
            self.guards.none_of(frozenset(self.attributes - set(held)), variable, path)
        names = set(held) if dynamic else self.attributes & set(held)
        for name in sorted(names):
            expression, where = f"{variable}.get({name!r}, MISSING)", f"{path}.{name}"
            if name in left_out:
                self.guards.same(expression, held[name], where)
            else:
                self.held(held, name, expression, held[name], where)
        self.places.append(NamesPlace(held, variable, path, None if dynamic else names | self.stored))

    def _class(self, kind: type) -> None:
        """Methods of user classes may run; other class attributes that code names are guarded."""
        for base in kind.__mro__:
            if base is object or base.__module__ == "builtins" or id(base) in self._done:
                continue
            self._names_left(base, ())
            held = dict(vars(base))
            functions = {name: list(functions_of(value)) for name, value in held.items()}
            found = [function for several in functions.values() for function in several]
            if found and not any(is_user_code(function.__code__, self.home) for function in found):
                continue
            for function in found:
                self.reach("callable", function)
            variable = self.guards.constant(base)
            names = self.guards.constant(vars(base))
            self.guards.none_of(frozenset(self.attributes - set(held)), names, base.__qualname__)
            for name in sorted(held):
                value, path = held[name], f"{base.__qualname__}.{name}"
                if name not in self.attributes and not (functions[name] and name.startswith("__")):
                    continue
                descriptor = hasattr(type(value), "__get__") and not hasattr(type(value), "__dopegraph_parts__")
                if functions[name] or descriptor:
                    self.guards.same(f"{names}.get({name!r})", value, path)
                else:
                    self.visit(f"{names}.get({name!r}, MISSING)", value, path)
            self.places.append(ClassPlace(base, variable, base.__qualname__, self.attributes & set(held) | self.stored))


def walk(
    function: Any,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    static: Static = Static(),  # noqa: B008 - immutable
    moving: Collection[tuple[int, Any]] = (),
) -> Walk:
    """Walk again until every name that reached code uses is known; floats stay static where code tests types.

    `moving` says where numbers are, by the id of what holds them and the key, that calls change.
    """
    found = Walk(function, args, kwargs, static=static, moving=moving)
    while True:
        known = found._knowledge()
        found = Walk(function, args, kwargs, not found.tests_types, found, static, moving)
        if found._knowledge() == known:
            return found


def unchanged_since(found: Walk) -> str | None:
    """The path of a NumPy array whose contents changed after the walk."""
    for path, array, copy in found.contents:
        if numpy.asarray(array).tobytes() != copy.tobytes():
            return path
    return None


def has_our_code(kind: type) -> bool:
    """Whether a class itself has methods of dopegraph's."""
    return any(is_ours(function.__code__) for part in list(vars(kind).values()) for function in functions_of(part))


def is_opaque(value: Any) -> bool:
    """Whether a value has a state that cannot be looked into, such as a file or a lock."""
    return hasattr(type(value), "__next__") or not (
        hasattr(value, "__dict__") or is_immutable(value) or isinstance(value, (*_LIBRARY, *_LOOKED_INTO))
    )


def functions_of(value: Any) -> list[types.FunctionType]:
    """The Python functions that a class attribute stands for."""
    if isinstance(value, property):
        return [one for part in (value.fget, value.fset, value.fdel) for one in functions_of(part)]
    if isinstance(value, (staticmethod, classmethod)):
        value = value.__func__
    value = unwrap(value)
    return [value] if isinstance(value, types.FunctionType) else []
