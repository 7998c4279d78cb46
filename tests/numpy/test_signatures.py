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
# NumPy's einsum names no subscripts; it has neither from_numpy nor from_mxnet, and older ones have other signatures.
RECENT = tuple(map(int, numpy.__version__.split(".")[:2])) >= (2, 1)
COMPARED = [name for name in FUNCTIONS if RECENT and name not in ("einsum", "from_mxnet", "from_numpy")]


def parameters(function):
    try:
        return inspect.signature(function).parameters
    except ValueError:  # NumPy's C functions before 2.4
        return None


def by_position(found):
    return [name for name, one in found.items() if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]


def test_parameters_have_numpys_names_and_order():
    for name in COMPARED:
        ours, theirs = parameters(getattr(np, name)), parameters(getattr(numpy, name))
        if theirs is not None:
            assert set(ours) <= set(theirs), name
            shared = by_position(ours)
            assert shared == by_position(theirs)[: len(shared)], name


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


METHODS = sorted(name for name in dir(numpy.ndarray) if not name.startswith("__") or name in dir(np.ndarray))


def kinds(signature):
    return [(one.name, one.kind, one.default is not one.empty) for one in signature.parameters.values()]


@pytest.mark.skipif(tuple(map(int, numpy.__version__.split(".")[:2])) < (2, 4), reason="no signatures before NumPy 2.4")
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
    assert kinds(inspect.signature(getattr(np.ndarray, name))) == kinds(expected)
