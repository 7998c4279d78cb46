"""What calls as data cannot say of creating and shaping: memory, views, in-place writes, files, devices, speed."""

import io
import time

import numpy
import pytest

import dopegraph
import dopegraph.numpy as np


def both(function):
    """The function as it is, and compiled."""
    return [function, dopegraph.compile(function)]


def test_a_diagonal_is_a_read_only_view_that_sees_its_matrix():
    def f(x):
        d = np.diagonal(x, 1)
        x[0, 1] = 9
        return d * 1

    for run in both(f):
        for _ in range(2):
            assert run(np.zeros((2, 3))).tolist() == [9, 0]
    with pytest.raises(ValueError, match="read-only"):
        np.diag(np.zeros((2, 2)))[0] = 1


def test_the_diagonal_of_a_view_is_that_of_its_elements():
    x = np.arange(12).reshape(3, 4)
    assert np.diagonal(x[::-1, ::2]).tolist() == [8, 6]
    assert dopegraph.compile(lambda x: np.diagonal(x[::-1, ::2]))(x).tolist() == [8, 6]


def test_fortran_order_is_a_layout_not_another_value():
    x = np.array([[1, 2, 3], [4, 5, 6]], order="F")
    assert x.tolist() == [[1, 2, 3], [4, 5, 6]]
    assert numpy.asarray(x).flags.f_contiguous
    assert np.ravel(x, "K").tolist() == [1, 4, 2, 5, 3, 6]
    x[0, 1] = 9
    assert np.ravel(x, "F").tolist() == [1, 4, 9, 5, 3, 6]


def test_a_compiled_function_writes_into_and_returns_arrays_in_fortran_order():
    def f(v):
        x = np.zeros((2, 3), order="F")
        x[1] = v
        x += 1
        return x, x.T

    for run in both(f):
        for _ in range(2):
            x, t = run(np.arange(3.0))
            assert x.tolist() == [[1, 1, 1], [1, 2, 3]] and t.tolist() == [[1, 1], [1, 2], [1, 3]]


def test_what_stays_where_it_is_shares_memory():
    x = np.zeros((2, 3))
    for view in (np.asarray(x, copy=False), np.reshape(x, 6, copy=False), np.asfortranarray(x.T), np.rot90(x),
                 np.rollaxis(x, 1), np.unstack(x)[0], np.atleast_3d(x), np.hsplit(x, 3)[0]):  # fmt: skip
        before = float(x.sum())
        view += 1
        assert float(x.sum()) > before
    for copy in (np.array(x), np.copy(x), np.asarray(x, copy=True), np.reshape(x, 6, copy=True), np.repeat(x, 1),
                 np.tile(x, 1), np.resize(x, (2, 3)), np.append(x, 1), np.pad(x, 0)):  # fmt: skip
        before = float(x.sum())
        copy += 1
        assert float(x.sum()) == before


def test_required_memory_is_given():
    memory = numpy.zeros(3, "float32")
    shared = np.asarray(memory)
    owned = np.require(shared, requirements="O")
    owned[0] = 1
    assert memory[0] == 0
    fixed = np.frombuffer(bytes(4), "uint8")
    writeable = np.require(fixed, requirements=["W"])
    writeable[0] = 1
    assert fixed.tolist() == [0, 0, 0, 0]
    with pytest.raises(KeyError):
        np.require(shared, requirements="X")


@pytest.mark.parametrize("name", ["put", "putmask", "place", "fill_diagonal", "copyto"])
def test_functions_that_write_are_replayed_and_write_into_views(name):
    arguments = {
        "put": ([0, 3, 3], [1.0, 2.0, 3.0]), "putmask": ([[True, False], [True, True]], [5.0, 6.0, 7.0]),
        "place": ([[True, False], [True, True]], [5.0, 6.0]), "fill_diagonal": ([8.0, 9.0],), "copyto": ([1.0, 2.0],),
    }[name]  # fmt: skip

    def write(x):
        getattr(np, name)(x[:, 1:], *arguments)
        return x.sum()

    expected = numpy.zeros((2, 3), "float32")
    getattr(numpy, name)(expected[:, 1:], *arguments)
    for run in both(write):
        for _ in range(2):
            x = np.zeros((2, 3))
            run(x)
            assert x.tolist() == expected.tolist()
    compiled = dopegraph.compile(write)
    compiled(np.zeros((2, 3)))
    assert not any(getattr(plan, "escapes", ()) for plan in compiled.plans)


