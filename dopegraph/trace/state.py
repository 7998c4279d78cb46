"""Everything a function reaches: arguments, closure, globals, attributes. A walk over it finds the arrays a compiled
function reads, writes the guards under which a recording may be replayed, and sees afterwards what the function rebound.
"""

from __future__ import annotations

import dis
import functools
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from pathlib import PurePath
from typing import Any

import numpy

from dopegraph.array import from_numpy, ndarray
from dopegraph.runtime.location import is_ours
from dopegraph.trace.effects import home_of, is_user_code, is_user_module
from dopegraph.trace.recording import Escape
from dopegraph.trace.scalar import DynamicFloat
from dopegraph.trace.tree import children_of

# A state larger than this is guarded more slowly than it is run.
LIMIT = 5000

MISSING = object()

_IMMUTABLE = (int, bool, float, complex, str, bytes, type(None), type(...), range, numpy.dtype, Enum, PurePath, slice)
_OPAQUE_OK = (types.BuiltinFunctionType, types.BuiltinMethodType, numpy.ufunc, types.WrapperDescriptorType)


@dataclass
class Container:
    """Something that holds values under keys, as it was before the call."""

    kind: str  # "list", "dict", "globals", "attributes", "cell"
    holder: Any
    before: dict[Any, Any]
    variable: str
    path: str
    original: Any = None  # what the caller has, when the function was given a stand-in

    def now(self) -> dict[Any, Any]:
        """The same keys now; new ones too."""
        return snapshot(self.kind, self.holder, self.before)

    def put(self, key: Any, value: Any) -> None:
        """Set a key."""
        if self.kind == "cell":
            self.holder.cell_contents = value
        elif self.kind == "attributes":
            self.holder.__dict__[key] = value
        else:
            self.holder[key] = value

    def store(self, target: str, key: Any) -> str:
        """The Python that sets a key of the container that `target` names."""
        if self.kind == "cell":
            return f"{target}.cell_contents"
        if self.kind == "attributes":
            return f"{target}.__dict__[{key!r}]"
        return f"{target}[{key!r}]"


def snapshot(kind: str, holder: Any, keys: Any) -> dict[Any, Any]:
    """The contents of a container; of globals and attributes only the given names."""
    if kind == "list":
        return dict(enumerate(holder))
    if kind == "dict":
        return dict(holder)
    if kind == "cell":
        try:
            return {None: holder.cell_contents}
        except ValueError:
            return {None: MISSING}
    names = holder if kind == "globals" else holder.__dict__
    return {key: names.get(key, MISSING) for key in keys}


@dataclass
class Guards:
    """Python statements, each of which returns a number when the state differs; `reasons` says what each number means."""

    lines: list[str] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    constants: dict[str, Any] = field(default_factory=dict)


