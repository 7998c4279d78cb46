"""Finds the programs and folders on this machine that dopegraph uses; `report` shows them."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import Any

import numpy


def c_compiler() -> str | None:
    """Return the C compiler as "path: what it calls itself", or None. The environment variable CC goes first."""
    for name in (os.environ.get("CC"), "cc", "gcc", "clang"):
        path = shutil.which(name) if name else None
        if path is not None:
            return _described(path, "--version")
    return None


def graphviz_dot() -> str | None:
    """Return Graphviz's program `dot` as "path: what it calls itself", or None."""
    path = shutil.which("dot")
    return _described(path, "-V") if path is not None else None


def numpy_blas() -> str:
    """Return the name and version of the BLAS that NumPy was built with, or "unknown"."""
    show: Any = numpy.show_config
    try:
        blas = show(mode="dicts")["Build Dependencies"]["blas"]
    except TypeError:  # NumPy before 1.25
        config: Any = numpy.__config__
        libraries = [
            one for kind in ("blas_opt", "blas_ilp64_opt") for one in config.get_info(kind).get("libraries", ())
        ]
        return " ".join(dict.fromkeys(libraries)) or "unknown"
    except KeyError:
        return "unknown"
    return f"{blas.get('name', 'unknown')} {blas.get('version', '')}".strip()


def _described(path: str, option: str) -> str:
    try:
        answer = subprocess.run([path, option], capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.SubprocessError):
        return path
    first = (answer.stdout or answer.stderr).strip().partition("\n")[0]
    return f"{path}: {first}" if first else path
