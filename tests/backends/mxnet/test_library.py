"""MXNet is imported without a trace: NumPy, the environment and the terminal are as before, and failures say why."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import types
import warnings

import numpy
import pytest

from dopegraph.backends.environment import environment
from dopegraph.backends.mxnet import library
from dopegraph.backends.mxnet.compatibility import MXNetFinder, distutils_version, numpy_with_old_names
from dopegraph.backends.mxnet.native import missing_library
from dopegraph.backends.mxnet.process import processors, quiet_at_exit, without_engine_line

needs_mxnet = pytest.mark.skipif(not library.installed(), reason="MXNet is not installed")
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")

OURS = ("OMP_NUM_THREADS", "MXNET_ENGINE_TYPE", "MXNET_SUBGRAPH_VERBOSE")
REMOVED = ("int", "float", "bool", "object", "str", "NaN", "NINF", "float_", "product", "trapz", "msort", "npv")


def run(code, *options, **variables):
    """Run Python code in a process of its own, with `library` imported, and return what it printed."""
    child = {name: value for name, value in os.environ.items() if name not in OURS} | variables
    code = "from dopegraph.backends.mxnet import library\n" + textwrap.dedent(code)
    done = subprocess.run(
        [sys.executable, *options, "-c", code], env=child, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr
    return types.SimpleNamespace(out=done.stdout, err=done.stderr)


LOOK_AT_NUMPY = f"""
    import sys, warnings, numpy
    def look():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            names = [name for name in {REMOVED} if hasattr(numpy, name)]
        others = {{name: id(module) for name, module in sys.modules.items() if name.startswith("numpy")}}
        return names, sys.modules["numpy"] is numpy, vars(numpy).get("bool"), others
    before = look()
"""
SAME_NUMPY = """
    after = look()
    assert after[:3] == before[:3], (before[:3], after[:3])
    assert all(after[3][name] == module for name, module in before[3].items())
"""


@needs_mxnet
def test_numpy_is_not_patched():
    run(LOOK_AT_NUMPY + "\n    library.load()\n" + SAME_NUMPY)


@needs_mxnet
def test_what_is_imported_meanwhile_gets_the_real_numpy():
    run(
        """
        import sys, numpy
        library.load()
        for name, module in list(sys.modules.items()):
            held = getattr(module, "np", numpy)
            ours = name.startswith(("mxnet", "dopegraph"))
            assert ours or getattr(held, "__name__", "") != "numpy" or held is numpy, name
        import numpy.ma
        assert numpy.ma.masked_array([1, 2]).sum() == 3
        """
    )


@needs_mxnet
def test_importing_binding_and_running_are_silent():
    said = run(
        """
        mx = library.load()
        x = mx.sym.FullyConnected(mx.sym.var("x"), num_hidden=3, name="layer")
        executor = x.simple_bind(mx.cpu(), x=(2, 4))
        executor.forward()
        executor.outputs[0].asnumpy()
        mx.sym.sin(mx.sym.var("x")).bind(mx.cpu(), {"x": mx.nd.ones((2,))}).forward()
        mx.nd.CachedOp(x)(mx.nd.ones((2, 4)), mx.nd.ones((3, 4)), mx.nd.ones((3,))).asnumpy()
        """,
        "-W",
        "default",
    )
    assert (said.out, said.err) == ("", "")


@needs_mxnet
def test_works_where_every_warning_is_an_error():
    run("assert library.load().nd.ones((2,)).asnumpy().sum() == 2", "-W", "error")


@needs_mxnet
@pytest.mark.parametrize("variables", [{}, {"OMP_NUM_THREADS": "1", "MXNET_ENGINE_TYPE": "ThreadedEnginePerDevice"}])
def test_environment_is_as_before(variables):
    run(
        """
        import os, subprocess, sys
        before = dict(os.environ)
        library.load()
        assert dict(os.environ) == before
        code = "import os; print({name for name in os.environ if name in %r})" % (set(os.environ) - set(before),)
        assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "set()"
        """,
        **variables,
    )


THREADS = """
    import ctypes
    library.load()
    print(ctypes.CDLL("libgomp.so.1").omp_get_max_threads())
