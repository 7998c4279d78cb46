"""One drawn call: made in NumPy and in `dopegraph.numpy`, at once and compiled, and everything one can see compared."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy
from hypothesis import strategies as st

import dopegraph
import dopegraph.numpy as np
from dopegraph.runtime.errors import AxisError as OurAxisError
from tests.numpy.conformance.specs import ACCIDENTS, ARRAYS_FOR_NUMBERS, READ_ONLY, SPECS, Argument, Spec
from tests.numpy.conformance.strategies import STRATEGIES, Context, Draw, Given, dtype_of_kinds

AxisError = OurAxisError.__mro__[2]

# A refusal in NumPy is to be one of the same family here, the first that fits.
FAMILIES = (
    numpy.linalg.LinAlgError, AxisError, TypeError, OverflowError, ZeroDivisionError, IndexError, ValueError,
    NotImplementedError, AttributeError, BufferError, RuntimeError,
)  # fmt: skip

TOLERANCE = {"e": 4e-3, "f": 2e-5, "F": 2e-5, "d": 1e-10, "D": 1e-10}


class Mismatch(AssertionError):
    """What dopegraph did is not what NumPy does."""


def draw_call(draw: Draw, name: str) -> Call:
    """Arguments for a function, by one of its lines."""
    spec = draw(st.sampled_from(SPECS[name]))
    context = Context(draw)
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    out = False
    for argument in spec.arguments:
        if argument.optional and not context.chance(3):
            continue
        if argument.strategy == "out":
            out = True
            continue
        value = _value(context, argument)
        if argument.keyword is None:
            args.append(value)
        else:
            kwargs[argument.keyword] = value
    call = Call(spec, args, kwargs, context)
    # Without `out` a ufunc leaves undefined what `where` leaves out.
    if out or ("where" in kwargs and isinstance(getattr(numpy, spec.name, None), numpy.ufunc)):
        call.give_out()
    return call


def _value(context: Context, argument: Argument) -> Any:
    if argument.strategy.startswith("{"):
        text = argument.strategy[1:-1]
        options = eval(f"({text},)", {})
        return options[context.draw(st.integers(0, len(options) - 1))]
    return STRATEGIES[argument.strategy](context, *argument.options)


def filled(x: Any, made: dict[int, Any]) -> Any:
    """Arguments with arrays in the places of what was drawn."""
    if isinstance(x, Given):
        return x.of(made[id(x)])
    if type(x) in (tuple, list):
        return type(x)([filled(item, made) for item in x])
    return {key: filled(item, made) for key, item in x.items()} if type(x) is dict else x


class Call:
    """A function with drawn arguments."""

    def __init__(self, spec: Spec, args: list[Any], kwargs: dict[str, Any], context: Context) -> None:
        self.spec, self.args, self.kwargs, self.context = spec, args, kwargs, context
        self.poke = context.draw(st.sampled_from(["base", "result"]))

    def __repr__(self) -> str:
        shown = [*map(repr, self.args), *(f"{name}={value!r}" for name, value in self.kwargs.items())]
        return f"{self.spec.name}({', '.join(shown)})"

    @property
    def writes(self) -> bool:
        """Whether the result is written into an argument."""
        return "out" in self.kwargs or self.spec.name.startswith("operator.i")

    @property
    def givens(self) -> list[Given]:
        return self.context.arrays

    def give_out(self) -> None:
        """`out=`: an array of the result's shape, mostly of its dtype."""
        result = self.by_numpy().result
        if isinstance(result, tuple):
            self.kwargs["out"] = tuple([self._out_for(one) for one in result])
        elif isinstance(result, (numpy.ndarray, numpy.generic)):
            self.kwargs["out"] = self._out_for(result)
        elif "where" in self.kwargs:
            del self.kwargs["where"]

    def _out_for(self, result: Any) -> Given:
        context = self.context
        dtype = dtype_of_kinds(context, "biufc") if context.chance(4) else result.dtype.name
        # Accumulations and their like broadcast to a larger one in a way of their own.
        larger = context.chance(10) and "cum" not in self.spec.name
        shape = (*result.shape, 2) if larger else result.shape
        return context.keep(numpy.full(shape, 1, dtype))

    def by_numpy(self) -> Outcome:
        with warnings.catch_warnings(record=True) as noted:
            warnings.simplefilter("always")
            outcome = self._run(self.spec.function, numpy, numpy.array)
        outcome.undefined = any("invalid value encountered in cast" in str(one.message) for one in noted)
        return outcome

    def at_once(self) -> Outcome:
        return self._run(self.spec.function, np, np.array)

    def compiled(self) -> Iterator[Outcome]:
        """What two calls of the compiled function do."""

        def program(*args: Any, **kwargs: Any) -> Any:
            return function(np, *args, **kwargs)

        function = self.spec.function
        made = dopegraph.compile(program)
        for _ in range(2):
            yield self._run(lambda np, *args, **kwargs: made(*args, **kwargs), np, np.array)

    def _run(self, function: Callable[..., Any], namespace: Any, make: Callable[..., Any]) -> Outcome:
        made = {id(one): make(one.base) for one in self.givens}
        args, kwargs = filled(self.args, made), filled(self.kwargs, made)
        with warnings.catch_warnings(), numpy.errstate(all="ignore"):
            if namespace is np:
                warnings.simplefilter("ignore")
            try:
                result = function(namespace, *args, **kwargs)
            except Exception as error:
                result = error
            return Outcome(result, [made[id(one)] for one in self.givens])

    def check(self, found: Outcome, expected: Outcome, coarse: float = 1.0) -> None:
        """Compare results, arguments, and whether they share memory."""
        comparison = Comparison(self, coarse, expected.undefined)
        comparison.same(found.result, expected.result, "result")
        if self.writes and isinstance(expected.result, Exception):
            return  # NumPy may have written a part by then
        for one, other in zip(found.bases, expected.bases):
            comparison.same(one, other, "argument")
        if isinstance(expected.result, Exception) or self.spec.name in READ_ONLY:
            return
        if self.poke == "base":
            for one, other in zip(found.bases, expected.bases):
                if other.size:
                    self._write(one, other)
            comparison.same(found.result, expected.result, "result after a write into the arguments")
        else:
            for one, other in zip(_arrays(found.result), _arrays(expected.result)):
                if isinstance(other, numpy.ndarray) and other.size and other.flags.writeable:
                    self._write(one, other)
            for one, other in zip(found.bases, expected.bases):
                comparison.same(one, other, "argument after a write into the result")

    def _write(self, one: Any, other: Any) -> None:
        other[...] = value = _changed(other)
        try:
            one[...] = value
        except ValueError as error:
            raise Mismatch(f"a write is refused: {error}") from None


