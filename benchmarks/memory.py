"""Peak resident memory of a step of the book's CNN, beside JAX, PyTorch and Gluon; a deep network under budgets.

    python -m benchmarks.memory [--batch 256] [--steps 3]

Each runs in a process of its own. Counted is what the process takes at most above what it had when libraries were
imported, data were there, and a step with a batch of 8 had been compiled and run.
"""

from __future__ import annotations

import argparse
import functools
import json
import multiprocessing
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from benchmarks.machine import machine
from benchmarks.models import cnn
from benchmarks.report import FOLDER, duration

SMALL = 8
DEPTH, WIDTH, WIDER = 24, 64, 32  # of the deep network; its batch is so many times larger
BUDGETS = (0.6, 0.4)  # of what our plan takes without one


def deep(np: Any, nn: Any, params: Any, x: Any) -> Any:
    """Layers of tanh: what backward reads of each is its result."""
    for w in params:
        x = np.tanh(np.dot(x, w))
    return np.sum(x * x)


def ours(
    batch: int, policy: str = "prefer_mxnet", codegen: str = "auto", share: float = 1, is_deep: bool = False
) -> tuple[Callable[[], float], int]:
    """A step, and the bytes its plan needs besides arguments."""
    import dopegraph
    import dopegraph.numpy as np
    from benchmarks.data import normal
    from dopegraph import nn

    loss_of = deep if is_deep else cnn.naive
    arrays = [normal(f"deep{n}", WIDTH, WIDTH, scale=0.1) for n in range(DEPTH)] if is_deep else cnn.parameters()
    params = [np.array(array) for array in arrays]
    given = [np.array(array) for array in ([normal("deep", batch * WIDER, WIDTH)] if is_deep else batch_of(batch))]

    def update(*given: Any) -> Any:
        loss, gradients = dopegraph.value_and_grad(lambda params: loss_of(np, nn, params, *given))(params)
        for param, gradient in zip(params, gradients):
            param -= 0.0005 * gradient
        return loss

    with dopegraph.policy(policy), dopegraph.codegen(codegen):
        report = dopegraph.compile(update).lower(*given).memory()
        budget = round(report.planned * share) if share < 1 else None
        function = dopegraph.compile(update, memory=budget)
        if budget is not None:
            report = function.lower(*given).memory()

    def step() -> float:
        with dopegraph.policy(policy), dopegraph.codegen(codegen):
            return float(function(*given))

    return step, report.running - report.arguments


def batch_of(batch: int, as_labels: bool = False) -> list[Any]:
    """Images and one-hot rows, or integers."""
    from benchmarks.data import labels, one_hot, uniform

    classes = labels("cnn", batch, 10)
    cnn.BATCH = batch  # the naive code flattens images with it
    return [uniform("cnn", batch, 1, 28, 28), classes if as_labels else one_hot(classes, 10)]


def peer(batch: int, name: str) -> tuple[Callable[[], float], int]:
    """A step of another library."""
    import dataclasses

    data = functools.partial(batch_of, batch)
    with_labels = functools.partial(batch_of, batch, True)
    data()
    model = dataclasses.replace(cnn.MODEL, data=data, torch_data=with_labels, gluon_data=with_labels)
    return model.contestants()[name](), 0


CONTESTANTS: dict[str, Callable[[int], tuple[Callable[[], float], int]]] = {
    "dopegraph": ours,
    "dopegraph, MXNet symbols": functools.partial(ours, codegen="never"),
    "dopegraph, NumPy": functools.partial(ours, policy="only_numpy"),
    "JAX jit": functools.partial(peer, name="JAX jit"),
    "PyTorch": functools.partial(peer, name="PyTorch"),
    "Gluon hybridized": functools.partial(peer, name="Gluon hybridized"),
    **{
        f"{DEPTH} layers of tanh, {kind}{f', {share:.0%} of that' if share < 1 else ''}": functools.partial(
            ours, policy=policy, share=share, is_deep=True
        )
        for kind, policy in (("NumPy", "only_numpy"), ("C kernels", "prefer_mxnet"))
        for share in (1, *BUDGETS)
    },
}


def measure(make: Callable[[int], Any], batch: int, steps: int, pipe: Connection) -> None:
    """In a process of its own: bytes taken, bytes planned, the median time of a step in microseconds, the loss."""
    try:
        step, _ = make(SMALL)
        for _ in range(2):
            step()
        step, planned = make(batch)
        with open("/proc/self/clear_refs", "w", encoding="ascii") as file:
            file.write("5")  # the peak starts anew
        before = status("VmRSS")
        times, loss = [], 0.0
        for _ in range(steps):
            start = time.perf_counter()
            loss = step()
            times.append((time.perf_counter() - start) * 1e6)
        pipe.send((status("VmHWM") - before, planned, sorted(times)[len(times) // 2], loss))
    except Exception as reason:
        pipe.send(f"{type(reason).__name__}: {(str(reason).splitlines() or [''])[0]}")


def status(name: str) -> int:
    """A number of bytes from Linux's account of this process."""
    with open("/proc/self/status", encoding="ascii") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith(name))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--only", default="", help="contestants, separated by semicolons")
    chosen = parser.parse_args()
    wanted = [name.strip() for name in chosen.only.split(";")] if chosen.only else list(CONTESTANTS)
    context = multiprocessing.get_context("spawn")
    print(f"CNN of the scratch chapter, batch {chosen.batch}; {machine()['processor']}\n")
    print("| | peak, MB | planned, MB | a step | loss |\n|---|---:|---:|---:|---:|")
    rows: dict[str, Any] = {}
    for name in wanted:
        mine, theirs = context.Pipe()
        process = context.Process(target=measure, args=(CONTESTANTS[name], chosen.batch, chosen.steps, theirs))
        process.start()
        theirs.close()
        try:
            found = mine.recv()
        except EOFError:
            found = "its process ended"
        process.join()
        rows[name] = found
        if isinstance(found, str):
            print(f"| {name} | failed: {found.replace('|', '/')} | | | |", flush=True)
            continue
        taken, planned, microseconds, loss = found
        shown = f"{planned / 2**20:.0f}" if planned else "-"
        print(f"| {name} | {taken / 2**20:.0f} | {shown} | {duration(microseconds)} | {loss:.5g} |", flush=True)
    if not chosen.only:
        FOLDER.mkdir(exist_ok=True)
        content = {"machine": machine(), "batch": chosen.batch, "columns": "taken, planned, us, loss", "memory": rows}
        (FOLDER / "memory.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
