# Needs python3 (3.11 or later, with venv) and make; everything else is installed into .venv, pinned and verified.
#   make run         simulate five years of the sample census
#   make install     the command, as .venv/bin/planalign; export PATH="$PWD/.venv/bin:$PATH" makes it `planalign`
#   make test        every test;  make test-fast  those that take seconds
#   make lint        style, types, imports, SQL
#   make bench       speed and memory (SIZES=1000,10000,100000)
#   make docs        the references in docs/, from the code
#   make wheel       the archives, in dist/
#   make lock        resolve constraints.txt anew
PYTHON ?= python3
VENV ?= .venv
SIZES ?= 1000,10000,100000
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

# With it every child process of the tests would compile the package anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := run
.DELETE_ON_ERROR:
.PHONY: run test test-fast lint bench docs wheel lock install clean

run: $(STAMP)
	$(BIN)/planalign run -c config/simulation_config.yaml

test: $(STAMP)
	$(BIN)/python -m pytest -n 2 --dist loadgroup

test-fast: $(STAMP)
	$(BIN)/python -m pytest -n 2 --dist loadgroup -m "not slow"

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy --platform win32 planalign_orchestrator
	$(BIN)/lint-imports --no-cache
	$(BIN)/sqlfluff lint --processes 2 dbt

bench: $(STAMP)
	$(BIN)/python benchmarks/bench.py --sizes $(SIZES)

docs: $(STAMP)
	$(BIN)/python docs/generate.py

# The wheel is built from the unpacked source archive, so that it holds nothing which that archive lacks.
wheel: $(STAMP)
	rm -rf build dist
	$(BIN)/python -m hatchling build -t sdist -d $(CURDIR)/dist
	mkdir -p build
	tar -xzf dist/*.tar.gz -C build --strip-components 1
	cd build && $(abspath $(BIN))/python -m hatchling build -t wheel -d $(CURDIR)/dist
	rm -rf build

install: $(STAMP)
	@echo 'The command is $(BIN)/planalign; to call it by name: export PATH="$(abspath $(BIN)):$$PATH"'

$(STAMP): constraints.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "$(PYTHON) is older than 3.11; name another one: make PYTHON=python3.12"; exit 1; }
	@echo "Installing the pinned packages into $(VENV); this takes about half a minute."
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -qq --no-deps --require-hashes -r constraints.txt
	$(BIN)/python -m pip install -qq --no-deps --no-build-isolation -e .
	$(BIN)/python -m pip check
	@touch $@

# One resolution for every supported Python and platform, from pyproject.toml alone (no local package settings).
lock:
	$(PYTHON) -m venv build/lock
	build/lock/bin/python -m pip install -qq --upgrade uv
	build/lock/bin/uv --no-config pip compile pyproject.toml --extra dev --universal --python-version 3.11 \
	    --generate-hashes --no-annotate --no-header --quiet -o build/resolved.txt
	{ echo "# Every package of the 'dev' extra for Python 3.11 and later, with hashes; made from pyproject.toml by 'make lock'."; \
	    cat build/resolved.txt; } > build/constraints.txt
	mv build/constraints.txt constraints.txt
	rm -rf build

clean:
	rm -rf $(VENV) build dist .hypothesis .mypy_cache .pytest_cache .ruff_cache
