"""The Python array API standard 2024.12: what it asks of the namespace and of arrays is there, with its parameters."""

import inspect
import types

import numpy
import pytest

import dopegraph
import dopegraph.numpy as np
from dopegraph import cpu
from dopegraph.backends.mxnet import library

# The standard's functions: positional parameters, then after a star the names that must be accepted as keywords.
FUNCTIONS = """
arange(start, /, stop, step, *, dtype, device)
asarray(obj, /, *, dtype, device, copy)
empty(shape, *, dtype, device)
empty_like(x, /, *, dtype, device)
eye(n_rows, n_cols, /, *, k, dtype, device)
from_dlpack(x, /, *, device, copy)
full(shape, fill_value, *, dtype, device)
full_like(x, /, fill_value, *, dtype, device)
linspace(start, stop, /, num, *, dtype, device, endpoint)
meshgrid(*arrays, indexing)
ones(shape, *, dtype, device)
ones_like(x, /, *, dtype, device)
tril(x, /, *, k)
triu(x, /, *, k)
zeros(shape, *, dtype, device)
zeros_like(x, /, *, dtype, device)
astype(x, dtype, /, *, copy, device)
can_cast(from_, to, /)
finfo(type, /)
iinfo(type, /)
isdtype(dtype, kind)
result_type(*arrays_and_dtypes)
abs(x, /)
acos(x, /)
acosh(x, /)
add(x1, x2, /)
asin(x, /)
asinh(x, /)
atan(x, /)
atan2(x1, x2, /)
atanh(x, /)
bitwise_and(x1, x2, /)
bitwise_left_shift(x1, x2, /)
bitwise_invert(x, /)
bitwise_or(x1, x2, /)
bitwise_right_shift(x1, x2, /)
bitwise_xor(x1, x2, /)
ceil(x, /)
clip(x, /, min, max)
conj(x, /)
copysign(x1, x2, /)
cos(x, /)
cosh(x, /)
divide(x1, x2, /)
equal(x1, x2, /)
exp(x, /)
expm1(x, /)
floor(x, /)
floor_divide(x1, x2, /)
greater(x1, x2, /)
greater_equal(x1, x2, /)
hypot(x1, x2, /)
imag(x, /)
isfinite(x, /)
isinf(x, /)
isnan(x, /)
less(x1, x2, /)
less_equal(x1, x2, /)
log(x, /)
log1p(x, /)
log2(x, /)
log10(x, /)
logaddexp(x1, x2, /)
logical_and(x1, x2, /)
logical_not(x, /)
logical_or(x1, x2, /)
logical_xor(x1, x2, /)
maximum(x1, x2, /)
minimum(x1, x2, /)
multiply(x1, x2, /)
negative(x, /)
nextafter(x1, x2, /)
not_equal(x1, x2, /)
positive(x, /)
pow(x1, x2, /)
real(x, /)
reciprocal(x, /)
remainder(x1, x2, /)
round(x, /)
sign(x, /)
signbit(x, /)
sin(x, /)
sinh(x, /)
square(x, /)
sqrt(x, /)
subtract(x1, x2, /)
tan(x, /)
tanh(x, /)
trunc(x, /)
take(x, indices, /, *, axis)
take_along_axis(x, indices, /, *, axis)
matmul(x1, x2, /)
matrix_transpose(x, /)
tensordot(x1, x2, /, *, axes)
vecdot(x1, x2, /, *, axis)
broadcast_arrays(*arrays)
broadcast_to(x, /, shape)
concat(arrays, /, *, axis)
expand_dims(x, /, *, axis)
flip(x, /, *, axis)
moveaxis(x, source, destination, /)
permute_dims(x, /, axes)
repeat(x, repeats, /, *, axis)
reshape(x, /, shape, *, copy)
roll(x, /, shift, *, axis)
squeeze(x, /, axis)
stack(arrays, /, *, axis)
tile(x, repetitions, /)
unstack(x, /, *, axis)
argmax(x, /, *, axis, keepdims)
argmin(x, /, *, axis, keepdims)
count_nonzero(x, /, *, axis, keepdims)
nonzero(x, /)
searchsorted(x1, x2, /, *, side, sorter)
where(condition, x1, x2, /)
unique_all(x, /)
unique_counts(x, /)
unique_inverse(x, /)
unique_values(x, /)
argsort(x, /, *, axis, descending, stable)
sort(x, /, *, axis, descending, stable)
cumulative_prod(x, /, *, axis, dtype, include_initial)
cumulative_sum(x, /, *, axis, dtype, include_initial)
max(x, /, *, axis, keepdims)
mean(x, /, *, axis, keepdims)
min(x, /, *, axis, keepdims)
prod(x, /, *, axis, dtype, keepdims)
std(x, /, *, axis, correction, keepdims)
sum(x, /, *, axis, dtype, keepdims)
var(x, /, *, axis, correction, keepdims)
all(x, /, *, axis, keepdims)
any(x, /, *, axis, keepdims)
diff(x, /, *, axis, n, prepend, append)
linalg.cholesky(x, /, *, upper)
linalg.cross(x1, x2, /, *, axis)
linalg.det(x, /)
linalg.diagonal(x, /, *, offset)
linalg.eigh(x, /)
linalg.eigvalsh(x, /)
linalg.inv(x, /)
linalg.matmul(x1, x2, /)
linalg.matrix_norm(x, /, *, keepdims, ord)
linalg.matrix_power(x, n, /)
linalg.matrix_rank(x, /, *, rtol)
linalg.matrix_transpose(x, /)
linalg.outer(x1, x2, /)
linalg.pinv(x, /, *, rtol)
linalg.qr(x, /, *, mode)
linalg.slogdet(x, /)
linalg.solve(x1, x2, /)
linalg.svd(x, /, *, full_matrices)
linalg.svdvals(x, /)
linalg.tensordot(x1, x2, /, *, axes)
linalg.trace(x, /, *, offset, dtype)
linalg.vecdot(x1, x2, /, *, axis)
linalg.vector_norm(x, /, *, axis, keepdims, ord)
fft.fft(x, /, *, n, axis, norm)
fft.ifft(x, /, *, n, axis, norm)
fft.fftn(x, /, *, s, axes, norm)
fft.ifftn(x, /, *, s, axes, norm)
fft.rfft(x, /, *, n, axis, norm)
fft.irfft(x, /, *, n, axis, norm)
fft.rfftn(x, /, *, s, axes, norm)
fft.irfftn(x, /, *, s, axes, norm)
fft.hfft(x, /, *, n, axis, norm)
fft.ihfft(x, /, *, n, axis, norm)
fft.fftfreq(n, /, *, d, dtype, device)
fft.rfftfreq(n, /, *, d, dtype, device)
fft.fftshift(x, /, *, axes)
fft.ifftshift(x, /, *, axes)
"""

