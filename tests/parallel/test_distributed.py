"""Training by several processes over 127.0.0.1: sums, equality with one process, a worker that is killed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy
import pytest

from dopegraph.backends.mxnet import library
from dopegraph.parallel import KVStoreError, WorkerFailed, create_store, launch
from dopegraph.parallel.launching import _address_towards

ROOT = Path(__file__).parents[2]
SECONDS = 120

pytestmark = pytest.mark.skipif(not library.installed(), reason="the servers are MXNet's")

HEAD = """
import json, os, signal, sys, time
from pathlib import Path
import numpy
import dopegraph, dopegraph.numpy as np
from dopegraph import init, nn, optim, parallel
folder = Path(sys.argv[1])
store = parallel.create_store(KIND)
def leave(**found):
    (folder / f"{store.rank}.json").write_text(json.dumps(found))
"""

TRAINING = """
np.random.seed(store.rank)  # they begin alike all the same
net = nn.Sequential(prefix="mlp_")
with net.name_scope():
    net.add(nn.Dense(16, activation="relu", in_units=8), nn.Dense(3, in_units=16))
net.initialize(init.Xavier())
saved, reached = folder / "net.params", folder / "epoch"
begin = int(reached.read_text()) + 1 if reached.exists() else 0
if begin:
    net.load_parameters(saved)
loss = nn.SoftmaxCrossEntropyLoss()
trainer = optim.Trainer(net.collect_params(), "sgd", {"learning_rate": 0.1}, kvstore=store)

@dopegraph.compile
def gradients(data, label):
    with dopegraph.record():
        losses = loss(net(data), label)
    losses.backward()
    return np.mean(losses)

for epoch in range(4):
    rng = numpy.random.default_rng(epoch)
    for _ in range(5):
        data, label = rng.normal(size=(12, 8)).astype("float32"), rng.integers(0, 3, 12)
        if epoch >= begin:
            gradients(*store.shard(data, label))
            trainer.step(12)
    if epoch >= begin and store.rank == 0:
        net.save_parameters(saved)
        reached.write_text(str(epoch))
    if epoch == 1 and len(sys.argv) > 2 and store.rank == 1:
        time.sleep(0.5)
        os.kill(os.getpid(), signal.SIGKILL)
leave(weights=[param.data().tolist() for param in net.collect_params().values()], begin=begin)
"""


def run(folder: Path, body: str, workers: int, *arguments: str, servers: int = 1, kind: str = "dist") -> list[dict]:
    script = folder / "script.py"
    script.write_text(HEAD.replace("KIND", repr(kind)) + body, encoding="utf-8")
    launch([sys.executable, str(script), str(folder), *arguments], workers, servers, timeout=SECONDS, quiet=True)
    return [json.loads((folder / f"{rank}.json").read_text()) for rank in range(workers)]


@pytest.fixture(autouse=True)
def paths(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


def test_the_books_sixes_and_what_a_store_can_do(tmp_path):
    body = """
out = np.zeros((2, 3))
store.init("w", np.ones((2, 3)) * (store.rank + 7))
store.pull("w", out)
first = out.tolist()
store.push("w", [np.ones((2, 3)), (np.ones((2, 3)) + 1)])
store.pull("w", out=[out])
summed = store.sum("n", np.array(store.rank + 1.0))
again = store.sum("n", np.array([10.0])[0])
store.barrier()
shard = store.shard(numpy.arange(7))
refused = []
for wrong in (lambda: store.init("i", np.arange(3)), lambda: store.init("w", out), lambda: store.push("x", out)):
    try:
        wrong()
    except parallel.KVStoreError as error:
        refused.append(str(error).split(";")[0].splitlines()[0])
leave(first=first, sixes=out.tolist(), summed=float(summed), again=float(again), rank=store.rank,
      workers=store.num_workers, begin=store.first("b", np.array([1.0 * store.rank])).tolist(), shard=shard.tolist(),
      refused=refused)
"""
    for rank, found in enumerate(run(tmp_path, body, 2, servers=2)):
        assert found == {
            "first": [[7, 7, 7]] * 2,
            "sixes": [[6, 6, 6]] * 2,
            "summed": 3,
            "again": 20,
            "rank": rank,
            "workers": 2,
            "begin": [0],
            "shard": [rank, rank + 2, rank + 4],
            "refused": [
                "init: 'i' is int64",
                "init: the key 'w' is in the store already",
                "the key 'x' is not in the store",
            ],
        }


def test_two_workers_train_as_one_with_the_whole_batches(tmp_path):
    found = {}
    for workers in (1, 2):
        folder = tmp_path / str(workers)
        folder.mkdir()
        found[workers] = run(folder, TRAINING, workers)
    for one, *others in zip(found[1][0]["weights"], *(each["weights"] for each in found[2])):
        for other in others:
            numpy.testing.assert_allclose(other, one, atol=1e-5)
    assert found[2][0]["weights"] == found[2][1]["weights"]


def test_a_killed_worker_ends_all_and_a_restart_goes_on(tmp_path):
    (tmp_path / "whole").mkdir()
    (tmp_path / "killed").mkdir()
    whole = run(tmp_path / "whole", TRAINING, 2)
    start = time.monotonic()
    with pytest.raises(
        WorkerFailed, match="was ended by signal SIGKILL; the other processes have been ended"
    ) as caught:
        run(tmp_path / "killed", TRAINING, 2, "die")
    assert time.monotonic() - start < SECONDS / 2
    assert caught.value.role.startswith("worker") and caught.value.code == -9
    assert (tmp_path / "killed" / "epoch").read_text() in ("1", "2")  # what was reached before is there
    restarted = run(tmp_path / "killed", TRAINING, 2)
    assert restarted[0]["begin"] >= 2
    for one, other in zip(whole[0]["weights"], restarted[0]["weights"]):
        numpy.testing.assert_allclose(other, one, atol=1e-6)


def test_what_a_failing_worker_printed_is_told(tmp_path):
    with pytest.raises(WorkerFailed, match="ended with code 1") as caught:
        run(tmp_path, "raise ValueError('no data')", 1)
    assert "ValueError: no data" in caught.value.output[caught.value.role]


def test_parameters_without_values_are_refused(tmp_path):
    body = """
