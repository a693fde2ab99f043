# One folder, .venv, holds everything; every target makes what it needs.
SHELL := /bin/bash
PY := .venv/bin/python
LOCK := requirements.lock
# Files of tests are shared out among processes; one file stays in one, with the servers that its tests share.
JOBS ?= 2
# The tests start hundreds of interpreters: what one has compiled, the others need not.
unexport PYTHONDONTWRITEBYTECODE
SHARED := -n $(JOBS) --dist loadfile

.PHONY: install demo test test-all check conformance fuzz sbom audit bench soak lock schemas clean

install: .venv/installed

.venv/installed: pyproject.toml $(LOCK) scripts/install.sh
	@bash scripts/install.sh
	@touch $@

demo: install
	@$(PY) -m proxy_guard demo

test: install
	@$(PY) -m pytest -m "not slow" $(SHARED)

test-all: install
	@$(PY) -m pytest $(SHARED)

check: install
	@.venv/bin/ruff format --check .
	@.venv/bin/ruff check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports
	@$(PY) -m proxy_guard test

conformance: install
	@$(PY) -m pytest tests/conformance -rs

# Each target in turn, for FUZZ_SECONDS; guided by coverage where the extra `fuzz` is installed.
FUZZ_SECONDS ?= 60
fuzz: install
	@for target in codecs encodings jsonpath edits messages streams rules; do \
	  $(PY) -m tests.fuzz $$target $(FUZZ_SECONDS) || exit 1; done

# What is in .venv, as CycloneDX 1.6, the same for the same packages.
sbom: install
	@.venv/bin/cyclonedx-py environment .venv/bin/python --pyproject pyproject.toml --output-reproducible --of JSON -o sbom.cdx.json

# Known vulnerabilities of what is pinned. Asks the vulnerability service of PyPI, so it needs the internet.
audit: install
	@.venv/bin/pip-audit --requirement requirements.lock --disable-pip --require-hashes --strict

bench: install
	@$(PY) -m bench

# Both doors under traffic of every kind: SOAK_SECONDS=600, SOAK_FLAGS=--json.
SOAK_SECONDS ?= 600
soak: install
	@$(PY) -m tests.soak --seconds $(SOAK_SECONDS) $(SOAK_FLAGS)

# The JSON Schemas of rule files, from their models.
schemas: install
	@$(PY) -m proxy_guard.rules.schemas rules/schema

# Pins every dependency with its hashes. No index is named in the file, so it serves any mirror.
lock: install
	@$(PY) -m uv pip compile pyproject.toml --extra dev --universal --python-version 3.12 --generate-hashes \
	  --no-emit-index-url --no-header --no-annotate --quiet --output-file $(LOCK)

clean:
	@rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
