"""What `load` gives back for a file: a function to call, trace, compile and differentiate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dopegraph import ops
from dopegraph.array import ndarray, owned
from dopegraph.dispatch import apply
from dopegraph.interchange.taken import Taken
from dopegraph.ir.graph import Graph, Value
from dopegraph.numpy.promotion import as_array, convert
from dopegraph.runtime.errors import DTypeError, ShapeError
from dopegraph.runtime.location import here, located
from dopegraph.runtime.unchanging import Unchanging


class LoadedFunction:
    """A function that was saved as a graph.

    Attributes
    ----------
    name : str
    parameters : dict of str to ndarray
        What the graph calls its state; a function that was saved with its updates writes into them.
    """

    def __init__(self, taken: Taken) -> None:
        self._plan = _Plan(taken)
        self.name = taken.graph.name
        names = taken.names
        self.parameters = {names[value]: owned(array) for value, array in zip(taken.graph.state, taken.state)}

    @property
    def graph(self) -> Graph:
        """A copy of the graph."""
        return self._plan.graph.copy()

    @property
    def inputs(self) -> list[str]:
        """Names of the arguments, in order."""
        return [self._plan.names[value] for value in self._plan.graph.inputs]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        plan = self._plan
        arguments = plan.bind(self.name, args, kwargs)
        held = [*arguments, *self.parameters.values()]
        values, updated = plan.run(held)
        for place, new in updated:
            held[place][...] = new
        return values[0] if len(values) == 1 else tuple(values)

    def __repr__(self) -> str:
        return f"<{self.name}({', '.join(self.inputs)}), loaded: {len(self._plan.graph.nodes)} nodes>"


class _Plan(Unchanging):
    """The graph, which no compiled function has to watch."""

    def __init__(self, taken: Taken) -> None:
        self.graph = taken.graph
        self.names = taken.names

    def bind(self, name: str, args: Sequence[Any], kwargs: dict[str, Any]) -> list[ndarray]:
        """Arrays for the inputs, checked."""
        wanted = self.graph.inputs
        names = [self.names[value] for value in wanted]
        if len(args) > len(wanted):
            raise TypeError(located(f"{name}: {len(args)} arguments for {len(wanted)}: {', '.join(names)}", here()))
        given = dict(zip(names, args))
        for key, value in kwargs.items():
            if key not in names or key in given:
                why = "is given twice" if key in given else f"is none of {', '.join(names)}"
                raise TypeError(located(f"{name}: the argument {key} {why}", here()))
            given[key] = value
        missing = [key for key in names if key not in given]
        if missing:
            raise TypeError(located(f"{name}: the arguments {', '.join(missing)} are missing", here()))
        return [_fitted(name, key, given[key], value) for key, value in zip(names, wanted)]

    def run(self, arrays: Sequence[Any]) -> tuple[list[Any], list[tuple[int, Any]]]:
        """Outputs, and new values of arguments by their places."""
        known: dict[Value, Any] = dict(zip(self.graph.arguments, arrays))
        for node in self.graph.nodes:
            made = apply(node.op, *[known[value] for value in node.inputs], **node.attrs)
            known.update(zip(node.outputs, made if isinstance(made, tuple) else (made,)))
        place = {value: number for number, value in enumerate(self.graph.arguments)}
        # What is written may be an argument, too: all is read before anything is written.
        updated = [(place[old], _own(known[new], new)) for old, new in self.graph.updates]
        return [_own(known[value], value) for value in self.graph.outputs], updated


def _own(array: Any, value: Value) -> Any:
    """A result that is an argument gets memory of its own."""
    return apply(ops.identity, array) if value.node is None else array


def _fitted(name: str, key: str, given: Any, value: Value) -> ndarray:
    """An argument of the type that was saved; Python numbers and narrower dtypes are converted."""
    array = as_array(given)
    if array.dtype != value.type.dtype:
        if isinstance(given, (bool, int, float, complex)):
            array = convert(array, value.type.dtype)
        else:
            raise DTypeError(located(f"{name}: {key} is {array.dtype}; it was saved for {value.type}", here()))
    if array.shape != value.shape:
        raise ShapeError(located(f"{name}: {key} has the shape {array.shape}; it was saved for {value.type}", here()))
    return array
