"""NumPy functions without a primitive run on the host; NumPy's own functions take our arrays."""

import io

import numpy
import pytest

import dopegraph
import dopegraph.numpy as np


def reasons(function):
    return {escape.reason for plan in function.plans for escape in getattr(plan, "escapes", ())}


def test_a_function_without_a_primitive_runs_on_the_host_and_returns_our_arrays():
    x = np.array([3.0, 1.0, 2.0])
    result = np.unique(x)
    assert type(result) is np.ndarray and result.dtype == numpy.float32
    assert result.tolist() == [1, 2, 3] and x.tolist() == [3, 1, 2]


def test_results_in_containers_and_named_tuples_are_our_arrays():
    values, counts = np.unique(np.array([1, 1, 2]), return_counts=True)
    assert type(values) is np.ndarray and counts.tolist() == [2, 1]
    sign, logarithm = np.linalg.slogdet(np.eye(2))
    assert type(sign) is np.ndarray and float(logarithm) == 0


def test_constants_and_classes_are_numpys_own():
    assert np.float32 is numpy.float32 and np.generic is numpy.generic and np.little_endian is numpy.little_endian


@pytest.mark.parametrize("name", ["no_such_function", "_core", "core", "__wrapped__"])
def test_what_numpy_does_not_have_is_an_attribute_error(name):
    assert not hasattr(np, name)


def test_a_host_call_in_compiled_code_is_explained_and_gives_the_same():
    def f(x):
        return np.unique(x * 2) + 1

    compiled = dopegraph.compile(f)
    for numbers in ([3.0, 1.0], [0.0, -1.0]):
        x = np.array(numbers)
        assert compiled(x).tolist() == f(x).tolist()
    assert compiled.cache_info().replays == 1
    (reason,) = dopegraph.explain(compiled)(np.array([4.0, 5.0])).reasons
    assert (reason.id, reason.kind, reason.detail) == ("host-call", "guarded", "unique runs in NumPy")


def test_a_host_call_on_the_way_of_a_derivative_is_an_error_that_names_it():
    with pytest.raises(dopegraph.errors.GradientError, match=r"emath\.sqrt[\s\S]*test_host\.py"):
        dopegraph.grad(lambda x: np.emath.sqrt(x).sum())(np.ones(2))


def test_a_host_call_on_numbers_alone_may_stand_in_a_derivative():
    assert dopegraph.grad(lambda x: (x * np.hanning(3)).sum())(np.ones(3)).tolist() == [0, 1, 0]


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("fill_diagonal", (7,)),
        ("put", ([0, 1], 7)),
        ("place", (numpy.eye(2, dtype=bool), [7])),
        ("putmask", (numpy.eye(2, dtype=bool), 7)),
        ("copyto", (7,)),
    ],
)
def test_functions_that_write_into_an_array_do_so_at_once_and_compiled(name, arguments):
    expected = numpy.zeros((2, 2), "float32")
    getattr(numpy, name)(expected, *arguments)

    def write(x):
        getattr(np, name)(x, *arguments)

    for run in (write, dopegraph.compile(write)):
        x = np.zeros((2, 2))
        run(x)
        assert x.tolist() == expected.tolist()


def test_out_of_a_host_function_receives_the_result():
    x, out = np.array([3.0, 4.0]), np.zeros(2)
    assert np.hypot(x, 0, out=out) is out
    assert out.tolist() == [3, 4]


def test_errors_of_host_functions_name_the_function_and_the_line():
    with pytest.raises(ValueError, match=r"percentile[\s\S]*test_host\.py"):
        np.percentile(np.ones(2), 300)
    with pytest.raises(TypeError, match=r"packbits[\s\S]*test_host\.py"):
        np.packbits(np.ones(2), nonsense=1)


def test_coverage_says_what_is_traced():
    coverage = np.coverage()
    for name in ("add", "sum", "einsum", "where", "concatenate", "matmul"):
        assert coverage[name] == (True, True, True)
    assert str(coverage["linalg.inv"]) == "traced, differentiable" and str(coverage["unique"]) == "host"
    assert all(name in coverage for name in numpy.__all__ if isinstance(getattr(numpy, name), numpy.ufunc))
    assert sum(one.traced for one in coverage.values()) > 330


def test_numpys_own_functions_call_ours_or_run_on_the_host():
    x = np.ones((2, 2))
    for result in (numpy.exp(x), numpy.sum(x, axis=0), numpy.concatenate([x, x]), numpy.median(x), numpy.add(1.5, x)):
        assert type(result) is np.ndarray and result.dtype == numpy.float32
    assert dopegraph.grad(lambda x: numpy.tanh(x).sum())(np.zeros(2)).tolist() == [1, 1]


def test_keywords_that_only_numpys_functions_have_send_them_to_the_host():
    x = np.ones(2)
    assert type(numpy.zeros_like(x, order="C")) is np.ndarray
    assert numpy.add(x, 1, casting="unsafe").tolist() == [2, 2]


def test_numpys_ufunc_methods_and_outputs_work():
    x = np.array([1.0, 2.0, 3.0])
    assert numpy.add.reduce(x).tolist() == 6 and numpy.multiply.outer(x, x).shape == (3, 3)
    out = np.zeros(3)
    assert numpy.add(x, 1, out=out) is out and out.tolist() == [2, 3, 4]
    host = numpy.zeros(3)
    assert numpy.add(x, 1, out=host) is host and host.tolist() == [2, 3, 4]


def test_in_place_operators_of_numpy_arrays_take_our_arrays():
    a = b = numpy.ones(2)
    a += np.array([1.0, 2.0])
    assert a is b and type(a) is numpy.ndarray and a.tolist() == [2, 3]


def test_numpy_saves_and_prints_our_arrays():
    file = io.BytesIO()
    numpy.save(file, np.arange(3))
    file.seek(0)
    assert numpy.load(file).tolist() == [0, 1, 2]
    assert numpy.array_repr(np.arange(2)) == "array([0, 1])"
