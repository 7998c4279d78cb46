"""Chapters as a test needs them: with new parameters."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType


def fresh(name: str) -> ModuleType:
    """A chapter of part 1 with new parameters from the same seed."""
    module = f"examples.part1.{name}"
    sys.modules.pop(module, None)
    return importlib.import_module(module)
