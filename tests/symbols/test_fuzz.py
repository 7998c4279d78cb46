"""Mutated symbols, operators and parameter files, also read by a network, in a process of their own: it must live, and
give good errors.

DOPEGRAPH_EXAMPLES says how many of each are drawn.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dopegraph.backends.mxnet import library

ROOT = Path(__file__).parents[2]
COUNT = os.environ.get("DOPEGRAPH_EXAMPLES", "60")


@pytest.mark.skipif(not library.available(), reason="MXNet is not installed")
@pytest.mark.parametrize("kind", ["symbols", "operators", "params", "networks"])
def test_nothing_ends_the_process(kind: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.symbols.fuzz", kind, "7", COUNT]
    noted = tmp_path / "now.txt"
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "DOPEGRAPH_FUZZ_NOW": str(noted), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=3000,
        check=False,
    )
    now = noted.read_text(encoding="utf-8") if noted.exists() else "nothing"
    assert done.returncode == 0, f"{done.stderr[-3000:]}\nwhile running {now[:3000]}"
    outcomes = json.loads(done.stdout.partition("OUTCOMES ")[2])
    assert sum(outcomes.values()) >= int(COUNT) * 0.9
    assert len(outcomes) > 1, outcomes  # some ran, some were refused
