"""Where dopegraph keeps files: compiled kernels and downloaded data."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def cache_folder() -> Path:
    """Return the folder for compiled kernels and downloaded data: DOPEGRAPH_CACHE, or the user's folder for caches."""
    chosen = os.environ.get("DOPEGRAPH_CACHE")
    if chosen:
        return Path(chosen).expanduser()
    try:
        import platformdirs
    except ImportError:
        return _user_cache() / "dopegraph"
    return Path(platformdirs.user_cache_dir("dopegraph", appauthor=False))


def _user_cache() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", "~/AppData/Local")).expanduser()
    if sys.platform == "darwin":
        return Path("~/Library/Caches").expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
