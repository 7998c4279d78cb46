"""The command line as a user has it: processes of its own, their exit codes, what they print, and where."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy
import pytest

from dopegraph.backends.mxnet import library
from dopegraph.commands.entry import main
from dopegraph.commands.values import read_value, read_values

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
MODEL = str(HERE / "model.py")
X = "f32[4,6]"

needs_mxnet = pytest.mark.skipif(not library.available(), reason="MXNet is not installed")


def environment() -> dict[str, str]:
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1", "COLUMNS": "120"}


def dopegraph(*arguments: str, cwd: Path = ROOT, code: int = 0) -> subprocess.CompletedProcess[str]:
    """Run a command; nobody ever sees a traceback."""
    command = [sys.executable, "-m", "dopegraph", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd=cwd, env=environment(), timeout=300, check=False)
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    assert "Traceback" not in done.stdout + done.stderr
    return done


def as_json(*arguments: str, cwd: Path = ROOT) -> Any:
    return json.loads(dopegraph(*arguments, "--json", cwd=cwd).stdout)


def test_help_names_every_command() -> None:
    out = dopegraph().stdout
    for name in ("info", "setup", "run", "view", "explain", "profile", "export", "bench", "launch", "completion"):
        assert re.search(rf"^    {name}\b", out, re.MULTILINE), name
    assert dopegraph("view", "--help").stdout.count("dopegraph view") >= 4
    assert dopegraph("--version").stdout.startswith("dopegraph ")


def test_view_prints_a_summary_and_draws(tmp_path: Path) -> None:
    done = dopegraph("view", f"{MODEL}:net", "--arg", X, "-o", str(tmp_path / "net.dot"), "--text")
    assert "params_layers_0_weight: f32[5,3]" in done.stdout
    assert re.search(r"model\.py:\d+ +h = np\.tanh\(x @ params\[.hidden.\]\) +matmul, tanh", done.stdout)
    assert done.stdout.rstrip().endswith("net.dot")
    assert (tmp_path / "net.dot").read_text().startswith("digraph")
    facts = as_json("view", f"{MODEL}:net", "--arg", f"x={X}", "--recorded", "-o", str(tmp_path / "net.txt"))
    assert facts["inputs"] == {"x": "f32[4,6]"}
    assert list(facts["parameters"]) == ["params_hidden", "params_layers_0_weight", "params_layers_0_bias"]
    assert facts["outputs"] == ["f32[4,3]"]
    assert facts["operations"] == {"matmul": 2, "tanh": 1, "add": 1}
    assert facts["memory"]["planned"] <= facts["memory"]["imperative"]
    assert Path(facts["file"]).read_text().startswith("graph net(%x: f32[4,6]; state %params_hidden: f32[6,5]")


def test_json_is_all_that_stands_on_the_standard_output() -> None:
    done = dopegraph("explain", f"{MODEL}:escapes", "--arg", "f32[3]", "--json")
    facts = json.loads(done.stdout)
    assert "somebody prints" in done.stderr
    assert [one["id"] for one in facts["reasons"]] == ["value-escape"]
    assert facts["reasons"][0]["location"]["file"] == MODEL
    assert not facts["replayed"]


def test_explain_a_function_and_a_reason() -> None:
    out = dopegraph("explain", f"{MODEL}:step", "--arg", X, "--arg", "0.1", "--calls", "2").stdout
    assert "step: replayed as compiled code; 1 graph(s)" in out
    reason = as_json("explain", "value-escape")
    assert reason["kind"] == "as Python"
    assert reason["hint"] in dopegraph("explain", "value-escape").stdout


def test_pages_and_profiles(tmp_path: Path) -> None:
    file = tmp_path / "net.html"
    facts = as_json("view", f"{MODEL}:net", "--arg", X, "-o", str(file), "--colour", "time")
    assert facts["file"] == str(file)
    assert "<html" in file.read_text(encoding="utf-8")
    facts = as_json("profile", f"{MODEL}:step", "--arg", X, "--arg", "0.1", "-o", str(tmp_path / "trace.json"))
    assert facts["seconds"] > 0
    assert "traceEvents" in json.loads((tmp_path / "trace.json").read_text())
    out = dopegraph("profile", f"{MODEL}:net", "--arg", X, "-o", str(tmp_path / "profile.dot")).stdout
    assert "model.py:" in out
    assert (tmp_path / "profile.dot").read_text().startswith("digraph")


def test_bench_times_both_ways() -> None:
    facts = as_json("bench", f"{MODEL}:net", "--arg", X, "--rounds", "3")
    assert [row["name"] for row in facts["rows"]] == ["as Python", "compiled"]
    for row in facts["rows"]:
        assert 0 < row["low_us"] <= row["median_us"] <= row["high_us"] < 1e6
        assert row["first_call_us"] > 0
    names = [one["name"] for one in as_json("bench", "--list")["benchmarks"]]
    assert "small_calls" in names


@needs_mxnet
def test_export_and_view_what_was_written(tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    prefix = tmp_path / "out" / "net"
    facts = as_json("export", f"{MODEL}:net", "--arg", X, "-o", str(prefix))
    assert [Path(file).name for file in facts["written"]] == [
        "net-symbol.json", "net-0000.params", "net-manifest.json", "net-example.npz"
    ]  # fmt: skip
    assert facts["manifest"]["free_batch"]
    nodes = json.loads((tmp_path / "out" / "net-symbol.json").read_text())["nodes"]
    variables = [node["name"] for node in nodes if node["op"] == "null"]
    assert variables == ["x", "params_hidden", "params_layers_0_weight", "params_layers_0_bias"]
    # From one format into the others, with the example and the names that stand beside.
    out = dopegraph("export", f"{prefix}-symbol.json", "-o", str(tmp_path / "two"), "--format", "onnx").stdout
    assert "params_layers_0_bias[3]" in out and "any batch" in out and "net: x[any, 6]" in out
    dopegraph("export", f"{tmp_path}/two.onnx", "-o", str(tmp_path / "three"), "--format", "dopegraph")
    for file in (f"{prefix}-symbol.json", str(prefix), f"{tmp_path}/two.onnx", f"{tmp_path}/three.dopegraph"):
        facts = as_json("view", file)
        assert facts["inputs"] == {"x": "f32[4,6]"}, file
        assert facts["outputs"] == ["f32[4,3]"]
        assert sorted(facts["parameters"]) == ["params_hidden", "params_layers_0_bias", "params_layers_0_weight"]
    table = as_json("view", f"{prefix}-0000.params")
    assert {row["name"]: row["shape"] for row in table["arrays"]}["arg:params_hidden"] == [6, 5]
    with numpy.load(f"{prefix}-example.npz") as example, numpy.load(tmp_path / "three-example.npz") as other:
        numpy.testing.assert_allclose(example["output:0"], other["output:0"], rtol=1e-5, atol=1e-6)
    # A symbol alone says nothing of shapes.
    (tmp_path / "alone.json").write_text((tmp_path / "out" / "net-symbol.json").read_text())
    facts = as_json("view", f"{tmp_path}/alone.json", "-o", f"{tmp_path}/alone.dot")
    assert facts["operations"] == {"null": 4, "dot": 2, "Activation": 1, "broadcast_add": 1}
    assert "x" in (tmp_path / "alone.dot").read_text()
    facts = as_json("view", f"{tmp_path}/two.onnx", "--arg", "f32[9,6]")
    assert facts["outputs"] == ["f32[9,3]"]


def test_objects_name_their_parameters(tmp_path: Path) -> None:
    facts = as_json("view", "tests.commands.model:model", "--arg", X)
    assert list(facts["parameters"]) == ["weight", "heads_0", "heads_1"]
    assert facts["name"] == "Model"
    assert facts["inputs"] == {"x": "f32[4,6]"}
    facts = as_json("view", f"{MODEL}:layers", "--arg", X)
    assert list(facts["parameters"]) == ["layers_0_weight", "layers_0_bias", "layers_1_weight", "layers_1_bias"]
    dopegraph("export", f"{MODEL}:layers", "--arg", X, "-o", str(tmp_path / "net"), "--format", "dopegraph")
    with numpy.load(tmp_path / "net-example.npz") as example:
        assert abs(example["output:0"]).max() > 0


def test_values_of_arguments(tmp_path: Path) -> None:
    numpy.save(tmp_path / "x.npy", numpy.ones((2, 3), "float64"))
    numpy.savez(tmp_path / "x.npz", data=numpy.ones(5, "int8"), other=numpy.zeros(2))
    kinds = {
        f"@{tmp_path}/x.npy": "f64[2,3]", f"@{tmp_path}/x.npz:data": "i8[5]", "float32[2, 2]": "f32[2,2]",
        "i64[]": "i64[]", "bool[0,3]": "bool[0,3]",
    }  # fmt: skip
    for text, kind in list(kinds.items())[:3]:
        assert as_json("view", f"{MODEL}:scaled", "--arg", text, "--arg", "factor=3")["inputs"]["x"] == kind
    for text, kind in kinds.items():
        value = read_value(text)
        assert f"{value.dtype.name}{list(value.shape)}".replace(" ", "") in (
            kind.replace("f", "float", 1) if kind[0] == "f" else kind.replace("i", "int", 1)
        )
    assert read_values(["(1, 2)", "'text'", "a=None", "b=0.5"]) == ([(1, 2), "text"], {"a": None, "b": 0.5})
    assert (read_value(X, 1).asnumpy() == read_value(X, 1).asnumpy()).all()


WRONG = {
    "no command": (["nothing"], 2, "invalid choice"),
    "no function": (["view", f"{MODEL}:nets", "--arg", X], 1, "has no nets; it has net, scaled"),
    "no module": (["view", "no.such:f"], 1, "there is no module no"),
    "no file": (["view", "nothing.onnx"], 1, "there is no such file"),
    "no script": (["view", "nothing.py:f"], 1, "nothing.py is not there"),
    "no callable": (["view", f"{MODEL}:rates"], 1, "is a list, no function"),
    "arguments": (["view", f"{MODEL}:net"], 2, "(x): missing a required argument: 'x'; give an example of each"),
    "too many": (["explain", f"{MODEL}:net", "--arg", X, "--arg", "1"], 2, "too many positional arguments"),
    "dtype": (["view", f"{MODEL}:net", "--arg", "f31[2]"], 2, "there is no dtype f31"),
    "literal": (["view", f"{MODEL}:net", "--arg", "hello"], 2, "neither a type"),
    "array file": (["view", f"{MODEL}:net", "--arg", "@nothing.npy"], 1, "No such file"),
    "shapes": (["view", f"{MODEL}:broken", "--arg", X], 1, "return x @ np.ones((7, 2))"),
    "raising": (["explain", f"{MODEL}:raising", "--arg", X], 1, "KeyError: (4, 6) (model.py:"),
    "picture": (["view", f"{MODEL}:net", "--arg", X, "-o", "net.jpeg"], 2, "its ending is none of"),
    "no output": (["export", f"{MODEL}:net"], 2, "-o/--output"),
    "not for mxnet": (["export", f"{MODEL}:sort_of", "--arg", "f32[2,2]", "-o", "net"], 1, "svd"),
    "no example": (["run", "k_mean"], 2, "did you mean numpy_scripts.k_means?"),
    "no name": (["run"], 2, "--list shows them"),
    "no folder": (["run", "--folder", str(HERE), "k_means"], 1, "is no folder of examples"),
    "no benchmark": (["bench", "smallcalls"], 2, "did you mean small_calls?"),
    "rounds": (["bench", f"{MODEL}:net", "--arg", X, "--rounds", "1"], 2, "--rounds"),
    "no reason": (["explain", "value-escapes"], 1, "there is no such file"),
}


@pytest.mark.parametrize("name", WRONG)
def test_errors_are_one_message_and_a_code(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In this process, as there are many; that nobody sees a traceback is the same `main`."""
    arguments, code, message = WRONG[name]
    if name == "not for mxnet" and not library.available():
        pytest.skip("MXNet is not installed")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    try:
        found = main(arguments)
    except SystemExit as end:
        found = end.code
    said = capsys.readouterr().err
    assert found == code, said
    assert message in said
    assert "Traceback" not in said
    assert list(tmp_path.iterdir()) == []


