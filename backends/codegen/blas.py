"""The BLAS that generated code calls: scipy-openblas32 where it is installed, otherwise the one inside NumPy's wheel.

OpenBLAS chooses its kernels when it is loaded, and takes processors that are newer than itself for old ones; where the
processor has AVX-512 it is told so. And it is told to have one thread: its others look for work for 26 ms after each
product, and keep those of generated loops off the processors meanwhile. Large products are shared in `packed`.
"""

from __future__ import annotations

import ctypes
import functools
import importlib.util
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy

from dopegraph.backends.environment import environment

FUNCTIONS = ("cblas_sgemm", "cblas_dgemm", "cblas_sgemv", "cblas_dgemv")

# Prefix and suffix of the names, and the C type of integers.
_NAMES = (("scipy_", "", "int"), ("scipy_", "64_", "int64_t"), ("", "64_", "int64_t"), ("", "", "int"))


@dataclass(frozen=True)
class Blas:
    """A loaded library: where it was found, the C type of its integers, the addresses of `FUNCTIONS`; whether nobody
    else uses it.
    """

    path: str
    integer: str
    addresses: tuple[int, ...]
    own: bool = False


@functools.cache
def library() -> Blas | None:
    """The best BLAS there is; None where no wheel brought one."""
    for folder, own in _folders():
        for path in sorted(folder.glob("*openblas*")):
            if path.suffix == ".py" or path.is_dir():
                continue
            found = _load(path, own)
            if found is not None:
                return found
    return None


def _folders() -> Iterator[tuple[Path, bool]]:
    """Where libraries are, and whether nobody has loaded them yet."""
    spec = importlib.util.find_spec("scipy_openblas32")
    if spec is not None and spec.origin is not None:
        yield Path(spec.origin).parent / "lib", True
    package = Path(numpy.__file__).parent
    yield package.parent / "numpy.libs", False
    yield package / ".dylibs", False


def _load(path: Path, own: bool) -> Blas | None:
    try:
        with environment(**(_told() if own else {})):
            loaded: Any = ctypes.CDLL(str(path))
    except OSError:
        return None
    for prefix, suffix, integer in _NAMES:
        names = [f"{prefix}{name}{suffix}" for name in FUNCTIONS]
        if all(hasattr(loaded, name) for name in names):
            addresses = [ctypes.cast(getattr(loaded, name), ctypes.c_void_p).value or 0 for name in names]
            return Blas(str(path), integer, tuple(addresses), own)
    return None


def _told() -> dict[str, str]:
    """OpenBLAS's environment variables, for while a library of our own is loaded."""
    processor = {"OPENBLAS_CORETYPE": "SKYLAKEX"} if has_avx512() else {}
    return {"OPENBLAS_NUM_THREADS": "1", **processor}


@functools.cache
def has_avx512() -> bool:
    """Whether this processor has vectors of 64 bytes, as far as OpenBLAS knows how to use them."""
    if sys.platform != "linux":
        return False
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8").partition("flags")[2].partition("\n")[0].split()
    except OSError:
        return False
    return {"avx512f", "avx512dq", "avx512bw", "avx512vl"} <= set(flags)
