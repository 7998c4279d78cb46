"""`python -m dopegraph`: what `info` shows and what `setup` would do, for machines with and without the pieces."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from dopegraph import __main__ as command_line
from dopegraph.backends.mxnet import library
from dopegraph.installation import install_mxnet, machine, report
from dopegraph.installation.install_mxnet import Target, pip_commands
from dopegraph.installation.wheels import CUDA_LIBRARIES, CUDA_WHEELS, why_no_wheel
from dopegraph.runtime import folders
from dopegraph.version import __version__

NOTHING = Target("/py", "3.13.0", "Linux", "x86_64", "glibc", {})


@pytest.fixture
def on(monkeypatch):
    """Pretend that the target is another Python."""

    def pretend(**changes):
        monkeypatch.setattr(install_mxnet, "probe", lambda python: Target(**{**vars(NOTHING), **changes}))

    return pretend


@pytest.fixture
def pip(monkeypatch):
    """Record the pip commands instead of running them, and take MXNet to work then."""
    commands = []
    monkeypatch.setattr(install_mxnet, "_run_pip", commands.append)
    monkeypatch.setattr(install_mxnet, "_check", lambda target: "it works")
    return commands


def run(capsys, *arguments):
    code = command_line.main(arguments)
    return code, capsys.readouterr().out


def test_no_arguments_print_the_help(capsys):
    code, out = run(capsys)
    assert code == 0 and "setup" in out and "info" in out


def test_the_module_runs_as_a_program():
    done = subprocess.run([sys.executable, "-m", "dopegraph", "info", "--json"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["versions"]["dopegraph"] == __version__
    assert done.stderr == ""


def test_info_names_what_it_finds(capsys):
    code, out = run(capsys, "info")
    assert code == 0
    for name in ("dopegraph", "python", "numpy", "mxnet", "devices", "C compiler", "BLAS", "cache", "threads"):
        assert name in out


def test_info_as_json(capsys):
    code, out = run(capsys, "info", "--json")
    facts = json.loads(out)
    assert code == 0 and facts["devices"][0] == "cpu(0)" and facts["threads"]["processors"] >= 1
    assert facts["mxnet"]["works"] == library.available()


def test_info_says_what_each_missing_piece_costs_and_how_to_get_it(capsys, monkeypatch):
    monkeypatch.setattr(library, "why_missing", lambda: "MXNet is not installed")
    monkeypatch.setattr(library, "gpu_count", lambda: 0)
    monkeypatch.setattr(machine.shutil, "which", lambda name: None)
    _, out = run(capsys, "info")
    missing = out.partition("missing\n")[2].splitlines()
    assert [line.split(":")[0].strip() for line in missing] == ["MXNet", "GPU", "C compiler", "Graphviz"]
    assert "everything runs on NumPy, slower" in missing[0] and "python -m dopegraph setup" in missing[0]
    assert all("To get it: " in line for line in missing)


def test_info_lists_gpus(monkeypatch):
    monkeypatch.setattr(library, "gpu_count", lambda: 2)
    assert report.collect()["devices"] == ["cpu(0)", "gpu(0)", "gpu(1)"]


def test_the_cache_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("DOPEGRAPH_CACHE", str(tmp_path))
    assert folders.cache_folder() == tmp_path
    monkeypatch.delenv("DOPEGRAPH_CACHE")
    assert folders.cache_folder().name == "dopegraph"
    monkeypatch.setitem(sys.modules, "platformdirs", None)
    assert folders.cache_folder().name == "dopegraph"


def test_dry_run_for_the_cpu(capsys, on):
    on()
    code, out = run(capsys, "setup", "--dry-run")
    assert code == 0
    assert out.splitlines() == [
        "would run: /py -m pip install requests",
        "would run: /py -m pip install --no-deps mxnet==1.9.1",
    ]


@pytest.mark.parametrize("option", [["--cuda"], ["--cuda", "cu112"]])
def test_dry_run_for_cuda(capsys, on, option):
    on(installed={"requests": "2"})
    code, out = run(capsys, "setup", "--dry-run", *option)
    wheel = "mxnet-cu112" if "cu112" in option else "mxnet-cu117"
    assert code == 0 and out.count("would run") == 1
    assert f"--no-deps {wheel}==1.9.1" in out and all(one in out for one in CUDA_LIBRARIES)


def test_another_mxnet_is_removed_first(on):
    target = Target(**{**vars(NOTHING), "installed": {"mxnet": "1.9.1", "requests": "2", "mxnet-docs": "1"}})
    first, second = pip_commands(target, "cu117")
    assert first[3:] == ["uninstall", "--yes", "mxnet"]
    assert second[3:5] == ["install", "--no-deps"]


def test_what_is_there_already_is_not_installed_again(capsys, on, pip):
    on(installed={"requests": "2", "mxnet": "1.9.1"})
    code, out = run(capsys, "setup")
    assert code == 0 and pip == [] and "already installed" in out and "it works" in out


def test_setup_runs_pip_and_checks(capsys, on, pip):
    on()
    code, out = run(capsys, "setup")
    assert code == 0 and len(pip) == 2 and "is now installed" in out


@pytest.mark.parametrize("system, machine_, libc", [("Windows", "AMD64", ""), ("Darwin", "arm64", "")])
def test_a_platform_without_a_wheel(capsys, on, pip, system, machine_, libc):
    on(system=system, machine=machine_, libc=libc)
    code, out = run(capsys, "setup")
    assert code == 3 and pip == []
    assert "no wheel" in out and "NumPy" in out


def test_wheels_by_platform():
    assert why_no_wheel("Linux", "x86_64", "glibc", None) is None
    assert why_no_wheel("Linux", "aarch64", "glibc", None) is None
    assert why_no_wheel("Darwin", "x86_64", "", None) is None
    assert all(why_no_wheel("Linux", "x86_64", "glibc", cuda) is None for cuda in CUDA_WHEELS)
    assert "musl" in (why_no_wheel("Linux", "x86_64", "musl", None) or "")
    assert "CUDA" in (why_no_wheel("Linux", "aarch64", "glibc", "cu117") or "")
    assert "riscv64" in (why_no_wheel("Linux", "riscv64", "glibc", None) or "")


@pytest.mark.parametrize(
    "said, meaning",
    [
        ("Retrying after connection broken by NewConnectionError\nERROR: No matching distribution", "package index"),
        ("ERROR: No matching distribution found for mxnet==1.9.1", "no such wheel"),
        ("error: externally-managed-environment", "virtual environment"),
        ("No module named pip", "ensurepip"),
        ("something new", "messages are above"),
    ],
)
def test_a_failure_of_pip_is_explained(capsys, on, monkeypatch, said, meaning):
    on()
    failing = [sys.executable, "-c", f"import sys; print({said!r}, file=sys.stderr); sys.exit(1)"]
    monkeypatch.setattr(install_mxnet, "pip_commands", lambda target, cuda: [failing])
    code, out = run(capsys, "setup")
    assert code == 1 and meaning in out and "NumPy" in out


def test_an_mxnet_that_does_not_work_is_said(capsys, on, monkeypatch):
    on(python=sys.executable, installed={"requests": "2", "mxnet": "1.9.1"})
    monkeypatch.setattr(install_mxnet, "_CHECK", "raise SystemExit('MXNet needs the shared library libx.so.1')")
    code, out = run(capsys, "setup")
    assert code == 1 and "libx.so.1" in out


def test_a_python_that_is_none(capsys):
    code, out = run(capsys, "setup", "--python", "/no/such/python", "--dry-run")
    assert code == 1 and "/no/such/python" in out


def test_wrong_arguments_are_refused():
    with pytest.raises(SystemExit) as error:
        command_line.main(["setup", "--cuda", "cu999"])
    assert error.value.code == 2
