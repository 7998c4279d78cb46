"""The examples in the docstrings of every module run and show what they print."""

import doctest
import importlib
import pkgutil

import pytest

import dopegraph

OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
NAMES = ["dopegraph", *(module.name for module in pkgutil.walk_packages(dopegraph.__path__, "dopegraph."))]


@pytest.mark.parametrize("name", [name for name in NAMES if not name.endswith("__main__")])
def test_the_examples_of_a_module_run(name, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    with dopegraph.policy("only_numpy"):
        results = doctest.testmod(importlib.import_module(name), optionflags=OPTIONS)
    assert results.failed == 0
