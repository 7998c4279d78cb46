"""Writing into arrays inside a trace: functionalized, aliased as in NumPy, differentiable. MinPy erred here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy
import pytest

import dopegraph
import dopegraph.numpy as np
from tests.differential import attempt, seen
from tests.reference import numerical_gradient

Program = Callable[..., Any]

MASK = numpy.array([True, False, True, False])
ROWS = numpy.array([2, 0, 2])


def one_element(np, x, v):
    y = x * 1
    y[0] = v.sum()
    return y * y


def a_slice_backwards(np, x, v):
    y = x * 2
    y[::-2] = v[:2]
    return y * x


def a_mask_with_a_number(np, x, v):
    y = x * x
    y[y > 1] = 0.5
    return y * x


def a_mask_with_an_array(np, x, v):
    y = x * x
    y[np.array(MASK)] = v[:2] * 3
    return y * x


def a_mask_augmented(np, x, v):
    y = x * x
    y[y > 0.5] *= 3
    return y


def rows_of_a_matrix(np, x, v):
    y = np.stack([x, v, x * v])
    y[np.array(ROWS)] = np.stack([v, x, x + v])
    return y * y


def repeated_integers_keep_the_last(np, x, v):
    y = x * 1
    y[np.array([1, 1, 1])] = v[:3]
    return y * y


def pairs_of_integers(np, x, v):
    y = np.outer(x, v)
    y[np.array([0, 1, -1]), np.array([3, -2, 0])] = x[:3]
    return y * y


def integers_and_a_slice(np, x, v):
    y = np.outer(x, v)
    y[np.array([[0], [2]]), 1:3] = x[:2].reshape(1, 2)
    return y * y


def integers_apart(np, x, v):
    y = np.outer(x, v).reshape(2, 2, 4)
    y[np.array([0, 1]), :, np.array([1, 2])] = np.stack([x[:2], v[:2]])
    return y * y


def a_mask_on_the_second_axis(np, x, v):
    y = np.outer(x, v)
    y[:, np.array(MASK)] = v[2:] * x[1]
    return y * y


def a_mask_of_two_axes(np, x, v):
    y = np.outer(x, v)
    y[y > 0.1] = 7.0
    return y * y


def a_single_boolean(np, x, v):
    y = x * 1
    y[True] = v
    y[False] = 100.0
    return y * x


def through_a_view(np, x, v):
    y = np.outer(x, v)
    row = y[1]
    row[:] = x
    column = y.T[2]
    column += v
    return y * y


def through_views_of_views(np, x, v):
    y = np.outer(x, v)
    part = y[::2][:, 1:][0].reshape(3, 1)
    part[1:] *= x[0]
    return y * y


def a_view_sees_later_writes(np, x, v):
    y = x * 1
    tail = y[1:]
    y[2] = v[0]
    return tail * tail


def overlapping(np, x, v):
    y = x * v
    y[1:] = y[:-1]
    y[:-1] += y[1:]
    return y * x


def in_place_operators(np, x, v):
    y = x * 1
    z = y
    y += v
    y *= x
    y -= 1
    y /= v + 3
    y **= 2
    return z * y


def out_arguments(np, x, v):
    y = np.zeros_like(x)
    np.multiply(x, v, out=y)
    np.add(y, x, out=y[:])
    np.exp(y * 0.1, out=y)
    return y * x


def a_larger_out(np, x, v):
    y = np.zeros((2, 4), dtype=x.dtype)
    np.add(x, v, out=y)
    return y * x


def add_at(np, x, v):
    y = x * 1
    np.add.at(y, np.array([0, 2, 0, -1]), v)
    np.subtract.at(y, np.array([1, 1]), v[0])
    return y * y


def add_at_pairs(np, x, v):
    y = np.outer(x, v)
    np.add.at(y, (np.array([0, 0, 1]), np.array([1, 1, 2])), x[:3])
    np.add.at(y, (slice(1, 3), np.array([0, 0])), 2.0)
    return y * y


def add_at_a_slice(np, x, v):
    y = x * 1
    np.add.at(y, slice(1, None, 2), v[:2])
    return y * y


def at_a_computed_position(np, x, v):
    place = np.argmax(x)
    y = np.outer(x, v)
    row = y[place]
    row += v
    y[place, 0] = x[1]
    y[0, place] = 3.0
    return y * y[place] + row


def a_computed_position_of_two(np, x, v):
    i, j = np.argmax(x), np.argmin(v)
    y = np.outer(x, v).reshape(2, 2, 4)
    return y[..., j] * y[0, :, j] + y[i % 2, 1, j]


def the_argument_itself(np, x, v):
    x[1:3] = v[:2]
    x += 1
    return x * v


def a_copy_does_not_alias(np, x, v):
    y = x.copy()
    z = y[np.array([0, 1])]
    y[0] = 9.0
    z[0] = v[0]
    return np.concatenate([y * x, z * z])


def filled(np, x, v):
    y = x * 1
    y.fill(2.0)
    y[2:] = x[2:]
    return y * v


def written_twice(np, x, v):
    y = x * 1
    y[1] = v[0]
    y[1] = v[1] * y[1]
    return y * y


PROGRAMS: list[Program] = [
    one_element, a_slice_backwards, a_mask_with_a_number, a_mask_with_an_array, a_mask_augmented, rows_of_a_matrix,
    repeated_integers_keep_the_last, pairs_of_integers, integers_and_a_slice, integers_apart, a_mask_on_the_second_axis,
    a_mask_of_two_axes, a_single_boolean, through_a_view, through_views_of_views, a_view_sees_later_writes, overlapping,
    in_place_operators, out_arguments, a_larger_out, add_at, add_at_pairs, add_at_a_slice, at_a_computed_position,
    a_computed_position_of_two, the_argument_itself, a_copy_does_not_alias, filled, written_twice,
]  # fmt: skip

INPUTS = [
    (numpy.array([0.3, -1.2, 2.0, 0.7]), numpy.array([1.5, 0.25, -0.75, 1.1])),
    (numpy.array([1.3, 0.2, -1.0, 0.1]), numpy.array([-0.5, 1.25, 0.75, 2.1])),
]


@pytest.fixture(autouse=True)
def double_precision():
    dopegraph.set_default_dtype("float64")
    yield
    dopegraph.set_default_dtype("float32")


@pytest.mark.parametrize("policy", ["prefer_mxnet", "only_numpy"])
@pytest.mark.parametrize("program", PROGRAMS)
def test_writes_what_numpy_writes(program, policy):
    compiled = dopegraph.compile(lambda x, v: program(np, x, v))
    for x, v in [*INPUTS, INPUTS[0]]:
        expected_x, expected_v = x.copy(), v.copy()
        expected = program(numpy, expected_x, expected_v)
        with dopegraph.policy(policy):
            for function in (lambda x, v: program(np, x, v), compiled):
                ours_x, ours_v = np.array(x), np.array(v)
                found = function(ours_x, ours_v)
                numpy.testing.assert_allclose(found.asnumpy(), expected, rtol=1e-12)
                numpy.testing.assert_allclose(ours_x.asnumpy(), expected_x, rtol=1e-12)
                numpy.testing.assert_allclose(ours_v.asnumpy(), expected_v, rtol=1e-12)


@pytest.mark.parametrize("program", PROGRAMS)
def test_derivatives_follow_the_writes(program):
    weights = numpy.linspace(0.5, 1.5, 64)

    def loss(np, x, v):
        y = program(np, x * 1, v * 1)
        return (y.ravel() * np.array(weights[: y.size])).sum()

    x, v = INPUTS[0]
    derivative = dopegraph.grad(lambda x, v: loss(np, x, v), argnums=(0, 1))
    expected = [numerical_gradient(lambda moved: loss(numpy, moved, v), x, 1e-6)]
    expected.append(numerical_gradient(lambda moved: loss(numpy, x, moved), v, 1e-6))
    for function in (derivative, dopegraph.compile(derivative)):
        for _ in range(2):
            found = function(np.array(x), np.array(v))
            for one, other in zip(found, expected):
                numpy.testing.assert_allclose(one.asnumpy(), other, rtol=1e-7, atol=1e-8)


REPLAYED = [
    one_element, a_slice_backwards, a_mask_with_a_number, rows_of_a_matrix, pairs_of_integers, integers_apart,
    a_mask_of_two_axes, through_a_view, overlapping, in_place_operators, out_arguments, a_larger_out, add_at,
    add_at_pairs, at_a_computed_position, a_computed_position_of_two, the_argument_itself, filled,
]  # fmt: skip


@pytest.mark.parametrize("program", REPLAYED)
def test_what_has_a_fixed_shape_is_replayed(program):
    compiled = dopegraph.compile(lambda x, v: program(np, x, v))
    for x, v in INPUTS:
        compiled(np.array(x), np.array(v))
    (plan,) = compiled.plans
    assert getattr(plan, "escapes", ()) == ()


def test_a_mask_that_is_looked_at_is_explained_and_recompiles_nothing():
    compiled = dopegraph.compile(lambda x: x[x > 0].sum())
    for numbers in ([1.0, -1.0], [2.0, -3.0], [-1.0, 5.0]):
        assert float(compiled(np.array(numbers))) == sum(n for n in numbers if n > 0)
    assert compiled.cache_info().replays == 2
    (reason,) = dopegraph.explain(compiled)(np.array([4.0, -5.0])).reasons
    assert (reason.id, reason.kind) == ("mask-index", "guarded")


def test_a_returned_view_at_a_computed_position_is_a_view():
    def row(x, i):
        return x[i * 1]

    for function in (row, dopegraph.compile(row)):
        x = np.arange(6.0).reshape(3, 2)
        for i in (1, 2, 1):
            found = function(x, np.array(i))
            found += 10
            assert seen(x[i]) == seen(found)
    with pytest.raises(IndexError, match="out of bounds"):
        row(x, np.array(3))
    with pytest.raises(IndexError):
        dopegraph.compile(row)(x, np.array(-4))


WRONG: list[tuple[Callable[[Any, Any], Any], str]] = [
    (lambda np, x: x.__setitem__(np.array([0, 9]), 1.0), "9"),
    (lambda np, x: x.__setitem__(np.array([True, False]), 1.0), "mask|boolean"),
    (lambda np, x: x.__setitem__((np.array([0, 1]), 0), 1.0), "indices"),
    (lambda np, x: x.__setitem__(np.array([0.5]), 1.0), "index|indices"),
    (lambda np, x: x.__setitem__(np.array([0, 1]), np.array([1.0, 2.0, 3.0])), "shape"),
    (lambda np, x: np.add.at(x, np.array([0, 4]), 1.0), "4"),
    (lambda np, x: np.add.at(x, np.array([0, 1]), np.array([1.0, 2.0, 3.0])), "shape|broadcast"),
    (lambda np, x: np.add(x, x, out=np.zeros((3,))), "shape|broadcast|fit"),
    (lambda np, x: np.add(x, 1.5, out=np.zeros((4,), dtype=int)), "cast"),
]


@pytest.mark.parametrize(("wrong", "words"), WRONG)
def test_what_numpy_refuses_is_refused_and_nothing_is_written(wrong, words):
    x = numpy.array([1.0, 2.0, 3.0, 4.0])
    with pytest.raises(Exception) as theirs:
        wrong(numpy, x.copy())
    for function in (wrong, dopegraph.compile(wrong)):
        ours = np.array(x)
        with pytest.raises(tuple(kind for kind in (IndexError, ValueError, TypeError) if issubclass(theirs.type, kind)),
                           match=words):  # fmt: skip
            function(np, ours)
        assert ours.tolist() == x.tolist()


@pytest.mark.parametrize("key", ["[...]", "[:]", "[0:2]", "[0]", "[None]"])
@pytest.mark.parametrize("value", ["[[5.0, 6.0]]", "(np.array([5.0, 6.0]),)", "[7.0, 8.0]", "np.array([[5.0, 6.0]])"])
def test_lists_that_are_deeper_than_what_is_written_to(key: str, value: str) -> None:
    space = {"np": numpy}
    exec(f"def f(x):\n    x{key} = {value}\n    return x", space)
    expected = attempt(space["f"], numpy.array([1.0, 2.0]))
    space["np"] = np
    for function in (space["f"], dopegraph.compile(space["f"])):
        found = attempt(function, np.array([1.0, 2.0]))
        if isinstance(expected, Exception):
            assert isinstance(found, type(expected)), (found, expected)
        else:
            assert found.tolist() == expected.tolist()


@pytest.mark.parametrize("length", [0, 1, 3])
def test_an_empty_mask_fits_every_axis(length: int) -> None:
    def f(np: Any) -> Any:
        x = np.ones(length)
        mask = np.zeros(0, dtype=bool)
        x[mask] = 5
        return x, x[mask]

    for found in (f(np), dopegraph.compile(lambda: f(np))()):
        for one, other in zip(found, f(numpy)):
            assert one.tolist() == other.tolist()


def test_floats_are_not_added_to_integers_at_positions() -> None:
    def f(x: Any) -> Any:
        np.add.at(x, 1, 0.5)
        return x

    for function in (f, dopegraph.compile(f)):
        assert isinstance(attempt(function, np.array([0, -1])), TypeError)


def test_a_view_without_axes_is_a_view_when_compiled():
    for function in (lambda s: s[...], dopegraph.compile(lambda s: s[...])):
        for _ in range(2):
            s = np.array(1.25)
            part = function(s)
            part += 1
            assert s.item() == part.item() == 2.25
            assert np.shares_memory(s, part)
