# Rollbook's verbs. Needs GNU make, git and Python >= 3.11; everything else is set up in .venv. `make help` lists them.
# Set-up writes to standard error, so that what a target prints on standard output is the target's own.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install
ARGS ?=

.PHONY: help setup setup-dev demo year test properties check format lock bench chaos soak docs clean

help: ## List the verbs
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1|\2/' | column -t -s '|'

.venv/created:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
	  echo "Rollbook needs Python 3.11 or newer; $$($(PYTHON) --version 2>&1) was found. Name another: make PYTHON=python3.12" >&2
	  exit 1
	}
	@echo "Setting up .venv ..." >&2
	$(PYTHON) -m venv .venv >&2
	touch $@

.venv/runtime: requirements/runtime.lock requirements/build.lock pyproject.toml | .venv/created
	@echo "Installing what Rollbook runs on ..." >&2
	$(PIP) --require-hashes -r requirements/build.lock >&2
	$(PIP) --require-hashes -r requirements/runtime.lock >&2
	$(PIP) --no-deps --no-build-isolation --editable . >&2
	touch $@

.venv/development: requirements/dev.lock .venv/runtime
	@echo "Installing what Rollbook is developed with ..." >&2
	$(PIP) --require-hashes -r requirements/dev.lock >&2
	touch $@

setup: .venv/runtime ## Set up .venv with everything Rollbook runs on

setup-dev: .venv/development ## Set up everything for development, a browser included
	@tools/browser.sh >&2

year: setup-dev ## A school year played day by day on an emulated tenant, with its log
	@$(BIN)/python -m pytest --quiet --capture no tests/scenarios/test_school_year.py

demo: .venv/runtime ## Sync a school into an emulated Microsoft 365 (ARGS="--help" lists the options)
	@exec $(BIN)/rollbook demo $(ARGS)

check: .venv/development ## Format, lint, types, import contracts, sizes
	@echo "check: format"; $(BIN)/ruff format --check --quiet . || { echo "Run: make format" >&2; exit 1; }
	echo "check: lint"; $(BIN)/ruff check --quiet .
	echo "check: types"; $(BIN)/mypy
	echo "check: import contracts"; $(BIN)/lint-imports --no-cache
	echo "check: sizes and words"; $(BIN)/python -m tools.sizes src tests tools bench chaos soak
	echo "check: nothing of this machine"; $(BIN)/python -m tools.leaks
	echo "check: migrations"; ROLLBOOK_HOME=$$(mktemp -d) DJANGO_SETTINGS_MODULE=rollbook.store.settings \
	  $(BIN)/python -m django makemigrations --check --dry-run --verbosity 0

test: setup-dev ## Every check and every test, in parallel
	@$(MAKE) check
	$(MAKE) docs
	$(BIN)/python -m pytest --numprocesses 2 --dist worksteal $(ARGS)

properties: setup-dev ## Properties over random schools, profiles and tenants, with 40 times the examples (ARGS="100" for another factor)
	@ROLLBOOK_EXAMPLES="$(or $(ARGS),40)" $(BIN)/python -m pytest --numprocesses 2 --timeout 7200 $$(grep -rl "import examples" tests)

format: .venv/development ## Format and fix what can be fixed
	@$(BIN)/ruff format --quiet .
	$(BIN)/ruff check --fix --quiet .

lock: .venv/development ## Lock the newest versions that pyproject.toml allows, without any address
	@tools/lock.sh

bench: .venv/development ## Measure against bounds of the same run (ARGS="import --json" for one area)
	@exec $(BIN)/python -m bench $(ARGS)

chaos: .venv/development ## Faults, kills and cut connections on an emulated tenant (ARGS="--hours 1"; --seed NAME plays one again)
	@exec $(BIN)/python -m chaos $(ARGS)

soak: .venv/development ## 200 tenants on PostgreSQL, three workers that are killed, edits that flow (ARGS="--tenants 20 --seconds 30")
	@exec $(BIN)/python -m soak $(ARGS)

docs: .venv/development ## Check that links in the documentation lead somewhere
	@echo "docs: links"; $(BIN)/python -m tools.links

clean: ## Remove .venv and caches (the demo's state in .rollbook stays)
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	echo "Removed .venv and caches; .rollbook, the demo's state, stays."
