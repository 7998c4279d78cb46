"""Dtypes of results: NumPy 2's rules for every pair of dtypes and every kind of Python number, on every NumPy."""

import itertools

import numpy
import pytest

import dopegraph
import dopegraph.numpy as np

FUNCTIONS = [
    "add", "subtract", "multiply", "divide", "floor_divide", "remainder", "power", "maximum", "minimum", "equal",
    "not_equal", "less", "less_equal", "greater", "greater_equal",
]  # fmt: skip
DTYPES = [
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "float32", "float64",
    "complex64", "complex128",
]  # fmt: skip
NUMBERS = [True, 2, 1.5, 2.0, 1j]


def array(dtype):
    return numpy.array([1, 3, 2], dtype)


PAIRS = list(itertools.product(map(array, DTYPES), map(array, DTYPES)))
PAIRS += [(array(dtype), number) for dtype in DTYPES for number in NUMBERS]
PAIRS += [(number, array(dtype)) for dtype in DTYPES for number in NUMBERS]
PAIRS += list(itertools.product(NUMBERS, NUMBERS))


def name_of(pair):
    return " ".join(str(x.dtype) if isinstance(x, numpy.ndarray) else repr(x) for x in pair)


def by_numpy(name, pair):
    try:
        with numpy.errstate(all="ignore"):
            return getattr(numpy, name)(*pair)
    except TypeError as error:
        return error


def ours(x):
    return np.asarray(x) if isinstance(x, numpy.ndarray) else x


def in_the_default(dtype, pair, default):
    """Floats that come from integers and Python numbers alone have the default dtype."""
    given = [x.dtype.kind for x in pair if isinstance(x, numpy.ndarray)]
    if dtype.kind == "f" and not {"f", "c"} & set(given):
        return numpy.dtype(default)
    if dtype.kind == "c" and not {"f", "c"} & set(given):
        return numpy.dtype({"float32": "complex64", "float64": "complex128"}[default])
    return dtype


@pytest.mark.parametrize("default", ["float32", "float64"])
@pytest.mark.parametrize("pair", PAIRS, ids=name_of)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@dopegraph.policy("only_numpy")
def test_dtypes_promote_as_in_numpy_2(pair, default):
    dopegraph.set_default_dtype(default)
    try:
        expected = {name: by_numpy(name, pair) for name in FUNCTIONS}
        possible = [name for name in FUNCTIONS if not isinstance(expected[name], TypeError)]
        at_once = [getattr(np, name)(*map(ours, pair)) for name in possible]
        function = dopegraph.compile(lambda x, y: [getattr(np, name)(x, y) for name in possible])
        for name, eager, compiled in zip(possible, at_once, function(*map(ours, pair))):
            dtype = in_the_default(numpy.asarray(expected[name]).dtype, pair, default)
            assert (eager.dtype, compiled.dtype) == (dtype, dtype), name
            numpy.testing.assert_allclose(eager.asnumpy(), expected[name], rtol=2e-3, err_msg=name)
            numpy.testing.assert_allclose(compiled.asnumpy(), eager.asnumpy(), rtol=1e-6, err_msg=name)
        for name in set(FUNCTIONS) - set(possible):
            with pytest.raises(TypeError, match=name):
                getattr(np, name)(*map(ours, pair))
    finally:
        dopegraph.set_default_dtype("float32")


@pytest.mark.parametrize(
    ("dtype", "number"), [("uint8", 300), ("uint8", -1), ("int8", -200), ("int64", 2**63), ("uint64", -1)]
)
def test_integers_that_a_dtype_does_not_hold_are_an_error_in_arithmetic_and_compared_exactly(dtype, number):
    x = np.array([0, 1], dtype)
    with pytest.raises(OverflowError, match=f"{number} is out of bounds for {dtype}"):
        x + number
    assert (x < number).tolist() == [number > 0] * 2
    assert (number == x).tolist() == [False, False]


def test_signed_and_unsigned_64_bit_integers_are_compared_exactly():
    signed, unsigned = np.array([-1, 2**62, 5]), np.array([2**64 - 1, 2**62 + 1, 5], "uint64")
    assert (signed == unsigned).tolist() == [False, False, True]
    assert (signed < unsigned).tolist() == [True, True, False]
    assert (unsigned >= signed).tolist() == [True, True, True]


@pytest.mark.parametrize("number", [numpy.float64(2), numpy.float32(2), numpy.int64(2), numpy.array([2.0]), [2.0]])
def test_numpy_numbers_and_arrays_on_the_left_give_our_arrays(number):
    x = np.ones((1, 2))
    for result, reflected in [(number * x, x * number), (number - x, -(x - number)), (number / x, number * (1 / x))]:
        assert type(result) is np.ndarray
        assert result.dtype == reflected.dtype
        assert result.tolist() == reflected.tolist()


def test_numpy_scalars_keep_their_dtype_where_python_numbers_are_weak():
    x = np.ones(2, "float16")
    assert (x * 2.0).dtype == numpy.float16
    assert (x * numpy.float32(2)).dtype == numpy.float32
    assert (np.ones(2) * numpy.float64(2)).dtype == numpy.float64


@pytest.mark.parametrize("dtype", ["S3", "O", "M8[s]", numpy.longdouble, "nonsense"])
def test_dtypes_that_graphs_do_not_have_are_refused(dtype):
    with pytest.raises(TypeError, match=r"test_promotion\.py"):
        np.zeros(2, dtype=dtype)


def test_big_endian_arrays_become_native():
    assert np.asarray(numpy.array([1, 2], ">i4")).dtype == numpy.dtype("int32")
    assert np.zeros(2, ">f4").dtype.isnative
