"""Watches the user's Python while it is recorded: which functions run, and which calls could not be replayed.

A recorded call is replayed without running its Python. That is right only if everything the Python called was a
function of what the guards look at; calls that are not known to be are named here.
"""

from __future__ import annotations

import os
import site
import sys
import sysconfig
import threading
from types import BuiltinFunctionType, BuiltinMethodType, CodeType, FrameType, ModuleType
from typing import Any

import numpy

from dopegraph.runtime.location import Location, is_our_file, is_ours
from dopegraph.trace.active import active_recording, is_evaluating
from dopegraph.trace.look import Escape

_STDLIB = tuple({os.path.join(sysconfig.get_paths()[key], "") for key in ("stdlib", "platstdlib")})
_INSTALLED = tuple(
    {
        os.path.join(folder, "")
        for folder in (*map(sysconfig.get_path, ("purelib", "platlib")), site.getusersitepackages())
    }
)

# Built-in functions whose result depends on nothing but their arguments.
_PURE_BUILTINS = frozenset([
    "abs", "all", "any", "bin", "callable", "chr", "delattr", "divmod", "format", "getattr", "hasattr", "hash",
    "hex", "isinstance", "issubclass", "iter", "len", "max", "min", "next", "oct", "ord", "pow", "repr", "round",
    "setattr", "sorted", "sum", "__build_class__"
])  # fmt: skip
_PURE_MODULES = frozenset([
    "math", "cmath", "operator", "_operator", "itertools", "functools", "_functools", "collections", "_collections",
    "_abc", "abc", "typing"
])  # fmt: skip
_PURE_SELF = (list, dict, set, frozenset, tuple, str, bytes, int, float, bool, complex, range, slice, type(None))
_VIEWS = (type({}.keys()), type({}.values()), type({}.items()), type(i for i in ()), property, super)
_IMPURE_NUMPY = frozenset(["at", "empty", "empty_like", "fromfile", "save", "savez", "savetxt", "tofile", "dump"])
_PURE_PYTHON = frozenset([
    "functools", "itertools", "contextlib", "collections", "dataclasses", "typing", "enum", "abc", "operator",
    "numbers", "copy", "copyreg", "types", "_collections_abc", "numpy", "_py_abc"
])  # fmt: skip


def is_user_code(code: CodeType, home: str = "") -> bool:
    """Whether code is the user's: not ours, nor Python's, nor an installed package's other than the function's own."""
    return _is_user_file(code.co_filename, home)


def _is_user_file(file: str, home: str) -> bool:
    if is_our_file(file):
        return False
    if file.startswith(_INSTALLED):
        return bool(home) and file.startswith(home)
    return not file.startswith((*_STDLIB, "<frozen", "<dopegraph "))


def home_of(code: CodeType) -> str:
    """The installed package a function belongs to, if any: calls within it are followed."""
    for folder in _INSTALLED:
        if code.co_filename.startswith(folder):
            top = code.co_filename[len(folder) :].split(os.sep)[0]
            return os.path.join(folder, top)
    return ""


def is_user_module(module: ModuleType, home: str = "") -> bool:
    """Whether a module's attributes may change: Python's and installed packages' are taken for constant."""
    file = getattr(module, "__file__", None)
    if not isinstance(file, str):
        return False
    return _is_user_file(file, home)


class Watch:
    """While entered, notes the user's code objects that run and the calls that cannot be replayed.

    Attributes
    ----------
    codes : set of code objects
    effects : list of Escape
    """

    def __init__(self, home: str) -> None:
        self.home = home
        self.codes: set[CodeType] = set()
        self.effects: list[Escape] = []
        self._is_user: dict[str, bool] = {}
        self._ours: set[CodeType] = set()

    def __enter__(self) -> Watch:
        self._thread = threading.get_ident()
        self._outer = sys.getprofile()
        sys.setprofile(self._event)
        return self

    def __exit__(self, *exc: object) -> None:
        if self._outer is None or callable(self._outer):
            sys.setprofile(self._outer)
        else:  # cProfile's, which must be put back by itself
            sys.setprofile(None)
            self._outer.enable()

    def _user(self, frame: FrameType) -> bool:
        code = frame.f_code
        if code.co_filename.startswith("<"):  # generated: dataclasses' methods; it belongs to its module
            module = str(frame.f_globals.get("__name__", "")).partition(".")[0]
            # MXNet's functions are generated, and copying memory of its devices calls one.
            return not (module in ("dopegraph", "mxnet") or _is_pure_module(module)) and is_user_code(code, self.home)
        known = self._is_user.get(code.co_filename)
        if known is None:
            known = self._is_user[code.co_filename] = is_user_code(code, self.home)
        return known

    def _event(self, frame: FrameType, event: str, argument: Any) -> None:
        if frame.f_code in self._ours:
            return  # most events by far: they must cost little
        if is_ours(frame.f_code):
            self._ours.add(frame.f_code)
            return
        if is_evaluating():
            return
        if event == "call":
            if self._user(frame):
                self.codes.add(frame.f_code)
                return
            caller = frame.f_back
            if caller is not None and self._user(caller) and not is_ours(frame.f_code):
                module = str(frame.f_globals.get("__name__", ""))
                if not _is_pure_module(module.partition(".")[0]) or module.startswith("numpy.random"):
                    self._note(caller, f"{module}.{frame.f_code.co_name}")
        elif event == "c_call" and self._user(frame) and not _is_pure(argument):
            self._note(frame, _name(argument))

    _event.watches_users = True  # type: ignore[attr-defined]  # who runs none of their code may suspend it

    def _note(self, frame: FrameType, name: str) -> None:
        where = Location(frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name)
        recording = active_recording()
        looks = len(recording.looks) if recording is not None else 0
        self.effects.append(Escape("side-effect", f"{name}() cannot be replayed", where, looks))


def _is_pure_module(top: str) -> bool:
    """Whether a module's Python depends on nothing but its arguments; that of a named tuple's class does not."""
    return top in _PURE_PYTHON or top.startswith("namedtuple_")


def _name(function: Any) -> str:
    module = getattr(function, "__module__", None)
    name = getattr(function, "__qualname__", repr(function))
    return name if module in (None, "builtins") else f"{module}.{name}"


def _is_pure(function: Any) -> bool:
    if not isinstance(function, (BuiltinFunctionType, BuiltinMethodType)):
        owner = getattr(function, "__objclass__", None)
        return owner is not None and (owner in _PURE_SELF or owner in _VIEWS or owner is object)
    bound = getattr(function, "__self__", None)
    if bound is None or isinstance(bound, ModuleType):
        module = function.__module__ or ""
        if module == "builtins":
            return function.__name__ in _PURE_BUILTINS
        if module.partition(".")[0] == "numpy":
            return function.__name__ not in _IMPURE_NUMPY and ".random" not in module
        return module in _PURE_MODULES
    if isinstance(bound, type):  # a class method: date.today is not pure, dict.fromkeys is
        return bound in _PURE_SELF
    return isinstance(bound, (*_PURE_SELF, *_VIEWS, numpy.ndarray, numpy.generic, numpy.ufunc)) and (
        function.__name__ not in _IMPURE_NUMPY
    )
