"""Every public name of NumPy can be reached through `dopegraph.numpy`, or is on a list that says why it cannot."""

import types

import numpy
import pytest

import dopegraph.numpy as np

ABSENT = {
    "core": "NumPy's own name for its private folder",
}
# NumPy lists a few hooks of its own, such as _no_nep50_warning, among the public names.
NAMES = sorted(name for name in {*numpy.__all__, *dir(numpy)} if not name.startswith("_"))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_public_name_of_numpy_is_reached(name):
    if name in ABSENT:
        assert not hasattr(np, name)
        return
    found = getattr(np, name)
    expected = getattr(numpy, name)
    if isinstance(expected, type) and name not in ("ndarray", "ufunc", "vectorize"):
        assert found is expected
    elif not callable(expected) and not isinstance(expected, types.ModuleType) and isinstance(expected, (float, bool)):
        assert found is expected or numpy.isnan(found)


def test_what_is_absent_is_a_name_of_some_numpy_and_says_why():
    assert all(len(reason) > 10 for reason in ABSENT.values())


def test_scalar_types_name_dtypes_and_constants_are_numbers():
    assert np.zeros(2, np.int16).dtype == numpy.int16
    assert np.bool is numpy.bool_ and np.array([True]).dtype == np.bool
    assert np.inf > 1 and np.nan != np.nan and np.newaxis is None


def test_printing_functions_take_our_arrays():
    x = np.array([1.0, 2.0])
    assert np.array2string(x) == "[1. 2.]" and np.array_str(x) == "[1. 2.]"
    assert np.array_repr(x) == "array([1., 2.], dtype=float32)"
    with np.printoptions(precision=1):
        assert np.array_str(np.array([1.26])) == "[1.3]"


def test_what_does_not_touch_arrays_does_not_stop_a_recording():
    import dopegraph

    compiled = dopegraph.compile(lambda x: x * len(np.binary_repr(5)) + np.can_cast("int8", "int16"))
    for _ in range(2):
        assert compiled(np.ones(2)).tolist() == [4, 4]
    assert not any(getattr(plan, "escapes", ()) for plan in compiled.plans)


def test_classes_of_numpy_take_our_arrays():
    x = np.array([[1.0, 2.0], [3.0, 4.0]])
    assert [float(value) for _, value in np.ndenumerate(x)] == [1, 2, 3, 4]
    assert [float(value) for value in np.nditer(x)] == [1, 2, 3, 4]
    assert np.broadcast(x, np.zeros(2)).shape == (2, 2)
    assert list(np.ndindex(2, 1)) == [(0, 0), (1, 0)]
    assert np.poly1d(np.array([1.0, 2.0]))(3) == 5
    assert np.polyadd(np.poly1d([1, 2]), [1, 1]) == numpy.poly1d([2, 3])


@pytest.mark.parametrize("name", ["linspace", "geomspace", "arange"])
def test_spaced_numbers_have_the_dtype_of_strong_bounds(name):
    assert getattr(np, name)(numpy.float64(1), 9, 3).dtype == numpy.float64


def test_a_step_of_zero_and_parts_of_none_are_errors():
    with pytest.raises(ZeroDivisionError, match=r"test_names\.py"):
        np.arange(0, 5, 0)
    with pytest.raises(ValueError, match=r"test_names\.py"):
        np.pad(np.zeros(2), 1, "reflect", reflect_type="other")
