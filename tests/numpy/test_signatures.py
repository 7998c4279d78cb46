"""Names, order and kind of parameters are NumPy's, and every public function is documented."""

import inspect

import numpy
import pytest

import dopegraph.numpy as np

FUNCTIONS = [
    name
    for name in np.__all__
    if callable(getattr(np, name)) and not isinstance(getattr(np, name), type) and getattr(np, name) is not np.coverage
]
VERSION = tuple(map(int, numpy.__version__.split(".")[:2]))
SPACES = [("", numpy, np), ("linalg.", numpy.linalg, np.linalg), ("fft.", numpy.fft, np.fft)]
COMPARED = [
    (prefix + name, getattr(theirs, name), getattr(ours, name))
    for prefix, theirs, ours in SPACES
    for name in sorted(theirs.__all__)
    if not name.startswith("_") and callable(getattr(theirs, name)) and not isinstance(getattr(theirs, name), type)
]
# What NumPy has only since 2.5; it calls einsum's keywords **kwargs.
LATER = {"sort": {"descending"}, "argsort": {"descending"}, "einsum": {"dtype", "order", "casting", "kwargs"}}


def kinds(signature, name):
    left_out = LATER.get(name, set()) if VERSION < (2, 5) or name == "einsum" else set()
    found = signature.parameters.values()
    return [(one.name, one.kind, one.default is not one.empty) for one in found if one.name not in left_out]


@pytest.mark.skipif(VERSION < (2, 4), reason="functions written in C have no signatures before NumPy 2.4")
@pytest.mark.parametrize(("name", "theirs", "ours"), COMPARED, ids=[name for name, *_ in COMPARED])
def test_parameters_have_numpys_names_order_and_kind(name, theirs, ours):
    try:
        expected = inspect.signature(theirs)
    except ValueError:
        return
    assert kinds(inspect.signature(ours), name) == kinds(expected, name)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_is_documented(name):
    documentation = inspect.getdoc(getattr(np, name))
    assert documentation and documentation.split("\n")[0].endswith((".", ":"))


@pytest.mark.parametrize("name", [name for name in dir(np.ndarray) if not name.startswith("_")])
def test_every_method_is_documented(name):
    assert inspect.getdoc(getattr(np.ndarray, name))


@pytest.mark.parametrize("name", np.random.__all__)
def test_every_random_function_is_documented(name):
    assert inspect.getdoc(getattr(np.random, name))


# Not those that Python or pickling give every object, nor NumPy's own hooks for setting what cannot be set here.
METHODS = sorted(
    name
    for name in dir(numpy.ndarray)
    if name not in ("_set_dtype", "_set_shape") and (not name.startswith("__") or name in dir(np.ndarray))
)


@pytest.mark.skipif(VERSION < (2, 4), reason="methods have no signatures before NumPy 2.4")
@pytest.mark.parametrize("name", METHODS)
def test_methods_have_numpys_signatures(name):
    theirs = getattr(numpy.ndarray, name)
    if not callable(theirs) or name in ("__class__", "__new__", "__init__", "__reduce_ex__", "__hash__"):
        assert hasattr(np.ndarray, name)
        return
    try:
        expected = inspect.signature(theirs)
    except ValueError:  # those of `type`
        return
    assert kinds(inspect.signature(getattr(np.ndarray, name)), name) == kinds(expected, name)
