"""What dopegraph finds on this machine and what each missing piece costs: `python -m dopegraph info`."""

from __future__ import annotations

import os
import platform
import sys
from importlib import metadata
from typing import Any

import numpy

from dopegraph.backends.mxnet import library
from dopegraph.backends.mxnet.process import processors
from dopegraph.installation.machine import c_compiler, graphviz_dot, numpy_blas
from dopegraph.runtime.folders import cache_folder
from dopegraph.version import __version__

# What is missing -> what it costs, how to get it.
_COSTS = {
    "MXNet": ("everything runs on NumPy, slower", library.SETUP),
    "GPU": (
        "arrays live on the CPU only",
        f"{library.SETUP} --cuda, given an NVIDIA GPU from Maxwell to Ada and its driver",
    ),
    "C compiler": ("operations are not fused into kernels, slower", "apt install gcc, or set CC"),
    "Graphviz": ("graphs are shown as text but not drawn", "apt install graphviz"),
}


def collect() -> dict[str, Any]:
    """Return the facts that `render` prints, ready for JSON.

    Returns
    -------
    dict
        With the keys "versions", "executable", "mxnet", "devices", "compiler", "blas", "graphviz", "cache", "threads"
        and "missing", a list of dictionaries with "what", "cost" and "get".
    """
    mxnet = _mxnet()
    gpus = library.gpu_count()
    compiler, dot = c_compiler(), graphviz_dot()
    there = {"MXNet": mxnet["works"], "GPU": gpus > 0, "C compiler": compiler, "Graphviz": dot}
    return {
        "versions": {
            "dopegraph": __version__,
            "python": platform.python_version(),
            "platform": f"{platform.system()} {platform.machine()}",
            "numpy": numpy.__version__,
            "networkx": _version("networkx"),
            "graphviz (Python)": _version("graphviz"),
        },
        "executable": sys.executable,
        "mxnet": mxnet,
        "devices": ["cpu(0)", *(f"gpu({index})" for index in range(gpus))],
        "compiler": compiler,
        "blas": {"numpy": numpy_blas(), "scipy-openblas32": _version("scipy-openblas32")},
        "graphviz": dot,
        "cache": str(cache_folder()),
        "threads": {"processors": processors(), "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS")},
        "missing": [
            {"what": what, "cost": cost, "get": get} for what, (cost, get) in _COSTS.items() if not there[what]
        ],
    }


def render(facts: dict[str, Any]) -> str:
    """Return the facts as text for a terminal."""
    mxnet, threads = facts["mxnet"], facts["threads"]
    lines = dict(facts["versions"])
    lines["executable"] = facts["executable"]
    lines["mxnet"] = f"{mxnet['version']} ({', '.join(mxnet['features'])})" if mxnet["works"] else mxnet["why"]
    lines["devices"] = ", ".join(facts["devices"])
    lines["C compiler"] = facts["compiler"] or "none"
    lines["BLAS of NumPy"] = facts["blas"]["numpy"]
    if facts["blas"]["scipy-openblas32"]:
        lines["scipy-openblas32"] = facts["blas"]["scipy-openblas32"]
    lines["Graphviz"] = facts["graphviz"] or "none"
    lines["cache"] = facts["cache"]
    lines["threads"] = threads["OMP_NUM_THREADS"] or f"{threads['processors']} (OMP_NUM_THREADS is not set)"
    width = max(map(len, lines))
    text = [f"{name.ljust(width)}  {value or 'none'}" for name, value in lines.items()]
    if facts["missing"]:
        text += ["", "missing"]
        text += [f"  {one['what']}: without it {one['cost']}. To get it: {one['get']}" for one in facts["missing"]]
    return "\n".join(text)


def _mxnet() -> dict[str, Any]:
    why = library.why_missing()
    if why is not None:
        return {"works": False, "why": why, "version": None, "features": []}
    mxnet = library.load()
    features = sorted(feature.name for feature in mxnet.runtime.Features().values() if feature.enabled)
    return {"works": True, "why": None, "version": mxnet.__version__, "features": features}


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
