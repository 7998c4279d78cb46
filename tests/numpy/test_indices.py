"""Any index reads, and writes, what it does in NumPy: at once and compiled."""

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dopegraph
import dopegraph.numpy as np

shapes = st.lists(st.integers(0, 4), max_size=4).map(tuple)


@st.composite
def slices(draw, length):
    bound = st.none() | st.integers(-length - 1, length + 1)
    return slice(draw(bound), draw(bound), draw(st.sampled_from([None, 1, 2, 3, -1, -2])))


@st.composite
def keys(draw, shape, advanced):
    """An integer, a slice or (advanced) integers for some axes, None and ... in between; wrong ones too, rarely."""
    common = draw(st.sampled_from([(), (1,), (2,), (3, 1), (2, 2), (0,)]))
    items = []
    for length in shape[: draw(st.integers(0, len(shape)))]:
        kind = draw(
            st.sampled_from(["slice", "integer", "integers"] if advanced and all(shape) else ["slice", "integer"])
        )
        lowest, highest = -length, max(length - 1, -length)
        if kind == "slice":
            items.append(draw(slices(length)))
        elif kind == "integer":
            items.append(draw(st.integers(lowest, highest + (draw(st.integers(0, 9)) == 9))))
        else:
            own = draw(st.sampled_from([common, common[1:], (1,) * len(common)]))
            count = int(numpy.prod(own))
            numbers = draw(st.lists(st.integers(lowest, highest), min_size=count, max_size=count))
            items.append(numpy.array(numbers, int).reshape(own).tolist() if own else numpy.array(numbers[0]))
    for _ in range(draw(st.sampled_from([0, 0, 1, 2]))):
        items.insert(draw(st.integers(0, len(items))), None)
    if draw(st.booleans()):
        items.insert(draw(st.integers(0, len(items))), ...)
    return items[0] if len(items) == 1 and draw(st.booleans()) else tuple(items)


def attempt(function, *args):
    try:
        return function(*args)
    except (IndexError, ValueError) as error:
        return error


def assert_same(found, expected):
    if isinstance(expected, Exception):
        assert isinstance(found, type(expected)), (found, expected)
    else:
        assert found.shape == numpy.shape(expected)
        assert numpy.asarray(found).tolist() == numpy.asarray(expected).tolist()


def start(namespace, shape):
    size = int(numpy.prod(shape))
    return namespace.arange(size, dtype="float32").reshape(shape)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.data(), shapes, st.booleans())
def test_an_index_reads_what_numpy_reads(data, shape, advanced):
    key = data.draw(keys(shape, advanced))
    expected = attempt(lambda: start(numpy, shape)[key])
    assert_same(attempt(lambda: start(np, shape)[key]), expected)
    assert_same(attempt(dopegraph.compile(lambda x: x[key] + 0), start(np, shape)), expected)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.data(), shapes, st.booleans())
