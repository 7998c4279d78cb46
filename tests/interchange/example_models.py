"""The models of the examples that are exported and loaded again: a new one is a line here."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import dopegraph.numpy as np

# Module below `examples` and function -> types of its arguments, as the command line writes them.
MODELS: dict[str, tuple[str, ...]] = {
    "part1.linear_regression_scratch:net": ("f32[8,2]",),
    "part1.linear_regression_gluon:net": ("f32[8,2]",),
    "part1.softmax_regression_scratch:net": ("f32[8,784]",),
    "part1.softmax_regression_gluon:net": ("f32[8,784]",),
    "part1.multilayer_perceptrons_scratch:net": ("f32[8,784]",),
    "part1.multilayer_perceptrons_gluon:net": ("f32[8,784]",),
    "part1.dropout_gluon:net": ("f32[8,784]",),
}


def model(name: str) -> tuple[Any, list[Any]]:
    """The function with new parameters, and example arguments."""
    from dopegraph.commands.values import read_value

    place, _, attribute = name.partition(":")
    module = f"examples.{place}"
    sys.modules.pop(module, None)
    np.random.seed(4)
    function = getattr(importlib.import_module(module), attribute)
    return function, [read_value(text, number) for number, text in enumerate(MODELS[name])]