class Walk:
    """One walk over what `function(*args, **kwargs)` reaches.

    Attributes
    ----------
    signature, state : list of str
        Statements that check the arguments' types, and everything else.
    arrays : dict of int to (variable, handle)
        By id of the handle.
    floats : list of str
        Variables of the float arguments, in order.
    containers : list of Container
    problems : list of Escape
        What makes the state impossible to guard.
    codes : set of code objects
        Of all functions that were found, with those defined inside them.
    """

    def __init__(
        self,
        function: Any,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        dynamic: bool = True,
        attributes: frozenset[str] = frozenset(),
    ) -> None:
        self.guards = Guards()
        self.signature: list[str] = []
        self.state: list[str] = []
        self.arrays: dict[int, tuple[str, ndarray]] = {}
        self.wrapped: dict[int, str] = {}
        self.floats: list[str] = []
        self.numbers: list[float] = []
        self.containers: list[Container] = []
        self.problems: list[Escape] = []
        self.codes: set[types.CodeType] = set()
        self.keep: list[Any] = []
        self.paths: dict[str, str] = {}
        self.contents: list[tuple[str, Any, numpy.ndarray]] = []
        self.seen: dict[int, str] = {}
        self._count = 0
        self._attributes: set[str] = set(attributes)
        self._functions_done: set[int] = set()
        self._globals_done: dict[int, set[str]] = {}
        self._classes_done: set[int] = set()
        self._tests_types = False
        self._queue: list[Callable[[], None]] = []
        self._lines = self.signature
        root = _unwrap(function)
        self.home = home_of(root.__code__) if isinstance(root, types.FunctionType) else ""
        self.dynamic = dynamic
        names = parameter_names(function, len(args))
        self.args = tuple(self._argument(f"args[{i}]", value, names[i]) for i, value in enumerate(args))
        self.kwargs = {name: self._argument(f"kwargs[{name!r}]", value, name) for name, value in kwargs.items()}
        self._lines = self.state
        self._function(function, None)
        while self._queue:
            self._queue.pop(0)()

    # Writing guards ----------------------------------------------------------------------------------------------

    def constant(self, value: Any, prefix: str = "K") -> str:
        """A name for an object in the generated code."""
        name = f"{prefix}{len(self.guards.constants)}"
        self.guards.constants[name] = value
        return name

    def _variable(self, expression: str) -> str:
        self._count += 1
        if self._count == LIMIT:
            self.problem("state-too-large", f"the function reaches more than {LIMIT} values")
        name = f"v{self._count}"
        self._lines.append(f"{name} = {expression}")
        return name

    def check(self, failure: str, reason: str) -> None:
        """Leave when an expression is true."""
        self._lines.append(f"if {failure}: return {len(self.guards.reasons)}")
        self.guards.reasons.append(reason)

    def problem(self, reason: str, detail: str) -> None:
        self.problems.append(Escape(reason, detail, None))

    # Arguments ---------------------------------------------------------------------------------------------------

    def _argument(self, expression: str, value: Any, path: str) -> Any:
        """Visit an argument; the result is what the function is given: floats and NumPy arrays have stand-ins."""
        kind = type(value)
        if kind is float and self.dynamic:
            variable = self._variable(expression)
            self.check(f"type({variable}) is not float", f"{path} is no longer a float")
            stand_in = DynamicFloat(f"a{len(self.floats)}", value)
            self.floats.append(variable)
            self.numbers.append(value)
            return stand_in
        if isinstance(value, (numpy.ndarray, numpy.generic)):
            return self._numpy_argument(expression, value, path)
        found = children_of(value) if kind in (list, tuple, dict) or hasattr(kind, "_fields") else None
        if found is None or id(value) in self.seen:
            return self._visit(expression, value, path, signature=True)
        variable = self._variable(expression)
        self.seen[id(value)] = variable
        self._check_container(variable, value, path)
        parts, keys, access = found
        given = [
            self._argument(
                f"{variable}[{keys[index]!r}]" if kind is dict else f"{variable}[{index}]", part, path + access(index)
            )
            for index, part in enumerate(parts)
        ]
        replaced = any(one is not part for one, part in zip(given, parts))
        result = _rebuilt(value, given, keys) if replaced else value
        if kind in (list, dict):
            name = "list" if kind is list else "dict"
            before = snapshot(name, result, ())
            self.containers.append(
                Container(name, result, before, variable, path, original=value if replaced else None)
            )
        return result

    def _numpy_argument(self, expression: str, value: Any, path: str) -> Any:
        array = numpy.asarray(value)
        if array.dtype.kind not in "biufc":
            self.problem("unsupported-argument", f"{path} is a NumPy array of {array.dtype}")
            return value
        raw = self._variable(expression)
        self.check(
            f"type({raw}) is not {self.constant(type(value))} or {raw}.dtype != {self.constant(array.dtype)} "
            f"or {raw}.shape != {array.shape!r}",
            f"{path} was a NumPy {array.dtype}{list(array.shape)}",
        )
        handle = from_numpy(array)
        wrap = self.constant(from_numpy)
        variable = self._variable(f"{wrap}({self.constant(numpy.asarray)}({raw}))")
        self.arrays[id(handle)] = (variable, handle)
        self.paths[variable] = path
        return handle

    def _check_container(self, variable: str, value: Any, path: str) -> None:
        kind = type(value)
        name = self.constant(kind)
        if kind is dict:
            keys = self.constant(tuple(value))
            self.check(f"type({variable}) is not {name} or tuple({variable}) != {keys}", f"{path} has other keys")
            if not all(isinstance(key, _IMMUTABLE) for key in value):
                self.problem("unguarded-state", f"{path} has keys that are not numbers or strings")
        else:
            self.check(
                f"type({variable}) is not {name} or len({variable}) != {len(value)}",
                f"{path} is no longer a {kind.__name__} of length {len(value)}",
            )

    # Values ------------------------------------------------------------------------------------------------------

    def _visit(self, expression: str, value: Any, path: str, signature: bool = False) -> Any:
        """Guard a value and what it holds."""
        if self._count >= LIMIT:
            return value
        variable = self._variable(expression)
        kind = type(value)
        if isinstance(value, _IMMUTABLE):
            self._visit_immutable(variable, value, path)
            return value
        if id(value) in self.seen:
            self.check(f"{variable} is not {self.seen[id(value)]}", f"{path} is another object than before")
            return value
        self.seen[id(value)] = variable
        self.keep.append(value)
        if kind is ndarray:
            self._visit_array(variable, value, path)
        elif kind in (list, tuple, dict) or (isinstance(value, tuple) and hasattr(kind, "_fields")):
            self._visit_container(variable, value, path)
        elif kind in (set, frozenset):
            self.check(f"{variable} != {self.constant(kind(value))}", f"{path} has other elements")
        elif isinstance(value, (numpy.ndarray, numpy.generic)):
            self._visit_numpy(variable, value, path)
        elif isinstance(value, types.FunctionType):
            self._same(variable, value, path)
            self._queue.append(functools.partial(self._function, value, None))
        elif isinstance(value, types.MethodType):
            self.check(f"type({variable}) is not {self.constant(kind)}", f"{path} is no longer a method")
            self._visit(f"{variable}.__func__", value.__func__, f"{path}.__func__")
            self._visit(f"{variable}.__self__", value.__self__, f"{path}.__self__")
        elif isinstance(value, types.ModuleType):
            self._same(variable, value, path)
            if is_user_module(value, self.home):
                self._later(self._names, "attributes", variable, value, path)
        elif isinstance(value, type):
            self._same(variable, value, path)
            self._later(self._class, variable, value, path)
        elif isinstance(value, functools.partial):
            self.check(f"type({variable}) is not {self.constant(kind)}", f"{path} is no longer a partial")
            for name in ("func", "args", "keywords"):
                self._visit(f"{variable}.{name}", getattr(value, name), f"{path}.{name}")
        elif isinstance(value, _OPAQUE_OK) or (isinstance(value, types.MethodWrapperType)):
            self._same(variable, value, path)
        elif isinstance(value, (staticmethod, classmethod)):
            self._visit(f"{variable}.__func__", value.__func__, path)
        elif isinstance(value, property):
            self._same(variable, value, path)
            for one in (value.fget, value.fset):
                if one is not None:
                    self._queue.append(functools.partial(self._function, one, None))
        elif hasattr(kind, "__next__"):
            self.problem("unguarded-state", f"{path} is an iterator; what it gives next cannot be guarded")
        elif hasattr(value, "__dict__"):
            self.check(f"type({variable}) is not {self.constant(kind)}", f"{path} is no longer a {kind.__name__}")
            self._later(self._instance, variable, value, path)
        else:
            self._same(variable, value, path)
            self.problem("unguarded-state", f"{path} is a {kind.__module__}.{kind.__qualname__}, which may change unseen")
        return value

    def _later(self, visit: Callable[..., None], *arguments: Any) -> None:
        """Attributes are visited when all functions, and so all names they use, are known."""
        self._queue.append(functools.partial(visit, *arguments))

    def _same(self, variable: str, value: Any, path: str) -> None:
        self.check(f"{variable} is not {self.constant(value)}", f"{path} is another object than before")

    def _visit_immutable(self, variable: str, value: Any, path: str) -> None:
        if value is None or value is ... or isinstance(value, (bool, Enum)):
            self._same(variable, value, path)
            return
        constant, kind = self.constant(value), self.constant(type(value))
        differs = f"type({variable}) is not {kind} or {variable} != {constant}"
        if isinstance(value, float):  # nan equals itself here, 0.0 does not equal -0.0
            differs = f"type({variable}) is not {kind} or repr({variable}) != {repr(value)!r}"
        self.check(differs, f"{path} was {value!r}")

    def _visit_array(self, variable: str, value: ndarray, path: str) -> None:
        buffer = value._settled()
        known = self.constant((buffer.dtype, buffer.shape, buffer.device))
        self.check(
            f"type({variable}) is not ndarray or aval({variable}) != {known}",
            f"{path} was an array {value._type} on {buffer.device}",
        )
        self.arrays[id(value)] = (variable, value)
        self.paths[variable] = path
        if value._gradient is None:
            self.check(f"{variable}._gradient is not None", f"{path} has a place for a gradient now")
        else:
            self.check(f"{variable}._grad_req != {value._grad_req!r}", f"{path} has another grad_req")
            self._visit(f"{variable}._gradient", value._gradient, f"{path}.grad")

    def _visit_container(self, variable: str, value: Any, path: str) -> None:
        self._check_container(variable, value, path)
        kind = type(value)
        if kind is dict:
            for key, part in value.items():
                self._visit(f"{variable}[{key!r}]", part, f"{path}[{key!r}]")
        else:
            for index, part in enumerate(value):
                self._visit(f"{variable}[{index}]", part, f"{path}[{index}]")
        if kind in (list, dict):
            name = "list" if kind is list else "dict"
            self.containers.append(Container(name, value, snapshot(name, value, ()), variable, path))

    def _visit_numpy(self, variable: str, value: Any, path: str) -> None:
        """NumPy's own arrays can change without our seeing it: their contents are compared at every call."""
        copy = numpy.array(value)
        self.contents.append((path, value, copy))
        self.check(f"not unchanged({variable}, {self.constant(copy)})", f"the contents of the NumPy array {path} changed")

    # What functions reach ------------------------------------------------------------------------------------------

    def _gather(self, function: Any) -> None:
        """Code objects of a function, and the names they use."""
        if isinstance(function, types.FunctionType):
            for code in nested(function.__code__):
                if code in self.codes:
                    continue
                self.codes.add(code)
                if not is_ours(code):
                    self._attributes |= names_used(code)["attributes"]
                    if {"isinstance", "type"} & names_used(code)["globals"]:
                        self._tests_types = True

    def _function(self, function: Any, path: str | None) -> None:
        """Visit closure, defaults and globals of a function that may run."""
        function_ = _unwrap(function)
        if not isinstance(function_, types.FunctionType):
            if isinstance(function_, types.MethodType):
                self._function(function_.__func__, path)
                name = self.constant(function_, "F")
                self._visit(f"{name}.__self__", function_.__self__, "self")
            elif not isinstance(function_, (type, *_OPAQUE_OK)):
                self._visit(self.constant(function_, "F"), function_, "the function")
            return
        name = self.constant(function_, "F")
        label = function_.__qualname__
        if id(function_) in self._functions_done:
            return
        self._functions_done.add(id(function_))
        self.keep.append(function_)
        self._gather(function_)
        self.check(f"{name}.__code__ is not {self.constant(function_.__code__)}", f"{label} has other code")
        for part in ("__defaults__", "__kwdefaults__"):
            if getattr(function_, part):
                self._visit(f"{name}.{part}", getattr(function_, part), f"the defaults of {label}")
        for free, cell in zip(function_.__code__.co_freevars, function_.__closure__ or ()):
            self._cell(cell, free, label)
        if is_user_code(function_.__code__, self.home):
            self._names("globals", self.constant(function_.__globals__, "G"), function_, label)

    def _cell(self, cell: Any, name: str, label: str) -> None:
        if id(cell) in self.seen:
            return
        variable = self.constant(cell, "C")
        self.seen[id(cell)] = variable
        self.keep.append(cell)
        before = snapshot("cell", cell, ())
        self.containers.append(Container("cell", cell, before, variable, name))
        if before[None] is MISSING:
            self.problem("unguarded-state", f"{name} in {label} has no value yet")
            return
        self._visit(f"{variable}.cell_contents", before[None], name)

    def _names(self, kind: str, variable: str, holder: Any, path: str) -> None:
        """Visit those globals of a function, or attributes of a module, that the code names."""
        if kind == "globals":
            namespace: dict[str, Any] = holder.__globals__
            names = sorted({name for code in nested(holder.__code__) for name in names_used(code)["globals"]})
        else:
            namespace = holder.__dict__
            variable = self.constant(namespace, "G")
            names = sorted(self._attributes & set(namespace))
        done = self._globals_done.setdefault(id(namespace), set())
        names = [name for name in names if name not in done]
        done.update(names)
        self.keep.append(namespace)
        for name in names:
            value = namespace.get(name, MISSING)
            if value is MISSING:
                self.check(f"{name!r} in {variable}", f"{name} is defined now")
                continue
            if isinstance(value, types.ModuleType) and not is_user_module(value, self.home):
                self.check(f"{variable}.get({name!r}) is not {self.constant(value)}", f"{name} is another module")
                continue
            self._visit(f"{variable}.get({name!r}, MISSING)", value, name)
        before = {name: namespace.get(name, MISSING) for name in names}
        self.containers.append(Container("globals", namespace, before, variable, "globals"))

    def _instance(self, variable: str, value: Any, path: str) -> None:
        """Visit the attributes that code names; all of them where code may name them by a string."""
        self._class(f"type({variable})", type(value), path)
        held = value.__dict__
        dynamic = {"getattr", "setattr", "vars", "__dict__", "hasattr"} & self._all_names()
        names = set(held) if dynamic else set(held) & self._attributes
        stored = {name for code in self.codes if not is_ours(code) for name in names_used(code)["stored"]}
        absent = sorted((stored | (self._attributes if "hasattr" in dynamic else set())) - set(held))
        holder = self._variable(f"{variable}.__dict__")
        for name in sorted(names):
            self._visit(f"{holder}.get({name!r}, MISSING)", held[name], f"{path}.{name}")
        for name in absent:
            self.check(f"{name!r} in {holder}", f"{path}.{name} is set now")
        before = {name: held.get(name, MISSING) for name in [*sorted(names), *absent]}
        self.containers.append(Container("attributes", value, before, variable, path))

    def _all_names(self) -> set[str]:
        return {name for code in self.codes if not is_ours(code) for names in names_used(code).values() for name in names}

    def _class(self, variable: str, kind: type, path: str) -> None:
        """Methods of user classes may run; other class attributes that code names are guarded."""
        if id(kind) in self._classes_done:
            return
        self._classes_done.add(id(kind))
        for base in kind.__mro__:
            namespace = dict(vars(base))
            functions = [value for value in map(_plain_function, namespace.values()) if value is not None]
            if not any(is_user_code(function.__code__, self.home) for function in functions) and functions:
                continue
            if base is object or base.__module__ == "builtins":
                continue
            name = self.constant(base, "T")
            self.keep.append(base)
            for function in functions:
                self._queue.append(functools.partial(self._function, function, None))
            for attribute in sorted(set(namespace) & self._attributes):
                value = namespace[attribute]
                if _plain_function(value) is None and not hasattr(type(value), "__get__"):
                    self._visit(f"{name}.__dict__.get({attribute!r}, MISSING)", value, f"{base.__name__}.{attribute}")


