# Two commands: `make demo` and `make test`. Everything goes into .venv; only Python 3 (with venv) and make are needed.

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/ready

# Developers and CI have the data beside the checkout; users have theirs in the cache, or download it.
ifneq ($(wildcard ../shared/data/mnist),)
export DOPEGRAPH_DATA ?= $(abspath ../shared/data)
endif

.PHONY: demo test lint pytest conformance fuzz soak bench book old-python clean

demo: $(READY)
	$(BIN)/python -m examples.demo

test: lint pytest

pytest: $(READY)
	$(BIN)/python -m pytest $(PYTEST)

# Many drawn calls of every function, compared with NumPy; `python -m tests.numpy.conformance NAME` shows one in groups.
conformance: $(READY)
	DOPEGRAPH_EXAMPLES=300 $(BIN)/python -m pytest tests/numpy/conformance

# Random programs with and without `compile`, until two differ: `make fuzz N=20000 SEED=3`.
N    ?= 20000
SEED ?= 0
fuzz: $(READY)
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.fuzz $(N) --seed $(SEED)

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python setup.py -q build_py
	cd build/lib && ../../$(BIN)/mypy --config-file ../../pyproject.toml --follow-imports silent -p dopegraph.ir -p dopegraph.passes -p dopegraph.autodiff -p dopegraph.batching
	cd build/lib && ../../$(BIN)/lint-imports --config ../../pyproject.toml

# A million calls, a thousand programs: memory stays flat, caches within their bounds.
soak: $(READY)
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.soak

# Every chapter of the book in full, and the table of examples/README.md: `make book`, or `make book ONLY=perceptron`;
# `make book BOOK=--quick` runs a few steps of each and writes nothing.
ONLY ?=
BOOK ?=
book: $(READY)
	OMP_NUM_THREADS=1 $(BIN)/python -m examples.book --only "$(ONLY)" $(BOOK)

# Every model against every peer (`pip install -e .[bench]` for them): `make bench BENCH="mlp lstm --blocks 3"` for some.
BENCH ?=
bench: $(READY)
	$(BIN)/python -m benchmarks $(BENCH)
	$(BIN)/python -m benchmarks.memory
	$(BIN)/python -m benchmarks.small_calls
	$(BIN)/python -m benchmarks.eager
	$(BIN)/python -m benchmarks.recording
	$(BIN)/python -m benchmarks.overfitting

$(READY): setup.py pyproject.toml dopegraph/version.py
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip setuptools wheel
	$(BIN)/python -m pip install --quiet --editable '.[mxnet,examples,test]'
	$(BIN)/python -m dopegraph setup || echo "MXNet could not be installed; everything runs on NumPy"
	touch $(READY)

# MXNet as pip installs it, on a Python and a NumPy of its time: exported symbols are loaded there, where it is.
OLD_PYTHON ?= $(firstword $(wildcard $(HOME)/.pyenv/versions/3.9.*/bin/python $(HOME)/.pyenv/versions/3.10.*/bin/python) python3.9)
old-python:
	$(OLD_PYTHON) -m venv .venv-old
	.venv-old/bin/python -m pip install --quiet "numpy<1.24" requests "graphviz<0.9"
	.venv-old/bin/python -m pip install --quiet --no-deps mxnet==1.9.1

clean:
	rm -rf $(VENV) .venv-old build dist demo *.egg-info
