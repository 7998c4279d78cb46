"""Runs an exported symbol in a process of its own, with MXNet alone, and gives what it computes.

The file is also that process's program: it reads the symbol, the parameters and an example, and writes the outputs.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy

from dopegraph.runtime.errors import BackendError

# MXNet 1.9.1 imports on a current NumPy only with the finder, which is a file that needs nothing else of ours.
_PROGRAM = """
import importlib.util, sys
import numpy
sys.modules["dopegraph"] = None  # importing it fails from here on
prefix, shim, folder, count = sys.argv[1:]
spec = importlib.util.spec_from_file_location("shim", shim)
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
finder = module.MXNetFinder()
finder.install()
finder.sparing = True
import mxnet as mx
finder.sparing = False
symbol = mx.sym.load(prefix + "-symbol.json")
saved = mx.nd.load(prefix + "-0000.params") if symbol.list_inputs() else {}
saved = saved if isinstance(saved, dict) else {}  # without parameters it is an empty list
arrays = {name[4:]: array for name, array in saved.items()}
for number in range(int(count)):
    with numpy.load(folder + "/check-inputs-%d.npz" % number) as given:
        for key in given.files:
            name = key.partition(":")[2]
            if name in symbol.list_arguments():
                array = numpy.ascontiguousarray(given[key]).reshape(given[key].shape or (1,))
                arrays[name] = mx.nd.array(array, dtype="uint8" if array.dtype == bool else array.dtype)
    executor = symbol.bind(mx.cpu(), arrays, grad_req="null")
    found = executor.forward(is_train=False)
    numpy.savez(folder + "/check-outputs-%d.npz" % number, *[one.asnumpy() for one in found])
"""


def run(prefix: Path, examples: Sequence[Mapping[str, Any]], folder: Path) -> list[list[Any]]:
    """The outputs of the symbol at `prefix` for inputs by name, example by example; `folder` is for files in between.

    Raises
    ------
    BackendError
        When MXNet refuses the files, with its last words.
    """
    from dopegraph.backends.mxnet import compatibility

    for number, inputs in enumerate(examples):
        # Not by their names alone: savez has parameters, too.
        numpy.savez(folder / f"check-inputs-{number}.npz", **{f"input:{name}": one for name, one in inputs.items()})
    command = [sys.executable, "-I", "-c", _PROGRAM, str(prefix), compatibility.__file__, str(folder)]
    command.append(str(len(examples)))
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False, cwd=folder)
    if done.returncode != 0:
        said = done.stderr.strip().splitlines() or [f"it ended with {done.returncode}"]
        raise BackendError(f"export: plain MXNet does not run what was written: {said[-1]}")
    outputs = []
    for number in range(len(examples)):
        with numpy.load(folder / f"check-outputs-{number}.npz") as found:
            outputs.append([found[f"arr_{place}"] for place in range(len(found.files))])
    return outputs
