"""Python floats that a compiled function is called with: recorded as expressions, so that another value recompiles nothing.

The expression is evaluated by Python at each call, with Python's own arithmetic and errors.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from dopegraph.trace.recording import active_recording


class DynamicFloat:
    """Stands for a float argument while a function is recorded."""

    __slots__ = ("expression", "number")

    def __init__(self, expression: str, number: float) -> None:
        self.expression = expression
        self.number = number

    def _look(self, what: str) -> float:
        recording = active_recording()
        if recording is not None:
            recording.escape("value-escape", f"{what} looks at the float argument {self.expression}")
        return self.number

    def __float__(self) -> float:
        return self._look("float")

    def __int__(self) -> int:
        return int(self._look("int"))

    def __bool__(self) -> bool:
        return bool(self._look("bool"))

    def __hash__(self) -> int:
        return hash(self._look("hash"))

    def __repr__(self) -> str:
        return repr(self._look("repr"))

    def __format__(self, specification: str) -> str:
        return format(self._look("format"), specification)

    def __getattr__(self, name: str) -> Any:
        # What else floats have (is_integer, hex, real, ...) is asked of the number.
        return getattr(self._look(name), name)


def _plain(operand: Any) -> float | int | None:
    if isinstance(operand, DynamicFloat):
        return operand.number
    return operand if type(operand) in (int, float, bool) else None


def _text(operand: Any) -> str:
    if isinstance(operand, DynamicFloat):
        return operand.expression
    return repr(operand) if operand == operand and abs(operand) != float("inf") else f"float('{operand}')"


def _binary(symbol: str, function: Callable[[Any, Any], Any], reflected: bool) -> Callable[[Any, Any], Any]:
    def method(self: DynamicFloat, other: Any) -> Any:
        if _plain(other) is None:
            return NotImplemented
        left, right = (other, self) if reflected else (self, other)
        number = function(_plain(left), _plain(right))
        if type(number) is not float:  # a negative number to a fractional power is complex
            self._look(symbol)
            return number
        return DynamicFloat(f"({_text(left)} {symbol} {_text(right)})", number)

    return method


def _unary(symbol: str, function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda self: DynamicFloat(f"({symbol}{self.expression})", function(self.number))


def _comparison(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def method(self: DynamicFloat, other: Any) -> Any:
        if _plain(other) is None:
            return NotImplemented
        return function(self._look("a comparison"), _plain(other))

    return method


for _name, _symbol in {
    "add": "+", "sub": "-", "mul": "*", "truediv": "/", "floordiv": "//", "mod": "%", "pow": "**"
}.items():  # fmt: skip
    _function = getattr(operator, _name)
    setattr(DynamicFloat, f"__{_name}__", _binary(_symbol, _function, False))
    setattr(DynamicFloat, f"__r{_name}__", _binary(_symbol, _function, True))
for _name, _symbol in {"neg": "-", "pos": "+"}.items():
    setattr(DynamicFloat, f"__{_name}__", _unary(_symbol, getattr(operator, _name)))
setattr(DynamicFloat, "__abs__", lambda self: DynamicFloat(f"abs({self.expression})", abs(self.number)))
for _name in ("eq", "ne", "lt", "le", "gt", "ge"):
    setattr(DynamicFloat, f"__{_name}__", _comparison(getattr(operator, _name)))