def walk(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Walk:
    """Walk until every name that reached code uses is known; floats stay static where code tests types."""
    attributes: frozenset[str] = frozenset()
    dynamic = True
    while True:
        found = Walk(function, args, kwargs, dynamic, attributes)
        grown = frozenset(found._attributes)
        static = bool(found.floats) and found._tests_types
        if grown == attributes and not static:
            return found
        attributes, dynamic = grown, dynamic and not static


def unchanged_since(walk: Walk) -> str | None:
    """The path of a NumPy array whose contents changed after the walk."""
    for path, array, copy in walk.contents:
        if numpy.asarray(array).tobytes() != copy.tobytes():
            return path
    return None


def _unwrap(function: Any) -> Any:
    """The Python function under a compiled one."""
    while hasattr(function, "__dopegraph_function__"):
        function = function.__dopegraph_function__
    return function


def _plain_function(value: Any) -> types.FunctionType | None:
    if isinstance(value, (staticmethod, classmethod)):
        value = value.__func__
    if isinstance(value, property):
        value = value.fget
    value = _unwrap(value)
    return value if isinstance(value, types.FunctionType) else None


def _rebuilt(value: Any, parts: list[Any], keys: Any) -> Any:
    if type(value) is dict:
        return dict(zip(keys, parts))
    if hasattr(type(value), "_fields"):
        return type(value)(*parts)
    return type(value)(parts)


def parameter_names(function: Any, count: int) -> list[str]:
    """What a function calls its first positional arguments."""
    inner = _unwrap(function)
    method = isinstance(inner, types.MethodType)
    code = getattr(inner, "__code__", None) or getattr(getattr(inner, "__func__", None), "__code__", None)
    names = list(code.co_varnames[method : code.co_argcount]) if code is not None else []
    return names[:count] + [f"argument_{i}" for i in range(len(names), count)]


def nested(code: types.CodeType) -> Iterator[types.CodeType]:
    """A code object and all that are defined inside it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from nested(constant)


@functools.lru_cache(maxsize=4096)
def names_used(code: types.CodeType) -> dict[str, frozenset[str]]:
    """Names of globals and attributes that code reads or sets, and of attributes that it sets."""
    found: dict[str, set[str]] = {"globals": set(), "attributes": set(), "stored": set()}
    for instruction in dis.get_instructions(code):
        name = instruction.argval
        if instruction.opname in ("LOAD_GLOBAL", "STORE_GLOBAL", "DELETE_GLOBAL", "LOAD_NAME", "STORE_NAME"):
            found["globals"].add(name)
        elif instruction.opname in ("LOAD_ATTR", "LOAD_METHOD", "STORE_ATTR", "DELETE_ATTR", "LOAD_SUPER_ATTR"):
            found["attributes"].add(name)
            if instruction.opname == "STORE_ATTR":
                found["stored"].add(name)
    return {kind: frozenset(names) for kind, names in found.items()}
