"""A builder that follows the tree of what builders like it emitted before: repeating that costs a lookup a node.

A step of the tree stands for everything before it, so it is the structure of a graph. What was found out about it
(types of results, compiled programs, derivatives) is found again without looking at the graph; nodes are made only when
somebody looks at them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy

from dopegraph.ir.builder import Builder, checked
from dopegraph.ir.graph import Node, Value
from dopegraph.ir.primitive import Primitive
from dopegraph.ir.types import Attr, TensorType, attribute_key
from dopegraph.runtime.location import Location

# So many steps are about a hundred megabytes; then all are forgotten.
LIMIT = 100_000

_INTEGERS = frozenset([int])
_PLAIN = frozenset([int, bool, str, type(None)])


class Step:
    """The structure of everything up to here.

    Attributes
    ----------
    op, attrs, types, location
        Of the node that was emitted last; where it was emitted first.
    following : dict
        The steps after this one, by what is emitted next.
    answers : dict
        What is known about the graph up to here.
    """

    __slots__ = ("answers", "attrs", "following", "location", "op", "types")

    def __init__(
        self,
        op: Primitive | None = None,
        attrs: dict[str, Any] | None = None,
        types: tuple[TensorType, ...] = (),
        location: Location | None = None,
    ) -> None:
        self.op = op
        self.attrs = attrs
        self.types = types
        self.location = location
        self.following: dict[Any, Step] = {}
        self.answers: dict[Any, Any] = {}

    def after(self, key: Any) -> Step:
        """The step after something that is no node."""
        step = self.following.get(key)
        return step if step is not None else self.grow(key, Step())

    def grow(self, key: Any, step: Step) -> Step:
        """The step after something new."""
        _tree.size += 1
        if _tree.size > LIMIT:
            forget()
        return self.following.setdefault(key, step)


class _Tree:
    def __init__(self) -> None:
        self.size = 0
        # By id of an object, which the entry keeps alive.
        self.starts: dict[int, tuple[object, Step]] = {}


_tree = _Tree()


def forget() -> None:
    """Begin with an empty tree; builders that are on their way keep theirs."""
    _tree.size = 0
    _tree.starts = {}


def _start(anchor: object) -> Step:
    found = _tree.starts.get(id(anchor))
    if found is None:
        _tree.size += 1
        found = _tree.starts[id(anchor)] = anchor, Step()
    return found[1]


class Question:
    """Something that may be known about the graph up to here; `answer` is None until somebody sets it."""

    def __init__(self, answers: dict[Any, Any], key: Any) -> None:
        self._answers = answers
        self._key = key

    @property
    def answer(self) -> Any:
        return self._answers.get(self._key)

    @answer.setter
    def answer(self, answer: Any) -> None:
        self._answers[self._key] = answer


class PathBuilder(Builder):
    """A builder on a path.

    Parameters
    ----------
    locate : callable
    anchor : object
        Paths from one anchor, such as the code of a function, share steps. Nodes have the location at which their step
        was emitted first; among different functions those would be wrong.

    Attributes
    ----------
    start : Step
        The first step, that of the anchor.
    step : Step or None
        Where it is; None when it has left the path.
    """

    def __init__(self, locate: Callable[[], Location | None] = lambda: None, anchor: object = None) -> None:
        self._nodes: list[Node] = []
        self._pending: list[tuple[Step, Sequence[Value], int, Location | None]] = []
        self._later = _Later(self)
        super().__init__(locate)
        self.start = _start(anchor)
        self.step: Step | None = self.start
        self._values: list[Value] = []

    @property
    def nodes(self) -> list[Node]:
        """All nodes, in order."""
        if self._pending:
            self.complete()
        return self._nodes

    @nodes.setter
    def nodes(self, nodes: list[Node]) -> None:
        self._nodes = nodes

    @property
    def size(self) -> int:
        return len(self._nodes) + len(self._pending)

    def input(self, type: TensorType, name: str | None = None) -> Value:
        if self.step is None:
            return super().input(type, name)
        step = self.step
        # A type is found by what it is called in memory, which its step keeps: that is faster than comparing it.
        key = id(type) if name is None else (type, name)
        following = step.following.get(key)
        self.step = following if following is not None else step.grow(key, Step(types=(type,)))
        value = Value(type, None, 0, name, len(self._values))
        self._values.append(value)
        return value

    def input_of_each(self, types: Sequence[TensorType]) -> list[Value]:
        """An input for each of many types, which is one step."""
        if self.step is None:
            return [self.input(type) for type in types]
        self.step = self.step.after(("inputs", *types))
        count = len(self._values)
        values = [Value(type, None, 0, None, number) for number, type in enumerate(types, count)]
        self._values += values
        return values

    def emit(
        self, op: Primitive, operands: Sequence[Value], attrs: Mapping[str, Attr], location: Location | None = None
    ) -> Any:
        step = self.step
        if step is None:
            return super().emit(op, operands, attrs, location)
        mine = self._values
        count = len(mine)
        key: list[Any] = [op]
        for value in operands:
            number = value.number
            if number >= count or not count or mine[number] is not value:  # of another builder
                self.leave()
                return super().emit(op, operands, attrs, location)
            key.append(number)
        if attrs:
            key.append(attributes_key(attrs))
        whole = tuple(key)
        following = step.following.get(whole)
        if following is None:
            place = location if location is not None else self.locate()
            following = step.grow(whole, Step(op, *checked(op, operands, attrs), place))
        self.step = following
        types = following.types
        self._pending.append((following, operands, count, location))
        if len(types) == 1:
            value = Value(types[0], self._later, 0, None, count)
            mine.append(value)
            return value
        values = tuple([Value(type, self._later, index, None, count + index) for index, type in enumerate(types)])
        mine.extend(values)
        return values

    def emit_node(
        self, op: Primitive, operands: Sequence[Value], attrs: Mapping[str, Attr], location: Location | None = None
    ) -> Node:
        if self.step is None:
            return super().emit_node(op, operands, attrs, location)
        self.emit(op, operands, attrs, location)
        return self.nodes[-1]

    def complete(self) -> None:
        """Make the nodes that nobody has asked for yet."""
        for step, operands, count, location in self._pending:
            node = Node.__new__(Node)
            assert step.op is not None and step.attrs is not None
            node.op = step.op
            node.inputs = tuple(operands)
            node.attrs = step.attrs
            node.location = location if location is not None else step.location
            node.outputs = tuple(self._values[count : count + len(step.types)])
            for value in node.outputs:
                value.node = node
            self._nodes.append(node)
        self._pending.clear()

    # The path ----------------------------------------------------------------------------------------------------

    def leave(self) -> None:
        """Leave the path: from here on there is more to the graph than what is emitted."""
        self.complete()
        self.step = None

    def end(self) -> None:
        """Nothing will be emitted or looked at any more; without the cycles between values and their builder."""
        self._later.builder = None
        self._pending.clear()
        self._values.clear()
        self._nodes.clear()
        self.step = None

    def note(self, what: str, values: Iterable[Value]) -> None:
        """Something happened to values that makes a difference from now on."""
        numbers = self.numbers(values)
        if self.step is not None:
            self.step = self.step.after((what, numbers)) if numbers is not None else None

    def question(self, values: Iterable[Value], *rest: Any) -> Question | None:
        """What is known about values, and the rest, at this step; None when the path was left."""
        numbers = self.numbers(values)
        if self.step is None or numbers is None:
            return None
        return Question(self.step.answers, (numbers, rest))

    def numbers(self, values: Iterable[Value]) -> tuple[int, ...] | None:
        """The numbers of values; None when the path was left or a value is another builder's."""
        mine = self._values
        if self.step is None:
            return None
        numbers = []
        for value in values:
            number = value.number
            if number < 0 or number >= len(mine) or mine[number] is not value:
                return None
            numbers.append(number)
        return tuple(numbers)

    def values_of(self, numbers: Iterable[int]) -> list[Value]:
        """The values of such numbers."""
        return [self._values[number] for number in numbers]


class _Later:
    """Stands for the node of a value until somebody asks for it."""

    def __init__(self, builder: PathBuilder) -> None:
        self.builder: PathBuilder | None = builder

    def complete(self) -> None:
        if self.builder is None:
            raise RuntimeError("the nodes of this recording are gone")
        self.builder.complete()


def attributes_key(attrs: Mapping[str, Any]) -> tuple[Any, ...]:
    """Equal for attributes that are the same to the bit; 1, 1.0 and True, or 0.0 and -0.0, are not."""
    parts: list[Any] = []
    for name, value in attrs.items():
        kind = type(value)
        if kind is tuple and _INTEGERS.issuperset(map(type, value)):
            parts += (name, value)
        elif kind in _PLAIN or (kind is float and value != 0 and value == value) or isinstance(value, numpy.dtype):
            parts += (name, kind, value)
        else:
            parts += (name, attribute_key(value))
    return tuple(parts)
