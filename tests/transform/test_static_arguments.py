"""Static arguments: part of the graph, compared by type and equality, named at decoration."""

import dataclasses
import types
from typing import Any

import numpy
import pytest

import dopegraph
import dopegraph.numpy as np
from dopegraph.runtime.errors import StaticArgumentError
from tests.differential import Compile, arr, same


def power(x: Any, p: float = 2.0) -> Any:
    return np.abs(x).max() if p > 100 else (x**p).sum()


def replays(compiled: Any) -> int:
    return compiled.cache_info().replays


def test_python_branches_on_a_static_float() -> None:
    f = dopegraph.compile(power, static_argnums=1)
    for _ in range(2):
        assert [f(arr(1, 2), 2.0).item(), f(arr(1, 2), 1e9).item(), f(arr(1, 2), p=2.0).item()] == [5, 2, 5]
    assert replays(f) == 3
    assert f.cache_info().misses == 3
    assert not dopegraph.explain(f)(arr(1, 2), 1e9).escapes


def test_a_name_holds_for_positions_too() -> None:
    f = dopegraph.compile(static_argnames="p")(power)
    f(arr(1), 2.0), f(arr(1), p=3.0), f(arr(1), 2.0), f(arr(1), p=3.0)
    assert replays(f) == 2


def test_the_default_of_a_static_argument() -> None:
    f = dopegraph.compile(power, static_argnums=-1)
    assert [f(arr(2)).item(), f(arr(2)).item()] == [4, 4]
    assert replays(f) == 1


@pytest.mark.parametrize("values", [(1, True, 1.0), (0.0, -0.0), ("a", b"a"), ((1, 2), (1, 2.0)), (None, 0)])
def test_equal_values_of_other_types_are_others(values: tuple) -> None:
    g = dopegraph.compile(lambda x, mode: x * 2, static_argnums=1)
    for value in values * 2:
        g(arr(1), value)
    assert (len(g.plans), replays(g)) == (len(values), len(values))


@dataclasses.dataclass(frozen=True)
class Config:
    width: int
    name: str = "net"

    def double(self) -> int:
        return self.width * 2


class Slotted:
    __slots__ = ("factor",)

    def __init__(self, factor: float) -> None:
        self.factor = factor

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Slotted) and self.factor == other.factor

    def __hash__(self) -> int:
        return hash(self.factor)


@pytest.mark.parametrize("make", [Config, Slotted])
def test_equal_objects_share_a_plan(make: Any) -> None:
    def f(x: Any, config: Any) -> Any:
        return x * (config.double() if isinstance(config, Config) else config.factor), config

    f = dopegraph.compile(f, static_argnums=1)
    out = [f(arr(1), make(2)), f(arr(2), make(2)), f(arr(2), make(3)), f(arr(1), make(3))]
    assert replays(f) == 2
    factor = 2 if make is Config else 1
    assert [x.item() for x, _ in out] == [2 * factor, 4 * factor, 6 * factor, 3 * factor]
    given = make(3)
    assert f(arr(1), given)[1] is given


@same(replays=2)
def test_static_objects_that_change(compile: Compile) -> Any:
    class Flags:
        scale = 2.0

    flags = Flags()

    def f(x, flags):
        flags.seen = True
        return x * flags.scale

    f = compile(f, static_argnums=1) if compile.__name__ != "plainly" else f
    out = [f(arr(1), flags), f(arr(1), flags), vars(flags)]
    flags.scale = 3.0
    out += [f(arr(1), flags), f(arr(2), flags), vars(flags)]
    other = Flags()
    return [*out, f(arr(1), other), f(arr(1), other), vars(other), f(arr(1), flags)]


def test_functions_are_static_by_identity() -> None:
    f = dopegraph.compile(lambda x, g: g(x), static_argnames=["g"])
    results = [f(arr(4), g).item() for g in (np.sqrt, np.exp, np.sqrt)]
    assert results == [2, pytest.approx(numpy.exp(4), rel=1e-5), 2]
    assert (len(f.plans), replays(f)) == (2, 1)


def test_arguments_beyond_the_names() -> None:
    f = dopegraph.compile(lambda *xs: xs[0] * 2 if xs[1] > 0.5 else xs[0], static_argnums=(1,))
    assert [f(arr(1), 1.0).item(), f(arr(1), 0.0).item(), f(arr(3), 1.0).item()] == [2, 1, 6]
    g = dopegraph.compile(lambda x, **how: x * 2 if how["p"] > 0.5 else x, static_argnames=("p",))
    assert [g(arr(1), p=1.0).item(), g(arr(1), p=0.0).item(), g(arr(3), p=1.0).item()] == [2, 1, 6]
    assert (replays(f), replays(g)) == (1, 1)


@pytest.mark.parametrize(
    "value, hint",
    [
        (np.ones(2), "leave it out of static_argnums"),
        (numpy.ones(2), "leave it out of static_argnums"),
        ([1], "pass a tuple"),
        ({"a": 1}, "pass a tuple of its items"),
        ({1}, "pass a frozenset"),
        (types.SimpleNamespace(a=1), "__hash__"),
        ((1, [2]), "pass a tuple"),
    ],
)
def test_what_is_not_hashable_is_an_error_with_a_hint(value: Any, hint: str) -> None:
    calls = []
    f = dopegraph.compile(lambda x, config: calls.append(1), static_argnums=1)
    with pytest.raises(StaticArgumentError, match=rf"(?s)static argument config.*{hint}.*test_static_arguments.py"):
        f(np.ones(1), value)
    assert calls == []


@pytest.mark.parametrize(
    "options, error, words",
    [
        ({"static_argnums": 2}, StaticArgumentError, "the positional arguments of power are x, p"),
        ({"static_argnums": -3}, StaticArgumentError, "x, p"),
        ({"static_argnames": "q"}, StaticArgumentError, "'q'.*the arguments of power are x, p"),
        ({"static_argnums": "p"}, TypeError, "integers"),
        ({"static_argnames": 1}, TypeError, "."),
        ({"static_argnames": [1]}, TypeError, "strings"),
        ({"cache_size": 0}, ValueError, "at least 1"),
    ],
)
def test_wrong_options_are_errors_at_decoration(options: dict, error: type, words: str) -> None:
    with pytest.raises(error, match=words):
        dopegraph.compile(power, **options)


def test_methods_of_two_instances_do_not_mix() -> None:
    class Model:
        def __init__(self, k: int, w: float) -> None:
            self.k, self.w = k, arr(w)

        @dopegraph.compile(static_argnames="mode")
        def run(self, x: Any, mode: str) -> Any:
            self.w = self.w + 1
            return self.w * x * self.k if mode == "train" else x

    one, two = Model(2, 1), Model(3, 10)
    out = []
    for _ in range(3):
        out += [one.run(arr(1), "train").item(), two.run(arr(1), mode="train").item(), one.run(arr(5), "test").item()]
    assert out == [4, 33, 5, 8, 36, 5, 12, 39, 5]
    assert (one.w.item(), two.w.item()) == (7, 13)
    assert replays(Model.run) == 6


def test_a_static_argument_that_changes_is_named() -> None:
    f = dopegraph.compile(power, static_argnums=1)
    f(arr(1), 2.0), f(arr(1), 3.0)
    (again,) = f.recompiles
    assert (again.reason, again.path, again.before, again.now) == ("changed-static", "p", "2.0", "3.0")
