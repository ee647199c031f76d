# Everything here needs Python 3.11 or newer and make; the rest is set up in .venv, from the lock.
#   make verify                       run every fence of the guidance
#   make verify SERVER=container      on another server (or SERVER=postgresql://user:pw@host/db)
#   make verify K=pool REPORT=r.json  only what matches, with a JSON report
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

SERVER ?=
IMAGE ?=
ADAPTER ?=
REPORT ?=
K ?=
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help verify test lint format lock bench-engine image clean

help: ## List the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

verify: $(READY) ## Run every fence of skills/ (SERVER=, IMAGE=, ADAPTER=, REPORT=, K=)
	@$(BIN)/proveskill verify . \
		$(if $(SERVER),--server '$(SERVER)') $(if $(IMAGE),--image '$(IMAGE)') \
		$(if $(ADAPTER),--adapter '$(ADAPTER)') $(if $(REPORT),--report '$(REPORT)') \
		$(if $(K),-k '$(K)') $(ARGS)

test: $(READY) ## Run every test of engine, servers, guidance and packaging
	@$(BIN)/python -m pytest $(if $(K),-k '$(K)') $(ARGS)

lint: $(READY) ## Check style (ruff) and types (mypy, strict)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: $(READY) ## Format the code
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

bench-engine: $(READY) ## Compare the engine with pytest functions, Sybil and pytest-markdown-docs
	@$(BIN)/python benchmarks/engine.py $(ARGS)

image: $(READY) ## Make a local PostgreSQL + pgvector image without a registry (for container tests)
	@$(BIN)/python tests/servers/make_image.py

lock: $(READY) ## Write requirements.lock anew from pyproject.toml
	@$(BIN)/python -m pip install --quiet uv
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
		--no-annotate --upgrade --extra pack --extra dev pyproject.toml -o requirements.lock

$(READY): requirements.lock pyproject.toml
	@if [ -z "$(PYTHON)" ]; then \
		echo "error: no Python 3.11 or newer found (python3 is $$(python3 -V 2>&1)):" \
			"install one, or name it: make PYTHON=/path/to/python3.12 ..." >&2; exit 2; fi
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "error: $(PYTHON) is $$($(PYTHON) -V 2>&1), but 3.11 or newer is needed:" \
			"make PYTHON=/path/to/python3.12 ..." >&2; exit 2; }
	@echo "setting up $(VENV) with $$($(PYTHON) -V) (once, about a minute)" >&2
	@$(PYTHON) -m venv --clear $(VENV) || { \
		echo "error: $(PYTHON) -m venv failed; on Debian: apt-get install python3-venv" >&2; exit 2; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

clean: ## Remove .venv, caches and reports
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache build dist report.json
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
