"""Lets MXNet 1.9.1 run on a NumPy and a Python that have dropped names it uses, without touching either.

Used by `library` alone: MXNet's own modules, when they say `import numpy`, get NumPy plus the old names; others do not.
"""

from __future__ import annotations

import builtins
import importlib.machinery
import re
import sys
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy

# What NumPy meant by these when MXNet was written. NumPy 2 has a `bool` again, and it is another one.
_PYTHON_TYPES: dict[str, Any] = {"bool": bool, "int": int, "float": float, "object": object, "str": str}

# old name -> today's name
_RENAMED = {
    **dict.fromkeys(("NaN", "NAN"), "nan"),
    **dict.fromkeys(("Inf", "Infinity", "infty", "PINF"), "inf"),
    "float_": "float64",
    "complex_": "complex128",
    "unicode_": "str_",
    "round_": "round",
    "alltrue": "all",
    "sometrue": "any",
    "product": "prod",
    "cumproduct": "cumprod",
    "row_stack": "vstack",
    "trapz": "trapezoid",
}

# MXNet looks these up while importing, to offer them under its own name; only calling one is an error.
_GONE = (
    *("mirr", "msort", "npv", "pmt", "ppmt", "pv", "rate", "ipmt", "irr", "nper", "fv"),
    *("fastCopyAndTranspose", "asscalar", "find_common_type", "cast", "source", "compat"),
)

# MXNet does as well without these. They would be half of its import time, and scikit-learn sets environment variables.
_OPTIONAL = {"scipy", "sklearn", "pandas"}


def numpy_with_old_names() -> types.ModuleType:
    """Return a new module that holds everything NumPy has, and the names that it had when MXNet was written.

    Returns
    -------
    module
        A snapshot of `numpy`'s names; those NumPy loads on demand are looked up there.

    Examples
    --------
    >>> numpy_with_old_names().NINF
    -inf
    """
    module = types.ModuleType("numpy", numpy.__doc__)
    names = module.__dict__
    names.update(vars(numpy))
    old: dict[str, Any] = {name: getattr(numpy, new, None) for name, new in _RENAMED.items()}
    old.update(NINF=-numpy.inf, PZERO=0.0, NZERO=-0.0, in1d=_in1d, **{name: _gone(name) for name in _GONE})
    for name, value in old.items():
        names.setdefault(name, value)
    names.update(_PYTHON_TYPES)
    names["__getattr__"] = lambda name: getattr(numpy, name)
    return module


def distutils_version() -> types.ModuleType:
    """Return a module that stands for `distutils.version`, gone since Python 3.12, as far as MXNet uses it: to compare.

    Examples
    --------
    >>> LooseVersion = distutils_version().LooseVersion
    >>> LooseVersion("2.10.0") >= LooseVersion("2.9")
    True
    """
    module = types.ModuleType("distutils.version")
    module.__dict__.update(LooseVersion=_version, StrictVersion=_version)
    return module


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", text)[:3])


def _in1d(ar1: Any, ar2: Any, **options: Any) -> Any:
    return numpy.isin(numpy.ravel(ar1), ar2, **options)


def _gone(name: str) -> Callable[..., Any]:
    def removed(*args: Any, **kwargs: Any) -> Any:
        raise AttributeError(f"NumPy {numpy.__version__} has no `{name}` any more")

    return removed


class MXNetFinder:
    """An entry of `sys.meta_path` that gives MXNet's modules, and only them, the old names.

    A module finds `__import__` through its own `__builtins__`. Exchanging it there, module by module, leaves
    `sys.modules` and `builtins` alone, so that packages MXNet imports in its turn, and other threads that import at the
    same time, get the real NumPy. The entry stays, since MXNet imports some of its modules only when asked.

    Attributes
    ----------
    sparing
        While true, a package that is optional for MXNet is given to it only if it has been imported already.
    """

    def __init__(self) -> None:
        self.sparing = False
        old_numpy, versions = numpy_with_old_names(), distutils_version()

        def import_(
            name: str,
            globals: Mapping[str, object] | None = None,
            locals: Mapping[str, object] | None = None,
            fromlist: Sequence[str] = (),
            level: int = 0,
        ) -> types.ModuleType:
            if name == "distutils.version" and fromlist:
                return versions
            root = name.partition(".")[0]
            if self.sparing and root in _OPTIONAL and level == 0 and root not in sys.modules:
                raise ImportError(f"{root} is not imported for MXNet's sake")
            module = builtins.__import__(name, globals, locals, fromlist, level)
            return old_numpy if module is numpy else module

        self._builtins = {**vars(builtins), "__import__": import_}

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Find a module of MXNet as Python would, but to be loaded with the old names; None for any other module."""
        if name.partition(".")[0] != "mxnet":
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and type(spec.loader) is importlib.machinery.SourceFileLoader:
            spec.loader = _Loader(spec.loader.name, spec.loader.path, self._builtins)
        return spec

    def install(self) -> None:
        """Put this finder first on `sys.meta_path`."""
        sys.meta_path.insert(0, self)

    def remove(self) -> None:
        """Take it off again."""
        sys.meta_path.remove(self)


class _Loader(importlib.machinery.SourceFileLoader):
    def __init__(self, name: str, path: str, builtins_: Mapping[str, Any]) -> None:
        super().__init__(name, path)
        self._builtins = builtins_

    def exec_module(self, module: types.ModuleType) -> None:
        vars(module)["__builtins__"] = self._builtins
        super().exec_module(module)
