"""Every name of numpy.random is there or left out for a reason, with NumPy's parameters."""

import inspect

import numpy
import pytest

import dopegraph.numpy as np
from dopegraph.numpy.random import LEFT_OUT

RECENT = tuple(map(int, numpy.__version__.split(".")[:2])) >= (2, 4)
FUNCTIONS = [
    name
    for name in numpy.random.__all__
    if callable(getattr(np.random, name, None)) and not isinstance(getattr(np.random, name), type)
]
# Ours had a dtype before; ranf and sample are other names of random_sample.
WITH_DTYPE = ("uniform", "normal", "exponential", "random", "random_sample", "standard_exponential", "standard_gamma",
    "standard_normal")  # fmt: skip


def methods(kind):
    return [name for name in dir(kind) if not name.startswith("_") and callable(getattr(kind, name))]


@pytest.mark.parametrize("name", numpy.random.__all__)
def test_every_name_is_there_or_left_out_for_a_reason(name):
    if name in LEFT_OUT:
        with pytest.raises(AttributeError, match=r"use|always"):
            getattr(np.random, name)
    else:
        assert getattr(np.random, name) is not None


def test_what_is_left_out_is_not_there():
    assert not set(LEFT_OUT) & set(np.random.__all__)
    assert set(np.random.__all__) <= set(dir(np.random))
    with pytest.raises(AttributeError, match="no nonsense"):
        np.random.nonsense  # noqa: B018


def same_parameters(ours, theirs, extra=()):
    """Names, order, kinds, and which have defaults, are the same; `extra` ones stand behind a star."""
    found, wanted = (list(inspect.signature(one).parameters.values()) for one in (ours, theirs))
    assert [one.name for one in found if one.name in extra and one.kind is one.KEYWORD_ONLY] == list(extra)
    found = [one for one in found if one.name not in extra]
    assert [(one.name, one.kind) for one in found] == [(one.name, one.kind) for one in wanted]
    for one, other in zip(found, wanted):
        assert (one.default is one.empty) == (other.default is other.empty), one.name
        if isinstance(other.default, (bool, int, float, str)):
            assert one.default == other.default


@pytest.mark.skipif(not RECENT, reason="NumPy's C functions had no signatures")
@pytest.mark.parametrize("name", [name for name in FUNCTIONS if name not in ("ranf", "sample")])
def test_functions_have_numpys_parameters(name):
    same_parameters(getattr(np.random, name), getattr(numpy.random, name), ["dtype"] if name in WITH_DTYPE else [])


@pytest.mark.skipif(not RECENT, reason="NumPy's C functions had no signatures")
@pytest.mark.parametrize("name", methods(numpy.random.Generator))
def test_methods_of_generators_have_numpys_parameters(name):
    same_parameters(getattr(np.random.Generator, name), getattr(numpy.random.Generator, name))


@pytest.mark.skipif(not RECENT, reason="NumPy's C functions had no signatures")
@pytest.mark.parametrize("name", [name for name in methods(numpy.random.RandomState) if name not in LEFT_OUT])
def test_methods_of_random_states_have_numpys_parameters(name):
    ours, theirs = getattr(np.random.RandomState, name), getattr(numpy.random.RandomState, name)
    same_parameters(ours, theirs, ["dtype"] if name in WITH_DTYPE else [])


@pytest.mark.parametrize("kind", [np.random.Generator, np.random.RandomState, np.random.Philox])
def test_every_method_is_documented(kind):
    for name in methods(kind):
        assert inspect.getdoc(getattr(kind, name)).split("\n")[0].endswith("."), name


def test_a_wrong_number_of_arguments_is_an_error_as_in_numpy():
    for wrong in (lambda: np.random.normal(0, 1, 2, 3), lambda: np.random.beta(1), lambda: np.random.gamma(1, shp=2)):
        with pytest.raises(TypeError):
            wrong()
