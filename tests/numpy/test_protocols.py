"""NumPy's own functions on our arrays stay in dopegraph, in recordings too: all methods of ufuncs, all outputs."""

import numpy
import pytest

import dopegraph
import dopegraph.numpy as np
from dopegraph.transform.plan import ReplayPlan

X = numpy.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], "float32")

TRACED = {
    "sum": lambda x: numpy.sum(x),
    "sum with keywords": lambda x: numpy.sum(x, axis=0, keepdims=True),
    "sum with what holds anyway": lambda x: numpy.sum(x, 0, None, None),
    "zeros_like, order": lambda x: numpy.zeros_like(x, order="K") + x,
    "ones_like, subok": lambda x: numpy.ones_like(x, subok=True) + x,
    "mean": lambda x: numpy.mean(x, axis=1),
    "exp": lambda x: numpy.exp(x),
    "alias": lambda x: numpy.abs(x),
    "casting": lambda x: numpy.add(x, 1, casting="same_kind"),
    "dtype none": lambda x: numpy.multiply(x, x, dtype=None, subok=True, order="K"),
    "out none": lambda x: numpy.add(x, 1, out=None),
    "concatenate": lambda x: numpy.concatenate([x, x], axis=0),
    "concatenate, casting": lambda x: numpy.concatenate([x, x], casting="same_kind"),
    "where": lambda x: numpy.where(x > 2, x, 0),
    "reshape": lambda x: numpy.reshape(x, (3, 2)),
    "transpose": lambda x: numpy.transpose(x),
    "einsum": lambda x: numpy.einsum("ij,kj->ik", x, x),
    "matmul": lambda x: numpy.matmul(x, x.T),
    "dot": lambda x: numpy.dot(x, x.T),
    "add.reduce": lambda x: numpy.add.reduce(x),
    "add.reduce over all": lambda x: numpy.add.reduce(x, axis=None, keepdims=True),
    "add.reduce dtype": lambda x: numpy.add.reduce(x, axis=1, dtype=numpy.float64),
    "multiply.reduce": lambda x: numpy.multiply.reduce(x, axis=(0, 1)),
    "maximum.reduce": lambda x: numpy.maximum.reduce(x, axis=-1),
    "minimum.reduce, initial": lambda x: numpy.minimum.reduce(x, axis=0, initial=2.0),
    "logical_and.reduce": lambda x: numpy.logical_and.reduce(x > 1),
    "logical_or.reduce": lambda x: numpy.logical_or.reduce(x > 5, axis=1),
    "add.accumulate": lambda x: numpy.add.accumulate(x),
    "add.outer": lambda x: numpy.add.outer(x, x[0]),
    "subtract.outer": lambda x: numpy.subtract.outer(x, numpy.float32(2)),
    "number of NumPy": lambda x: numpy.float32(2) * x,
}


@pytest.mark.parametrize("name", TRACED)
def test_numpys_functions_are_traced_where_we_have_them(name):
    function = TRACED[name]
    expected = function(X)
    found = function(np.asarray(X.copy()))
    compiled = dopegraph.compile(function)
    for result in (found, compiled(np.asarray(X.copy())), compiled(np.asarray(X.copy()))):
        assert type(result) is np.ndarray
        assert result.dtype == expected.dtype and result.shape == expected.shape
        numpy.testing.assert_allclose(result.asnumpy(), expected, rtol=1e-6)
    assert isinstance(compiled.plans[0], ReplayPlan), compiled.plans[0].escapes


def test_derivatives_go_through_numpys_functions():
    gradient = dopegraph.grad(lambda x: numpy.add.reduce(numpy.multiply.outer(x, x), axis=(0, 1)))
    numpy.testing.assert_allclose(gradient(np.array([1.0, 2.0])).asnumpy(), [6, 6])


HOST = {
    "reduceat": lambda x: numpy.add.reduceat(x[0], [0, 1]),
    "subtract.reduce": lambda x: numpy.subtract.reduce(x),
    "median": lambda x: numpy.median(x, axis=0),
    "modf": lambda x: numpy.modf(x / 2),
    "frexp": lambda x: numpy.frexp(x),
    "divmod": lambda x: numpy.divmod(x, 2),
    "casting": lambda x: numpy.add(x, 1, casting="unsafe"),
    "histogram": lambda x: numpy.histogram(x, bins=3),
}


@pytest.mark.parametrize("name", HOST)
def test_what_we_do_not_have_is_numpys_and_gives_our_arrays(name):
    function = HOST[name]
    expected = function(X)
    for found in (function(np.asarray(X.copy())), dopegraph.compile(function)(np.asarray(X.copy()))):
        pairs = zip(found, expected) if isinstance(expected, tuple) else [(found, expected)]
        for one, other in pairs:
            assert type(one) is np.ndarray
            numpy.testing.assert_allclose(one.asnumpy(), other, rtol=1e-6)


