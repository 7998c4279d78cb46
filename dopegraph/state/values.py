"""The first half of a walk over what a function reaches: arguments and values. Each is guarded, arrays and places are
noted; what leads on to functions, classes and objects is left to `dopegraph.state.walk`.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Callable, Collection
from typing import Any

import numpy

from dopegraph.array import from_numpy, ndarray
from dopegraph.runtime.unchanging import Unchanging
from dopegraph.state.guards import Guards, is_immutable
from dopegraph.state.places import DictPlace, GradientPlace, ListPlace, Place, SetPlace
from dopegraph.state.standins import StandIns
from dopegraph.state.static import check_static
from dopegraph.trace.look import Escape
from dopegraph.trace.scalar import DynamicNumber, stand_in_for
from dopegraph.trace.tree import children_of

# A state larger than this is guarded more slowly than it is run.
LIMIT = 5000

BUILT_IN = (types.BuiltinFunctionType, types.BuiltinMethodType, types.WrapperDescriptorType, types.MethodWrapperType)


class _Plain:
    """An object that has nothing but a ``__dict__``."""


class Values:
    """Arguments and values that were reached.

    Attributes
    ----------
    guards : Guards
    arrays : dict of int to (variable, handle)
        By id of the handle.
    arguments : set of int
        Ids of the arrays among the arguments.
    floats : list of str
        Variables of the float arguments, in order.
    places : list of Place
    seen : dict of int to str
        Variables of all objects that were visited, by id.
    problems : list of Escape
        What makes the state impossible to guard.
    """

    def __init__(self, dynamic_floats: bool = True) -> None:
        self.guards = Guards()
        self.arrays: dict[int, tuple[str, ndarray]] = {}
        self.arguments: set[int] = set()
        self.paths: dict[str, str] = {}
        self.floats: list[str] = []
        self.places: list[Place] = []
        self.stand_ins = StandIns()
        self.seen: dict[int, str] = {}
        self.problems: list[Escape] = []
        self.contents: list[tuple[str, Any, numpy.ndarray]] = []
        self._dynamic_floats = dynamic_floats
        # Where numbers are that calls change, and what stands for them: holder, key, stand-in.
        self.moving: Collection[tuple[int, Any]] = ()
        self._moved: list[tuple[Any, Any, Any]] = []
        # By id of an argument: its variable, and what the function gets for it.
        self._given: dict[int, tuple[str, Any]] = {}
        self._keep: list[Any] = []
        self._queue: list[Callable[[], None]] = []

    def reach(self, kind: str, *found: Any) -> None:
        """Something that leads on: a callable, a class, an object or a module; visited when all names are known."""
        self._queue.append(functools.partial(getattr(self, f"_{kind}"), *found))

    def problem(self, reason: str, detail: str) -> None:
        """Note what cannot be guarded."""
        self.problems.append(Escape(reason, detail, None))

    # Arguments ---------------------------------------------------------------------------------------------------

    def argument(self, expression: str, value: Any, path: str) -> Any:
        """Visit an argument; the result is what the function is given."""
        kind = type(value)
        if id(value) in self._given:
            first, stand_in = self._given[id(value)]
            self.guards.check(f"{expression} is not {first}", "changed-object", path, text="another object")
            return stand_in
        if kind is float and self._dynamic_floats:
            return self._number(expression, value, path)
        if isinstance(value, (numpy.ndarray, numpy.generic)):
            return self._numpy_argument(expression, value, path)
        if kind in (list, tuple, dict) or is_namedtuple(value):
            return self._container_argument(expression, value, path)
        self.visit(expression, value, path)
        return value

    def _number(self, expression: str, value: float | int, path: str) -> DynamicNumber:
        variable = self.guards.variable(expression)
        self.guards.of_type(variable, type(value), path)
        stand_in = stand_in_for(value)(f"a{len(self.floats)}", value, path)
        self.floats.append(variable)
        self.stand_ins.add(stand_in, value)
        return stand_in

    def _numpy_argument(self, expression: str, value: Any, path: str) -> Any:
        array = numpy.asarray(value)
        guards = self.guards
        raw = guards.variable(expression)
        guards.of_type(raw, type(value), path)
        guards.numpy_array(raw, array, path)
        if array.dtype.kind not in "biufc":
            self.problem("unsupported-argument", f"{path} is a NumPy array of {array.dtype}")
            return value
        handle = from_numpy(array)
        variable = guards.variable(f"{guards.constant(from_numpy)}({guards.constant(numpy.asarray)}({raw}))")
        self.arrays[id(handle)] = (variable, handle)
        self.arguments.add(id(handle))
        self.paths[variable] = path
        self.stand_ins.add(handle, value)
        self._given[id(value)] = (raw, handle)
        return handle

    def _container_argument(self, expression: str, value: Any, path: str) -> Any:
        kind = type(value)
        variable = self.guards.variable(expression)
        self.seen[id(value)] = variable
        self._given[id(value)] = (variable, value)
        self._check_container(variable, value, path)
        found = children_of(value)
        assert found is not None
        parts, keys, access = found
        names = [repr(key) for key in keys] if kind is dict else [str(index) for index in range(len(parts))]
        given = [
            self.argument(f"{variable}[{name}]", part, path + access(index))
            for index, (name, part) in enumerate(zip(names, parts))
        ]
        replaced = [index for index, part in enumerate(parts) if given[index] is not part]
        if kind is list:
            self.places.append(ListPlace(value, variable, path, dict(enumerate(given))))
        elif kind is dict:
            self.places.append(DictPlace(value, variable, path, dict(zip(keys, given))))
        elif replaced:
            made = kind(given) if kind is tuple else kind(*given)
            self._given[id(value)] = (variable, made)
            return made
        for index in replaced:
            self.stand_ins.hold(value, keys[index] if kind is dict else index, given[index])
        return value

    def _check_container(self, variable: str, value: Any, path: str) -> None:
        kind = type(value)
        self.guards.of_type(variable, kind, path)
        if kind is dict:
            self.guards.keys(variable, tuple(value), path)
            if not all(is_immutable(key) for key in value):
                self.problem("unguarded-state", f"{path} has keys that are not numbers or strings")
        else:
            self.guards.check(
                f"len({variable}) != {len(value)}", "changed-structure", path, text=f"no longer of length {len(value)}"
            )

    def static_argument(self, expression: str, value: Any, path: str) -> None:
        """Visit an argument that is compared by equality; what of it can be looked into is guarded as well."""
        if not isinstance(value, tuple):
            check_static(value, path)
        guards = self.guards
        guards.static = True
        try:
            if isinstance(value, tuple):
                variable = guards.variable(expression)
                self.seen.setdefault(id(value), variable)
                self._check_container(variable, value, path)
                for index, part in enumerate(value):
                    self.static_argument(f"{variable}[{index}]", part, f"{path}[{index}]")
                return
            if not is_immutable(value) and not isinstance(value, types.MethodType):
                variable = expression = guards.variable(expression)
                guards.equal(variable, value, path)
            self.visit(expression, value, path)
        finally:
            guards.static = False

    def held(self, holder: Any, key: Any, expression: str, value: Any, path: str) -> None:
        """Visit what a namespace, a container or a cell holds; numbers that calls change have stand-ins."""
        if (id(holder), key) in self.moving and type(value) in (int, float) and self._dynamic_floats:
            stand_in = self._number(expression, value, path)
            self.stand_ins.hold(holder, key, stand_in)
            self._moved.append((holder, key, stand_in))
        else:
            self.visit(expression, value, path)

    def expect_stand_ins(self) -> None:
        """Stand-ins are what places hold before the call."""
        for holder, key, stand_in in self._moved:
            for place in self.places:
                if place.holder is holder and key in place.before:
                    place.before[key] = stand_in

    # Values ------------------------------------------------------------------------------------------------------

    def visit(self, expression: str, value: Any, path: str) -> None:
        """Guard a value and what it holds."""
        guards = self.guards
        if guards.count >= LIMIT:
            if not any(problem.reason == "state-too-large" for problem in self.problems):
                self.problem("state-too-large", f"the function reaches more than {LIMIT} values")
            return
        variable = guards.variable(expression)
        kind = type(value)
        if is_immutable(value):
            guards.immutable(variable, value, path)
            return
        if id(value) in self.seen:
            guards.check(f"{variable} is not {self.seen[id(value)]}", "changed-object", path, text="another object")
            return
        self.seen[id(value)] = variable
        self._keep.append(value)
        if kind is ndarray:
            self._visit_array(variable, value, path)
        elif kind in (list, tuple, dict) or is_namedtuple(value):
            self._visit_container(variable, value, path)
        elif kind in (set, frozenset):
            guards.of_type(variable, kind, path)
            guards.keys(variable, tuple(value), path)
            self.places.append(SetPlace(value, variable, path))
            if not guards.static and not all(is_immutable(element) for element in value):
                self.problem("unguarded-state", f"{path} has elements that are not numbers or strings")
        elif isinstance(value, (numpy.ndarray, numpy.generic)):
            self._visit_numpy(variable, value, path)
        elif unwrap(value) is not value or isinstance(value, types.FunctionType):
            guards.same(variable, value, path)
            self.foreign(value)
            self.reach("callable", unwrap(value))
        elif isinstance(value, (types.MethodType, functools.partial, staticmethod, classmethod)):
            guards.of_type(variable, kind, path)
            method = ("__func__", "__self__") if isinstance(value, types.MethodType) else ("__func__",)
            for name in ("func", "args", "keywords") if isinstance(value, functools.partial) else method:
                self.visit(f"{variable}.{name}", getattr(value, name), f"{path}.{name}")
        elif isinstance(value, types.ModuleType):
            guards.same(variable, value, path)
            self.reach("module", value, path)
        elif isinstance(value, type):
            guards.same(variable, value, path)
            self.foreign(value)
            self.reach("class", value)
        elif isinstance(value, property):
            guards.same(variable, value, path)
        elif isinstance(value, BUILT_IN):
            guards.same(variable, value, path)
            self.foreign(value)
            owner = getattr(value, "__self__", None)
            if owner is not None and not isinstance(owner, types.ModuleType):
                self.visit(f"{variable}.__self__", owner, f"{path}.__self__")
        elif (
            isinstance(value, (numpy.ufunc, type(numpy.sum), Unchanging))
            or kind is object
            or kind.__module__ == "typing"
        ):
            guards.same(variable, value, path)
        elif hasattr(kind, "__next__"):
            self.problem("unguarded-state", f"{path} is an iterator; what it gives next cannot be guarded")
        elif hasattr(value, "__dict__") and not has_hidden_state(kind):
            guards.of_type(variable, kind, path)
            self.reach("object", variable, value, path)
        elif not guards.static:  # static ones are compared, and that is all
            guards.same(variable, value, path)
            self.problem(
                "unguarded-state", f"{path} is a {kind.__module__}.{kind.__qualname__}, which may change unseen"
            )

    def foreign(self, value: Any) -> None:
        """Note a function or class of a library, which may refuse what is no float, or take a float for what it is."""

    def _visit_array(self, variable: str, value: ndarray, path: str) -> None:
        self.guards.array(variable, value, path)
        self.arrays[id(value)] = (variable, value)
        if self.guards.lines is self.guards.signature:
            self.arguments.add(id(value))
        self.paths[variable] = path
        self.places.append(GradientPlace(value, variable, f"{path}.grad"))
        if value._gradient is None:
            self.guards.check(f"{variable}._gradient is not None", "changed-gradient", path, text="a gradient now")
        else:
            failure = f"{variable}._grad_req != {value._grad_req!r}"
            self.guards.check(failure, "changed-gradient", path, text="another grad_req, or none")
            self.visit(f"{variable}._gradient", value._gradient, f"{path}.grad")

    def _visit_container(self, variable: str, value: Any, path: str) -> None:
        self._check_container(variable, value, path)
        if type(value) is dict:
            self.places.append(DictPlace(value, variable, path))
        elif type(value) is list:
            self.places.append(ListPlace(value, variable, path))
        for key, part in value.items() if type(value) is dict else enumerate(value):
            self.held(value, key, f"{variable}[{key!r}]", part, f"{path}[{key!r}]")

    def _visit_numpy(self, variable: str, value: Any, path: str) -> None:
        """NumPy's own arrays can change without our seeing it: their contents are compared at every call."""
        copy = numpy.array(value)
        self.contents.append((path, value, copy))
        self.guards.of_type(variable, type(value), path)
        failure = f"not unchanged({variable}, {self.guards.constant(copy)})"
        self.guards.check(failure, "changed-value", path, text="other contents of a NumPy array")

    def check_memory(self) -> None:
        """What is written through NumPy into memory of our arrays is not seen."""
        handles = [handle for _, handle in self.arrays.values() if handle._foreign]
        for path, array, _ in self.contents:
            if any(numpy.may_share_memory(array, handle._settled().array) for handle in handles):
                self.problem("unguarded-state", f"the NumPy array {path} shares memory with an array")


def unwrap(function: Any) -> Any:
    """The Python function under a compiled one."""
    while "__dopegraph_function__" in getattr(function, "__dict__", ()):
        function = function.__dopegraph_function__
    return function


def is_typing(kind: type) -> bool:
    """Whether a class is one of what annotations are made of."""
    return kind.__module__ == "typing"


def is_namedtuple(value: Any) -> bool:
    """Whether a value is an instance of a ``collections.namedtuple``."""
    return isinstance(value, tuple) and hasattr(type(value), "_fields")


def has_hidden_state(kind: type) -> bool:
    """Whether instances hold more than a ``__dict__``: slots, or what a class written in C keeps."""
    return (
        kind.__basicsize__ > _Plain.__basicsize__
        or kind.__itemsize__ > 0
        or any(isinstance(value, types.MemberDescriptorType) for base in kind.__mro__ for value in vars(base).values())
    )