def test_an_error_in_a_process_of_its_own(tmp_path: Path) -> None:
    done = dopegraph("view", f"{MODEL}:broken", "--arg", X, cwd=tmp_path, code=1)
    assert done.stderr.startswith("dopegraph view: matmul: shapes (4, 6) and (7, 2) do not fit")
    assert "return x @ np.ones((7, 2))" in done.stderr
    dopegraph("view", f"{MODEL}:net", cwd=tmp_path, code=2)


def test_a_traceback_for_those_who_want_it() -> None:
    command = [sys.executable, "-m", "dopegraph", "view", f"{MODEL}:raising", "--arg", X]
    environ = {**environment(), "DOPEGRAPH_TRACEBACK": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environ, cwd=ROOT, check=False)
    assert done.returncode == 1
    assert "Traceback" in done.stderr


def test_examples_are_listed_and_run(tmp_path: Path) -> None:
    found = as_json("run", "--list", cwd=tmp_path)
    names = {one["name"]: one["summary"] for one in found["examples"]}
    assert "part1.multilayer_perceptrons_scratch" in names
    assert all(names.values())
    assert "numpy_scripts.n_queens" in dopegraph("run", "--list").stdout
    assert dopegraph("run", "k_means", cwd=tmp_path).stdout.splitlines()[-1].startswith("purity")
    # From a folder that is given: an example that ends with a code, and one that fails.
    folder = tmp_path / "examples"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "three.py").write_text('"""Ends."""\nimport sys\nif __name__ == "__main__":\n    sys.exit(len(sys.argv))')
    (folder / "bad.py").write_text('if __name__ == "__main__":\n    print(1 / 0)')
    dopegraph("run", "--folder", str(folder), "three", "a", "--quick", cwd=ROOT, code=3)
    done = dopegraph("run", "--folder", str(tmp_path), "bad", cwd=ROOT, code=1)
    assert "ZeroDivisionError: division by zero (bad.py:2)" in done.stderr


