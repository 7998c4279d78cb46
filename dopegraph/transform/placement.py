"""Where results go: the Python that makes what a function returned, and stores what it rebound."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy

from dopegraph.array import ndarray
from dopegraph.dispatch import view, view_at
from dopegraph.ir.graph import Value
from dopegraph.state.guards import is_immutable
from dopegraph.state.places import MISSING, DictPlace, ListPlace, Place
from dopegraph.state.walk import Walk
from dopegraph.trace.last_act import Reading
from dopegraph.trace.scalar import DynamicNumber
from dopegraph.trace.tree import LEAF, Structure, children_of, flatten
from dopegraph.trace.views import AtPosition

# Values that may be stored again by every replay: they do not count up.
_FLAGS = (bool, str, type(None))
NUMBERS = (int, float)


class Unreplayable(Exception):
    """A result or side effect that no program can produce: a reason of the registry, and what it is.

    Attributes
    ----------
    counts : bool
        Whether the call changes a number of Python, which can be followed once that is known.
    """

    def __init__(self, reason: str, detail: str, counts: bool = False) -> None:
        super().__init__(detail)
        self.reason = reason
        self.counts = counts


class Placement:
    """Decides for everything that a function returned or stored how a replay makes it, and writes the Python for it.

    Attributes
    ----------
    outputs : list of Value
        What the program has to compute.
    lines : list of str
        The Python: it has ``results``, ``arrays``, ``targets``, ``floats`` and `constants` to work with.
    targets, floats : list of str
        Expressions that the guards evaluate: places that exist already, and floats that are returned.
    """

    def __init__(self, walk: Walk, inputs: dict[int, int], readings: Sequence[Reading] = ()) -> None:
        self.walk = walk
        self._readings = {id(reading.number): reading for reading in readings}
        self.inputs = inputs
        self.outputs: list[Value] = []
        self.lines: list[str] = []
        self.targets: list[str] = []
        self.floats: list[str] = []
        self.constants: dict[str, Any] = {"ndarray": ndarray}
        self.placed: set[int] = set(inputs)
        self._holders = {id(place.holder): place for place in walk.places}
        self._made: dict[int, str] = {}
        self._parts: list[Any] = []

    def place(self, result: Any) -> None:
        """Describe the returned value and everything that was stored somewhere."""
        stores = [store for place in self.walk.places for store in self._stores(place)]
        returned = self._expression(result)
        self.lines += [f"{target} = {source}" for target, source in stores]
        self.lines.append(f"return {returned}")

    def function(self) -> Callable[..., Any]:
        """``finish(results, arrays, targets, floats)``, which does all that and gives what the function returned."""
        body = "\n    ".join(self.lines)
        namespace = dict(self.constants)
        text = f"def finish(results, arrays, targets, floats):\n    {body}"
        exec(compile(text, "<dopegraph results>", "exec"), namespace)
        made: Callable[..., Any] = namespace["finish"]
        return made

    def _stores(self, place: Place) -> list[tuple[str, str]]:
        now = place.now()
        if isinstance(place, (ListPlace, DictPlace)) and list(now)[: len(place.before)] != list(place.before):
            raise Unreplayable("python-state", f"{place.path} has other entries than before")
        found = []
        for key, old, value in place.changes():
            if isinstance(place, ListPlace) and old is MISSING:
                raise Unreplayable("python-state", f"{place.path} grows with every call")
            # What is stored in the place of a number that is followed hangs on nothing but what is guarded.
            simple = type(value) in _FLAGS or _is_dynamic(value) or (_is_dynamic(old) and type(value) in NUMBERS)
            if value is MISSING or not (simple or _holds_arrays(value)):
                named = "" if key is None else f" ({key!r})"
                counts = type(old) in NUMBERS and type(value) in NUMBERS
                detail = f"{place.path}{named} is changed by every call"
                raise Unreplayable("python-state", detail, counts)
            found.append((place.target(self._target(place.variable), key), self._expression(value)))
        return found

    def _target(self, variable: str) -> str:
        if variable not in self.targets:
            self.targets.append(variable)
        return f"targets[{self.targets.index(variable)}]"

    def _constant(self, value: Any) -> str:
        name = f"R{len(self.constants)}"
        self.constants[name] = value
        return name

    def _line(self, value: Any, expression: str) -> str:
        """A variable for something that is made once."""
        name = self._made[id(value)] = f"h{len(self._made)}"
        self._parts.append(value)
        self.lines.append(f"{name} = {expression}")
        return name

    def _expression(self, value: Any) -> str:
        """Python that makes a value of the results."""
        if isinstance(value, ndarray):
            return self._array(value)
        if id(value) in self._readings:
            return self._reading(self._readings[id(value)])
        if _is_dynamic(value):
            self.floats.append(value.expression)
            return f"floats[{len(self.floats) - 1}]"
        if id(value) in self._holders:
            return self._target(self._holders[id(value)].variable)
        if id(value) in self.walk.seen:
            return self._target(self.walk.seen[id(value)])
        if id(value) in self._made:
            return self._made[id(value)]
        if is_immutable(value) or isinstance(value, (type, numpy.generic)):
            return self._constant(value)
        if type(value) in (set, frozenset) and all(is_immutable(element) for element in value):
            return self._line(value, f"{self._constant(type(value))}({self._constant(tuple(value))})")
        found = children_of(value)
        if found is not None:
            parts, rest, _ = found
            if any(part is value for part in parts):
                raise Unreplayable("unmade-result", "the result contains itself")
            if type(value) is dict and not all(is_immutable(key) for key in value):
                raise Unreplayable(
                    "unmade-result", "the result contains a dict with keys that are no numbers or strings"
                )
            made = ", ".join([self._expression(part) for part in parts])
            structure = Structure(type(value), rest, (LEAF,) * len(parts))
            return self._line(
                value, f"[{made}]" if type(value) is list else f"{self._constant(structure)}.build([{made}])"
            )
        raise Unreplayable("unmade-result", f"the result contains a {type(value).__name__}")

    def _reading(self, reading: Reading) -> str:
        """A number that the function read of a value to return it."""
        self.outputs.append(reading.value)
        return f"{self._constant(reading.read)}(results[{len(self.outputs) - 1}].array)"

    def _array(self, handle: ndarray) -> str:
        made = len(self._made)
        name = self._array_itself(handle)
        if handle._gradient is not None and len(self._made) > made and self._made.get(id(handle)) == name:
            # It was made by the call, and so is what `attach_grad` keeps of it.
            self.lines.append(f"{name}._gradient = {self._expression(handle._gradient)}")
            self.lines.append(f"{name}._grad_req = {handle._grad_req!r}")
        return name

    def _array_itself(self, handle: ndarray) -> str:
        self.placed.add(id(handle))
        if id(handle) in self.inputs:
            return f"arrays[{self.inputs[id(handle)]}]"
        if id(handle) in self._made:
            return self._made[id(handle)]
        known = self.walk.arrays.get(id(handle))
        if known is not None:  # given, returned, and never computed with
            return self._target(known[0])
        if handle._base is not None and handle._buffer is None:
            return self._view(handle)
        if handle._recording is None or handle._value is None:
            raise Unreplayable("unmade-result", "an array was computed outside the recording")
        self.outputs.append(handle._value)
        return self._line(handle, f"ndarray(results[{len(self.outputs) - 1}])")

    def _view(self, handle: ndarray) -> str:
        """A view of an array that is there after the call must stay a view of it."""
        assert handle._base is not None
        base = self._array(handle._base)
        positions = []
        for op, _ in handle._steps:
            if isinstance(op, AtPosition):
                if op.position._value is None:
                    raise Unreplayable("value-escape", "a view at a computed position that Python looked at")
                self.outputs.append(op.position._value)
                positions.append(f"results[{len(self.outputs) - 1}]")
        if positions:
            pattern = tuple((None if isinstance(op, AtPosition) else op, attrs) for op, attrs in handle._steps)
            return self._line(
                handle, f"{self._constant(view_at)}({base}, {self._constant(pattern)}, [{', '.join(positions)}])"
            )
        return self._line(handle, f"{self._constant(view)}({base}, {self._constant(handle._steps)})")


def _is_dynamic(value: Any) -> bool:
    return issubclass(type(value), DynamicNumber)


def _holds_arrays(value: Any) -> bool:
    leaves, _ = flatten(value)
    return bool(leaves) and all(isinstance(leaf, ndarray) for _, leaf in leaves)
