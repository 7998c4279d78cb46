"""Compiled kernels on the disk: named by what they were made from, private to the user, bounded, safe among processes.

A library is compiled under a temporary name and moved to its own in one step, so that nobody sees half of one.
"""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
import threading
import time
import warnings
import weakref
from pathlib import Path
from typing import Any

from dopegraph.backends.codegen.compiler import Compiler, uses_threads
from dopegraph.backends.codegen.library import Library
from dopegraph.runtime.folders import cache_folder

# Bytes of all libraries together; DOPEGRAPH_CACHE_BYTES is another bound.
BOUND = 256 << 20

# Temporary files that are older belong to compilations that were killed.
ABANDONED = 3600.0


class KernelCache:
    """The libraries of a folder.

    Attributes
    ----------
    compiled, hits : int
        How many libraries were compiled, and how many were there already.
    """

    def __init__(self, folder: Path, bound: int = BOUND) -> None:
        self.folder = folder
        self.bound = bound
        self.compiled = 0
        self.hits = 0
        self._loaded: weakref.WeakValueDictionary[str, Library] = weakref.WeakValueDictionary()
        self._lock = threading.Lock()

    def get(self, source: str, compiler: Compiler) -> Library:
        """The library of a C file; `CompilerError` if it cannot be compiled."""
        name = hashlib.sha256(f"{compiler.identity}\0{source}".encode()).hexdigest()[:40]
        with self._lock:
            library = self._loaded.get(name)
            if library is None:
                library = self._loaded[name] = self._open(name, source, compiler)
            return library

    def _open(self, name: str, source: str, compiler: Compiler) -> Library:
        path, keep = self.folder / f"{name}.so", uses_threads(source)
        try:
            library = Library(path, keep)
            os.utime(path)
        except OSError:
            pass  # not there, or damaged
        else:
            self.hits += 1
            return library
        made = compiler.compile(source, self.folder, f".{name}.{os.getpid()}.{time.monotonic_ns()}")
        os.replace(made, path)
        self.compiled += 1
        library = Library(path, keep)
        self._evict(path)
        return library

    def _evict(self, newest: Path) -> None:
        """Remove the libraries that were not used for the longest time, and what killed compilations left."""
        now = time.time()
        found = []
        for entry in os.scandir(self.folder):
            try:
                status = entry.stat(follow_symlinks=False)
                if entry.name.startswith("."):
                    if now - status.st_mtime > ABANDONED:
                        os.unlink(entry.path)
                elif entry.name.endswith(".so"):
                    found.append((status.st_mtime_ns, status.st_size, entry.path))
            except FileNotFoundError:
                continue  # another process was faster
        total = sum(size for _, size, _ in found)
        for _, size, path in sorted(found):
            if total <= self.bound or path == str(newest):
                break
            Path(path).unlink(missing_ok=True)
            total -= size


def refusal(folder: Path) -> str | None:
    """Why libraries of a folder must not be loaded: others could put theirs there. None if only the user can."""
    try:
        status = folder.lstat()
    except OSError as cause:
        return str(cause)
    if not stat.S_ISDIR(status.st_mode):
        return f"{folder} is no folder"
    if hasattr(os, "getuid") and status.st_uid != os.getuid():
        return f"{folder} belongs to another user"
    if os.name == "posix" and stat.S_IMODE(status.st_mode) & 0o077:
        return f"{folder} is open to others (mode {stat.S_IMODE(status.st_mode):o}, not 700)"
    return None


def open_cache() -> KernelCache:
    """The cache in the user's folder; where that is refused, with a warning, one that this process removes."""
    folder = cache_folder() / "kernels"
    bound = int(os.environ.get("DOPEGRAPH_CACHE_BYTES", BOUND))
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        refused = refusal(folder)
        if refused is None and not os.access(folder, os.W_OK | os.X_OK):
            refused = f"{folder} cannot be written"
    except OSError as cause:
        refused = str(cause)
    if refused is None:
        return KernelCache(folder, bound)
    warnings.warn(f"compiled kernels are not kept: {refused}", RuntimeWarning, stacklevel=2)
    temporary: Any = tempfile.TemporaryDirectory(prefix="dopegraph-kernels-")
    cache = KernelCache(Path(temporary.name), bound)
    weakref.finalize(cache, temporary.cleanup)
    return cache
