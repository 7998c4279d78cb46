"""A compiled C file in this process: its function ``run``, until nobody needs it."""

from __future__ import annotations

import ctypes
import sys
import weakref
from pathlib import Path
from typing import Any

from dopegraph.backends.codegen import blas


class Library:
    """A loaded shared library, unloaded with the last reference to it; OSError if the file cannot be loaded.

    Attributes
    ----------
    run : callable
        Takes an array of pointers and the address of the workspace; runs without the interpreter's lock.
    """

    def __init__(self, path: Path) -> None:
        loaded: Any = ctypes.CDLL(str(path))
        self.run = loaded.run
        self.run.argtypes = (ctypes.c_void_p, ctypes.c_void_p)
        self.run.restype = None
        if hasattr(loaded, "link_blas"):
            found = blas.library()
            assert found is not None
            functions = (ctypes.c_void_p * len(found.addresses))(*found.addresses)
            loaded.link_blas.argtypes = (ctypes.c_void_p,)
            loaded.link_blas.restype = None
            loaded.link_blas(functions)
        if sys.platform != "win32":
            import _ctypes

            weakref.finalize(self, _ctypes.dlclose, loaded._handle).atexit = False
