"""A compiled C file in this process: its function ``run``, until nobody needs it."""

from __future__ import annotations

import ctypes
import sys
import weakref
from pathlib import Path
from typing import Any

from dopegraph.backends.codegen import blas, numpy_loops
from dopegraph.backends.environment import OF_GENERATED_CODE, environment, threads_wait

_WITH_LOCK = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int)


class Library:
    """A loaded shared library, unloaded with the last reference to it; OSError if the file cannot be loaded.

    Parameters
    ----------
    path : Path
    keep : bool
        Whether it stays loaded, as one with threads has to: they go on waiting, in code that would be gone with it.

    Attributes
    ----------
    run : callable
        Takes an array of pointers, the address of the workspace and a number of threads; runs without the interpreter's
        lock, and returns 1 when it found a position outside an axis.
    brief : callable
        The same, for addresses as integers, with the interpreter's lock; a third of the cost of a call.
    timed : callable or None
        The same, with a pointer to nanoseconds more, if the file was written by `dopegraph.backends.codegen.timed`.
    """

    def __init__(self, path: Path, keep: bool = False) -> None:
        # The first one with loops that threads share brings OpenMP.
        with environment(**threads_wait(OF_GENERATED_CODE)):
            loaded: Any = ctypes.CDLL(str(path))
        self.run = loaded.run
        self.run.argtypes = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int)
        self.run.restype = ctypes.c_int
        self.brief = _WITH_LOCK(ctypes.cast(loaded.run, ctypes.c_void_p).value)
        self.timed = getattr(loaded, "timed", None)
        if self.timed is not None:
            self.timed.argtypes = (*self.run.argtypes, ctypes.c_void_p)
            self.timed.restype = ctypes.c_int
        if hasattr(loaded, "link_blas"):
            found = blas.library()
            assert found is not None
            functions = (ctypes.c_void_p * len(found.addresses))(*found.addresses)
            loaded.link_blas.argtypes = (ctypes.c_void_p,)
            loaded.link_blas.restype = None
            loaded.link_blas(functions)
        if hasattr(loaded, "link_numpy"):
            loops = numpy_loops.addresses()
            assert loops is not None
            self._loops = (ctypes.c_void_p * len(loops))(*loops)  # the library goes on reading them
            loaded.link_numpy.argtypes = (ctypes.c_void_p,)
            loaded.link_numpy.restype = None
            loaded.link_numpy(self._loops)
        if not keep and sys.platform != "win32":
            import _ctypes

            weakref.finalize(self, _ctypes.dlclose, loaded._handle).atexit = False
