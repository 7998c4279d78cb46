"""Starts a program as several workers, with the servers and the scheduler that they train with.

    python -m dopegraph.parallel -n 2 -s 1 script.py ...

In the script, ``optim.Trainer(..., kvstore="dist_sync")`` sums gradients over the workers. When a worker ends badly,
all others are ended, as they would wait for it for ever. Processes and their variables are those of MXNet's ps-lite
(Li et al., *Scaling Distributed Machine Learning with the Parameter Server*, 2014).
"""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from typing import IO, Any

SERVER = ["-m", "dopegraph.parallel.server"]


class WorkerFailed(RuntimeError):
    """A process of distributed training ended badly; the others have been ended, too.

    Attributes
    ----------
    role : str
        Such as ``"worker 1"``.
    code : int
        Its exit code; negative, the number of a signal.
    output : dict of str
        What each worker printed.
    """

    def __init__(self, role: str, code: int, output: Mapping[str, str]) -> None:
        self.role, self.code, self.output = role, code, output
        how = f"was ended by signal {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
        super().__init__(
            f"{role} {how}; the other processes have been ended, as they would wait for it. "
            "Start them again: what the script saved is there"
        )


def launch(
    command: Sequence[str],
    workers: int,
    servers: int = 1,
    hosts: Sequence[str] = (),
    address: str | None = None,
    timeout: float | None = None,
    quiet: bool = False,
) -> list[str]:
    """Run a command as several workers, and wait for them.

    Parameters
    ----------
    command : sequence of str
        Such as ``[sys.executable, "script.py"]``.
    workers, servers : int
    hosts : sequence of str
        Names for ``ssh``, which get servers and workers in turn, in the same folder; by default all are on this
        machine.
    address : str, optional
        Of this machine, where the scheduler is: by default that from which the first host is reached, or 127.0.0.1.
    timeout : float, optional
        Seconds after which all are ended.
    quiet : bool
        Whether what workers print is not shown.

    Returns
    -------
    list of str
        What each worker printed.

    Raises
    ------
    WorkerFailed
        When one of the processes ended badly.
    TimeoutError
        When they did not end in time.
    """
    if workers < 1 or servers < 1:
        raise ValueError(f"launch: {workers} workers and {servers} servers; at least one of each is needed")
    uri = address or (_address_towards(hosts[0]) if hosts else "127.0.0.1")
    common = {
        "DMLC_PS_ROOT_URI": uri,
        "DMLC_PS_ROOT_PORT": str(_free_port()),
        "DMLC_NUM_WORKER": str(workers),
        "DMLC_NUM_SERVER": str(servers),
    }
    started = _Processes(quiet)
    try:
        started.start("scheduler", [sys.executable, *SERVER], {**common, "DMLC_ROLE": "scheduler"}, None)
        for number in range(servers):
            host = hosts[number % len(hosts)] if hosts else None
            started.start(f"server {number}", [sys.executable, *SERVER], {**common, "DMLC_ROLE": "server"}, host)
        for number in range(workers):
            host = hosts[number % len(hosts)] if hosts else None
            started.start(f"worker {number}", list(command), {**common, "DMLC_ROLE": "worker"}, host)
        started.wait(timeout)
    finally:
        started.end()
    return [text for role, text in started.output().items() if role.startswith("worker")]


class _Processes:
    """Processes by their roles, and what they print."""

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet
        self._running: dict[str, subprocess.Popen[str]] = {}
        self._lines: dict[str, list[str]] = {}
        self._readers: list[threading.Thread] = []

    def start(self, role: str, command: list[str], variables: Mapping[str, str], host: str | None) -> None:
        environment = {**os.environ, **variables}
        if host is not None:
            settings = [f"{name}={shlex.quote(value)}" for name, value in variables.items()]
            there = f"cd {shlex.quote(os.getcwd())} && exec env {' '.join(settings)} {shlex.join(command)}"
            # With a terminal of its own, the process there ends with the one here.
            command = ["ssh", "-tt", "-o", "BatchMode=yes", host, there]
        process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._running[role] = process
        self._lines[role] = []
        reader = threading.Thread(target=self._read, args=(role, process.stdout), daemon=True)
        reader.start()
        self._readers.append(reader)

    def _read(self, role: str, stream: IO[str] | Any) -> None:
        for line in stream:
            self._lines[role].append(line)
            if not self._quiet:
                print(f"[{role}] {line}", end="", flush=True)

    def output(self) -> dict[str, str]:
        for reader in self._readers:
            reader.join(5)
        return {role: "".join(lines) for role, lines in self._lines.items()}

    def wait(self, timeout: float | None) -> None:
        """Until all workers have ended well, or one process badly."""
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            codes = {role: process.poll() for role, process in self._running.items()}
            # A worker first: a server that misses it may have ended, too.
            for role, code in sorted(codes.items(), key=lambda item: not item[0].startswith("worker")):
                if code:
                    self.end()
                    raise WorkerFailed(role, code, self.output())
            if all(code == 0 for role, code in codes.items() if role.startswith("worker")):
                return
            if end is not None and time.monotonic() > end:
                self.end()
                raise TimeoutError(f"launch: not done after {timeout} seconds: {_waiting(codes)}")
            time.sleep(0.05)

    def end(self) -> None:
        """End what still runs; servers get a moment to end by themselves."""
        patience = time.monotonic() + 2
        done = all(process.poll() == 0 for role, process in self._running.items() if role.startswith("worker"))
        for process in self._running.values():
            while done and process.poll() is None and time.monotonic() < patience:
                time.sleep(0.05)
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _waiting(codes: Mapping[str, int | None]) -> str:
    return ", ".join(role for role, code in codes.items() if code is None)


def _address_towards(host: str) -> str:
    """The address with which this machine would speak to another one; nothing is sent."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect((host.rpartition("@")[2], 9))
            found: str = probe.getsockname()[0]
            return found
    except OSError as cause:
        raise ValueError(f"launch: no way to {host} is known ({cause}); give this machine's address") from cause


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("", 0))
        port: int = probe.getsockname()[1]
        return port


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command line."""
    parser.add_argument("-n", "--num-workers", type=int, required=True, metavar="N")
    parser.add_argument("-s", "--num-servers", type=int, default=1, metavar="N")
    parser.add_argument("-H", "--hostfile", metavar="FILE", help="names for ssh, one a line; by default this machine")
    parser.add_argument("--address", help="of this machine, for the others")
    parser.add_argument("--timeout", type=float, metavar="SECONDS")
    parser.add_argument("script", help="a Python script")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, metavar="...", help="arguments of the script")


def run(chosen: argparse.Namespace) -> int:
    """Do what the options say; the exit code is 1 when a process ended badly."""
    hosts: list[str] = []
    if chosen.hostfile:
        with open(chosen.hostfile, encoding="utf-8") as file:
            hosts = [line.strip() for line in file if line.strip() and not line.startswith("#")]
    command = [sys.executable, chosen.script, *chosen.arguments]
    try:
        launch(command, chosen.num_workers, chosen.num_servers, hosts, chosen.address, chosen.timeout)
    except (WorkerFailed, TimeoutError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description="Run a script as several workers.")
    add_arguments(parser)
    return run(parser.parse_args(arguments))
