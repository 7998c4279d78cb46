"""Training by machines with addresses of their own: network namespaces, where the system allows to make them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy
import pytest

from dopegraph.backends.mxnet import library
from dopegraph.parallel import launch
from tests.parallel.test_distributed import HEAD, ROOT, SECONDS, TRAINING

pytestmark = pytest.mark.skipif(not library.installed(), reason="the servers are MXNet's")

HERE, HOSTS = "10.213.77.1", {"dgtest-a": "10.213.77.2", "dgtest-b": "10.213.77.3"}
BRIDGE = "dgtest-br"


def ip(*arguments: str) -> bool:
    return subprocess.run(["ip", *arguments], capture_output=True, check=False).returncode == 0


def take_down() -> None:
    for name in HOSTS:
        ip("netns", "del", name)
    ip("link", "del", BRIDGE)


@pytest.fixture
def machines(tmp_path, monkeypatch):
    """Two namespaces behind a bridge, and an ``ssh`` that goes into them."""
    if shutil.which("ip") is None or os.geteuid() != 0:
        pytest.skip("only root makes network namespaces")
    take_down()
    try:
        made = ip("link", "add", BRIDGE, "type", "bridge") and ip("addr", "add", f"{HERE}/24", "dev", BRIDGE)
        made = made and ip("link", "set", BRIDGE, "up")
        for number, (name, address) in enumerate(HOSTS.items()):
            outer = f"dgtest-v{number}"
            made = made and ip("netns", "add", name)
            made = made and ip("link", "add", outer, "type", "veth", "peer", "name", "eth0", "netns", name)
            made = made and ip("link", "set", outer, "master", BRIDGE) and ip("link", "set", outer, "up")
            made = made and ip("-n", name, "addr", "add", f"{address}/24", "dev", "eth0")
            made = made and ip("-n", name, "link", "set", "eth0", "up") and ip("-n", name, "link", "set", "lo", "up")
        reached = made and all(
            subprocess.run(
                ["ip", "netns", "exec", name, sys.executable, "-c", "print(1)"], capture_output=True, check=False
            ).returncode
            == 0
            for name in HOSTS
        )
        if not reached:
            pytest.skip("this system makes no network namespaces")
        ssh = tmp_path / "bin" / "ssh"
        ssh.parent.mkdir()
        ssh.write_text('#!/bin/sh\nexec ip netns exec "$4" sh -c "$5"\n')
        ssh.chmod(0o755)
        monkeypatch.setenv("PATH", f"{ssh.parent}{os.pathsep}{os.environ['PATH']}")
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))
        monkeypatch.setenv("OMP_NUM_THREADS", "1")
        yield list(HOSTS)
    finally:
        take_down()


def addresses() -> str:
    """Python that tells the addresses of the machine it runs on."""
    return (
        "import subprocess\nseen = subprocess.run(['ip', '-4', '-o', 'addr'], capture_output=True, text=True).stdout\n"
    )


def test_two_machines_with_addresses_train_as_one(machines, tmp_path):
    found = {}
    for workers, hosts in ((1, []), (2, machines)):
        folder: Path = tmp_path / str(workers)
        folder.mkdir()
        script = folder / "script.py"
        body = HEAD.replace("KIND", "'dist_sync'") + TRAINING + addresses()
        script.write_text(
            body + "leave(weights=[p.data().tolist() for p in net.collect_params().values()], seen=seen)\n"
        )
        command = [sys.executable, str(script), str(folder)]
        launch(command, workers, workers, hosts, HERE if hosts else None, timeout=SECONDS, quiet=True)
        found[workers] = [json.loads((folder / f"{rank}.json").read_text()) for rank in range(workers)]
    for one, *others in zip(found[1][0]["weights"], *(each["weights"] for each in found[2])):
        for other in others:
            numpy.testing.assert_allclose(other, one, atol=1e-5)
    seen = [[address for address in HOSTS.values() if address in each["seen"]] for each in found[2]]
    assert sorted(seen) == [[address] for address in HOSTS.values()]
