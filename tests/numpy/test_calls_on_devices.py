"""Every call and statement gives its results on the device of its arrays, whatever the current device is.

An ordinary run takes a sample, of which every mode sees another part; with DOPEGRAPH_EVERY_DEVICE_CALL=1 all of them.
"""

from __future__ import annotations

import os
import types
from collections.abc import Iterator
from typing import Any

import numpy
import pytest

import dopegraph
import dopegraph.numpy as np
from dopegraph import Device, cpu
from dopegraph.backends.mxnet import library
from tests.numpy import test_statements as statements
from tests.numpy.calls import inputs
from tests.numpy.test_calls import EXPRESSIONS, Call, assert_same, attempt

pytestmark = [
    pytest.mark.skipif(not library.installed(), reason="MXNet is not installed"),
    pytest.mark.filterwarnings("ignore::RuntimeWarning"),
]

STRIDE = 1 if os.environ.get("DOPEGRAPH_EVERY_DEVICE_CALL") else 24

# Where the arrays are, the current device while the call is made, and whether it is compiled.
MODES = {
    "there": (cpu(1), cpu(0), False),
    "there, which is current": (cpu(1), cpu(1), False),
    "on the host, another current": (cpu(0), cpu(1), False),
    "there, compiled": (cpu(1), cpu(0), True),
}


def arrays_in(x: Any) -> Iterator[Any]:
    if isinstance(x, np.ndarray):
        yield x
    elif isinstance(x, (list, tuple)):
        for item in x:
            yield from arrays_in(item)
    elif isinstance(x, dict):
        yield from arrays_in(list(x.values()))
    elif isinstance(x, slice):
        yield from arrays_in((x.start, x.stop, x.step))


class Around:
    """`dopegraph.numpy` whose functions make arrays on a device when they are given none, as if the user moved them.

    All other calls are made where they stand, so that what is made on the way there has to find its device itself.
    """

    def __init__(self, inner: Any, device: Device) -> None:
        self._inner, self._device = inner, device

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        ours = isinstance(found, types.ModuleType) or type(found).__module__.startswith("dopegraph")
        plain = isinstance(found, (type, np.ndarray)) or not (ours or callable(found))
        return found if plain else Around(found, self._device)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if any(True for _ in arrays_in((args, kwargs))):
            return self._inner(*args, **kwargs)
        with self._device:
            return self._inner(*args, **kwargs)

    def __getitem__(self, key: Any) -> Any:
        if any(True for _ in arrays_in(key)):
            return self._inner[key]
        with self._device:
            return self._inner[key]


def sample(items: list[Any]) -> Any:
    """For every mode its share of the items."""
    return [
        pytest.param(mode, item, id=f"{mode}: {getattr(item, 'line', item)}")
        for place, mode in enumerate(MODES)
        for item in items[(place * STRIDE) // len(MODES) :: STRIDE]
    ]


def assert_on(device: Device, found: Any) -> None:
    assert {one.device for one in arrays_in(found)} <= {device}


# These say themselves where the result is, or their only array is a shape.
ELSEWHERE = ("device=", "np.zeros(np.array")
CALLS = [one for one in dict.fromkeys(EXPRESSIONS) if not any(word in one for word in ELSEWHERE)]


@pytest.mark.parametrize(("mode", "expression"), sample(CALLS))
def test_a_call_computes_where_its_arrays_are(mode, expression):
    where, current, compiled = MODES[mode]
    call = Call(expression)
    # Arrays that come to a device are in C order, and so NumPy's have to be.
    given = {name: numpy.array(inputs()[name], order="C") for name in call.names}
    with numpy.errstate(all="ignore"):
        expected = attempt(call.function(numpy), *[value.copy() for value in given.values()])
    made = [np.array(value).to(where) for value in given.values()]
    function = call.function(Around(np, where))
    with current, numpy.errstate(all="ignore"):
        if compiled:
            function = dopegraph.compile(function)
            attempt(function, *[one.copy() for one in made])
        found = attempt(function, *made)
    assert_same(found, expected, call)
    if call.names or not compiled:  # without arrays a compiled function computes where it is called
        assert_on(where, found)


# A generator or a vectorized function is none of `np`: what they make is put on the current device. Texts name the
# device of an array, none but NumPy's can be made read-only, and MXNet adds numbers in another order.
DIFFERENT = ("rng", "random", "vectorize", "str(", "repr(", "setflags", "1e16", "setfield", "memmap")
STATEMENTS = [
    statements.Statement(number, line)
    for number, line in statements.STATEMENTS.items()
    if line not in statements.REFUSED and not any(word in line for word in (*ELSEWHERE, *DIFFERENT))
]


@pytest.fixture
def strict():
    """Float64 everywhere, as NumPy has it."""
    dopegraph.set_default_dtype("float64")
    with numpy.errstate(all="ignore"):
        yield
    dopegraph.set_default_dtype("float32")


@pytest.mark.parametrize(("mode", "statement"), sample(STATEMENTS))
def test_a_statement_computes_where_its_arrays_are(mode, statement, strict):
    where, current, compiled = MODES[mode]
    current = where if compiled else current  # nothing else says where a compiled function without arguments computes
    expected = statements.by_numpy(statement)
    program = statement.function(Around(np, where))
    with current:
        if compiled:
            program = dopegraph.compile(program)
            program()
        found = program()
    statements.assert_same(found, expected)
    assert_on(where, found)
