"""Reads the printed form of a graph (the grammar is in `dopegraph.ir.printer`); passes are tested on such texts."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy

from dopegraph.ir.builder import Builder
from dopegraph.ir.graph import Graph, Node, Value
from dopegraph.ir.primitive import primitives
from dopegraph.ir.types import SHORT_NAMES, TensorType
from dopegraph.runtime.errors import GraphError

_NUMBER = r"(?:\d+\.?\d*(?:e[+-]?\d+)?|inf|nan)"
_TOKENS = re.compile(
    rf"""(?P<space>\s+|\#[^\n]*)
       | (?P<complex>\(-?{_NUMBER}[+-]{_NUMBER}j\)|-?{_NUMBER}j(?![A-Za-z_0-9]))
       | (?P<number>-?{_NUMBER}(?![A-Za-z_0-9]))
       | (?P<value>%[A-Za-z_0-9]+)
       | (?P<string>"(?:[^"\\]|\\.)*")
       | (?P<name>[A-Za-z_][A-Za-z_0-9]*)
       | (?P<mark><-|[(){{}}\[\],;:=])""",
    re.VERBOSE,
)

_NAMED = {"none": None, "true": True, "false": False}


def parse(text: str) -> Graph:
    """The graph that a text describes, checked against the type rules.

    Raises
    ------
    GraphError
        Naming the line of the text that is wrong.

    Examples
    --------
    >>> graph = parse('graph f(%x: f32[3]) { %0: f32[3] = tanh(%x) return %0 }')
    >>> print(graph)
    graph f(%x: f32[3]) {
      %0: f32[3] = tanh(%x)
      return %0
    }
    """
    return _Parser(text).graph()


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens: list[tuple[str, str, int]] = []
        position = 0
        while position < len(text):
            match = _TOKENS.match(text, position)
            if match is None:
                raise self.error(f"unexpected character {text[position]!r}", position)
            if match.lastgroup != "space":
                self.tokens.append((str(match.lastgroup), match.group(), position))
            position = match.end()
        self.at = 0
        self.values: dict[str, Value] = {}

    def error(self, message: str, position: int | None = None) -> GraphError:
        if position is None:
            position = self.tokens[self.at][2] if self.at < len(self.tokens) else len(self.text)
        line = self.text.count("\n", 0, position) + 1
        shown = self.text.split("\n")[line - 1].strip()
        return GraphError(f"line {line}: {message}\n    {shown}")

    def peek(self) -> str:
        return self.tokens[self.at][1] if self.at < len(self.tokens) else ""

    def kind(self) -> str:
        return self.tokens[self.at][0] if self.at < len(self.tokens) else "end"

    def next(self, kind: str | None = None) -> str:
        found, text = self.kind(), self.peek()
        if found == "end" or (kind is not None and found != kind):
            raise self.error(f"expected a {kind or 'token'}, found {text or 'the end'!r}")
        self.at += 1
        return text

    def accept(self, text: str) -> bool:
        if self.peek() == text:
            self.at += 1
            return True
        return False

    def expect(self, text: str) -> None:
        if not self.accept(text):
            raise self.error(f"expected {text!r}, found {self.peek() or 'the end'!r}")

    def graph(self) -> Graph:
        self.expect("graph")
        name = self.next()
        if not name.isidentifier():
            self.at -= 1
            raise self.error(f"{name} is not a name")
        graph = Graph(name)
        self.expect("(")
        if self.peek() not in (")", ";"):
            graph.inputs = self.parameters()
        if self.accept(";"):
            self.expect("state")
            graph.state = self.parameters()
        self.expect(")")
        self.expect("{")
        builder = Builder()
        while self.peek() != "return":
            self.node(builder)
        graph.nodes = builder.nodes
        self.expect("return")
        if self.kind() == "value":
            graph.outputs.append(self.value())
            while self.accept(","):
                graph.outputs.append(self.value())
        if self.accept(";"):
            graph.updates.append(self.update())
            while self.accept(","):
                graph.updates.append(self.update())
        self.expect("}")
        if self.kind() != "end":
            raise self.error(f"nothing may follow the graph, found {self.peek()!r}")
        return graph

    def update(self) -> tuple[Value, Value]:
        old = self.value()
        self.expect("<-")
        return old, self.value()

    def parameters(self) -> list[Value]:
        result = []
        while True:
            name, type = self.parameter()
            result.append(self.define(name, Value(type, None, 0, name[1:])))
            if not self.accept(","):
                return result

    def parameter(self) -> tuple[str, TensorType]:
        name = self.next("value")
        self.expect(":")
        return name, self.type()

    def define(self, name: str, value: Value) -> Value:
        if name in self.values:
            raise self.error(f"{name} is defined twice")
        self.values[name] = value
        return value

    def value(self) -> Value:
        name = self.next("value")
        if name not in self.values:
            self.at -= 1
            raise self.error(f"{name} is used before it is defined")
        return self.values[name]

    def type(self) -> TensorType:
        dtype = self.next("name")
        if dtype not in SHORT_NAMES:
            raise self.error(f"{dtype!r} is not a dtype; the dtypes are {', '.join(SHORT_NAMES)}")
        self.expect("[")
        shape = []
        while not self.accept("]"):
            length = self.next("number")
            if not length.isdigit():
                self.at -= 1
                raise self.error(f"{length} is not the length of an axis")
            shape.append(int(length))
            if self.peek() != "]":
                self.expect(",")
        return TensorType(dtype, tuple(shape))

    def node(self, builder: Builder) -> None:
        results = [self.parameter()]
        while self.accept(","):
            results.append(self.parameter())
        self.expect("=")
        start = self.at
        name = self.next("name")
        if name not in primitives:
            self.at = start
            raise self.error(f"{name!r} is not a primitive")
        op = primitives[name]
        self.expect("(")
        operands = []
        while not self.accept(")"):
            operands.append(self.value())
            if self.peek() != ")":
                self.expect(",")
        attrs: dict[str, Any] = {}
        if self.accept("{"):
            while not self.accept("}"):
                key = self.next("name")
                if key in attrs:
                    self.at -= 1
                    raise self.error(f"the attribute {key} is given twice")
                self.expect("=")
                attrs[key] = self.literal()
                if self.peek() != "}":
                    self.expect(",")
        try:
            made: Node = builder.emit_node(op, operands, attrs)
        except (TypeError, ValueError) as cause:
            self.at = start
            raise self.error(f"{name}: {cause}") from cause
        if [type for _, type in results] != [value.type for value in made.outputs]:
            self.at = start
            found = ", ".join(str(value.type) for value in made.outputs)
            raise self.error(f"{name} gives {found}, not {', '.join(str(type) for _, type in results)}")
        for (result, _), value in zip(results, made.outputs):
            self.define(result, value)

    def literal(self) -> Any:
        kind, text = self.kind(), self.next()
        if kind == "number":
            return int(text) if re.fullmatch(r"-?\d+", text) else float(text)
        if kind == "complex":
            return complex(text)
        if kind == "string":
            return json.loads(text)
        if text == "(":
            items = []
            while not self.accept(")"):
                items.append(self.literal())
                if self.peek() != ")":
                    self.expect(",")
            return tuple(items)
        if text == "dense":
            self.expect("(")
            type = self.type()
            numbers = []
            while self.accept(","):
                numbers.append(self.literal())
            self.expect(")")
            if len(numbers) != type.size:
                raise self.error(f"{type} has {type.size} elements, not {len(numbers)}")
            try:
                return numpy.array(numbers, type.dtype).reshape(type.shape)
            except (TypeError, ValueError, OverflowError) as cause:
                raise self.error(f"{type}: {cause}") from cause
        if text in _NAMED:
            return _NAMED[text]
        if text in SHORT_NAMES:
            return SHORT_NAMES[text]
        self.at -= 1
        raise self.error(f"{text!r} is not a literal")
