"""Imports MXNet 1.9.1 once, quietly, on any NumPy, and says whether that is possible and what is missing if not.

The only place that imports MXNet: everything else in `dopegraph` asks `load` for the module.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import threading
import warnings
from types import ModuleType

from dopegraph.backends.environment import environment
from dopegraph.backends.mxnet.compatibility import MXNetFinder
from dopegraph.backends.mxnet.native import library_information, missing_library, start
from dopegraph.backends.mxnet.process import make_forks_safe, quiet_at_exit

SETUP = "python -m dopegraph setup"

# Where the shared libraries come from that neither MXNet's wheels nor PyPI bring along.
_LIBRARY_SOURCES = {
    "libcuda.so.1": "it belongs to the NVIDIA driver; without a GPU install the plain `mxnet` wheel instead",
    "libquadmath.so.0": "apt install libquadmath0",
    "libgomp.so.1": "apt install libgomp1",
    "libarmpl_lp64_mp.so": "it belongs to the Arm Performance Libraries, which the aarch64 wheel needs",
}

_lock = threading.RLock()
_module: ModuleType | None = None
_why_missing: str | None = None


class MXNetMissing(ImportError):
    """MXNet, or something it needs, is not there.

    Parameters
    ----------
    what
        What is missing, as one sentence without its full stop.
    """

    def __init__(self, what: str) -> None:
        self.what = what
        super().__init__(f"{what}. Run `{SETUP}` to install MXNet; without it everything runs on NumPy, slower.")


def load() -> ModuleType:
    """Import MXNet 1.9.1, or return it if it has been imported.

    NumPy, `sys.modules["numpy"]` and `os.environ` are afterwards as they were before, also when the import fails. A
    variable that the user has set (`OMP_NUM_THREADS`, `MXNET_ENGINE_TYPE`, ...) is left alone.

    Returns
    -------
    module
        The package `mxnet`.

    Raises
    ------
    MXNetMissing
        If MXNet or something it needs is not installed, naming it.

    Examples
    --------
    >>> mx = load()  # doctest: +SKIP
    >>> mx.nd.ones((2,)).asnumpy()  # doctest: +SKIP
    array([1., 1.], dtype=float32)
    """
    global _module, _why_missing
    if _module is None:
        with _lock:
            if _module is None:
                try:
                    _module = _load()
                    _why_missing = None
                except MXNetMissing as error:
                    _why_missing = str(error)
                    raise
    return _module


def installed() -> bool:
    """Return whether there is a package `mxnet` to import, without importing it."""
    try:
        spec = importlib.util.find_spec("mxnet")
    except (ValueError, ImportError):
        return False
    return spec is not None and spec.origin is not None  # a folder that happens to be called mxnet has no origin


def available() -> bool:
    """Return whether MXNet works here. The first call imports it; the answer is kept."""
    return why_missing() is None


def why_missing() -> str | None:
    """Return what keeps MXNet from working here, as a message for the user, or None if it works."""
    if _module is None and _why_missing is None:
        try:
            load()
        except MXNetMissing as error:
            return str(error)
    return _why_missing


def gpu_count() -> int:
    """Return how many GPUs MXNet sees: 0 without MXNet, with a CPU build of it, or without a driver."""
    try:
        return int(load().context.num_gpus()) if available() else 0
    except Exception:
        return 0  # a driver too old or a device lost: MXNet raises, and there is no GPU to use


def _load() -> ModuleType:
    loaded = "mxnet" in sys.modules and sys.modules["mxnet"] is not None
    if not loaded and not installed():
        raise MXNetMissing("MXNet is not installed")
    try:
        if loaded:
            mxnet = importlib.import_module("mxnet")  # waits for a thread that is just importing it
            version = mxnet.__version__
        else:
            information = library_information()
            version = information.__version__
            if _is_right(version):
                start(information.find_lib_path()[0])
                mxnet = _import()
        if _is_right(version):
            _bind_once(mxnet)
            make_forks_safe()
            quiet_at_exit(mxnet.nd.CachedOp, mxnet.symbol.symbol.SymbolBase, mxnet.ndarray.ndarray.NDArrayBase)
            return mxnet
    except Exception as error:
        raise MXNetMissing(_explain(error)) from error
    raise MXNetMissing(f"MXNet 1.9.1 is not installed, the MXNet here is {version}")


def _is_right(version: str) -> bool:
    return version.startswith("1.9.")


def _import() -> ModuleType:
    finder, before = MXNetFinder(), set(sys.modules)
    finder.install()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # its syntax is of another age
            finder.sparing = True
            return importlib.import_module("mxnet")
    except BaseException:
        finder.remove()
        # Half a package would make a later import fail in another, misleading place.
        for name in set(sys.modules) - before:
            if name.partition(".")[0] == "mxnet":
                del sys.modules[name]
        raise
    finally:
        finder.sparing = False


def _bind_once(mxnet: ModuleType) -> None:
    """Make executors silent: MXNet reads whether each is to log a line at the first of its kind, and only then."""
    with environment(MXNET_SUBGRAPH_VERBOSE="0"):
        cpu = mxnet.cpu()
        symbol = mxnet.sym.identity(mxnet.sym.var("x"), name="y")
        symbol.bind(cpu, {"x": mxnet.nd.zeros((1,), ctx=cpu)})
        symbol.simple_bind(cpu, x=(1,))


def _explain(error: Exception) -> str:
    library = missing_library(error)
    if library is not None:
        return f"MXNet needs the shared library {library}, which was not found ({_source(library)})"
    name = getattr(error, "name", None) or ""
    if isinstance(error, ModuleNotFoundError) and name.partition(".")[0] != "mxnet":
        return f"MXNet needs the package `{name}`, which is not installed"
    first_line = str(error).strip().partition("\n")[0]
    return f"MXNet is installed but does not import ({type(error).__name__}: {first_line})"


def _source(library: str) -> str:
    return _LIBRARY_SOURCES.get(library, "for a CUDA wheel the setup command installs it with --cuda")
