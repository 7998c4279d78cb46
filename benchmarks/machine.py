"""Where and with what it was measured: processor, system, compiler, versions of the libraries."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import subprocess
from datetime import datetime, timezone
from typing import Any

LIBRARIES = ("numpy", "dopegraph", "mxnet", "jax", "jaxlib", "torch", "autograd", "scipy-openblas32")


def machine() -> dict[str, Any]:
    """A dictionary for the files of results."""
    return {
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "processor": processor(),
        "processors": available(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "compiler": _compiler(),
        "commit": _output("git", "rev-parse", "--short", "HEAD"),
        "environment": {
            name: value for name, value in sorted(os.environ.items()) if name.startswith(("OMP_", "MXNET_"))
        },
        "load": list(os.getloadavg()) if hasattr(os, "getloadavg") else [],
        "versions": {name: version for name in LIBRARIES if (version := _version(name))},
    }


def processor() -> str:
    """The name of the processor."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            return next(line.split(":")[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor()


def available() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _compiler() -> str:
    found = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    return _output(found, "--version").split("\n")[0] if found else ""


def _output(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=10).stdout.strip()
    except OSError:
        return ""