net = nn.Dense(3)
net.initialize()
try:
    optim.Trainer(net.collect_params(), "sgd", kvstore=store)
except ValueError as error:
    leave(error=str(error))
"""
    for found in run(tmp_path, body, 2):
        assert "weight has no values yet, so machines would not begin with the same ones" in found["error"]


def test_a_time_limit(tmp_path):
    with pytest.raises(TimeoutError, match=r"not done after 0\.2 seconds: .*worker 0"):
        launch([sys.executable, "-c", "import time; time.sleep(60)"], 1, timeout=0.2, quiet=True)


def test_a_process_alone_is_told_what_is_missing(monkeypatch):
    monkeypatch.delenv("DMLC_ROLE", raising=False)
    with pytest.raises(KVStoreError, match=r"DMLC_ROLE, .* not set\. Run `python -m dopegraph\.parallel"):
        create_store("dist_sync")
    with pytest.raises(ValueError, match="0 workers and 1 servers"):
        launch(["true"], 0)


def test_the_address_is_that_which_reaches_the_hosts():
    assert _address_towards("user@127.0.0.1") == "127.0.0.1"
    with pytest.raises(ValueError, match=r"no way to nowhere\.invalid is known .*; give this machine's address"):
        _address_towards("nowhere.invalid")


def test_the_command_line_and_hosts(tmp_path):
    """An ssh that runs everything here stands for other machines."""
    ssh = tmp_path / "ssh"
    ssh.write_text('#!/bin/sh\necho "$4" >> "$HOSTS_SEEN"\nexec sh -c "$5"\n')
    ssh.chmod(0o755)
    (tmp_path / "hosts").write_text("# mine\nfirst\nsecond\n")
    script = tmp_path / "script.py"
    script.write_text(HEAD.replace("KIND", "'dist'") + "leave(ones=store.sum('x', np.ones(2)).tolist())")
    command = [sys.executable, "-m", "dopegraph.parallel", "-n", "2", "-H", str(tmp_path / "hosts")]
    command += ["--address", "127.0.0.1", "--timeout", str(SECONDS), str(script), str(tmp_path)]
    seen = tmp_path / "seen"
    environment = {**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}", "HOSTS_SEEN": str(seen)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert sorted(seen.read_text().split()) == ["first", "first", "second"]
    for rank in range(2):
        assert json.loads((tmp_path / f"{rank}.json").read_text()) == {"ones": [2, 2]}


def test_the_command_line_says_why_it_failed(tmp_path):
    script = tmp_path / "script.py"
    script.write_text("import sys; sys.exit(3)")
    command = [sys.executable, "-m", "dopegraph", "launch", "-n", "1", "--timeout", str(SECONDS), str(script)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 1
    assert "worker 0 ended with code 3" in done.stderr


ASYNCHRONOUS = """
np.random.seed(store.rank)
net = nn.Dense(1, in_units=2)
net.initialize(init.Normal())
trainer = optim.Trainer(net.collect_params(), KIND, {"learning_rate": 0.05}, kvstore=store)
loss = nn.L2Loss()
rng = numpy.random.default_rng(store.rank)
store.barrier()
for step in range(150):
    x = rng.normal(size=(32, 2)).astype("float32")
    with dopegraph.record():
        error = loss(net(np.array(x)), np.array(x @ [2.0, -3.4] + 4.2))
    error.backward()
    trainer.step(32)
refused = []
for wrong in (lambda: trainer.update(1), trainer.allreduce_grads):
    try:
        wrong()
    except ValueError as error:
        refused.append("call step" in str(error))
store.barrier()
trainer.set_learning_rate(0.0)  # then a step only gets what is on the servers
store.barrier()
trainer.step(1)
leave(w=net.weight.data().tolist()[0], b=float(net.bias.data()[0]), refused=refused)
"""


@pytest.mark.parametrize("kind", ["sgd", "adam"])
def test_workers_that_do_not_wait_find_the_weights(kind, tmp_path):
    body = ASYNCHRONOUS.replace("KIND", repr(kind))
    for found in run(tmp_path, body, 2, kind="dist_async"):
        numpy.testing.assert_allclose([*found["w"], found["b"]], [2, -3.4, 4.2], atol=0.05 if kind == "sgd" else 0.3)
        assert found["refused"] == [True, True]


def test_an_optimizer_that_servers_do_not_have(tmp_path):
    body = """
store.init("w", np.ones(2))
told = []
for wrong in (lambda: store.push("w", np.ones(2)), lambda: store.set_optimizer("sgd", momentums=1)):
    try:
        wrong()
    except parallel.KVStoreError as error:
        told.append(str(error))
leave(told=told)
"""
    first, second = run(tmp_path, body, 1, kind="dist_async")[0]["told"]
    assert "begin with set_optimizer" in first
    assert "MXNet makes no sgd with {'momentums': 1}" in second