@pytest.mark.parametrize("wrap", [lambda f: f, dopegraph.compile], ids=["eager", "compiled"])
def test_outputs_may_be_ours_or_numpys_and_several(wrap):
    def ours(x, a, b):
        found = numpy.divmod(x, 2, out=(a, b))
        assert found[0] is a and found[1] is b
        return numpy.add(a, b, out=a)

    a, b = np.zeros((2, 3)), np.zeros((2, 3))
    result = wrap(ours)(np.array(X), a, b)
    assert result.tolist() == a.tolist() == sum(numpy.divmod(X, 2)).tolist()
    assert b.tolist() == (X % 2).tolist()


def test_an_output_of_numpys_receives_the_result_and_is_returned():
    x, host, mixed = np.array(X), numpy.zeros((2, 3), "float32"), np.zeros((2, 3))
    assert numpy.add(x, 1, out=host) is host and host.tolist() == (X + 1).tolist()
    first, second = numpy.modf(x / 2, out=(host, mixed))
    assert first is host and second is mixed
    assert mixed.tolist() == numpy.modf(X / 2)[1].tolist()
    assert numpy.add.reduce(x, axis=0, out=host[0]).tolist() == X.sum(axis=0).tolist() == host[0].tolist()


def test_outputs_of_numpys_functions_that_are_no_ufuncs():
    x, host = np.array(X), numpy.zeros(3, "float32")
    for given in ({"args": (0, None, host), "out": {}}, {"args": (0,), "out": {"out": host}}):
        host[:] = 0
        assert numpy.sum(x, *given["args"], **given["out"]) is host and host.tolist() == X.sum(axis=0).tolist()
    out = np.zeros(3)
    assert numpy.sum(x, 0, None, out) is out and out.tolist() == X.sum(axis=0).tolist()
    assert numpy.median(x, axis=0, out=out) is out and out.tolist() == numpy.median(X, axis=0).tolist()
    assert numpy.median(x, 0, host) is host and host.tolist() == numpy.median(X, axis=0).tolist()


@pytest.mark.parametrize("add", [np.add, numpy.add], ids=["ours", "NumPy's"])
def test_numpys_memory_has_the_result_at_once_also_while_recording(add):
    def f(x):
        out = numpy.zeros(2, "float32")
        add(x * 2, 1, out=out)
        return x + float(out.sum())

    compiled = dopegraph.compile(f)
    for number in (1.0, 2.0, 3.0):
        assert compiled(np.array([number, 0.0])).tolist() == [number + 2 * number + 2, 2 * number + 2]


def test_an_output_of_one_of_several():
    b = np.zeros((2, 3))
    first, second = numpy.divmod(np.array(X), 2, out=(None, b))
    assert second is b and type(first) is np.ndarray
    assert b.tolist() == (X % 2).tolist()


def test_where_keeps_what_the_output_holds():
    out = np.full((2, 3), 9.0)
    numpy.add(np.array(X), 1, out=out, where=np.array(X > 3))
    expected = numpy.full((2, 3), 9, "float32")
    numpy.add(X, 1, out=expected, where=X > 3)
    assert out.tolist() == expected.tolist()


@pytest.mark.parametrize("wrap", [lambda f: f, dopegraph.compile], ids=["eager", "compiled"])
def test_at_writes_into_our_array_and_into_numpys(wrap):
    x = np.zeros(3)
    wrap(lambda x: numpy.add.at(x, [0, 0, 2], 1))(x)
    assert x.tolist() == [2, 0, 1]
    host = numpy.zeros(3)
    numpy.add.at(host, [0, 0, 2], np.array([1.0, 2.0, 3.0]))
    assert host.tolist() == [3, 0, 3]


def test_numpys_functions_of_creation_take_like():
    made = numpy.zeros(3, like=np.ones(1))
    assert type(made) is np.ndarray and made.tolist() == [0, 0, 0]


class Stranger:
    """An array type that neither NumPy nor we know."""

    __array_ufunc__ = __array_function__ = lambda self, *args, **kwargs: "stranger"


def test_other_array_types_have_their_turn():
    x = np.ones(2)
    assert numpy.add(x, Stranger()) == "stranger"
    assert numpy.concatenate([x, Stranger()]) == "stranger"


def test_a_float_argument_stays_dynamic_in_numpys_functions():
    scaled = dopegraph.compile(lambda rate, x: numpy.multiply(rate, x))
    x = np.ones(2)
    assert [scaled(rate, x).tolist() for rate in (0.5, 0.25, 2.0)] == [[0.5, 0.5], [0.25, 0.25], [2, 2]]
    assert len(scaled.plans) == 1 and isinstance(scaled.plans[0], ReplayPlan)


def test_errors_name_the_function_and_the_line():
    with pytest.raises(ValueError, match=r"(?s)broadcast.*test_protocols\.py"):
        numpy.add(np.ones(2), np.ones(3))
    with pytest.raises(TypeError, match=r"(?s)frexp.*test_protocols\.py"):
        numpy.frexp(np.ones(2, numpy.complex64))
