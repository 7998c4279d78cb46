"""Every module can be imported, on every Python, whatever extras are missing."""

import importlib
import pkgutil

import pytest

import dopegraph

# What starts something as it is imported.
PROGRAMS = {"dopegraph.__main__"}

MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(dopegraph.__path__, "dopegraph.", onerror=lambda name: None)
    if module.name not in PROGRAMS
)


def test_modules_are_found() -> None:
    assert len(MODULES) > 300


@pytest.mark.parametrize("name", MODULES)
def test_a_module_is_imported(name: str) -> None:
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as missing:
        assert not str(missing.name).startswith("dopegraph"), missing
