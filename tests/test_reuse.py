"""Memory of results is used again only when nobody can see it any more."""

import numpy
import pytest

import dopegraph
import dopegraph.numpy as np
from dopegraph.runtime.reuse import Reuse
from tests.backends.codegen.programs import needs_compiler

F4 = numpy.dtype("float32")


def test_what_nobody_holds_is_used_again() -> None:
    reuse = Reuse()
    first = reuse.take((100, 10), F4)
    second = reuse.take((100, 10), F4)
    assert first.address != second.address
    addresses = {first.address, second.address}
    del first, second
    assert {one.address for one in (reuse.take((100, 10), F4), reuse.take((100, 10), F4))} <= addresses
    assert reuse.take((10, 100), F4).address not in addresses


@pytest.mark.parametrize("hold", [lambda b: b, lambda b: b.array, lambda b: b.array[1:], lambda b: memoryview(b.array)])
def test_what_somebody_holds_is_not(hold) -> None:
    reuse = Reuse()
    buffer = reuse.take((100,), F4)
    address, held = buffer.address, hold(buffer)
    del buffer
    assert reuse.take((100,), F4).address != address
    assert held is not None


def test_it_is_bounded() -> None:
    reuse = Reuse(limit=10_000)
    held = [reuse.take((500,), F4) for _ in range(20)]
    assert reuse.nbytes == 10_000
    assert reuse.take((2000,), F4).shape == (2000,)  # more than half of it is not kept
    assert reuse.nbytes == 10_000
    reuse.take((400,), F4)
    assert reuse.nbytes == 9_600
    assert len({one.address for one in held}) == 20


@needs_compiler
def test_large_results_of_calls() -> None:
    f = dopegraph.compile(lambda x: x * 2 + 1)
    x = np.arange(100_000) * 1.0
    results = [f(x) for _ in range(4)]
    views = [f(x)[1:] for _ in range(3)]
    theirs = [numpy.asarray(f(x)) for _ in range(3)]
    for number, one in enumerate(results):
        one *= number
    last = f(x + 1)
    expected = numpy.arange(100_000, dtype="float32") * 2 + 1
    for number, one in enumerate(results):
        assert (one.asnumpy() == expected * number).all()
    assert all((one.asnumpy() == expected[1:]).all() for one in views)
    assert all((one == expected).all() for one in theirs)
    assert (last.asnumpy() == expected + 2).all()