# Keywords of the standard that NumPy itself does not have; the signatures here are NumPy's.
NOT_NUMPYS = {"argsort: descending", "sort: descending", "fft.fftfreq: dtype", "fft.rfftfreq: dtype"}

CONSTANTS = {"e": numpy.e, "inf": numpy.inf, "pi": numpy.pi, "newaxis": None}
DTYPES = [
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32", "float64",
    "complex64", "complex128",
]  # fmt: skip
ATTRIBUTES = ["T", "device", "dtype", "mT", "ndim", "shape", "size"]
METHODS = """
abs add and array_namespace bool complex dlpack dlpack_device eq float floordiv ge getitem gt index int invert le lshift
lt matmul mod mul ne neg or pos pow rshift setitem sub truediv xor iadd isub imul itruediv ifloordiv ipow imod imatmul
iand ior ixor ilshift irshift radd rsub rmul rtruediv rfloordiv rpow rmod rmatmul rand ror rxor rlshift rrshift
"""


def find(path):
    found = np
    for part in path.split("."):
        found = getattr(found, part)
    return found


def specified(line):
    """The function's name, how many positional arguments it takes, and its keywords."""
    path, _, rest = line.partition("(")
    names = [one.strip() for one in rest.rstrip(")").split(",")]
    star = next((place for place, name in enumerate(names) if name.startswith("*")), len(names))
    return path, [name for name in names[:star] if name != "/"], names[star + 1 :]


def problems():
    """What the standard has and the namespace lacks; host functions have NumPy's own signatures."""
    for line in FUNCTIONS.strip().splitlines():
        path, positional, keywords = specified(line)
        try:
            parameters = list(inspect.signature(find(path)).parameters.values())
        except AttributeError:
            yield f"{path}: missing"
            continue
        except (TypeError, ValueError):
            continue
        if any(one.kind is one.VAR_KEYWORD for one in parameters):
            continue
        taken = {one.name for one in parameters if one.kind is not one.POSITIONAL_ONLY}
        places = sum(one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD) for one in parameters)
        if places < len(positional) and not any(one.kind is one.VAR_POSITIONAL for one in parameters):
            yield f"{path}: {len(positional)} positional"
        yield from (f"{path}: {name}" for name in keywords if name not in taken)


@pytest.mark.skipif(not hasattr(numpy, "cumulative_sum"), reason="host functions are as new as NumPy")
def test_the_namespace_has_the_functions_of_the_standard():
    assert set(problems()) <= NOT_NUMPYS


