"""Runs a program three ways: as it is, compiled on NumPy, compiled on MXNet; and compares all that a user can see."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import io
import linecache
import math
import os
import random
import re
import sys
import types
import warnings
from collections import Counter
from typing import Any, NamedTuple

import numpy

import dopegraph
import dopegraph.numpy as np
from dopegraph.backends import placement
from dopegraph.nn import Block
from dopegraph.optim import Trainer
from dopegraph.runtime.errors import DopegraphError, ReplayWarning
from dopegraph.trace.active import active_recording
from dopegraph.transform import Compiled
from tests.differential import nothing_is_open

placement.SMALL = int(os.environ.get("DOPEGRAPH_SMALL", 0))  # MXNet is to run the tiny arrays of programs, too

FILE = "/fuzz/program.py"
EAGER, ON_NUMPY, ON_MXNET = "eager", "compiled on NumPy", "compiled on MXNet"
TOLERANCE = 1e-3
_NUMBER = re.compile(r"[-+]?(?:\d+\.\d*|\.\d+|\d+)(?:e[-+]?\d+)?|nan|inf")


class Invalid(Exception):
    """The program itself is no program: it fails outside the calls of its functions."""


class Difference(NamedTuple):
    """What was seen that should not have been."""

    way: str
    where: str
    expected: Any
    found: Any

    @property
    def kind(self) -> tuple[str, ...]:
        """What stays the same when the program is made smaller."""
        where = _NUMBER.sub("", self.where.partition(":")[0])
        if not where.startswith("outcome"):
            return (where,)
        return (where, *(str(one) for one in (self.expected, self.found)))

    def __str__(self) -> str:
        return f"{self.way}: {self.where}\n  uncompiled: {self.expected}\n  compiled:   {self.found}"


class Run:
    """One run of a program: what it shows, in order.

    Attributes
    ----------
    log : list
        Of (where, what was seen), comparable by `difference`.
    compiled : list of Compiled
    """

    def __init__(self, way: str) -> None:
        self.way = way
        self.log: list[tuple[str, Any]] = []
        self.compiled: list[Compiled] = []
        self.calls = 0
        self.module = types.ModuleType("program")
        self.namespace: dict[str, Any] = vars(self.module)
        self.namespace.update({
            "np": np, "numpy": numpy, "dopegraph": dopegraph, "random": random, "math": math,
            "contextlib": contextlib, "dataclasses": dataclasses, "NamedTuple": NamedTuple, "compile": self.compile,
            "call": self.call, "quiet": self.quiet, "scribble": self.scribble,
            "derive": self.derive,
            "jit": Plain if way == EAGER else dopegraph.compile,
        })  # fmt: skip
        self._given = set(self.namespace)

    # What a program uses -----------------------------------------------------------------------------------------

    def compile(self, function: Any = None, **options: Any) -> Any:
        """`dopegraph.compile`, or nothing."""
        if function is None:
            return functools.partial(self.compile, **options)
        if self.way == EAGER:
            return Plain(function)
        made = dopegraph.compile(function, **options)
        self.compiled.append(made)
        return made

    def call(self, function: Any, *args: Any, **kwargs: Any) -> Any:
        """Call a function and look at everything: result, error, printed text, arguments, state."""
        result = self.quiet(function, *args, **kwargs)
        self._look(f"call {self.calls}", {"result": result, "args": args, "kwargs": kwargs})
        return result

    def quiet(self, function: Any, *args: Any, **kwargs: Any) -> Any:
        """Call a function and look at nothing but whether it fails, and what it prints."""
        self.calls += 1
        printed = io.StringIO()
        result, outcome = None, ("returned", "", 0)
        with contextlib.redirect_stdout(printed):
            try:
                result = function(*args, **kwargs)
            except Exception as error:
                outcome = _failure(error)
        self.log.append((f"outcome of call {self.calls}", outcome))
        self.log.append((f"text printed by call {self.calls}", printed.getvalue()))
        if active_recording() is not None:
            self.log.append((f"after call {self.calls}", "a recording is left open"))
        return result

    def scribble(self, result: Any) -> None:
        """Write into the arrays of a result."""
        for array in _arrays_in(result):
            with contextlib.suppress(ValueError, TypeError):
                array[...] = 7

    def derive(self, result: Any) -> None:
        """Take derivatives of the arrays of a result, as far as they were recorded, and look at everything."""
        for array in _arrays_in(result):
            outcome: Any = None
            try:
                array.backward()
            except (AttributeError, TypeError, ValueError) as error:  # a NumPy array, one of integers, a constant
                outcome = _failure(error)
            self.log.append((f"backward after call {self.calls}", outcome))
        self._look(f"backward after call {self.calls}", {"result": result})

    def _look(self, where: str, more: dict[str, Any]) -> None:
        state = {name: value for name, value in self.namespace.items() if name not in self._given and name[:2] != "__"}
        self.log.append((f"after {where}", _Look().at({**more, **state})))

    def finish(self) -> None:
        self._look("all calls", {})


class Plain:
    """In place of what ``compile`` makes, which gives a function our arrays where it is given NumPy's."""

    def __init__(self, function: Any) -> None:
        self.__dopegraph_function__ = function
        self.__name__ = getattr(function, "__name__", "function")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        made: dict[int, Any] = {}

        def ours(value: Any) -> Any:
            if isinstance(value, (numpy.ndarray, numpy.generic)):
                return made.setdefault(id(value), np.asarray(value))
            return value

        return self.__dopegraph_function__(*map(ours, args), **{name: ours(value) for name, value in kwargs.items()})

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else types.MethodType(self, instance)


