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

from dopegraph.trace.active import active_recording

# A longer computation is not worth doing again in Python at each call.
_LONGEST = 400


class DynamicNumber:
    """Stands for a number of Python while a function is recorded."""

    __slots__ = ("expression", "number", "shown")

    def __init__(self, expression: str, number: Any, shown: str = "") -> None:
        self.expression = expression
        self.number = number
        self.shown = shown or expression  # as the user reaches it

    def _look(self, what: str) -> Any:
        """The number, for Python, which may do anything with it: a plan goes on where it is the same number."""
        recording = active_recording()
        if recording is not None:
            recording.look_at_number(self.expression, "number", _exactly, self.number, f"{what} looks at {self.shown}")
        return self.number

    def __float__(self) -> float:
        return float(self._look("float"))

    def __array__(self, *args: Any, **kwargs: Any) -> numpy.ndarray:
        return numpy.array(self._look("NumPy"), *args)

    def __array_ufunc__(self, ufunc: numpy.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if any(hasattr(type(x), "__array_function__") and not isinstance(x, numpy.ndarray) for x in inputs):
            return NotImplemented  # an array of ours is among the operands: it keeps the float as it is
        self._look(ufunc.__name__)
        return getattr(ufunc, method)(*[x.number if isinstance(x, DynamicNumber) else x for x in inputs], **kwargs)

    def __copy__(self) -> DynamicNumber:
        return self

    def __deepcopy__(self, memo: Any) -> DynamicNumber:
        return self

    def __reduce__(self) -> Any:
        return type(self.number), (self._look("pickling"),)

    def __int__(self) -> int:
        return int(self._look("int"))

    def __bool__(self) -> bool:
        return self != type(self.number)(0)

    def __hash__(self) -> int:
        return hash(self._look("hash"))

    def __repr__(self) -> str:
        return repr(self._look("repr"))

    def __format__(self, specification: str) -> str:
        return format(self._look("format"), specification)

    def __getattr__(self, name: str) -> Any:
        # What else numbers have (is_integer, hex, real, ...) is asked of the number.
        return getattr(self._look(name), name)


class DynamicFloat(DynamicNumber):
    """Stands for a float: an operand of recorded operations, too."""

    __slots__ = ()


class DynamicInt(DynamicNumber):
    """Stands for an integer that changes from call to call, a counter: Python's own arithmetic goes on with it.

    All else looks at it. For ``isinstance`` it is an int.
    """

    __slots__ = ()

    __class__ = property(lambda self: int)  # type: ignore[assignment]

    def __index__(self) -> int:
        return int(self._look("an index"))


def _plain(operand: Any) -> float | int | None:
    if isinstance(operand, DynamicNumber):
        return operand.number
    return operand if type(operand) in (int, float, bool) else None


def _text(operand: Any) -> str:
    if isinstance(operand, DynamicNumber):
        return operand.expression
    return f"({operand!r})" if math.isfinite(operand) else f"float('{operand}')"


def _shown(operand: Any) -> str:
    return operand.shown if isinstance(operand, DynamicNumber) else repr(operand)


def _computed(expression: str, number: Any, what: DynamicNumber, shown: str) -> Any:
    kind = _STAND_INS.get(type(number))
    if kind is None or len(expression) > _LONGEST:
        what._look("a long computation" if kind is not None else "a power")
        return number
    return kind(expression, number, shown)


def _power(left: Any, right: Any) -> None:
    """Powers of what type a number is: of negative numbers some are complex, of integers some floats."""
    recording = active_recording()
    if recording is None:
        return
    base, exponent = _plain(left), _plain(right)
    if isinstance(left, DynamicNumber) and not (type(right) is int or (type(right) is float and right.is_integer())):
        _look_at_sign(recording, left)
    if isinstance(right, DynamicNumber) and type(exponent) is int and type(base) is not float:
        _look_at_sign(recording, right)
    elif isinstance(right, DynamicNumber) and type(exponent) is float and base is not None and base < 0:
        whole = f"({right.expression}).is_integer()"
        recording.look_at_number(whole, "bool", bool, exponent.is_integer(), f"{right.shown}.is_integer(), in a power")


def _look_at_sign(recording: Any, x: DynamicNumber) -> None:
    recording.look_at_number(f"({x.expression} < 0)", "bool", bool, x.number < 0, f"{x.shown} < 0, in a power")


def _binary(symbol: str, function: Callable[[Any, Any], Any], reflected: bool) -> Callable[[Any, Any], Any]:
    def method(self: DynamicNumber, other: Any) -> Any:
        left, right = (other, self) if reflected else (self, other)
        if _plain(other) is None:
            if not isinstance(other, numbers.Number):
                return NotImplemented
            number = self._look(symbol)  # complex numbers, fractions, NumPy's
            return function(other, number) if reflected else function(number, other)
        if symbol == "**":
            _power(left, right)
        expression = f"({_text(left)} {symbol} {_text(right)})"
        shown = f"({_shown(left)} {symbol} {_shown(right)})"
        return _computed(expression, function(_plain(left), _plain(right)), self, shown)

    return method


def _unary(symbol: str, function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda self: _computed(
        f"({symbol}({self.expression}))", function(self.number), self, f"{symbol}({self.shown})"
    )


def _looks(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda self, *args: function(self._look(name), *args)


def _exactly(number: Any) -> Any:
    """Tells numbers apart that compare equal: 0.0 and -0.0; one not-a-number is as good as another."""
    return type(number), repr(number)


def _comparison(symbol: str, function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def method(self: DynamicNumber, other: Any) -> Any:
        if _plain(other) is None:
            return function(self._look("a comparison"), other) if isinstance(other, numbers.Number) else NotImplemented
        outcome = function(self.number, _plain(other))
        recording = active_recording()
        if recording is None:
            return outcome
        expression = f"({_text(self)} {symbol} {_text(other)})"
        return recording.look_at_number(expression, "bool", bool, outcome, f"{self.shown} {symbol} {_shown(other)}")

    return method


for _name, _symbol in {
    "add": "+", "sub": "-", "mul": "*", "truediv": "/", "floordiv": "//", "mod": "%", "pow": "**"
}.items():  # fmt: skip
    _function = getattr(operator, _name)
    setattr(DynamicNumber, f"__{_name}__", _binary(_symbol, _function, False))
    setattr(DynamicNumber, f"__r{_name}__", _binary(_symbol, _function, True))
for _name, _symbol in {"neg": "-", "pos": "+"}.items():
    setattr(DynamicNumber, f"__{_name}__", _unary(_symbol, getattr(operator, _name)))
DynamicNumber.__abs__ = _unary("abs", abs)
for _name, _looking in {
    "round": round, "trunc": math.trunc, "floor": math.floor, "ceil": math.ceil, "divmod": divmod, "complex": complex
}.items():  # fmt: skip
    setattr(DynamicNumber, f"__{_name}__", _looks(_name, _looking))
DynamicNumber.__rdivmod__ = lambda self, other: divmod(other, self._look("divmod"))
for _name, _symbol in {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}.items():
    setattr(DynamicNumber, f"__{_name}__", _comparison(_symbol, getattr(operator, _name)))
# Python's own messages name the class: "'float' object is not subscriptable".
for _kind, _name in {DynamicFloat: "float", DynamicInt: "int"}.items():
    _kind.__name__ = _kind.__qualname__ = _name

_STAND_INS: dict[type, type[DynamicNumber]] = {float: DynamicFloat, int: DynamicInt}


def stand_in_for(number: float | int) -> type[DynamicNumber]:
    """What stands for numbers of this type."""
    return _STAND_INS[type(number)]
