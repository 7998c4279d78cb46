"""Runs exported symbols in another process, where MXNet is alone: bound, as a Gluon block and as a Module."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy

from dopegraph.backends.mxnet import compatibility

# Runs without dopegraph. MXNet 1.9.1 imports on a current NumPy only with the finder, given as a plain file.
CHILD = """
import importlib.util, json, sys
import numpy
sys.modules["dopegraph"] = None  # importing it fails from here on
path, shim, name = sys.argv[1:]
spec = importlib.util.spec_from_file_location("shim", shim)
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
finder = module.MXNetFinder()
finder.install()
finder.sparing = True
import mxnet as mx
finder.sparing = False
data = numpy.load(path + ".npy")
x = mx.nd.array(data)
symbol = mx.sym.load(path + "-symbol.json")
saved = mx.nd.load(path + "-0000.params")
assert all(name.startswith("arg:") for name in saved), saved.keys()
parameters = {name[4:]: array for name, array in saved.items()}
executor = symbol.bind(mx.cpu(), {name: x, **parameters}, grad_req="null")
results = {"bind": [one.asnumpy().tolist() for one in executor.forward()]}
block = mx.gluon.SymbolBlock.imports(path + "-symbol.json", [name], path + "-0000.params")
found = block(x)
results["block"] = [one.asnumpy().tolist() for one in (found if isinstance(found, (list, tuple)) else [found])]
module = mx.mod.Module.load(path, 0, data_names=[name], label_names=None)
module.bind([(name, x.shape)], for_training=False)
module.forward(mx.io.DataBatch([x]), is_train=False)
results["module"] = [one.asnumpy().tolist() for one in module.get_outputs()]
print("RESULTS" + json.dumps(results))
"""


def run_exported(path: Path, data: Any, name: str = "x") -> dict[str, list[Any]]:
    """Results of the symbol at `path` for its one data input, by loader."""
    numpy.save(f"{path}.npy", data)
    child = path.parent / "child.py"
    child.write_text(CHILD, encoding="utf-8")
    command = [sys.executable, "-I", str(child), str(path), compatibility.__file__, name]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=path.parent, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.partition("RESULTS")[2])
