"""Chapters as a test needs them: with new parameters."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

import pytest

# What single chapters need beside the others: their tests are skipped where it is not installed.
OPTIONAL = ("pandas",)


def fresh(name: str, part: str = "part1") -> ModuleType:
    """A chapter with new parameters from the same seed."""
    module = f"examples.{part}.{name}"
    sys.modules.pop(module, None)
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as missing:
        if missing.name in OPTIONAL:
            pytest.skip(f"the chapter needs {missing.name}")
        raise