def _changed(x: numpy.ndarray) -> Any:
    return ~x if x.dtype.kind == "b" else 77


def _arrays(x: Any) -> list[Any]:
    if isinstance(x, (numpy.ndarray, numpy.generic, np.ndarray)):
        return [x]
    return [one for item in x for one in _arrays(item)] if isinstance(x, (tuple, list)) else []


def is_drawn_from_numbers(call: Call) -> bool:
    """Whether all arrays of a call are of integers and booleans."""
    return all(one.base.dtype.kind in "biu" for one in call.givens)


class Outcome:
    """What a call returned or raised, and its arguments' memory afterwards."""

    def __init__(self, result: Any, bases: list[Any]) -> None:
        self.result, self.bases = result, bases
        self.undefined = False


class Comparison:
    """Whether a value is NumPy's: dtypes and shapes exactly, elements to rounding."""

    def __init__(self, call: Call, coarse: float, undefined: bool) -> None:
        self.call, self.coarse, self.undefined = call, coarse, undefined
        self.elementwise = isinstance(getattr(numpy, call.spec.name, None), numpy.ufunc) and coarse == 1

    def fail(self, what: str) -> None:
        raise Mismatch(what)

    def same(self, found: Any, expected: Any, where: str) -> None:
        if isinstance(expected, Exception) or isinstance(found, Exception):
            self._same_refusal(found, expected, where)
        elif isinstance(expected, (numpy.ndarray, numpy.generic)) and expected.dtype.kind in "biufc":
            self._same_array(found, expected, where)
        elif isinstance(expected, (tuple, list)):
            if type(found) is not type(expected) and not hasattr(expected, "_fields"):
                self.fail(f"{where}: a {type(found).__name__} in place of a {type(expected).__name__}")
            if getattr(expected, "_fields", None) != getattr(found, "_fields", None):
                self.fail(f"{where}: fields {getattr(found, '_fields', None)} in place of {expected._fields}")
            if len(found) != len(expected):
                self.fail(f"{where}: {len(found)} in place of {len(expected)} parts")
            for place, (one, other) in enumerate(zip(found, expected)):
                self.same(one, other, f"{where}[{place}]")
        elif isinstance(expected, (int, float, complex)) and (
            self.call.spec.name in ARRAYS_FOR_NUMBERS or (type(found) is type(expected) and type(expected) is not int)
        ):
            self._same_array(np.asarray(found), numpy.asarray(expected), where)
        elif found is not expected and not (found == expected and type(found) is type(expected)):
            shown = f"{type(found).__name__} {found!r} in place of {type(expected).__name__} {expected!r}"
            self.fail(f"{where}: {shown}")

    def _same_refusal(self, found: Any, expected: Any, where: str) -> None:
        if not isinstance(expected, Exception):
            self.fail(f"{where}: refused: {type(found).__name__}: {str(found).splitlines()[0] if str(found) else ''}")
        if any(text in str(expected) for text in ACCIDENTS):
            return
        if not isinstance(found, Exception):
            self.fail(f"{where}: accepted; NumPy raises {type(expected).__name__}: {expected}")
        if self.call.writes and isinstance(found, (TypeError, ValueError)):
            return  # which of two refusals comes first
        family = next((one for one in FAMILIES if isinstance(expected, one)), type(expected))
        if not isinstance(found, family):
            self.fail(f"{where}: {type(found).__name__}: {found} in place of {type(expected).__name__}: {expected}")

    def _same_array(self, found: Any, expected: Any, where: str) -> None:
        if type(expected) is numpy.float64 and type(found) is float:
            found = numpy.float64(found)  # its base class
        if not isinstance(found, (np.ndarray, numpy.generic)):
            self.fail(f"{where}: a {type(found).__name__} in place of a {type(expected).__name__}")
        if found.shape != expected.shape:
            self.fail(f"{where}: shape {found.shape} in place of {expected.shape}")
        if found.dtype != expected.dtype:
            self.fail(f"{where}: dtype {found.dtype} in place of {expected.dtype}")
        if self.undefined or not expected.size:
            return
        one = found.asnumpy() if isinstance(found, np.ndarray) else numpy.asarray(found)
        other = numpy.asarray(expected)
        if not self._equal(one, other):
            self.fail(f"{where}: values\n{one}\nin place of\n{other}")

    def _equal(self, one: numpy.ndarray, other: numpy.ndarray) -> bool:
        if other.dtype.kind in "biu":
            return bool((one == other).all())
        with numpy.errstate(all="ignore"):
            relative = self.coarse * max(
                [TOLERANCE[other.dtype.char], *(TOLERANCE.get(x.base.dtype.char, 0) for x in self.call.givens)]
            )
            if other.dtype.kind == "c" and not self.elementwise:
                finite = numpy.isfinite(other)
                if not (numpy.isfinite(one) == finite).all():
                    return False
                one, other = one[finite], other[finite]
            elif other.dtype.kind == "c":
                one, other = (numpy.stack([x.real, x.imag]) for x in (one, other))
            scale = 0.0 if self.elementwise else self._scale(other)
            return bool(numpy.allclose(one, other, rtol=relative, atol=relative * scale, equal_nan=True))

    def _scale(self, other: numpy.ndarray) -> float:
        """The size of the numbers that were computed with, to which rounding is relative."""
        arrays = [other, *(given.base for given in self.call.givens)]
        found = [float(numpy.abs(x[numpy.isfinite(x)].astype("complex128")).max(initial=0)) for x in arrays]
        return max(found)
