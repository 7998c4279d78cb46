"""``np.lib``: `stride_tricks` on our arrays; what else is there is NumPy's own."""

from __future__ import annotations

from typing import Any

import numpy as _numpy

from dopegraph.numpy.lib import stride_tricks

__all__ = ["stride_tricks"]


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(f"dopegraph.numpy.lib has no {name}")
    return getattr(_numpy.lib, name)
