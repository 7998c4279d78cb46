"""Exported symbols in the world that they are for: MXNet 1.9.1 as pip installs it, on a Python and a NumPy of its time.

`make old-python` makes such a world in ``.venv-old``; DOPEGRAPH_OLD_PYTHON names another Python that has MXNet.
"""

from __future__ import annotations

import functools
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy

ROOT = Path(__file__).parents[1]

# Nothing of ours, and no trick: what a stranger would write. Python 3.6 can read it.
CHILD = """
import sys
import numpy
import mxnet as mx
assert int(numpy.__version__.split(".")[1]) < 24 and numpy.__version__[0] == "1", numpy.__version__


def arrays(found):
    return [one.asnumpy() for one in (found if isinstance(found, (list, tuple)) else [found])]


for prefix in sys.argv[1:]:
    symbol = mx.sym.load(prefix + "-symbol.json")
    saved = mx.nd.load(prefix + "-0000.params") or {}
    parameters = {name[4:]: array for name, array in saved.items()}
    with numpy.load(prefix + "-example.npz") as example:
        given = {key[6:]: example[key] for key in example.files if key.startswith("input:")}
    read = [name for name in symbol.list_arguments() if name in given]
    inputs = {}
    for name in read:
        array = numpy.ascontiguousarray(given[name]).reshape(given[name].shape or (1,))
        inputs[name] = mx.nd.array(array, dtype="uint8" if array.dtype == bool else array.dtype)
    results = {}
    everything = dict(parameters)
    everything.update(inputs)
    executor = symbol.bind(mx.cpu(), everything, grad_req="null")
    results["bind"] = arrays(executor.forward(is_train=False))
    block = mx.gluon.SymbolBlock.imports(prefix + "-symbol.json", read, prefix + "-0000.params" if saved else None)
    results["block"] = arrays(block(*[inputs[name] for name in read]))
    if len({array.shape[0] for array in inputs.values()}) == 1:  # Module has one length of batch for all inputs
        module = mx.mod.Module.load(prefix, 0, data_names=read, label_names=None)
        module.bind([mx.io.DataDesc(name, one.shape, one.dtype) for name, one in inputs.items()], for_training=False)
        module.forward(mx.io.DataBatch([inputs[name] for name in read]), is_train=False)
        results["module"] = arrays(module.get_outputs())
    numpy.savez(prefix + "-old.npz", **{
        "%s:%d" % (loader, number): one for loader, found in results.items() for number, one in enumerate(found)
    })
print("mxnet", mx.__version__, "numpy", numpy.__version__, "python", sys.version.split()[0])
"""


@functools.cache
def old_python() -> str | None:
    """A Python that has MXNet and a NumPy before 1.24, or None."""
    for place in (os.environ.get("DOPEGRAPH_OLD_PYTHON"), str(ROOT / ".venv-old" / "bin" / "python")):
        if place and Path(place).is_file():
            return place
    return None


def run_old(prefixes: Sequence[Path]) -> tuple[str, list[dict[str, list[Any]]]]:
    """For each exported symbol its results for the example beside it, by loader; and the versions of that world."""
    python = old_python()
    assert python is not None
    environ = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    command = [python, "-I", "-c", CHILD, *map(str, prefixes)]
    done = subprocess.run(command, capture_output=True, text=True, env=environ, timeout=900, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    found = []
    for prefix in prefixes:
        with numpy.load(f"{prefix}-old.npz") as made:
            loaders: dict[str, list[Any]] = {}
            for key in made.files:
                loaders.setdefault(key.partition(":")[0], []).append(made[key])
        found.append(loaders)
    return done.stdout.strip().splitlines()[-1], found
