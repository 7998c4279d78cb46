"""OpenMP's threads do not spin long beside those of a BLAS, unless the user wants them to."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from dopegraph.backends.environment import OF_GENERATED_CODE, OF_MXNET, environment, threads_wait
from tests.backends.codegen.programs import needs_compiler

PROGRAM = """
from __future__ import annotations

import os
import dopegraph, dopegraph.numpy as np
dopegraph.codegen("always")
dopegraph.compile(lambda x: np.exp(x) * 2 + x)(np.ones((1024, 1024)))
assert os.environ.get("GOMP_SPINCOUNT", "7") == "7"
"""


def test_variables_are_set_for_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GOMP_SPINCOUNT", raising=False)
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    with environment(**threads_wait(OF_MXNET)):
        assert os.environ["GOMP_SPINCOUNT"] == OF_MXNET
    assert "GOMP_SPINCOUNT" not in os.environ


@pytest.mark.parametrize("name", ["GOMP_SPINCOUNT", "OMP_WAIT_POLICY"])
def test_what_the_user_chose_stays(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for one in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY"):
        monkeypatch.delenv(one, raising=False)
    monkeypatch.setenv(name, "7")
    before = dict(os.environ)
    with environment(**threads_wait(OF_MXNET)):
        assert dict(os.environ) == before


@needs_compiler
@pytest.mark.parametrize(("chosen", "spins"), [(None, OF_GENERATED_CODE), ("7", "7")])
def test_openmp_has_read_it(chosen: str | None, spins: str) -> None:
    variables = {key: value for key, value in os.environ.items() if key not in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")}
    variables["OMP_DISPLAY_ENV"] = "VERBOSE"
    if chosen is not None:
        variables["GOMP_SPINCOUNT"] = chosen
    found = subprocess.run([sys.executable, "-c", PROGRAM], env=variables, capture_output=True, text=True, check=True)
    if "GOMP_" not in found.stderr:
        pytest.skip("this OpenMP is not GNU's")
    assert f"GOMP_SPINCOUNT = '{spins}'" in found.stderr
