"""Imports the `onnx` package, an extra, and says what to do where it is missing."""

from __future__ import annotations

import importlib
from types import ModuleType


class OnnxMissing(ImportError):
    """The package `onnx` is not there."""

    def __init__(self, package: str = "onnx") -> None:
        super().__init__(f"the package `{package}` is not installed; pip install {package}, or dopegraph[onnx]")


def load() -> ModuleType:
    """The package `onnx`, with the parts that are written with.

    Raises
    ------
    OnnxMissing
        If it is not installed.
    """
    try:
        onnx = importlib.import_module("onnx")
        for part in ("helper", "numpy_helper", "checker", "shape_inference"):
            importlib.import_module(f"onnx.{part}")
    except ImportError as cause:
        raise OnnxMissing from cause
    return onnx


def runtime() -> ModuleType | None:
    """The package `onnxruntime`, or None where it is not installed."""
    try:
        return importlib.import_module("onnxruntime")
    except ImportError:
        return None
