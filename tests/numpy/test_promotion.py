"""Dtypes of results: NumPy 2's rules for every pair of dtypes and every kind of Python number, on every NumPy."""

import itertools

import numpy
import pytest

import dopegraph
import dopegraph.numpy as np

FUNCTIONS = [
    "add", "subtract", "multiply", "divide", "floor_divide", "remainder", "power", "maximum", "minimum", "equal",
    "not_equal", "less", "less_equal", "greater", "greater_equal", "logical_and", "arctan2", "hypot", "copysign",
    "heaviside", "nextafter", "logaddexp", "fmod", "fmax", "float_power", "bitwise_and", "bitwise_xor", "right_shift",
    "gcd", "lcm", "ldexp",
]  # fmt: skip
UNARY = [
    "absolute", "negative", "positive", "conjugate", "sign", "square", "reciprocal", "sqrt", "exp", "cbrt", "rint",
    "floor", "isnan", "signbit", "logical_not", "invert", "fabs", "spacing", "degrees", "deg2rad", "real", "imag",
    "angle", "round", "isreal", "sinc", "i0", "nan_to_num",
]  # fmt: skip
RECENT = numpy.lib.NumpyVersion(numpy.__version__) >= "2.1.0"
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
    if default == "float64":
        return dtype
    given = [x.dtype.kind for x in pair if isinstance(x, numpy.ndarray)]
    if dtype.kind == "f" and not {"f", "c"} & set(given):
        return numpy.dtype(default)
    if dtype.kind == "c" and not {"f", "c"} & set(given):
        return numpy.dtype("complex64")
    return dtype


# What every pair of dtypes promotes to, so that the rules can be read, and hold on NumPy 1.x: columns and rows in the
# order of DTYPES. `d` stands for float64 that comes of integers alone, which is the default dtype here.
PROMOTED = """
?   i1  i2  i4  i8  u1  u2  u4  u8  f2  f4  f8  c8  c16
i1  i1  i2  i4  i8  i2  i4  i8  d   f2  f4  f8  c8  c16
i2  i2  i2  i4  i8  i2  i4  i8  d   f4  f4  f8  c8  c16
i4  i4  i4  i4  i8  i4  i4  i8  d   f8  f8  f8  c16 c16
i8  i8  i8  i8  i8  i8  i8  i8  d   f8  f8  f8  c16 c16
u1  i2  i2  i4  i8  u1  u2  u4  u8  f2  f4  f8  c8  c16
u2  i4  i4  i4  i8  u2  u2  u4  u8  f4  f4  f8  c8  c16
u4  i8  i8  i8  i8  u4  u4  u4  u8  f8  f8  f8  c16 c16
u8  d   d   d   d   u8  u8  u8  u8  f8  f8  f8  c16 c16
f2  f2  f4  f8  f8  f2  f4  f8  f8  f2  f4  f8  c8  c16
f4  f4  f4  f8  f8  f4  f4  f8  f8  f4  f4  f8  c8  c16
f8  f8  f8  f8  f8  f8  f8  f8  f8  f8  f8  f8  c16 c16
c8  c8  c8  c16 c16 c8  c8  c16 c16 c8  c8  c16 c8  c16
c16 c16 c16 c16 c16 c16 c16 c16 c16 c16 c16 c16 c16 c16
"""
# The same with a Python int, float and complex beside each dtype; `D` is complex of the default precision.
WITH_NUMBERS = """
bool       i8  d   D
int8       i1  d   D
int16      i2  d   D
int32      i4  d   D
int64      i8  d   D
uint8      u1  d   D
uint16     u2  d   D
uint32     u4  d   D
uint64     u8  d   D
float16    f2  f2  c8
float32    f4  f4  c8
float64    f8  f8  c16
complex64  c8  c8  c8
complex128 c16 c16 c16
"""


def in_full(code, default):
    single = default == "float32"
    return numpy.dtype({"d": default, "D": "complex64" if single else "complex128"}.get(code, code))


@pytest.fixture(params=["float32", "float64"])
def default(request):
    dopegraph.set_default_dtype(request.param)
    yield request.param
    dopegraph.set_default_dtype("float32")


def test_sums_of_arrays_have_the_dtypes_of_the_table(default):
    for row, one in zip(PROMOTED.strip().split("\n"), DTYPES):
        for code, other in zip(row.split(), DTYPES):
            found = np.add(ours(array(one)), ours(array(other))).dtype
            assert found == in_full(code, default), (one, other)
            assert np.maximum(ours(array(other)), ours(array(one))).dtype == found
            if default == "float64":
                assert found == numpy.promote_types(one, other)


def test_sums_with_python_numbers_have_the_dtypes_of_the_table(default):
    for line in WITH_NUMBERS.strip().split("\n"):
        dtype, *codes = line.split()
        x = ours(array(dtype))
        for number, code in zip((3, 0.5, 1j), codes):
            for found in (x + number, number + x, np.add(x, number), np.multiply(number, x)):
                assert found.dtype == in_full(code, default), (dtype, number)
        assert np.add(x, True).dtype == np.add(False, x).dtype == x.dtype


@pytest.mark.skipif(not RECENT, reason="NumPy has other dtypes here before 2.1")
@pytest.mark.parametrize("name", UNARY)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_functions_of_one_array_have_numpys_dtypes(name, dtype, default):
    try:
        expected = getattr(numpy, name)(array(dtype))
    except TypeError:
        with pytest.raises(TypeError, match=name):
            getattr(np, name)(ours(array(dtype)))
        return
    found = getattr(np, name)(ours(array(dtype)))
    assert found.dtype == in_the_default(expected.dtype, (array(dtype),), default)
    if name != "spacing" or default == "float64":
        numpy.testing.assert_allclose(found.asnumpy(), expected, rtol=2e-3, atol=1e-7)


@pytest.mark.skipif(not RECENT, reason="NumPy 1.x promotes by value; the tables above say what holds")
@pytest.mark.parametrize("default", ["float32", "float64"])
@pytest.mark.parametrize("pair", PAIRS, ids=name_of)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@dopegraph.policy("only_numpy")
def test_dtypes_promote_as_in_numpy_2(pair, default):
    dopegraph.set_default_dtype(default)
    try:
        expected = {name: by_numpy(name, pair) for name in FUNCTIONS}
        possible = [name for name in FUNCTIONS if not isinstance(expected[name], TypeError)]
        if type(pair[0]) is int:  # in NumPy a float16 beside an array, though a float64 beside a number
            possible = [name for name in possible if name != "ldexp"]
        at_once = [getattr(np, name)(*map(ours, pair)) for name in possible]
        function = dopegraph.compile(lambda x, y: [getattr(np, name)(x, y) for name in possible])
        for name, eager, compiled in zip(possible, at_once, function(*map(ours, pair))):
            dtype = numpy.asarray(expected[name]).dtype
            if name != "float_power":
                dtype = in_the_default(dtype, pair, default)
            assert (eager.dtype, compiled.dtype) == (dtype, dtype), name
            numpy.testing.assert_allclose(eager.asnumpy(), expected[name], rtol=2e-3, err_msg=name)
            numpy.testing.assert_allclose(compiled.asnumpy(), eager.asnumpy(), rtol=1e-6, err_msg=name)
        for name in [name for name in FUNCTIONS if isinstance(expected[name], TypeError)]:
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