"""


@needs_mxnet
@pytest.mark.skipif(sys.platform != "linux", reason="asks GNU OpenMP")
def test_threads_are_the_processors_unless_the_user_says_otherwise():
    assert int(run(THREADS).out) == processors()
    assert int(run(THREADS, OMP_NUM_THREADS="1").out) == 1


@needs_mxnet
def test_the_engine_works_in_the_calling_thread():
    if "CUDA" in {feature.name for feature in library.load().runtime.Features().values() if feature.enabled}:
        pytest.skip("not with a build for GPUs")
    log = run("library.load().nd.ones((2,)).asnumpy()", MXNET_ENGINE_INFO="1").err
    assert "threaded_engine" not in log


@needs_mxnet
def test_load_gives_the_same_module_to_every_thread():
    run(
        """
        import threading
        found = []
        threads = [threading.Thread(target=lambda: found.append(library.load())) for _ in range(8)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        assert len(found) == 8 and len(set(map(id, found))) == 1
        assert library.available() and library.why_missing() is None and library.gpu_count() >= 0
        """
    )


@needs_mxnet
def test_an_mxnet_that_is_imported_already_is_used():
    run(
        """
        library.load()
        import sys, mxnet
        library._module = None
        assert library.load() is mxnet
        """
    )


@needs_mxnet
def test_modules_that_mxnet_imports_late_work_too():
    run("library.load()\nimport mxnet.contrib.text, mxnet.contrib.quantization, mxnet.onnx, mxnet.notebook.callback")


@needs_mxnet
@needs_fork
def test_a_forked_process_does_not_wait_for_threads_it_does_not_have():
    run(
        """
        import os, warnings
        warnings.simplefilter("ignore")
        mx = library.load()
        def work():
            a, image = mx.nd.ones((300, 300)), mx.nd.ones((4, 3, 28, 28))
            mx.nd.dot(a, a).asnumpy(), mx.nd.stack(a, a).asnumpy()
            mx.nd.Convolution(image, mx.nd.ones((8, 3, 5, 5)), kernel=(5, 5), num_filter=8, no_bias=True).asnumpy()
        work()
        child = os.fork()
        if not child:
            import signal
            signal.alarm(60)
            work()
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        work()
        """,
        OMP_NUM_THREADS="2",
    )


@needs_mxnet
def test_gluon_autograd_cached_op_and_json():
    run(
        """
        mx = library.load()
        dense = mx.gluon.nn.Dense(2)
        dense.initialize()
        dense.hybridize(static_alloc=True, static_shape=True)
        assert dense(mx.nd.ones((3, 4))).asnumpy().shape == (3, 2)
        x = mx.nd.array([1.0, 2.0])
        x.attach_grad()
        with mx.autograd.record():
            y = (x * x).sum()
        y.backward()
        assert x.grad.asnumpy().tolist() == [2.0, 4.0]
        symbol = mx.sym.load_json((mx.sym.var("x") * 3).tojson())
        run = mx.nd.CachedOp(symbol, [("static_alloc", True), ("static_shape", True)])
        assert run(x).asnumpy().tolist() == [3.0, 6.0]
        assert mx.nd.array([True, False], dtype=bool).asnumpy().tolist() == [True, False]
        """
    )


@needs_mxnet
def test_a_failing_import_leaves_nothing_behind(tmp_path):
    (tmp_path / "requests.py").write_text("raise RuntimeError('broken')")
    run(
        LOOK_AT_NUMPY
        + f"""
    import os
    sys.path.insert(0, {str(tmp_path)!r})
    before_environment, before_finders = dict(os.environ), list(sys.meta_path)
    assert not library.available()
    assert "does not import" in library.why_missing()
    assert not [name for name in sys.modules if name.startswith("mxnet")]
    assert dict(os.environ) == before_environment and sys.meta_path == before_finders
    """
        + SAME_NUMPY
        + """
    del sys.path[0]
    library.load()
    assert library.available()
    """
    )


@needs_mxnet
def test_a_missing_requirement_is_named():
    said = run(
        """
        import sys
        sys.modules["requests"] = None
        try:
            library.load()
        except library.MXNetMissing as error:
            print(error)
        """
    )
    assert "`requests`" in said.out and "python -m dopegraph setup" in said.out


def test_a_missing_mxnet_is_said_with_the_command_that_installs_it():
    said = run(
        """
        import json, sys
        sys.modules["mxnet"] = None
        try:
            library.load()
        except ImportError as error:
            print(json.dumps([type(error).__name__, str(error), error.what]))
        assert not library.installed() and not library.available() and library.gpu_count() == 0
        """
    )
    kind, message, what = json.loads(said.out)
    assert kind == "MXNetMissing" and what == "MXNet is not installed"
    assert "python -m dopegraph setup" in message and "NumPy" in message


def test_a_folder_called_mxnet_is_not_mxnet(tmp_path):
    (tmp_path / "mxnet").mkdir()
    run(
        f"""
        import importlib.machinery, sys
        sys.path[:] = [{str(tmp_path)!r}]
        sys.meta_path[:] = [importlib.machinery.PathFinder]
        sys.path_importer_cache.clear()
        assert not library.installed()
        """
    )


def test_another_version_of_mxnet_is_refused(tmp_path):
    package = tmp_path / "mxnet"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('must not be imported')")
    (package / "libinfo.py").write_text("__version__ = '1.5.0'")
    said = run(f"import sys; sys.path.insert(0, {str(tmp_path)!r}); print(library.why_missing())")
    assert "1.5.0" in said.out and "1.9.1" in said.out


def test_old_names_mean_what_they_meant():
    old = numpy_with_old_names()
    assert old.bool is bool and old.object is object and old.float_ is numpy.float64
    assert numpy.isnan(old.NAN) and numpy.isneginf(old.NINF) and str(old.NZERO) == "-0.0"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a NumPy that still has them calls them deprecated
        assert old.alltrue([True, True]) and old.product([2, 3]) == 6
        assert old.in1d([1, 2], [2]).tolist() == [False, True]
    assert old.array is numpy.array and old.linalg is numpy.linalg
    with pytest.raises(AttributeError):
        old.no_such_name  # noqa: B018


def test_the_finder_leaves_other_modules_alone():
    assert MXNetFinder().find_spec("numpy") is None
    assert MXNetFinder().find_spec("mxnetwork") is None


def test_versions_compare_as_numbers():
    version = distutils_version().LooseVersion
    assert version("2.10.0.dev0+git") >= version("2.9")


def test_the_missing_library_is_read_from_the_message():
    error = OSError("libcudart.so.11.0: cannot open shared object file: No such file or directory")
    assert missing_library(error) == "libcudart.so.11.0"
    assert missing_library(OSError("/x/libmxnet.so: invalid ELF header")) is None
    assert "NVIDIA driver" in library._explain(OSError("libcuda.so.1: cannot open shared object file: No such file"))


def test_environment_sets_what_is_not_set(monkeypatch):
    monkeypatch.setenv("DOPEGRAPH_TEST_A", "mine")
    monkeypatch.delenv("DOPEGRAPH_TEST_B", raising=False)
    with environment(DOPEGRAPH_TEST_A="yours", DOPEGRAPH_TEST_B="yours"):
        assert (os.environ["DOPEGRAPH_TEST_A"], os.environ["DOPEGRAPH_TEST_B"]) == ("mine", "yours")
    assert os.environ["DOPEGRAPH_TEST_A"] == "mine" and "DOPEGRAPH_TEST_B" not in os.environ


def test_only_the_engine_line_is_held_back(capfd):
    with without_engine_line():
        os.write(2, b"[12:00] engine.cc:54: MXNet start using engine: NaiveEngine\nsomething else\n")
    assert capfd.readouterr().err == "something else\n"


def test_objects_that_outlive_mxnets_modules_end_silently():
    freed = []

    class Handle:
        def __del__(self):
            freed.append(self)

    quiet_at_exit(Handle)
    handle = Handle()
    handle.__del__(ending=lambda: True)
    assert freed == []
    handle.__del__()
    assert freed == [handle]


@needs_mxnet
def test_mxnets_objects_are_quiet_at_exit():
    mx = library.load()
    for one in (mx.nd.CachedOp, mx.symbol.symbol.SymbolBase, mx.ndarray.ndarray.NDArrayBase):
        assert one.__del__.__module__ == "dopegraph.backends.mxnet.process"
