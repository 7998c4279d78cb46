"""The cache of a compiled function: statistics, limits, and the warning when a function is recorded again and again."""

import gc
import threading
import warnings
import weakref
from collections.abc import Callable
from typing import Any

import numpy
import pytest

import dopegraph
import dopegraph.numpy as np
from dopegraph import cpu
from dopegraph.runtime.errors import RecompileWarning
from tests.differential import arr


def warned(call: Callable[[], Any]) -> list[warnings.WarningMessage]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()
    return [one for one in caught if issubclass(one.category, RecompileWarning)]


def test_hits_misses_and_replays() -> None:
    f = dopegraph.compile(lambda x: x * 2)
    for length in (1, 2, 1, 1, 2, 3):
        f(np.ones(length))
    info = f.cache_info()
    assert (info.hits, info.misses, info.replays, info.python_calls) == (3, 3, 3, 0)
    assert (info.plans, info.programs, info.cache_size) == (3, 3, 64)
    assert [one.path for one in info.recompiles] == ["x", "x"]


def test_python_calls_are_counted() -> None:
    f = dopegraph.compile(lambda x: x * float(x.sum()))
    for _ in range(4):
        f(arr(1))
    assert f.cache_info()[:4] == (3, 1, 0, 3)


def test_a_call_whose_values_are_refused_ran_as_python() -> None:
    f = dopegraph.compile(lambda x, i: np.take(x, i))
    f(arr(1, 2), np.array([0]))
    f(arr(1, 2), np.array([1]))
    with pytest.raises(IndexError):
        f(arr(1, 2), np.array([5]))
    assert f.cache_info()[:4] == (2, 1, 1, 1)


def test_calls_inside_another_are_not_counted() -> None:
    g = dopegraph.compile(lambda x: x * 2)
    f = dopegraph.compile(lambda x: g(x) + 1)
    f(arr(1)), f(arr(1))
    assert g.cache_info().misses == 0
    assert f.cache_info().replays == 1


