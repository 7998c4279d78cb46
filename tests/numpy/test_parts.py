"""The parts of complex numbers are views; what a mutation of them does, at once and compiled."""

import numpy
import pytest

import dopegraph
import dopegraph.numpy as np
from dopegraph.ops.complex import direction_of


@pytest.mark.parametrize("part", ["real", "imag"])
def test_a_part_is_a_view_that_writes_through(part):
    def write(z, namespace):
        view = getattr(namespace, part)(z)
        view[1:] = 7
        view += 1
        return view * 2

    expected = numpy.array([1 + 2j, 3 - 4j, 5j], "complex64")
    result = write(expected, numpy)
    for run in (write, dopegraph.compile(write)):
        for _ in range(2):
            z = np.array([1 + 2j, 3 - 4j, 5j])
            assert run(z, np).tolist() == result.tolist()
            assert z.tolist() == expected.tolist()


def test_a_part_sees_later_changes_of_the_array():
    z = np.array([1 + 2j, 3j])
    real = np.real(z)
    z[0] = 9
    assert real.tolist() == [9, 0]


def test_parts_of_slices_and_reshaped_parts():
    def f(z):
        return np.real(z[1:, ::2]).reshape(-1), np.imag(z.T).ravel(), np.real(z).sum(axis=0)

    z = numpy.arange(12).reshape(3, 4) * (1 + 2j)
    for run in (f, dopegraph.compile(f)):
        for found, expected in zip(run(np.array(z)), (z[1:, ::2].real.ravel(), z.T.imag.ravel(), z.real.sum(0))):
            assert found.tolist() == expected.tolist()


def test_constant_parts_are_folded_to_the_right_dtype():
    f = dopegraph.compile(lambda x: x + np.real(np.full(2, 3 + 4j)) + np.imag(np.full(2, 3 + 4j)))
    for _ in range(2):
        assert f(np.array([1.0, 2.0])).tolist() == [8, 9]


def test_the_sign_of_complex_numbers_on_older_numpy_is_that_of_numpy_2():
    inf, nan = numpy.inf, numpy.nan
    parts = numpy.array([0.0, 1.0, -2.0, inf, -inf, nan, -0.0])
    z = numpy.empty((7, 7), complex)
    z.real, z.imag = parts[:, None], parts[None]
    with numpy.errstate(all="ignore"):
        found = direction_of(z)
    size = numpy.abs(z)
    plain = numpy.isfinite(size) & (size > 0)
    numpy.testing.assert_allclose(found[plain], z[plain] / size[plain], rtol=1e-15)
    assert (found[size == 0] == 0).all()
    assert found[3, 1] == 1 and found[4, 2] == -1 and found[1, 3] == 1j
    assert numpy.isnan(found[3, 4]) and numpy.isnan(found[5, 1])
    if numpy.lib.NumpyVersion(numpy.__version__) >= "2.0.0":
        with numpy.errstate(all="ignore"):
            numpy.testing.assert_allclose(found, numpy.sign(z), rtol=1e-15)