def test_a_read_only_array_is_not_written_into():
    with pytest.raises(ValueError, match=r"put: the array is read-only[\s\S]*test_shaping\.py"):
        np.put(np.broadcast_to(np.zeros(1), (3,)), 0, 1)


def test_positions_outside_are_errors_in_compiled_code_too():
    for run in both(lambda n: np.unravel_index(n, (2, 3))):
        assert [part.tolist() for part in run(np.array(5))] == [1, 2]
        with pytest.raises(ValueError, match="out of bounds"):
            run(np.array(6))


def test_files_and_text_are_read_in_the_default_dtype(tmp_path):
    numpy.arange(3.0).tofile(tmp_path / "numbers")
    assert np.fromfile(str(tmp_path / "numbers")).tolist() == [0, 1, 2]
    (tmp_path / "text").write_text("1 2\n3 4\n")
    assert np.loadtxt(str(tmp_path / "text")).dtype == numpy.float32
    assert np.loadtxt(io.StringIO("1 2"), dtype="float64").dtype == numpy.float64
    assert np.genfromtxt(io.StringIO("1,x"), delimiter=",").tolist()[0] == 1


def test_elements_of_an_iterable_stay_traced():
    f = dopegraph.grad(lambda x: (np.fromiter([x[0], x[1] ** 2], np.float32) * 3).sum())
    assert f(np.array([1.0, 2.0])).tolist() == [3, 12]


@pytest.mark.parametrize("name", ["zeros", "ones", "empty", "arange", "eye"])
def test_a_new_array_is_put_on_the_device_it_is_asked_for(name):
    made = getattr(np, name)(2, device=dopegraph.cpu())
    assert made.device == dopegraph.cpu(0)
    from dopegraph.backends.mxnet import library

    if library.available():
        assert getattr(np, name)(2, device="cpu:1").device == dopegraph.cpu(1)
        assert np.asarray(made, device=dopegraph.cpu(1)).device == dopegraph.cpu(1)


def test_grids_are_part_of_what_is_replayed():
    compiled = dopegraph.compile(lambda x: np.r_[x, 0:2] * np.mgrid[0:4] + np.c_[x, x].sum())
    for _ in range(2):
        assert compiled(np.ones(2)).tolist() == [4, 5, 4, 7]
    assert not any(getattr(plan, "escapes", ()) for plan in compiled.plans)


def test_result_type_follows_the_default_dtype():
    whole = np.array([1, 2])
    assert np.result_type(whole, 2.5) == numpy.float32 and np.result_type(2.5) == numpy.float32
    assert np.result_type(1j) == numpy.complex64 and np.result_type(whole, True) == whole.dtype
    assert np.common_type(whole) is numpy.float32
    dopegraph.set_default_dtype("float64")
    try:
        assert np.result_type(whole, 2.5) == numpy.float64 and np.common_type(whole) is numpy.float64
    finally:
        dopegraph.set_default_dtype("float32")


@pytest.mark.parametrize("sizes", [(1000, 100), (100_000, 100)])
def test_convolution_takes_about_numpys_time(sizes):
    x, w = (numpy.ones(size, "float32") for size in sizes)
    ours, weights = np.array(x), np.array(w)

    def best(function):
        times = []
        for _ in range(7):
            start = time.perf_counter()
            function()
            times.append(time.perf_counter() - start)
        return min(times)

    assert best(lambda: np.convolve(ours, weights)) < 5 * best(lambda: numpy.convolve(x, w)) + 1e-3