def test_the_least_recently_used_plan_is_forgotten_and_its_replays_are_not() -> None:
    f = dopegraph.compile(lambda x: x * 2, cache_size=2)
    lengths = (1, 1, 2, 1, 3, 1, 2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for length in lengths:
            f(np.ones(length))
    info = f.cache_info()
    # 3 takes the place of 2, which then takes that of 3; 1 stays.
    assert (info.misses, info.replays, info.plans) == (4, 3, 2)
    assert f(np.ones(1)).tolist() == [2]
    assert f.cache_info().replays == 4


def test_a_cache_of_one() -> None:
    f = dopegraph.compile(lambda x: x * 2, cache_size=1)
    found = warned(lambda: [f(np.ones(length)) for length in (1, 2, 1, 2)])
    assert len(f.plans) == 1
    assert sum("cache_size" in str(one.message) for one in found) == 1


def test_clear_cache_forgets_plans_and_statistics() -> None:
    f = dopegraph.compile(lambda x: x * 2)
    f(arr(1)), f(arr(1, 2)), f(arr(1))
    f.clear_cache()
    assert f.cache_info() == (0, 0, 0, 0, (), 0, 64, 0, 0)
    assert list(f.recompiles) == []
    assert f(arr(1)).tolist() == [2]
    assert f.cache_info().misses == 1


def test_clear_cache_frees_what_plans_hold() -> None:
    class Config:
        factor = 2.0

    config = Config()
    f = dopegraph.compile(lambda x, config: x * config.factor, static_argnums=1)
    f(arr(1), config)
    reference = weakref.ref(config)
    del config
    f.clear_cache()
    gc.collect()
    assert reference() is None


def test_the_bytes_that_plans_keep() -> None:
    w = np.zeros(1000)

    @dopegraph.compile
    def step(x: np.ndarray) -> None:
        nonlocal w
        w += x

    assert step.cache_info().nbytes == 0
    for _ in range(3):
        step(np.ones(1000))
    assert step.cache_info().nbytes == 4000  # the memory that changes places with that of w


def test_the_statistics_hold_for_several_threads() -> None:
    f = dopegraph.compile(lambda x: x * 2)
    threads = [threading.Thread(target=lambda: [f(arr(1)) for _ in range(50)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    info = f.cache_info()
    assert (info.misses, info.plans) == (1, 1)
    assert info.hits + info.misses <= 200


# Why it is recorded again ----------------------------------------------------------------------------------------


class Model:
    def __init__(self) -> None:
        self.w = arr(1)
        self.layers = [arr(1)]
        self.step = 0
        self.name = "m"


def recompiled(first: Callable[[Any], Any], change: Callable[[Model], Any], second: Callable[[Any], Any]) -> Any:
    """What is said of the second call, of a function of a model and an argument."""
    model = Model()

    def f(x: Any) -> Any:
        parts = x if isinstance(x, (list, tuple)) else [x]
        for part in model.layers:
            parts = [part * one if isinstance(one, np.ndarray) else one for one in parts]
        return [parts, model.w * model.step, len(model.name)]

    f = dopegraph.compile(f)
    f(first(model))
    change(model)
    f(second(model))
    (found,) = f.recompiles
    assert found.location is not None and found.location.file == __file__
    assert found.hint
    return found


SAME = lambda model: None  # noqa: E731
ONE = lambda model: arr(1)  # noqa: E731


@pytest.mark.parametrize(
    "first, change, second, reason, detail",
    [
        (ONE, SAME, lambda m: arr(1, 2), "changed-shape", "argument x: f32[1] before, f32[2] now"),
        (ONE, SAME, lambda m: arr(1).astype("float64"), "changed-dtype", "argument x: f32[1] before, f64[1] now"),
        (ONE, SAME, lambda m: [arr(1)], "changed-type", "argument x: f32[1] before, list now"),
        (ONE, SAME, lambda m: numpy.ones(1, "f"), "changed-type",
         "argument x: f32[1] before, NumPy f32[1] now"),
        (lambda m: numpy.ones(3), SAME, lambda m: numpy.ones(4), "changed-shape", None),
        (lambda m: 1, SAME, lambda m: 2, "changed-value", "argument x: 1 before, 2 now"),
        (lambda m: 1, SAME, lambda m: True, "changed-type", "argument x: 1 before, True now"),
        (lambda m: 1.5, SAME, lambda m: 1, "changed-type", None),
        (lambda m: "a" * 99, SAME, lambda m: "b", "changed-value", "argument x: str before, 'b' now"),
        (lambda m: [arr(1)], SAME, lambda m: [arr(1)] * 2, "changed-structure", "argument x: no longer of length 1"),
        (lambda m: [arr(1), arr(2)], SAME, lambda m: [arr(1), arr(1, 2)], "changed-shape",
         "argument x[1]: f32[1] before, f32[2] now"),
        (ONE, lambda m: setattr(m, "step", 7), ONE, "changed-value", "model.step: 0 before, 7 now"),
        (ONE, lambda m: setattr(m, "w", arr(1, 2)), ONE, "changed-shape", "model.w: f32[1] before, f32[2] now"),
        (ONE, lambda m: setattr(m, "layers", (arr(1),)), ONE, "changed-type", "model.layers: list before, tuple now"),
        (ONE, lambda m: m.layers.append(arr(1)), ONE, "changed-structure", "model.layers: no longer of length 1"),
        (ONE, lambda m: delattr(m, "name"), None, None, None),
        (lambda m: m.w, SAME, lambda m: arr(1), None, None),
    ],
)  # fmt: skip
def test_the_reason_of_a_recompilation(first: Any, change: Any, second: Any, reason: Any, detail: Any) -> None:
    if second is None:  # the attribute is gone: the function fails, as it would without us
        with pytest.raises(AttributeError):
            recompiled(first, change, ONE)
        return
    found = recompiled(first, change, second)
    if reason is not None:
        assert found.reason == reason
    if detail is not None:
        assert found.detail == detail


def test_configurations_and_other_arguments() -> None:
    f = dopegraph.compile(lambda x, y=1.0: x * y)
    f(arr(1))
    f(arr(1), 2.0)
    with dopegraph.policy("only_numpy"):
        f(arr(1), 2.0)
    f(arr(1), y=2.0)
    with dopegraph.train_mode():
        f(arr(1), y=2.0)
    details = [(one.reason, one.detail) for one in f.recompiles]
    assert details[0] == ("other-arguments", "called with 1 argument before, 2 arguments now")
    assert details[1] == ("configuration", "policy prefer_mxnet before, policy only_numpy now")
    assert details[2] == ("other-arguments", "called with 2 arguments before, 1 argument and y now")
    assert details[3] == ("configuration", "training mode False before, training mode True now")


def test_the_nearest_plan_is_compared() -> None:
    f = dopegraph.compile(lambda x, y, n: x * n + y)
    f(arr(1), arr(1), 1)
    f(arr(1, 2), arr(1), 1)
    f(arr(1), arr(1), 2)  # the plan used last differs in x already, the first one in n only
    assert [one.path for one in f.recompiles] == ["x", "n"]


def test_a_function_that_set_something_up_says_so() -> None:
    log: list[int] = []

    def f(x: np.ndarray) -> np.ndarray:
        if not log:
            log.append(1)
        return x * 2

    f = dopegraph.compile(f)
    f(arr(1)), f(arr(1))
    assert [one.reason for one in f.recompiles] == ["set-up"]


# The warning -----------------------------------------------------------------------------------------------------


def test_the_third_recompilation_in_a_row_warns_with_the_line_and_what_to_do() -> None:
    @dopegraph.compile
    def train(x: np.ndarray) -> np.ndarray:
        return x * 2

    assert not warned(lambda: [train(np.ones((length, 7))) for length in (64, 32, 31)])
    (one,) = warned(lambda: train(np.ones((30, 7))))  # this line
    message = str(one.message)
    assert "each of the last 3 calls recorded train again: argument x: f32[31,7] before, f32[30,7] now" in message
    assert "pad to one shape" in message
    assert one.filename == __file__
    with open(__file__, encoding="utf-8") as file:
        assert "# this line" in file.read().splitlines()[one.lineno - 1]


def test_each_kind_of_change_warns_once() -> None:
    f = dopegraph.compile(lambda x, n: x * n)

    def call() -> None:
        for length in range(1, 8):
            f(np.ones(length), 1)
        for n in range(2, 8):
            f(np.ones(1), n)

    found = [str(one.message) for one in warned(call)]
    assert len(found) == 2
    assert "argument x: f32[3] before, f32[4] now" in found[0]
    assert "argument n: " in found[1]


def test_recompilations_that_are_not_in_a_row_do_not_warn() -> None:
    f = dopegraph.compile(lambda x: x * 2)
    assert not warned(lambda: [f(np.ones(length)) for length in (1, 2, 2, 3, 1, 4, 4, 5, 5)])


def test_state_and_configuration_warn_too() -> None:
    model = Model()
    f = dopegraph.compile(lambda x: x * model.step)

    def call() -> None:
        for model.step in range(5):
            f(arr(1))

    (found,) = warned(call)
    assert "model.step: 2 before, 3 now" in str(found.message)

    def configure() -> None:
        g = dopegraph.compile(lambda x: x * 2)
        for policy in ("only_numpy", "prefer_mxnet"):
            for training in (dopegraph.train_mode, dopegraph.predict_mode):
                with dopegraph.policy(policy), training():
                    g(arr(1))

    (found,) = warned(configure)
    assert "policy" in str(found.message) or "training mode" in str(found.message)


def test_warnings_as_errors_leave_the_state_as_it_was() -> None:
    w = arr(0)

    @dopegraph.compile
    def f(x: np.ndarray) -> np.ndarray:
        w[...] = w + x.sum()
        return x

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for length in (1, 2, 3):
            f(np.ones(length))
        with pytest.raises(RecompileWarning):
            f(np.ones(4))
        assert w.item() == 6
        f(np.ones(4))
    assert w.item() == 10


def test_changed_devices_are_named() -> None:
    f = dopegraph.compile(lambda x: x * 2)
    f(arr(1))
    with dopegraph.device(cpu(1)):
        f(arr(1))
    assert f.recompiles[0].detail == "device cpu(0) before, device cpu(1) now"
