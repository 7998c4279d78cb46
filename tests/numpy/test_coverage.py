"""What `coverage()` and docs/coverage.md say is what tracing the calls of the tests finds."""

from __future__ import annotations

import numpy
import pytest

import dopegraph.numpy as np
from docs import coverage
from dopegraph.numpy.coverage import public_functions

SAMPLE = public_functions()[::6]
VERSION = tuple(map(int, numpy.__version__.split(".")[:2]))


def test_a_sample_of_functions_is_what_the_table_says():
    found = coverage.table(SAMPLE)
    said = np.coverage()
    for name in SAMPLE:
        for kind, yes in zip((coverage.TRACED, coverage.DIFFERENTIABLE, coverage.MXNET), said[name]):
            # Older versions of NumPy have fewer of the calls; newer ones have functions whose dtype is always known.
            holds = kind in found[name]
            assert holds == yes or (VERSION < (2, 4) if yes else VERSION > (2, 4)), (name, kind)


@pytest.mark.skipif(VERSION[:2] != (2, 4), reason="the page lists the functions of NumPy 2.4")
def test_the_page_lists_every_function():
    page = (coverage.ROOT / "docs" / "coverage.md").read_text(encoding="utf-8")
    said = np.coverage()
    for name in said:
        row = next(line for line in page.split("\n") if line.startswith(f"| `{name}` |"))
        assert [cell.strip() == "yes" for cell in row.split("|")[2:5]] == list(said[name])
