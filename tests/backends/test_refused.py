"""A symbol that MXNet fails to put together runs on NumPy, and says so."""

from __future__ import annotations

import pytest

import dopegraph
import dopegraph.numpy as np
from dopegraph.backends.mxnet import executable, library
from dopegraph.runtime.errors import SymbolError

pytestmark = pytest.mark.skipif(not library.installed(), reason="MXNet is not installed")


@pytest.fixture(autouse=True)
def refusing(monkeypatch):
    def refuse(self):
        raise SymbolError("f: control dep not found in graph")

    monkeypatch.setattr(executable.MXNetExecutable, "_make_operator", refuse)
    dopegraph.programs.clear()
    yield
    dopegraph.programs.clear()


def test_numpy_runs_it_and_explain_says_why():
    with dopegraph.policy("prefer_mxnet"), dopegraph.codegen("never"):
        found = dopegraph.explain(lambda x: np.exp(x) + 1)(np.zeros(3))
    assert found.result.tolist() == [2, 2, 2]
    assert found.replayed and found.symbols == 0
    assert [one.reason for one in found.fallbacks] == ["refused-symbol"]
    assert "control dep" in str(found) and "test_refused.py" in str(found)


def test_only_mxnet_is_an_error():
    with dopegraph.policy("only_mxnet"), pytest.raises(SymbolError, match="control dep"):
        dopegraph.compile(lambda x: np.exp(x) + 1)(np.zeros(3))
