# Everything happens in .venv, which the first target to need it makes; a stamp in it says what has been installed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
INSTALL := $(PIP) install -qq --constraint constraints.txt

.DEFAULT_GOAL := help
.PHONY: help demo test lint types docs bench mutation coverage build clean

help:  ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) pip
	@touch $@

$(VENV)/.demo: $(VENV)/.python pyproject.toml constraints.txt
	$(INSTALL) --build-constraint constraints.txt --editable '.[demo]'
	@touch $@

$(VENV)/.dev: $(VENV)/.python pyproject.toml constraints.txt
	$(INSTALL) --build-constraint constraints.txt --editable '.[all]' --group dev
	@touch $@ $(VENV)/.demo

demo: $(VENV)/.demo  ## score a real data set with NumPy and every framework that is installed
	$(BIN)/anomaly-kernels demo --output build/demo.png

test: $(VENV)/.dev  ## all tests, one process per array library, with coverage
	$(BIN)/python tests/run.py $(if $(GOLDEN),--golden $(GOLDEN))

lint: $(VENV)/.dev  ## style, spelling, and which module may import what
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/codespell
	$(BIN)/lint-imports

types: $(VENV)/.dev  ## mypy --strict
	$(BIN)/mypy

docs: $(VENV)/.dev  ## the documentation, into build/docs
	$(BIN)/python docs/imports.py --check
	$(BIN)/sphinx-build -W --keep-going --fresh-env --quiet docs build/docs
	@echo "build/docs/index.html"

bench: $(VENV)/.dev  ## speed and memory beside the plain formula and what users would pick instead
	$(BIN)/python -m benchmarks

mutation: $(VENV)/.dev  ## which changes of a formula no test notices
	$(BIN)/python tests/mutation.py

coverage: test  ## the lines that no test ran, as pages
	@echo "build/coverage/html/index.html"

build: $(VENV)/.dev  ## source distribution and wheel, into dist
	$(BIN)/python -m build --outdir dist

clean:  ## remove what was built, and the environment
	rm -rf build dist mutants docs/generated $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
