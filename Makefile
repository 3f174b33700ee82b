# Every target sets up what it needs: a .venv with pinned dependencies and CPU PyTorch (tools/setup.sh).
# Paths are relative throughout, so that the folder may have spaces or any script's letters in its name.
#   make PYTHON=python3.12          another interpreter          make test WORKERS=8      more test processes
#   make TORCH_INDEX=https://...    another build of PyTorch     make test PYTEST='-k x'  options for pytest
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/bash

PYTHON ?=
TORCH_INDEX ?=
WORKERS ?= 2
PYTEST ?=
export PYTHON TORCH_INDEX

python := .venv/bin/python
ready := .venv/.ready

.PHONY: help setup demo test test-slow lint types check format build constraints clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{ printf "%-20s %s\n", $$1, $$2 }'

setup: $(ready) ## only set up .venv

# The stamp is newer than what decided the contents of .venv; a second run has nothing to do.
$(ready): pyproject.toml constraints.txt tools/setup.sh
	@tools/setup.sh
	@touch $(ready)

demo: $(ready) ## the main job: pretrain, transfer, compare, write a report
	$(python) -m langnet demo

test: $(ready) ## the fast tests (no network)
	$(python) -m pytest -n $(WORKERS) --dist worksteal $(PYTEST)

test-slow: $(ready) ## the slow tests
	$(python) -m pytest -m slow -o faulthandler_timeout=3600 $(PYTEST)

lint: $(ready) ## ruff: rules and format
	$(python) -m ruff check .
	$(python) -m ruff format --check .

types: $(ready) ## mypy
	$(python) -m mypy

check: lint types test ## what has to pass before a commit

format: $(ready) ## let ruff mend what it can
	$(python) -m ruff check --fix .
	$(python) -m ruff format .

build: $(ready) ## the sdist and the wheel, into dist/
	$(python) -m hatchling build

constraints: ## write constraints.txt anew, from the newest releases that fit together
	tools/constraints.sh

clean: ## remove .venv and everything that tools have left
	rm -rf .venv .constraints-venv dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
