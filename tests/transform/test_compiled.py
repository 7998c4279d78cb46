"""What `compile` gives: plans, how many, and what `explain` says of them."""

import gc
import weakref
from typing import Any

import numpy
import pytest

import dopegraph
import dopegraph.numpy as np
from dopegraph.runtime.errors import ReplayWarning
from dopegraph.transform.straight import never
from tests.differential import arr


def test_a_compiled_function_keeps_its_name_and_docstring() -> None:
    @dopegraph.compile
    def f(x: np.ndarray) -> np.ndarray:
        """Doubles."""
        return x * 2

    assert (f.__name__, f.__doc__, repr(f)) == ("f", "Doubles.", "<compiled f>")


def test_compile_takes_options_as_a_decorator() -> None:
    @dopegraph.compile(cache_size=2)
    def f(x: np.ndarray) -> np.ndarray:
        return x * 2

    assert f.cache_size == 2


def test_another_float_uses_the_same_plan() -> None:
    f = dopegraph.compile(lambda x, lr: x * lr)
    for lr in (0.5, 0.25, -0.0, float("nan")):
        f(arr(1), lr)
    assert len(f.plans) == 1


def test_another_shape_records_once_more_and_says_why() -> None:
    f = dopegraph.compile(lambda x: x * 2)
    f(arr(1)), f(arr(1, 2)), f(arr(1)), f(arr(1, 2))
    assert len(f.plans) == 2
    assert [recompile.reason for recompile in f.recompiles] == ["changed-shape"]
    assert f.recompiles[0].detail == "argument x: f32[1] before, f32[2] now"


def test_equal_functions_share_a_program() -> None:
    first, second = dopegraph.compile(lambda x: x * 3), dopegraph.compile(lambda x: x * 3)
    first(arr(1)), second(arr(1))
    assert first.plans[0].program is second.plans[0].program


def test_a_function_that_set_something_up_is_replayed_from_the_next_call_on() -> None:
    log = []

    def f(x: np.ndarray) -> np.ndarray:
        if not log:
            log.append("started")
        return x * 2

    compiled = dopegraph.compile(f)
    assert not dopegraph.explain(compiled)(arr(1)).replayed
    assert dopegraph.explain(compiled)(arr(1)).replayed


def test_a_function_that_cannot_be_replayed_is_not_recorded_for_ever() -> None:
    log: list[int] = []

    def f(x: np.ndarray) -> np.ndarray:
        log.append(1)
        return x * 2

    compiled = dopegraph.compile(f)
    for _ in range(5):
        compiled(arr(1))
    assert (len(log), len(compiled.plans), len(compiled.recompiles)) == (5, 1, 1)


def test_results_are_freed() -> None:
    f = dopegraph.compile(lambda x: x * 2)
    f(arr(1))
    result = f(arr(1))
    reference = weakref.ref(result)
    del result
    gc.collect()
    assert reference() is None


def test_writing_in_place_reuses_the_spare_memory() -> None:
    w = np.zeros(1000)

    @dopegraph.compile
    def step(x: float) -> None:
        nonlocal w
        w += x

    addresses = set()
    for _ in range(6):
        step(1.0)
        addresses.add(w._settled().array.ctypes.data)
    assert len(addresses) <= 3
    assert w.tolist()[0] == 6


def test_explain_names_what_kept_a_call_from_being_replayed() -> None:
    explanation = dopegraph.explain(lambda x: x * numpy.random.rand())(arr(1))
    assert not explanation.replayed
    assert "numpy.random.rand" in str(explanation)


def test_trace_changes_nothing() -> None:
    w = [np.zeros(2)]

    def step(x: np.ndarray, lr: float) -> np.ndarray:
        w[0] += x * lr
        w[0] = w[0] * 2
        return w[0]

    before = w[0]
    dopegraph.trace(step)(np.ones(2), 0.5)
    assert w[0] is before
    assert w[0].tolist() == [0, 0]


def test_a_mistake_of_ours_in_a_replay_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python computes the result; nothing runs as Python in silence."""
    f = dopegraph.compile(lambda x: np.exp(x) * 2)
    expected = f(arr(1, 2)).tolist()
    (plan,) = f.plans

    monkeypatch.setattr(plan, "replay", never)
    monkeypatch.setattr(plan, "run", None)
    with pytest.warns(ReplayWarning, match="replay of <lambda> failed with TypeError: 'NoneType'"):
        assert f(arr(1, 2)).tolist() == expected


def test_what_a_function_of_the_users_own_raises_is_no_mistake_of_ours(recwarn: pytest.WarningsRecorder) -> None:
    def checked(a: numpy.ndarray) -> numpy.ndarray:
        if a[0] > 1:
            raise KeyError("large")
        return a

    def f(x: np.ndarray) -> Any:
        try:
            return dopegraph.host_call(checked, lambda x: x)(x) * 2
        except KeyError:
            return x

    f = dopegraph.compile(f)
    assert [f(arr(x)).tolist() for x in (1, 1, 2, 1)] == [[2], [2], [2], [2]]
    assert not [one for one in recwarn if issubclass(one.category, ReplayWarning)]
