# `make demo` runs the main job, `make test` runs the checks. Both install what they need.
.PHONY: demo test test-all test-matrix fuzz lint bench bench-local clean

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready

$(READY): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt torch==2.13.0
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[all,dev]'
	touch $(READY)

demo: $(READY)
	@$(BIN)/ftbridge demo

test: $(READY) lint
	$(BIN)/python -m pytest

test-all: export FTBRIDGE_EVERY_CASE = 1
test-all: export FTBRIDGE_POWER_CUTS = 1
test-all: test

# The property tests with new random inputs, and many more of them; what fails is printed as a case to keep.
fuzz: export FTBRIDGE_FUZZ = 1
fuzz: $(READY)
	$(BIN)/python -m pytest --timeout 3000 $$(grep -rlE '^from hypothesis import .*given' tests)

test-matrix:
	.ci/test-matrix

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(READY)
	$(BIN)/python tests/bench/bench_dataset.py
	$(BIN)/python tests/bench/bench_imports.py
	$(BIN)/python tests/bench/bench_compare.py
	$(BIN)/python tests/bench/bench_watch.py
	$(BIN)/python tests/bench/bench_ledger.py

bench-local: $(READY)
	$(BIN)/python tests/bench/bench_local.py
	$(BIN)/python tests/bench/bench_replies.py
	$(BIN)/python tests/bench/bench_distillation.py

clean:
	rm -rf .venv .venv-matrix build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