def test_constants_and_dtypes_are_there():
    assert {name: getattr(np, name) for name in CONSTANTS} == CONSTANTS and numpy.isnan(np.nan)
    for name in DTYPES:
        if hasattr(numpy, name):
            assert np.zeros(1, getattr(np, name)).dtype == name


def test_arrays_have_the_attributes_and_methods_of_the_standard():
    x = np.ones((2, 3))
    for name in [*ATTRIBUTES, "to_device", *(f"__{name}__" for name in METHODS.split())]:
        assert hasattr(x, name), name
    assert x.mT.shape == (3, 2) and x.size == 6


def test_what_the_namespace_says_of_itself():
    info = np.__array_namespace_info__()
    assert np.__array_api_version__ == "2024.12"
    assert info.capabilities() == {
        "boolean indexing": True,
        "data-dependent shapes": True,
        "max dimensions": info.capabilities()["max dimensions"],
    }
    assert info.default_device() == "cpu" == np.zeros(1).device and info.default_device() in info.devices()
    with cpu(1):
        assert info.default_device() == cpu(1)
    for dtype in ("float32", "float64"):
        dopegraph.set_default_dtype(dtype)
        try:
            defaults = info.default_dtypes(device=info.default_device())
            assert np.zeros(1).dtype == dtype == defaults["real floating"]
            assert np.array(1j).dtype == defaults["complex floating"]
            assert np.array(1).dtype == defaults["integral"] == np.argmax(np.ones(3)).dtype == defaults["indexing"]
        finally:
            dopegraph.set_default_dtype("float32")


def test_dtypes_by_kind():
    info = np.__array_namespace_info__()
    assert set(info.dtypes()) == set(DTYPES) - {"float16"}
    assert info.dtypes(device="cpu")["int8"] == numpy.int8
    assert set(info.dtypes(kind="signed integer")) == {"int8", "int16", "int32", "int64"}
    assert set(info.dtypes(kind=("bool", "complex floating"))) == {"bool", "complex64", "complex128"}
    for name, dtype in info.dtypes().items():
        kinds = [kind for kind in ("bool", "integral", "real floating", "complex floating") if np.isdtype(dtype, kind)]
        assert len(kinds) == 1 and np.isdtype(dtype, (dtype, "bool")) and name in info.dtypes(kind=kinds[0])
        assert np.isdtype(dtype, "numeric") == (name != "bool")
    with pytest.raises(ValueError, match="quaternion"):
        info.dtypes(kind="quaternion")
    with pytest.raises(ValueError, match="floating"):
        np.isdtype(numpy.float32, "floating")
    with pytest.raises(TypeError):
        np.isdtype("float32", "numeric")


def test_the_function_astype():
    x = np.array([1.5, -2.5])
    assert np.astype(x, np.int8).dtype == numpy.int8 and np.astype(x, np.float32, copy=False) is x
    copied = np.astype(x, np.float32)
    copied[0] = 0
    assert x.tolist() == [1.5, -2.5] and np.astype(x, np.float64, device="cpu").device == "cpu"
    with pytest.raises(TypeError):
        np.astype([1.5], np.int8)


@pytest.mark.skipif(not library.installed(), reason="MXNet is not installed")
def test_asarray_takes_a_device():
    for given in ([1.0, 2.0], numpy.ones(2), np.ones(2)):
        assert np.asarray(given, device="cpu:1").device == cpu(1)


@pytest.mark.skipif(not library.installed(), reason="MXNet is not installed")
def test_what_is_no_array_of_ours_comes_to_the_current_device():
    with cpu(1):
        x = np.ones(2)
        given = numpy.ones(2, "float32")
        for found in (np.asarray(given), np.asarray([1.0, 1.0]), x + given, np.add([1, 1], x)):
            assert found.device == cpu(1)
        compiled = dopegraph.compile(lambda x: x + numpy.ones(2, "float32"))
        assert [compiled(x).device for _ in range(3)] == [cpu(1)] * 3
    assert np.asarray(numpy.ones(2)).device == cpu()


def standardize(x):
    """Code that only knows the standard."""
    xp = x.__array_namespace__()
    assert isinstance(xp, types.ModuleType)
    centered = x - xp.mean(x, axis=0, keepdims=True)
    return centered / xp.std(x, axis=0, correction=1.0, keepdims=True)


def test_code_on_the_standard_runs_eagerly_and_compiled():
    x = numpy.random.default_rng(0).normal(size=(5, 3))
    expected = (x - x.mean(axis=0)) / x.std(axis=0, ddof=1)
    for function in (standardize, dopegraph.compile(standardize)):
        numpy.testing.assert_allclose(function(np.asarray(x)).asnumpy(), expected, rtol=1e-12)
