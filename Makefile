# Cordboard's tasks. `make help` lists them; nothing but Python 3.11+ is needed first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)

.DEFAULT_GOAL := help
.PHONY: help run test check lint types imports proto proto-check proto-breaking format clean lock

help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

# The environment: uv by hash, then everything else by uv, by hash. The stamp is newer than what it was made from.
$(VENV)/uv.stamp: requirements/uv.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/uv.txt
	@touch $@

$(VENV)/dev.stamp: $(VENV)/uv.stamp requirements/dev.txt pyproject.toml
	VIRTUAL_ENV=$(VENV) uv pip sync --quiet --require-hashes requirements/dev.txt
	VIRTUAL_ENV=$(VENV) uv pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

lock: $(VENV)/uv.stamp ## Pin the dependencies anew, with hashes
	uv pip compile --quiet --generate-hashes --no-header --no-annotate requirements/uv.in -o requirements/uv.txt
	uv pip compile --quiet --generate-hashes --no-header --no-annotate pyproject.toml -o requirements/run.txt
	uv pip compile --quiet --generate-hashes --no-header --no-annotate pyproject.toml --group dev -o requirements/dev.txt

test: check ## Set up, then run every test and check
	pytest -q -n 2

check: $(VENV)/dev.stamp lint types imports ## Lint, types, import rules

lint: $(VENV)/dev.stamp
	ruff check .
	ruff format --check .

types: $(VENV)/dev.stamp
	mypy

imports: $(VENV)/dev.stamp
	lint-imports

format: $(VENV)/dev.stamp ## Format the code and the protos
	ruff format .
	ruff check --fix .
