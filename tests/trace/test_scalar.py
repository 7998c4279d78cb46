"""Stand-ins of floats compute expressions, and say so when Python looks at them."""

import copy
import math
import pickle
from fractions import Fraction

import numpy
import pytest

from dopegraph.trace import Recording
from dopegraph.trace.scalar import DynamicFloat


def test_arithmetic_makes_expressions_that_compute_the_same() -> None:
    a = DynamicFloat("a", 2.5)
    for made in (a + 1, 1 - a, a * -2, 3 / a, a // 2, 7 % a, a**2, (-2) ** DynamicFloat("a", 2.0), -a, +a, abs(-a)):
        value = 2.0 if "-2) **" in made.expression else 2.5
        assert eval(made.expression, {"a": value}) == made.number


def test_arithmetic_with_infinity_and_nan() -> None:
    made = DynamicFloat("a", 2.0) * math.inf
    assert eval(made.expression, {"a": 2.0}) == math.inf
    assert math.isnan((DynamicFloat("a", 2.0) + math.nan).number)


def test_a_long_computation_becomes_a_number() -> None:
    a = DynamicFloat("a", 1.0)
    for _ in range(20):
        a = a + a
    assert a == 2.0**20


def test_a_look_is_noted_while_recording() -> None:
    with Recording() as recording:
        bool(DynamicFloat("lr", 0.5))
    (look,) = recording.looks
    assert (look.escape.reason, look.escape.detail) == ("float-value", "lr != 0.0")
    assert (look.outcome, look.expression) == (True, "(lr != (0.0))")


@pytest.mark.parametrize(
    "look",
    [
        int,
        float,
        complex,
        bool,
        repr,
        hash,
        round,
        math.floor,
        math.ceil,
        math.trunc,
        math.sqrt,
        numpy.sqrt,
        numpy.array,
    ],
)
def test_functions_give_what_they_give_for_the_float(look) -> None:  # type: ignore[no-untyped-def]
    assert look(DynamicFloat("a", 2.5)) == look(2.5)


def test_other_numbers_are_computed_with() -> None:
    a = DynamicFloat("a", 2.5)
    assert a * 1j == 2.5j
    assert Fraction(1, 2) * a == 1.25
    assert (numpy.ones(1, "float32") * a).dtype == "float32"
    assert divmod(a, 2) == divmod(2.5, 2)
    assert divmod(5, a) == divmod(5, 2.5)


def test_copies_and_pickles() -> None:
    a = DynamicFloat("a", 2.5)
    assert copy.deepcopy(a) is copy.copy(a) is a
    assert type(pickle.loads(pickle.dumps(a))) is float
