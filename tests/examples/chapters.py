"""Chapters as a test needs them: with new parameters."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType


def fresh(name: str, part: str = "part1") -> ModuleType:
    """A chapter with new parameters from the same seed."""
    module = f"examples.{part}.{name}"
    sys.modules.pop(module, None)
    return importlib.import_module(module)