def _failure(error: Exception) -> tuple[str, str, int]:
    """Type, message and line of the program."""
    lines = []
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == FILE:
            lines.append(trace.tb_lineno)
        trace = trace.tb_next
    if isinstance(error, RecursionError):
        return ("RecursionError", "", 0)  # how deep is another matter
    # Ours are what NumPy or Python would have raised, too, and may say more.
    kind = next(
        one for one in type(error).__mro__ if not issubclass(one, DopegraphError) and one.__module__ != "mxnet.base"
    )
    known = type(error).__module__ == "program" or "\n  at " not in str(error)
    message = re.sub(" at 0x[0-9a-f]+", "", str(error)) if known and kind is type(error) else ""
    return (kind.__name__, message, lines[-1] if lines else 0)


def _arrays_in(value: Any) -> list[Any]:
    if isinstance(value, (np.ndarray, numpy.ndarray)):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        return [array for part in value for array in _arrays_in(part)]
    return []


class _Look:
    """Makes what a user sees comparable: types, elements, and which things are the same or share memory."""

    def __init__(self) -> None:
        self._seen: dict[int, str] = {}
        self._keep: list[Any] = []
        self._arrays: list[tuple[str, numpy.ndarray]] = []

    def at(self, value: Any) -> Any:
        found = self._of(value, "")
        return ("all", found, ("memory", self._memory()))

    def _memory(self) -> tuple[str, ...]:
        """Pairs of arrays that share memory."""
        pairs = []
        for i, (path, array) in enumerate(self._arrays):
            for other, second in self._arrays[:i]:
                if numpy.may_share_memory(array, second) and numpy.shares_memory(array, second):
                    pairs.append(f"{other} ~ {path}")
        return tuple(pairs)

    def _of(self, value: Any, path: str) -> Any:
        if value is None or isinstance(value, (bool, int, float, complex, str, bytes, type(...))):
            return (type(value).__name__, value)
        if isinstance(value, (type, types.ModuleType, types.BuiltinFunctionType)):
            if isinstance(value, type) and value.__module__ == "program" and id(value) not in self._seen:
                self._seen[id(value)] = path
                held = {
                    k: v
                    for k, v in vars(value).items()
                    if k[:2] != "__" and not callable(v) and not isinstance(v, property)
                }
                return ("class", self._parts(held.items(), path))
            return (type(value).__name__, getattr(value, "__name__", ""))
        if isinstance(value, numpy.generic):
            return (type(value).__name__, value.item())
        if isinstance(value, tuple):  # whether two are one object cannot matter
            return (type(value).__name__, self._parts(enumerate(value), path))
        if id(value) in self._seen:
            return ("same as", self._seen[id(value)])
        self._seen[id(value)] = path or "everything"
        self._keep.append(value)
        if isinstance(value, Block):
            arrays = {name: one._data for name, one in value.structural_parameters().items()}
            return (type(value).__name__, self._parts(arrays.items(), path))
        if isinstance(value, Trainer):
            kept = {"optimizer": vars(value.optimizer), "states": value._change.states}
            return (type(value).__name__, self._parts(kept.items(), path))
        if isinstance(value, np.ndarray):
            array = value.asnumpy()
            memory = value._buffer.array if value._buffer is not None and value._buffer.device.is_host else array
            self._arrays.append((path, memory))
            base = self._seen.get(id(value._base))
            found = ("array", array, ("view of", base))
            if value._gradient is not None:
                return (*found, self._of(value._gradient, f"{path}.grad"), ("grad_req", value._grad_req))
            return found
        if isinstance(value, numpy.ndarray):
            self._arrays.append((path, value))
            return ("NumPy array", numpy.array(value))
        if isinstance(value, dict):
            return (type(value).__name__, self._parts(value.items(), path))
        if isinstance(value, list):
            return (type(value).__name__, self._parts(enumerate(value), path))
        if isinstance(value, (Compiled, Plain)):
            return self._of(value.__dopegraph_function__, path)
        if isinstance(value, types.MethodType):
            return self._of(value.__func__, path)
        if isinstance(value, types.FunctionType):
            return ("function", value.__name__, self._function(value, path))
        if isinstance(value, BaseException):
            return ("error", type(value).__name__, str(value))
        if hasattr(value, "__dict__") and not type(value).__module__.startswith("dopegraph"):
            return (type(value).__name__, self._parts(vars(value).items(), path))
        return (type(value).__name__,)

    def _function(self, function: types.FunctionType, path: str) -> Any:
        """What a function keeps: closure, defaults, attributes."""
        cells = {}
        for name, cell in zip(function.__code__.co_freevars, function.__closure__ or ()):
            with contextlib.suppress(ValueError):
                cells[name] = cell.cell_contents
        held = {"closure": cells, "defaults": function.__defaults__ or ()}
        held.update({name: part for name, part in vars(function).items() if name[:2] != "__"})
        return self._parts(held.items(), path)

    def _parts(self, items: Any, path: str) -> tuple[Any, ...]:
        return tuple((key, self._of(part, f"{path}.{key}" if path else str(key))) for key, part in list(items))


