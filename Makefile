# Needs python3 (3.11 or later, with venv) and make; everything else is installed into .venv, pinned and verified.
#   make run         simulate five years of the sample census
#   make install     the command, as .venv/bin/planalign; export PATH="$PWD/.venv/bin:$PATH" makes it `planalign`
#   make dev         the developer's tools too: dbt, the tests, the linters
#   make test        every property, on a sample
#   make test-fast   the tests that neither simulate nor start a process: half a minute, for every save
#   make soak        the larger samples: many kills, people and designs, dbt with every design
#   make lint        style, types, imports, SQL, the compiled model
#   make bench       speed and memory (SIZES=1000,10000,100000)
#   make docs        the references in docs/, from the code
#   make model       compile the dbt project into planalign_orchestrator/compiled_model.json
#   make wheel       the archives, in dist/
#   make lock        resolve constraints.txt (to run) and constraints-dev.txt (to develop) anew
# `run`, `install` and `bench` install what a run needs, the others the tools of a developer too (dbt among them).
PYTHON ?= python3
VENV ?= .venv
SIZES ?= 1000,10000,100000
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DEV := $(VENV)/.installed-dev

# With it every child process of the tests would compile the package anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := run
.DELETE_ON_ERROR:
.PHONY: run test test-fast soak lint bench docs model wheel lock install dev clean

run: $(STAMP)
	$(BIN)/planalign run -c config/simulation_config.yaml

test: $(DEV)
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "not soak"

test-fast: $(DEV)
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "not (model or process or dbt or soak)"

soak: $(DEV)
	$(BIN)/python -m pytest -n 2 --dist worksteal -m soak

lint: $(DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy --platform win32 planalign_orchestrator
	$(BIN)/lint-imports --no-cache
	$(BIN)/sqlfluff lint --processes 2 dbt
	$(BIN)/python -m planalign_orchestrator.model.compile --check

bench: $(STAMP)
	$(BIN)/python benchmarks/bench.py --sizes $(SIZES)

docs: $(DEV)
	$(BIN)/python docs/generate.py

model: $(DEV)
	$(BIN)/python -m planalign_orchestrator.model.compile

# The wheel is built from the unpacked source archive, so that it holds nothing which that archive lacks.
wheel: $(DEV)
	rm -rf build dist
	$(BIN)/python -m hatchling build -t sdist -d $(CURDIR)/dist
	mkdir -p build
	tar -xzf dist/*.tar.gz -C build --strip-components 1
	cd build && $(abspath $(BIN))/python -m hatchling build -t wheel -d $(CURDIR)/dist
	rm -rf build

install: $(STAMP)
	@echo 'The command is $(BIN)/planalign; to call it by name: export PATH="$(abspath $(BIN)):$$PATH"'

dev: $(DEV)

$(STAMP): constraints.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "$(PYTHON) is older than 3.11; name another one: make PYTHON=python3.12"; exit 1; }
	@echo "Installing the pinned packages into $(VENV); this takes a few seconds."
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -qq --no-deps --require-hashes -r constraints.txt
	$(BIN)/python -m pip install -qq --no-deps --no-build-isolation -e .
	$(BIN)/python -m pip check
	@touch $@

$(DEV): $(STAMP) constraints-dev.txt
	@echo "Installing the developer's tools into $(VENV); this takes about half a minute."
	$(BIN)/python -m pip install -qq --no-deps --require-hashes -r constraints-dev.txt
	$(BIN)/python -m pip check
	@touch $@

# One resolution for every supported Python and platform, from pyproject.toml alone (no local package settings). What is
# needed to run includes what installs a checkout; the developer's lock keeps those versions.
LOCK = build/lock/bin/uv --no-config pip compile --universal --python-version 3.11 --generate-hashes --no-annotate \
    --no-header --quiet
lock:
	$(PYTHON) -m venv build/lock
	build/lock/bin/python -m pip install -qq --upgrade uv
	$(PYTHON) -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"])' \
	    > build/requirements.in
	{ echo "# What a run needs, for Python 3.11 and later, with hashes; made from pyproject.toml by 'make lock'."; \
	    $(LOCK) pyproject.toml build/requirements.in --extra excel; } > build/constraints.txt
	{ echo "# What a developer needs, in the versions of constraints.txt; made from pyproject.toml by 'make lock'."; \
	    $(LOCK) pyproject.toml --extra dev -c build/constraints.txt; } > build/constraints-dev.txt
	mv build/constraints.txt build/constraints-dev.txt .
	rm -rf build

clean:
	rm -rf $(VENV) build dist .hypothesis .mypy_cache .pytest_cache .ruff_cache
