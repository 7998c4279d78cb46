"""``compile(fullgraph=True)``: what would run as Python is an error, and the state is as documented."""

from typing import Any

import numpy
import pytest

import dopegraph
import dopegraph.numpy as np
from dopegraph.backends.mxnet import library
from dopegraph.runtime.errors import DopegraphError, GraphBreakError
from tests.differential import arr


def test_a_function_without_breaks_is_replayed() -> None:
    f = dopegraph.compile(lambda x: np.tanh(x) * 2, fullgraph=True)
    f(arr(1)), f(arr(2))
    assert f.cache_info().replays == 1


def test_the_error_names_reason_line_and_hint() -> None:
    def f(x: np.ndarray) -> np.ndarray:
        if x.sum() > 0:
            return x
        return x * 2

    with pytest.raises(
        GraphBreakError, match=r"(?s)f is no full graph: value-branch: .*np.where.*if x.sum\(\) > 0:"
    ) as error:
        dopegraph.compile(f, fullgraph=True)(arr(1))
    (reason,) = error.value.reasons
    assert (reason.reason, reason.location.file) == ("value-branch", __file__)
    assert isinstance(error.value, DopegraphError)


def test_what_the_walk_finds_is_raised_before_the_function_runs() -> None:
    ran = []

    def f(x: np.ndarray, numbers: Any) -> np.ndarray:
        ran.append(1)
        return x * next(numbers)

    compiled = dopegraph.compile(f, fullgraph=True)
    numbers = iter([1, 2])
    for _ in range(2):
        with pytest.raises(GraphBreakError, match=r"unguarded-state.*numbers is an iterator"):
            compiled(arr(1), numbers)
    assert (ran, next(numbers)) == ([], 1)


def test_what_the_call_finds_leaves_the_state_as_the_function_does_and_is_raised_at_once_the_next_time() -> None:
    w, log = arr(0), []

    def f(x: np.ndarray) -> np.ndarray:
        nonlocal w
        w += x
        log.append(w.item())
        return w

    compiled = dopegraph.compile(f, fullgraph=True)
    for _ in range(3):
        with pytest.raises(GraphBreakError, match="value-escape"):
            compiled(arr(2))
    assert (w.item(), log) == (2, [2.0])


@pytest.mark.parametrize(
    "reason, function, args",
    [
        ("side-effect", lambda x: print(end="") or x * 2, (arr(1),)),
        ("python-state", lambda x, log: log.append(1) or x, (arr(1), [])),
        ("unmade-result", lambda x: object(), (arr(1),)),
        ("unsupported-argument", lambda x: x, (numpy.array(["a"]),)),
        ("host-only", lambda x: np.array2string(x), (arr(1),)),
    ],
)
def test_each_kind_of_break(reason: str, function: Any, args: Any) -> None:
    compiled = dopegraph.compile(function, fullgraph=True)
    with pytest.raises(GraphBreakError) as error:
        compiled(*args)
    assert reason in {one.reason for one in error.value.reasons}
    assert all(one.hint for one in error.value.reasons)


def test_shared_memory_is_raised_before_anything_is_written() -> None:
    def f(a: np.ndarray, b: np.ndarray) -> Any:
        a += 1
        return a * b

    compiled = dopegraph.compile(f, fullgraph=True)
    compiled(arr(1, 2), arr(1, 2))
    memory = numpy.zeros(3, "float32")
    a, b = np.asarray(memory[:2]), np.asarray(memory[1:])
    with pytest.raises(GraphBreakError):
        compiled(a, b)


def test_an_error_of_the_function_is_its_own() -> None:
    w = arr(0)

    def f(x: np.ndarray, i: np.ndarray) -> np.ndarray:
        nonlocal w
        w = w + 1
        return np.take(x, i)

    compiled = dopegraph.compile(f, fullgraph=True)
    compiled(arr(1, 2), np.array([1]))
    with pytest.raises(IndexError):
        compiled(arr(1, 2), np.array([5]))
    assert w.item() == 2

    def fails(x: np.ndarray) -> None:
        if x.sum() > 0:
            raise KeyError("k")

    with pytest.raises(KeyError):
        dopegraph.compile(fails, fullgraph=True)(arr(1))


def test_an_error_that_the_function_catches_is_a_break() -> None:
    def f(x: np.ndarray, i: np.ndarray) -> np.ndarray:
        try:
            return np.take(x, i)
        except IndexError:
            return x

    compiled = dopegraph.compile(f, fullgraph=True)
    assert compiled(arr(1, 2), np.array([1])).tolist() == [2]
    with pytest.raises(GraphBreakError, match="error: "):
        compiled(arr(1, 2), np.array([5]))


@pytest.mark.skipif(not library.installed(), reason="without MXNet there is nothing to fall back from")
def test_fallbacks_are_no_breaks() -> None:
    f = dopegraph.compile(lambda x: np.exp(np.sort(x)), fullgraph=True)
    f(arr(2, 1)), f(arr(2, 1))
    assert f.cache_info().replays == 1
    assert dopegraph.explain(f)(arr(2, 1)).fallbacks


def test_explain_reports_instead_of_raising() -> None:
    f = dopegraph.compile(lambda x: x * float(x.sum()), fullgraph=True)
    explanation = dopegraph.explain(f)(arr(2))
    assert (explanation.result.item(), [one.id for one in explanation.reasons]) == (4, ["value-escape"])


def test_inside_another_recording_the_outer_one_decides() -> None:
    g = dopegraph.compile(lambda x: x * float(x.sum()), fullgraph=True)
    f = dopegraph.compile(lambda x: g(x) + 1)
    assert f(arr(2)).item() == 5
    with pytest.raises(GraphBreakError):
        dopegraph.compile(lambda x: g(x) + 1, fullgraph=True)(arr(2))
