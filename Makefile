# Two commands: `make demo` and `make test`. Everything goes into .venv; only Python 3 (with venv) and make are needed.

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/ready

# Developers and CI have the data beside the checkout; users have theirs in the cache, or download it.
ifneq ($(wildcard ../shared/data/mnist),)
export DOPEGRAPH_DATA ?= $(abspath ../shared/data)
endif

.PHONY: demo test lint pytest conformance fuzz soak bench clean

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

bench: $(READY)
	$(BIN)/python -m benchmarks.mlp_step
	$(BIN)/python -m benchmarks.cnn_step
	$(BIN)/python -m benchmarks.small_calls
	$(BIN)/python -m benchmarks.eager
	$(BIN)/python -m benchmarks.recording

$(READY): setup.py pyproject.toml dopegraph/version.py
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip setuptools wheel
	$(BIN)/python -m pip install --quiet --editable '.[mxnet,examples,test]'
	$(BIN)/python -m dopegraph setup || echo "MXNet could not be installed; everything runs on NumPy"
	touch $(READY)

clean:
	rm -rf $(VENV) build dist demo *.egg-info
