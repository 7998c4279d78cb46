"""Opens MXNet's shared library before its Python package does, so that its threads and its engine start as wanted.

Used by `library` alone. What is decided here cannot be decided later: OpenMP reads its variables when it is loaded, and
importing the package may start the engine.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import re
from pathlib import Path
from types import ModuleType

from dopegraph.backends.environment import OF_MXNET, environment, threads_wait
from dopegraph.backends.mxnet.process import processors, without_engine_line


class _Feature(ctypes.Structure):
    _fields_ = (("name", ctypes.c_char_p), ("enabled", ctypes.c_bool))


def library_information() -> ModuleType:
    """Return MXNet's module `libinfo`, which knows its version and its library, without importing the package."""
    package = importlib.util.find_spec("mxnet")
    if package is None or package.origin is None:
        raise ImportError("there is no package mxnet")
    path = os.path.join(os.path.dirname(package.origin), "libinfo.py")
    spec = importlib.util.spec_from_file_location("_mxnet_libinfo", path)
    if spec is None or spec.loader is None:
        raise ImportError("the package mxnet has no libinfo.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def start(path: str) -> None:
    """Load the shared library and start its engine.

    Parameters
    ----------
    path
        The file `libmxnet.so`.

    Raises
    ------
    OSError
        If a library that it needs is neither on the system nor in an installed package of NVIDIA's.
    """
    # By default MXNet takes half of the processors.
    with environment(OMP_NUM_THREADS=str(processors()), **threads_wait(OF_MXNET)):
        library = _open(path)
        settings = {}
        if "CUDA" not in _features(library):
            # Operations run in the calling thread: no hand-over, so a small graph and the reading of its result take 13
            # microseconds and not 55. On a GPU it would wait for every single operation.
            settings["MXNET_ENGINE_TYPE"] = "NaiveEngine"
        with environment(**settings), without_engine_line():
            library.MXNDArrayWaitAll()


def missing_library(error: BaseException | None) -> str | None:
    """Return the file name of the shared library that the dynamic loader did not find, if that is what `error` says."""
    found = re.match(r"(lib[^\s:/]+): cannot open shared object file", str(error))
    return found.group(1) if found and isinstance(error, OSError) else None


def _open(path: str, mode: int = ctypes.DEFAULT_MODE) -> ctypes.CDLL:
    """Load a library and first, one by one, those it needs that the system lacks and the packages nvidia-*-cu11 have.

    MXNet's CUDA wheels come without CUDA and search for it only where the system does; what is loaded already is found.
    """
    tried: set[str] = set()
    while True:
        try:
            return ctypes.CDLL(path, mode=mode)
        except OSError as error:
            name = missing_library(error)
            needed = _nvidia_library(name) if name is not None else None
            if name is None or needed is None or name in tried:
                raise
            tried.add(name)
            _open(needed, ctypes.RTLD_GLOBAL)


def _nvidia_library(name: str) -> str | None:
    try:
        spec = importlib.util.find_spec("nvidia")
    except (ValueError, ImportError):
        return None
    folders = spec.submodule_search_locations if spec is not None else None
    return next((str(path) for folder in folders or () for path in sorted(Path(folder).glob(f"*/lib/{name}"))), None)


def _features(library: ctypes.CDLL) -> set[str]:
    features, count = ctypes.POINTER(_Feature)(), ctypes.c_size_t()
    library.MXLibInfoFeatures(ctypes.byref(features), ctypes.byref(count))
    return {feature.name.decode() for feature in features[: count.value] if feature.enabled}