def test_an_installed_dopegraph_has_no_examples(tmp_path: Path) -> None:
    """The package alone, as a wheel has it: links to its folders, and nothing beside."""
    (tmp_path / "site").mkdir()
    package = tmp_path / "site" / "dopegraph"
    package.mkdir()
    for item in (ROOT / "dopegraph").iterdir():
        if item.name not in ("passes", "backends", "commands", "__pycache__"):
            (package / item.name).symlink_to(item)
    for name in ("passes", "backends"):
        (package / name).symlink_to(ROOT / name)
    (package / "commands").mkdir()
    for item in (ROOT / "dopegraph" / "commands").glob("*.py"):
        (package / "commands" / item.name).write_text(item.read_text(encoding="utf-8"), encoding="utf-8")
    environ = {**environment(), "PYTHONPATH": str(tmp_path / "site")}
    command = [sys.executable, "-m", "dopegraph", "run", "k_means"]
    done = subprocess.run(command, capture_output=True, text=True, env=environ, cwd=tmp_path, check=False)
    assert done.returncode == 1, done.stderr
    assert "no folder of examples was found" in done.stderr
    assert "--folder PATH/examples" in done.stderr
    command[4:] = ["--folder", str(ROOT), "k_means"]
    done = subprocess.run(command, capture_output=True, text=True, env=environ, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    assert "purity" in done.stdout


def test_a_reader_that_goes_away() -> None:
    command = [sys.executable, "-m", "dopegraph", "info"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(), cwd=ROOT) as done:
        assert done.stdout is not None and done.stderr is not None
        done.stdout.close()
        said = done.stderr.read()
        assert done.wait(120) == 141
    assert said == b""


def test_an_interrupt_is_no_traceback(tmp_path: Path) -> None:
    slow = tmp_path / "slow.py"
    slow.write_text("import time\nprint('ready', flush=True)\ntime.sleep(60)\ndef f(x): return x\n")
    command = [sys.executable, "-m", "dopegraph", "view", f"{slow}:f", "--arg", "f32[2]"]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
        cwd=ROOT,
        # A shell's background jobs, such as CI may be, ignore interrupts, and so do their children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        assert process.stdout.readline() == "ready\n"
        start = time.monotonic()
        process.send_signal(signal.SIGINT)
        said = process.stderr.read()
        assert process.wait(60) == 130
    assert time.monotonic() - start < 30
    assert said == "dopegraph view: interrupted\n"


SHELLS = {"bash": "bash -n", "zsh": "zsh -n", "fish": "fish -n"}


@pytest.mark.parametrize("shell", SHELLS)
def test_completion_is_a_script_that_the_shell_reads(shell: str, tmp_path: Path) -> None:
    shtab = pytest.importorskip("shtab")
    if shell not in shtab.SUPPORTED_SHELLS:
        pytest.skip(f"this shtab does not know {shell}")
    script = dopegraph("completion", shell).stdout
    assert "part1.multilayer_perceptrons_scratch" in script
    assert "free_batch" not in script and "fixed-batch" in script
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    file = tmp_path / "script"
    file.write_text(script)
    done = subprocess.run([*SHELLS[shell].split(), str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_bash_completes_a_command(tmp_path: Path) -> None:
    pytest.importorskip("shtab")
    script = tmp_path / "script"
    script.write_text(dopegraph("completion", "bash").stdout)
    ask = f"""
source {script}
name=$(complete -p dopegraph | sed 's/.*-F \\([^ ]*\\).*/\\1/')
COMP_WORDS=(dopegraph vi); COMP_CWORD=1; $name; echo "${{COMPREPLY[@]}}"
COMP_WORDS=(dopegraph export --format o); COMP_CWORD=3; $name; echo "${{COMPREPLY[@]}}"
"""
    done = subprocess.run(["bash", "-c", ask], capture_output=True, text=True, check=False)
    assert [line.strip() for line in done.stdout.splitlines()] == ["view", "onnx"], done.stderr


def test_the_list_tells_what_the_chapters_gave() -> None:
    found = {one["name"]: one["result"] for one in as_json("run", "--list")["examples"]}
    result = found["part1.softmax_regression_scratch"]
    assert result["book"]["test_accuracy"] == 0.884
    assert found["numpy_scripts.n_queens"] is None
    text = dopegraph("run", "--list").stdout
    assert f"test_accuracy {result['here']['test_accuracy']:.5g}\n" in text
    assert f"{result['graphs']} graphs; on NumPy: nothing; {result['compile_seconds']:.2f} s compiling; " in text
