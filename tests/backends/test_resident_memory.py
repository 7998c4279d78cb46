"""What `lower(...).memory()` says is what the process takes: the book's CNN, measured in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.backends.codegen.programs import needs_compiler

PROGRAM = """
import sys, numpy
import dopegraph, dopegraph.numpy as np
from dopegraph import nn

def loss_of(params, x, y):
    W1, b1, W2, b2, W3, b3 = params
    h1 = nn.avg_pool(nn.relu(nn.conv(x, W1, b1)), 2)
    h2 = nn.avg_pool(nn.relu(nn.conv(h1, W2, b2)), 2)
    return -np.sum(y * nn.log_softmax(np.dot(h2.reshape(len(x), -1), W3) + b3))

random = numpy.random.default_rng(0)
shapes = [(20, 1, 3, 3), (20,), (50, 20, 5, 5), (50,), (800, 10), (10,)]
params = [np.array(random.standard_normal(shape).astype("float32") * 0.1) for shape in shapes]

@dopegraph.compile
def step(x, y):
    loss, gradients = dopegraph.value_and_grad(loss_of)(params, x, y)
    for param, gradient in zip(params, gradients):
        param -= 0.001 * gradient
    return loss

def status(name):
    return next(int(line.split()[1]) * 1024 for line in open("/proc/self/status") if line.startswith(name))

def run(batch):
    x = np.array(random.random((batch, 1, 28, 28), dtype="float32"))
    y = np.array(numpy.eye(10, dtype="float32")[random.integers(0, 10, batch)])
    report = step.lower(x, y).memory()
    open("/proc/self/clear_refs", "w").write("5")  # the peak starts anew
    before = status("VmRSS")
    for _ in range(3):
        assert numpy.isfinite(float(step(x, y)))
    return status("VmHWM") - before, report.running - report.arguments

with dopegraph.policy(sys.argv[1]):
    run(4)  # whatever is imported late
    print(*run(256))
"""


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="needs Linux's /proc")
@pytest.mark.parametrize("policy", ["only_numpy", pytest.param("prefer_mxnet", marks=needs_compiler)])
def test_peak_memory_is_as_planned(policy):
    # Memory that is freed goes back at once, and the BLAS has no buffers for further threads.
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "MALLOC_MMAP_THRESHOLD_": "65536"}
    command = [sys.executable, "-c", PROGRAM, policy]
    found = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300, env=environment)
    if "Permission denied" in found.stderr or "Read-only" in found.stderr:
        pytest.skip("the peak of resident memory cannot be set back here")
    assert found.returncode == 0, found.stderr
    taken, planned = map(int, found.stdout.split())
    assert taken == pytest.approx(planned, rel=0.1), f"{taken / 2**20:.1f} MB taken, {planned / 2**20:.1f} planned"
