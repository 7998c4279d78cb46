"""Python's garbage collector while graphs are built: less often, and afterwards as before."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

import dopegraph
import dopegraph.numpy as np
from dopegraph.runtime.collection import OBJECTS, fewer_collections


@pytest.fixture(autouse=True)
def threshold() -> Iterator[None]:
    before = gc.get_threshold()
    gc.set_threshold(700, 10, 10)
    yield
    gc.set_threshold(*before)


def test_compiling_raises_the_threshold_and_puts_it_back() -> None:
    seen = []

    @dopegraph.compile
    def f(x: np.ndarray) -> np.ndarray:
        seen.append(gc.get_threshold())
        return x + 1

    f(np.ones(3))
    assert seen[0] == (OBJECTS, 10, 10)
    assert gc.get_threshold() == (700, 10, 10)


def test_also_when_something_is_raised_and_inside_of_each_other() -> None:
    with pytest.raises(KeyError), fewer_collections:
        with fewer_collections:
            pass
        assert gc.get_threshold()[0] == OBJECTS
        raise KeyError
    assert gc.get_threshold() == (700, 10, 10)


def test_what_the_user_sets_stays() -> None:
    with fewer_collections:
        gc.set_threshold(5, 6, 7)
    assert gc.get_threshold() == (5, 6, 7)
    gc.set_threshold(0, 10, 10)
    with fewer_collections:
        assert gc.get_threshold()[0] == 0
    assert gc.get_threshold() == (0, 10, 10)
