# `make demo` and `make test` need nothing but Python 3.11 or newer and a package index.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: demo test check unit corpus faults workers recordings browser bench gpu vllm llamacpp docs install format clean

demo: $(INSTALLED)
	$(BIN)/harness eval --model smollm2-135m --suite full
	@echo "Look again with: $(BIN)/harness runs; $(BIN)/harness show RUN --samples"
	@echo "Look at it in a browser with: $(BIN)/harness leaderboard"

test: check unit

check: $(INSTALLED)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

# A process a core (four at most, each takes a gigabyte), and one thread in each, so that they don't wait for each other.
# They start hundreds of others, each of which would compile the project where PYTHONDONTWRITEBYTECODE is set.
unit: $(INSTALLED) browser
	$(BIN)/python -m compileall -q -j 0 harness leaderboard probes suites
	OMP_NUM_THREADS=1 $(BIN)/pytest --numprocesses logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder

# Every bad input in a fresh interpreter, thousands of random ones, and every program of HumanEval; a few minutes.
corpus: $(INSTALLED)
	HARNESS_CORPUS_FRESH=1 $(BIN)/pytest tests/corpus tests/suites/test_code.py

# Every fault of docs/reliability.md, many times over: minutes. `make test` tries a few of each.
faults: $(INSTALLED)
	OMP_NUM_THREADS=1 HARNESS_FAULTS=all $(BIN)/pytest tests/faults

# 20 random kills of workers, and a cluster whose machines differ, all by Ray on this machine: minutes.
workers: $(INSTALLED)
	OMP_NUM_THREADS=1 HARNESS_FAULTS=workers $(BIN)/pytest tests/faults/test_workers.py tests/faults/test_machines.py

# Recordings in four more languages and a larger Whisper: 220 MB to fetch. `make test` tries the English ones.
recordings: $(INSTALLED)
	HARNESS_RECORDINGS=all $(BIN)/pytest tests/data/test_recordings.py tests/media/test_whisper.py tests/contracts/test_registered.py

# The tests of the leaderboard look at it in Chromium: Debian's, installed here where that is allowed.
browser:
	@{ command -v chromium || command -v chromium-browser || command -v google-chrome; } >/dev/null \
	|| { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null \
	     && apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null; } \
	|| echo "No Chromium, so the tests in a browser are skipped (under CI=true they fail): install Debian's chromium"

# The documentation as a site in build/site, with search; a dead link or a page outside the menu is an error.
docs: $(INSTALLED)
	$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going docs build/site
	@echo "Open build/site/index.html"

bench: $(INSTALLED)
	$(BIN)/python -m benchmarks.against_lm_eval --write
	$(BIN)/python -m benchmarks.pictures --write
	$(BIN)/python -m benchmarks.replicas --write
	$(BIN)/python -m benchmarks.replay --write

# On a machine with an NVIDIA GPU: a few minutes, no hub, no trained weights. Without one, what can be tried on the processor.
gpu: $(INSTALLED)
	$(BIN)/pytest tests/gpu
	$(BIN)/python -m benchmarks.gpu

# vLLM, as a server and as an engine, against our own engine; its answers are kept for `make test`. It needs a virtual
# environment of its own, since its versions differ from ours: HARNESS_VLLM is the interpreter of one that has both.
vllm: $(INSTALLED)
	@test -n "$(HARNESS_VLLM)" || { echo "Set HARNESS_VLLM to the python of a virtual environment with vllm and this package"; exit 2; }
	HARNESS_VLLM=$(HARNESS_VLLM) $(BIN)/pytest tests/engine/vllm

# llama.cpp, which serves a GGUF file, against our own engine; its answers are kept for `make test`.
llamacpp: $(INSTALLED)
	$(BIN)/pip install --quiet --constraint constraints.txt xllamacpp
	HARNESS_LLAMACPP=$(BIN)/python $(BIN)/pytest tests/engine/llamacpp

format: $(INSTALLED)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

install: $(INSTALLED)

$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --constraint constraints.txt pip
	$(BIN)/pip install --quiet --constraint constraints.txt --editable . --group dev
	touch $@

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis
