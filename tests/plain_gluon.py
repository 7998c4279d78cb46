"""Runs Python with MXNet's Gluon in another process, without dopegraph: to compare layers, files and updates with."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from dopegraph.backends.mxnet import compatibility

# MXNet 1.9.1 imports on a current NumPy only with the finder, given as a plain file.
HEAD = """
import importlib.util, json, sys
import numpy
sys.modules["dopegraph"] = None  # importing it fails from here on
shim = sys.argv[1]
spec = importlib.util.spec_from_file_location("shim", shim)
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
finder = module.MXNetFinder()
finder.install()
finder.sparing = True
import mxnet as mx
finder.sparing = False
from mxnet import autograd, gluon, nd
"""


def run_gluon(folder: Path, body: str) -> str:
    """What a program prints that has ``mx``, ``nd``, ``gluon``, ``autograd``, ``numpy`` and ``json``."""
    child = folder / "child.py"
    child.write_text(HEAD + body, encoding="utf-8")
    command = [sys.executable, "-I", str(child), compatibility.__file__]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=folder, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