# Comparison ------------------------------------------------------------------------------------------------------


def difference(expected: Any, found: Any, path: str = "") -> str | None:
    """Where two looks differ."""
    if isinstance(expected, numpy.ndarray):
        return None if _same_elements(expected, found) else path
    if type(expected) is not type(found):
        return path
    if isinstance(expected, tuple):
        if len(expected) != len(found):
            return path
        keyed = len(expected) == 2 and isinstance(expected[0], (str, int)) and isinstance(expected[1], tuple)
        for x, y in zip(expected, found):
            inner = difference(x, y, f"{path}.{expected[0]}" if keyed and isinstance(x, tuple) else path)
            if inner is not None:
                return inner
        return None
    if isinstance(expected, str):
        return None if _same_text(expected, found) else path
    if isinstance(expected, (float, complex)):
        return None if expected == found or _close(expected, found) else path
    return None if expected == found else path


def _same_elements(x: Any, y: Any) -> bool:
    if not isinstance(y, numpy.ndarray) or x.dtype != y.dtype or x.shape != y.shape:
        return False
    if x.tobytes() == y.tobytes():
        return True
    return _close(x, y) if x.dtype.kind in "fc" else bool((x == y).all())


def _close(x: Any, y: Any) -> bool:
    return bool(numpy.allclose(x, y, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True))


