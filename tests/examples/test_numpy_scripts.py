"""Ordinary NumPy programs print the same when only their import line is changed, and when their steps are compiled."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import dopegraph
from dopegraph.transform.plan import PythonPlan

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "numpy_scripts"
OURS, NUMPYS = "import dopegraph.numpy as np\n", "import numpy as np\n"

# The numerical functions of each program; `main` calls each of them at least once.
STEPS = {
    "fft_filter": ["signal", "amplitudes", "peaks", "remove"],
    "game_of_life": ["step"],
    "heat_equation": ["step", "residual"],
    "k_means": ["assign", "update"],
    "kalman_filter": ["predict", "update"],
    "logistic_regression": ["sigmoid", "loss", "descend"],
    "mandelbrot": ["iterate", "shade"],
    "n_queens": ["free", "toggle"],
    "pca": ["standardize", "components", "reconstruct"],
    "text_histogram": ["moments", "bars"],
}


@pytest.fixture(params=["float32", "float64"])
def default(request):
    """The digits that the programs print are the same in both."""
    dopegraph.set_default_dtype(request.param)
    yield request.param
    dopegraph.set_default_dtype("float32")


def loaded(name: str, import_line: str = OURS) -> dict[str, Any]:
    """The program as a module of its own, with one import line or the other."""
    path = FOLDER / f"{name}.py"
    source = path.read_text()
    assert source.count(OURS) == 1
    assert re.findall("^(?:import|from) .*", source, re.MULTILINE) == [OURS.strip()]
    namespace: dict[str, Any] = {"__name__": f"examples.numpy_scripts.{name}"}
    exec(compile(source.replace(OURS, import_line), str(path), "exec"), namespace)
    return namespace


def with_compiled_steps(name: str) -> dict[str, Any]:
    namespace = loaded(name)
    for step in STEPS[name]:
        namespace[step] = dopegraph.compile(namespace[step])
    return namespace


def as_python(function: dopegraph.transform.Compiled) -> set[tuple[str, str]]:
    """Why calls of a compiled function run as Python, if they do: reasons and their details."""
    assert function.plans, f"{function.name} was not called"
    return {
        (escape.reason, escape.detail)
        for plan in function.plans
        if isinstance(plan, PythonPlan)
        for escape in plan.escapes
    }


def test_there_are_ten_programs_of_thirty_to_seventy_lines():
    lengths = {path.stem: path.read_text().count("\n") for path in FOLDER.glob("[a-z]*.py")}
    assert sorted(lengths) == sorted(STEPS)
    assert len(lengths) >= 10
    assert all(30 <= length <= 70 for length in lengths.values()), lengths


@pytest.mark.parametrize("name", STEPS)
def test_only_the_import_line_differs_from_numpy(name, default):
    expected = loaded(name, NUMPYS)["main"]()
    assert len(expected) > 200
    assert loaded(name)["main"]() == expected


@pytest.mark.parametrize("name", STEPS)
def test_compiled_steps_change_nothing(name, default):
    expected = loaded(name, NUMPYS)["main"]()
    program = with_compiled_steps(name)
    assert program["main"]() == expected
    assert program["main"]() == expected


@pytest.mark.parametrize("name", STEPS)
def test_every_step_is_replayed(name):
    program = with_compiled_steps(name)
    program["main"]()
    program["main"]()
    for step in STEPS[name]:
        assert as_python(program[step]) == set(), step
        assert sum(plan.calls for plan in program[step].plans) > 0


def test_there_are_twenty_three_steps():
    assert sum(map(len, STEPS.values())) == 23
