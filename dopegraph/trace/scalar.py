"""Python floats that a compiled function is called with: recorded as expressions; another value recompiles nothing.

The expression is evaluated by Python at each call, with Python's own arithmetic and errors.
"""

from __future__ import annotations

import math
import numbers
import operator
from collections.abc import Callable
from typing import Any

import numpy

from dopegraph.trace.recording import active_recording

# A longer computation is not worth doing again in Python at each call.
_LONGEST = 400


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

    def __array__(self, *args: Any, **kwargs: Any) -> numpy.ndarray:
        return numpy.array(self._look("NumPy"), *args)

    def __array_ufunc__(self, ufunc: numpy.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if any(hasattr(type(x), "__array_function__") and not isinstance(x, numpy.ndarray) for x in inputs):
            return NotImplemented  # an array of ours is among the operands: it keeps the float as it is
        self._look(ufunc.__name__)
        return getattr(ufunc, method)(*[x.number if isinstance(x, DynamicFloat) else x for x in inputs], **kwargs)

    def __copy__(self) -> DynamicFloat:
        return self

    def __deepcopy__(self, memo: Any) -> DynamicFloat:
        return self

    def __reduce__(self) -> Any:
        return float, (self._look("pickling"),)

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
    return f"({operand!r})" if math.isfinite(operand) else f"float('{operand}')"


def _computed(expression: str, number: Any, what: DynamicFloat) -> Any:
    # A negative number to a fractional power is complex.
    if type(number) is not float or len(expression) > _LONGEST:
        what._look("a long computation" if type(number) is float else "a power")
        return number
    return DynamicFloat(expression, number)


def _binary(symbol: str, function: Callable[[Any, Any], Any], reflected: bool) -> Callable[[Any, Any], Any]:
    def method(self: DynamicFloat, other: Any) -> Any:
        left, right = (other, self) if reflected else (self, other)
        if _plain(other) is None:
            if not isinstance(other, numbers.Number):
                return NotImplemented
            number = self._look(symbol)  # complex numbers, fractions, NumPy's
            return function(other, number) if reflected else function(number, other)
        return _computed(f"({_text(left)} {symbol} {_text(right)})", function(_plain(left), _plain(right)), self)

    return method


def _unary(symbol: str, function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda self: _computed(f"({symbol}({self.expression}))", function(self.number), self)


def _looks(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda self, *args: function(self._look(name), *args)


def _comparison(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def method(self: DynamicFloat, other: Any) -> Any:
        if _plain(other) is None and not isinstance(other, numbers.Number):
            return NotImplemented
        return function(self._look("a comparison"), other.number if isinstance(other, DynamicFloat) else other)

    return method


for _name, _symbol in {
    "add": "+", "sub": "-", "mul": "*", "truediv": "/", "floordiv": "//", "mod": "%", "pow": "**"
}.items():  # fmt: skip
    _function = getattr(operator, _name)
    setattr(DynamicFloat, f"__{_name}__", _binary(_symbol, _function, False))
    setattr(DynamicFloat, f"__r{_name}__", _binary(_symbol, _function, True))
for _name, _symbol in {"neg": "-", "pos": "+"}.items():
    setattr(DynamicFloat, f"__{_name}__", _unary(_symbol, getattr(operator, _name)))
DynamicFloat.__abs__ = _unary("abs", abs)
for _name, _looking in {
    "round": round, "trunc": math.trunc, "floor": math.floor, "ceil": math.ceil, "divmod": divmod, "complex": complex
}.items():  # fmt: skip
    setattr(DynamicFloat, f"__{_name}__", _looks(_name, _looking))
DynamicFloat.__rdivmod__ = lambda self, other: divmod(other, self._look("divmod"))
for _name in ("eq", "ne", "lt", "le", "gt", "ge"):
    setattr(DynamicFloat, f"__{_name}__", _comparison(getattr(operator, _name)))
# Python's own messages name the class: "'float' object is not subscriptable".
DynamicFloat.__name__ = DynamicFloat.__qualname__ = "float"
