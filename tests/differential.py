"""Runs a scenario twice, with and without ``compile``: what it reports must be the same."""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy

import dopegraph
import dopegraph.numpy as np
from dopegraph.trace import active_recording

Compile = Callable[..., Any]
Scenario = Callable[[Compile], Any]


def plainly(function: Callable[..., Any]) -> Callable[..., Any]:
    """In place of ``compile``."""
    return function


def seen(value: Any) -> Any:
    """What a user sees of a value, comparable: arrays with dtype, shape and elements, containers with their types."""
    if isinstance(value, np.ndarray):
        assert value._root()._recording is None, "an array is still traced"
        return ("array", _Elements(value.asnumpy()))
    if isinstance(value, (numpy.ndarray, numpy.generic)):
        return (type(value).__name__, _Elements(numpy.array(value)))
    if isinstance(value, dict):
        return (type(value).__name__, [(key, seen(part)) for key, part in value.items()])
    if isinstance(value, (list, tuple)):
        return (type(value).__name__, [seen(part) for part in value])
    if dataclasses.is_dataclass(value) or type(value).__name__ == "SimpleNamespace":
        return (type(value).__name__, seen(vars(value)))
    if isinstance(value, BaseException):
        return (type(value).__name__, str(value).split("\n")[0])
    return (type(value).__name__, repr(value))


class _Elements:
    """Elements of an array, equal to those that differ by rounding only."""

    def __init__(self, array: numpy.ndarray) -> None:
        self.array = array

    def __repr__(self) -> str:
        return f"{self.array.dtype}{self.array.tolist()}"

    def __eq__(self, other: Any) -> bool:
        x, y = self.array, other.array
        if x.dtype != y.dtype or x.shape != y.shape:
            return False
        return (
            bool((x == y).all())
            if x.dtype.kind not in "fc"
            else numpy.allclose(x, y, rtol=1e-4, atol=1e-5, equal_nan=True)
        )

    __hash__ = None  # type: ignore[assignment]


def attempt(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """The result, or the error."""
    try:
        return function(*args, **kwargs)
    except Exception as error:
        return error


def nothing_is_open() -> None:
    """End what an earlier ``record()`` left for a ``backward()``, which the next one would go on with."""
    w = np.ones(1)
    w.attach_grad()
    with dopegraph.record():
        y = w * 2
    y.backward()


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
    nothing_is_open()
    np.random.seed(0)
    expected = seen(scenario(plainly))
    nothing_is_open()
    np.random.seed(0)
    compiled: list[dopegraph.transform.Compiled] = []

    def compile_(function: Callable[..., Any], **options: Any) -> Any:
        compiled.append(dopegraph.compile(function, **options))
        return compiled[-1]

    found = seen(scenario(compile_))
    assert found == expected, (found, expected)
    assert active_recording() is None
    return Same(compiled)


def same(replays: int, reasons: frozenset[str] = frozenset()) -> Callable[[Scenario], Callable[[], None]]:
    """Make a test of a scenario: replayed so often, as Python for these reasons, the same as without ``compile``."""

    def decorate(scenario: Scenario) -> Callable[[], None]:
        def test() -> None:
            found = assert_same(scenario)
            assert (found.replays, found.reasons) == (replays, set(reasons)), (found.replays, found.reasons)

        test.__name__ = scenario.__name__
        return test

    return decorate


def arr(*values: float, dtype: Any = None) -> np.ndarray:
    """An array of these numbers; floating by default."""
    return np.array(list(values), dtype=dtype) if dtype else np.array([float(value) for value in values])
