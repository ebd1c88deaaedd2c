# `make demo` and `make test` need nothing but Python 3.11 or newer and a package index.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: demo test check unit corpus browser browser-tests bench install format clean

demo: $(INSTALLED)
	$(BIN)/harness eval --model smollm2-135m --suite full
	@echo "Look again with: $(BIN)/harness runs; $(BIN)/harness show RUN --samples"

test: check unit

check: $(INSTALLED)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

unit: $(INSTALLED)
	$(BIN)/pytest

# Every bad input in a fresh interpreter, and thousands of random ones; a few minutes.
corpus: $(INSTALLED)
	HARNESS_CORPUS_FRESH=1 $(BIN)/pytest tests/corpus

# The pages are tested in a real browser: Debian's, installed where that is possible.
browser:
	@command -v chromium chromium-browser google-chrome >/dev/null || \
	  (command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ] && \
	   apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium >/dev/null) || \
	  echo "no browser: install Chromium, or the tests of the leaderboard's pages are skipped"

browser-tests: $(INSTALLED) browser
	$(BIN)/pytest -m browser tests/leaderboard

bench: $(INSTALLED)
	$(BIN)/python -m benchmarks.against_lm_eval --write

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
