"""Runs a program with MXNet's own Gluon in another process, to compare with: dopegraph is not there."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

# MXNet 1.9.1 imports on a current NumPy only with this finder, which is given as a plain file.
HEAD = """
import importlib.util, json, sys, time
sys.modules["dopegraph"] = None
spec = importlib.util.spec_from_file_location("finder", sys.argv[1])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
finder = module.MXNetFinder()
finder.install()
finder.sparing = True
import mxnet as mx
finder.sparing = False
from mxnet import autograd, gluon, nd
"""


def with_gluon(program: str) -> Any:
    """What a program assigns to ``result``, or None when MXNet is not installed."""
    from dopegraph.backends.mxnet import compatibility, library

    if not library.installed():
        return None
    command = [sys.executable, "-c", f"{HEAD}{program}\nprint(json.dumps(result))", compatibility.__file__]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])
