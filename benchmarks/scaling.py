"""How training by `dist_sync` scales with the number of workers on this machine: seconds of a step, and its parts.

    python -m benchmarks.scaling             1, 2 and 4 workers
    python -m benchmarks.scaling 1 2 --steps 50

Each worker has the same part of a batch, so that twice the workers train with twice the examples (weak scaling). The
network is the book's multilayer perceptron, 784-256-256-10: 269,322 parameters.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from statistics import median

import numpy

import dopegraph
import dopegraph.numpy as np
from dopegraph import nn, optim, parallel

PART = 64


def worker(steps: int) -> None:
    """Train, and tell the medians."""
    store = parallel.create_store("dist_sync")
    net = nn.Sequential(prefix="mlp_")
    with net.name_scope():
        net.add(nn.Dense(256, activation="relu", in_units=784), nn.Dense(256, activation="relu", in_units=256))
        net.add(nn.Dense(10, in_units=256))
    net.initialize()
    loss = nn.SoftmaxCrossEntropyLoss()
    trainer = optim.Trainer(net.collect_params(), "sgd", {"learning_rate": 0.01}, kvstore=store)

    @dopegraph.compile
    def gradients(data, label):
        with dopegraph.record():
            losses = loss(net(data), label)
        losses.backward()
        return np.mean(losses)

    data = numpy.random.default_rng(store.rank).normal(size=(PART, 784)).astype("float32")
    label = numpy.arange(PART) % 10
    times: list[tuple[float, float, float]] = []
    for _ in range(steps + 5):
        start = time.perf_counter()
        float(gradients(data, label))
        between = time.perf_counter()
        trainer.allreduce_grads()
        reduced = time.perf_counter()
        trainer.update(PART * store.num_workers)
        times.append((between - start, reduced - between, time.perf_counter() - reduced))
    if store.rank == 0:
        found = {"parameters": sum(one.data().size for one in net.collect_params().values())}
        found["ms"] = [1e3 * median(part) for part in zip(*times[5:])]
        print(json.dumps(found))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workers", nargs="*", type=int, default=[1, 2, 4])
    parser.add_argument("--steps", type=int, default=100)
    chosen = parser.parse_args()
    if os.environ.get("DMLC_ROLE") == "worker":
        worker(chosen.steps)
        return
    print("workers   gradients   sum over workers   update   step    examples a second")
    for count in chosen.workers:
        command = [sys.executable, "-m", "benchmarks.scaling", "--steps", str(chosen.steps)]
        texts = parallel.launch(command, count, timeout=600, quiet=True)
        found = json.loads(next(line for text in texts for line in text.splitlines() if line.startswith("{")))
        gradients, reduced, update = found["ms"]
        step = gradients + reduced + update
        rate = 1e3 * PART * count / step
        print(f"{count:7}   {gradients:6.2f} ms   {reduced:13.2f} ms   {update:3.2f} ms   {step:.2f} ms   {rate:.0f}")


if __name__ == "__main__":
    main()