def test_an_index_writes_what_numpy_writes(data, shape, advanced):
    key = data.draw(keys(shape, advanced))
    wanted = attempt(lambda: start(numpy, shape)[key])
    lengths = () if isinstance(wanted, Exception) else numpy.shape(wanted)
    given_shape = data.draw(
        st.sampled_from([(), lengths, lengths[1:], (1, *lengths), (7, *lengths)] if lengths else [()])
    )
    value = 100 + numpy.arange(int(numpy.prod(given_shape)), dtype="float32").reshape(given_shape)

    def write(x, value):
        x[key] = value

    base = start(numpy, shape)
    expected = attempt(write, base, value)
    for function in (write, dopegraph.compile(write)):
        x = start(np, shape)
        found = attempt(function, x, np.array(value))
        assert (found is None) == (expected is None), (found, expected)
        assert x.tolist() == base.tolist()


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.data(), shapes)
def test_writes_through_chains_of_views_reach_the_base_as_in_numpy(data, shape):
    steps = []
    view = start(numpy, shape)
    for _ in range(data.draw(st.integers(1, 4))):
        kind = data.draw(st.sampled_from(["index", "transpose", "reshape", "ravel", "flip"]))
        key = data.draw(keys(view.shape, False)) if kind == "index" else None
        axes = tuple(data.draw(st.permutations(range(view.ndim)))) if kind == "transpose" else None
        step = {
            "index": lambda np, x, key=key: x[key],
            "transpose": lambda np, x, axes=axes: np.transpose(x, axes),
            "reshape": lambda np, x: x.reshape((1, *x.shape[::-1])),
            "ravel": lambda np, x: np.ravel(x),
            "flip": lambda np, x: np.flip(x),
        }[kind]
        following = attempt(step, numpy, view)
        if not isinstance(following, numpy.ndarray):
            continue
        steps.append(step)
        view = following

    def run(np, x):
        view = x
        for number, step in enumerate(steps):
            view = step(np, view)
            view += number + 1
        x *= 2
        return view

    base = start(numpy, shape)
    expected = run(numpy, base)
    for function in (lambda x: run(np, x), dopegraph.compile(lambda x: run(np, x))):
        x = start(np, shape)
        found = function(x)
        assert (numpy.asarray(found).tolist(), x.tolist()) == (expected.tolist(), base.tolist())


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.data())
def test_einsum_is_numpys(data):
    lengths = dict(zip("abcd", [2, 3, 1, 4]))
    terms = data.draw(st.lists(st.lists(st.sampled_from("abcd"), max_size=3).map("".join), min_size=1, max_size=3))
    letters = sorted(set("".join(terms)))
    output = "".join(data.draw(st.permutations(letters))[: data.draw(st.integers(0, len(letters)))])
    subscripts = ",".join(terms) + data.draw(st.sampled_from(["", f"->{output}"]))
    rng = numpy.random.default_rng(0)
    # An axis of length 1 broadcasts against longer ones of the same letter, in another operand.
    ones = data.draw(st.booleans())
    arrays = [
        rng.normal(size=[1 if ones and n == 0 and term.count(one) == 1 else lengths[one] for one in term])
        for n, term in enumerate(terms)
    ]
    expected = numpy.einsum(subscripts, *arrays)
    for function in (np.einsum, dopegraph.compile(np.einsum)):
        found = function(subscripts, *map(np.array, arrays))
        numpy.testing.assert_allclose(found.asnumpy(), expected, rtol=1e-10, atol=1e-12)


def test_integer_indices_have_derivatives_compiled_or_not():
    def picked(x, rows, columns):
        return (x[rows, columns] * 2).sum() + x[[0, 0]].sum() + x[..., 1].sum()

    x, rows, columns = np.ones((2, 3)), np.array([0, 1]), np.array([2, -3])
    for derivative in (dopegraph.grad(picked), dopegraph.compile(dopegraph.grad(picked))):
        assert derivative(x, rows, columns).tolist() == [[2, 3, 4], [2, 1, 0]]


def test_a_position_outside_an_axis_is_an_error_compiled_too():
    pick = dopegraph.compile(lambda x, rows, columns: x[rows, columns])
    x, rows = np.arange(6).reshape(2, 3), np.array([0, 1])
    assert pick(x, rows, np.array([2, -1])).tolist() == [2, 5]
    for columns in ([3, 0], [0, -4]):
        with pytest.raises(IndexError):
            pick(x, rows, np.array(columns)).tolist()


def test_what_a_mask_chooses_has_derivatives():
    x = np.array([1.0, -2.0, 3.0])
    for transform in (lambda f: f, dopegraph.compile):
        assert transform(dopegraph.grad(lambda x: (x[x > 0] ** 2).sum()))(x).tolist() == [2, 0, 6]


@pytest.mark.parametrize("mask", [(2, 0), (0, 3), (0,), (0, 0), (3, 0), (2, 0, 1)])
def test_masks_without_elements_fit_as_in_numpy(mask):
    def written(a, m):
        part = a[m]
        a[m] = 0.5
        return part, a

    def outcome(function, module):
        try:
            return [(one.shape, one.tolist()) for one in function(module.zeros((2, 3)), module.zeros(mask, bool))]
        except IndexError:
            return "IndexError"

    compiled = dopegraph.compile(written)
    expected = outcome(written, numpy)
    assert [outcome(written, np), outcome(compiled, np), outcome(compiled, np)] == [expected] * 3
