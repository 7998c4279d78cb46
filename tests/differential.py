"""Runs a scenario twice, with and without ``compile``: what it reports must be the same."""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy

import dopegraph
import dopegraph.numpy as np
from dopegraph.trace import active_recording

Scenario = Callable[[Callable[..., Any]], Any]


def plainly(function: Callable[..., Any]) -> Callable[..., Any]:
    """In place of ``compile``."""
    return function


def seen(value: Any) -> Any:
    """What a user sees of a value, comparable: arrays with dtype, shape and elements, containers with their types."""
    if isinstance(value, np.ndarray):
        assert value._root()._recording is None, "an array is still traced"
        return ("array", *_elements(value.asnumpy()))
    if isinstance(value, (numpy.ndarray, numpy.generic)):
        return (type(value).__name__, *_elements(numpy.asarray(value)))
    if isinstance(value, dict):
        return (type(value).__name__, [(key, seen(part)) for key, part in value.items()])
    if isinstance(value, (list, tuple)):
        return (type(value).__name__, [seen(part) for part in value])
    if dataclasses.is_dataclass(value) or type(value).__name__ == "SimpleNamespace":
        return (type(value).__name__, seen(vars(value)))
    if isinstance(value, BaseException):
        return (type(value).__name__, str(value).split("\n")[0])
    return (type(value).__name__, repr(value))


def _elements(array: numpy.ndarray) -> tuple[Any, ...]:
    rounded = array if array.dtype.kind in "biu" else array.astype(numpy.complex128).round(5) + 0.0
    return array.dtype, array.shape, repr(rounded.tolist())


def attempt(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """The result, or the error."""
    try:
        return function(*args, **kwargs)
    except Exception as error:
        return error


class Same:
    """The compiled functions of a scenario that ran the same compiled and not."""

    def __init__(self, compiled: list[dopegraph.transform.Compiled]) -> None:
        self.compiled = compiled

    @property
    def replays(self) -> int:
        """How many calls were replayed."""
        return sum(getattr(plan, "calls", 0) for one in self.compiled for plan in one.plans)

    @property
    def reasons(self) -> set[str]:
        """Why calls ran as Python."""
        return {escape.reason for one in self.compiled for plan in one.plans for escape in getattr(plan, "escapes", ())}


def assert_same(scenario: Scenario) -> Same:
    """Run a scenario with and without ``compile`` and compare what it returns."""
    np.random.seed(0)
    expected = seen(scenario(plainly))
    np.random.seed(0)
    compiled: list[dopegraph.transform.Compiled] = []

    def compile_(function: Callable[..., Any], **options: Any) -> Any:
        compiled.append(dopegraph.compile(function, **options))
        return compiled[-1]

    found = seen(scenario(compile_))
    assert found == expected
    assert active_recording() is None
    return Same(compiled)