def _same_text(x: str, y: str) -> bool:
    if x == y:
        return True
    if "".join(_NUMBER.sub("#", x).split()) != "".join(_NUMBER.sub("#", y).split()):
        return False
    return all(_close(float(a), float(b)) for a, b in zip(_NUMBER.findall(x), _NUMBER.findall(y)))


# Running ---------------------------------------------------------------------------------------------------------


def run(text: str, way: str) -> Run:
    """Run a program one way."""
    code = _code(text)
    made = Run(way)
    nothing_is_open()
    sys.modules["program"] = made.module  # dataclasses look there
    np.random.seed(0)
    random.seed(0)
    numpy.random.seed(0)
    policy = dopegraph.policy("only_numpy") if way == ON_NUMPY else contextlib.nullcontext()
    with policy, warnings.catch_warnings(), numpy.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", ReplayWarning)
        exec(code, made.namespace)
        made.finish()
    return made


@functools.lru_cache(maxsize=4)
def _code(text: str) -> types.CodeType:
    linecache.cache[FILE] = (len(text), None, text.splitlines(True), FILE)
    return compile(text, FILE, "exec")


class Findings(NamedTuple):
    """What became of a program: the first difference, and what its compiled functions did with the calls."""

    difference: Difference | None
    calls: Counter[str]
    reasons: Counter[str]


def check(text: str, ways: tuple[str, ...] = (ON_NUMPY, ON_MXNET)) -> Findings:
    """Run a program all ways and compare.

    Raises
    ------
    Invalid
        When the program fails without `compile`, outside of the calls.
    """
    try:
        expected = run(text, EAGER)
    except Exception as error:
        raise Invalid(f"{type(error).__name__}: {error}") from error
    calls: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    for way in ways:
        try:
            found = run(text, way)
        except Exception as error:
            return Findings(Difference(way, "outside the calls", "nothing raised", _failure(error)), calls, reasons)
        _count(found, calls, reasons)
        for (where, x), (_, y) in zip(expected.log, found.log):
            if where.startswith("outcome") and not (
                x[1] and y[1] and "item assignment" not in x[1]
            ):  # messages of ours are not compared
                x, y = (x[0], "", x[2]), (y[0], "", y[2])
            path = difference(x, y)
            if path is not None:
                place = f"{where}{': ' if path else ''}{path.lstrip('.')}"
                return Findings(Difference(way, place, *_apart(x, y)), calls, reasons)
        if len(expected.log) != len(found.log):
            extra = max(expected.log, found.log, key=len)[-1]
            return Findings(Difference(way, "the log", len(expected.log), extra), calls, reasons)
    return Findings(None, calls, reasons)


def _apart(x: Any, y: Any) -> tuple[Any, Any]:
    """The smallest parts of two looks that differ."""
    if isinstance(x, tuple) and isinstance(y, tuple) and len(x) == len(y):
        for a, b in zip(x, y):
            if difference(a, b) is not None:
                return _apart(a, b)
    return x, y


def _count(found: Run, calls: Counter[str], reasons: Counter[str]) -> None:
    """What the compiled functions of a run did with their calls, and why they did not replay."""
    for one in found.compiled:
        info = one.cache_info()
        calls["recorded"] += info.misses
        calls["replayed"] += info.replays
        calls["as Python"] += info.python_calls
        for plan in one.plans:
            calls["MXNet symbols"] += sum(program.symbols for program in getattr(plan, "programs", ()))
            reasons.update({escape.reason for escape in getattr(plan, "escapes", ())})
