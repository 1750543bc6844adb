# Two commands, and that is all:
#
#   make serve    read the site at http://127.0.0.1:8000, with live reload
#   make test     run everything that proves the project
#
# Every target makes the environment it needs in .venv, and does nothing where it stands.
# Another Python: make serve PYTHON=python3.13
# Another build of PyTorch: make test TORCH_INDEX=<address of a package index that has it>

PYTHON ?= python3
TORCH_INDEX ?=
LOCK ?= requirements.lock
export TORCH_INDEX LOCK
export NO_MKDOCS_2_WARNING := 1

BIN := .venv/bin
ENVIRONMENT := @$(PYTHON) tools/environment.py
COMPILE = $(BIN)/python -m uv pip compile --no-header --no-annotate --quiet
ALL := --group setup --group test --group lighthouse --group bench --extra torch pyproject.toml
PAGES := docs README.md CONTRIBUTING.md mkdocs.yml tests/pages/test_generated.py
PAGES += tests/pages/test_cards.py tests/pages/test_reference.py tests/tools/test_glossary.py

# One core: printed numbers do not depend on how many threads add them up.
export OPENBLAS_NUM_THREADS ?= 1
export OMP_NUM_THREADS ?= 1

.PHONY: help serve test docs-check outputs site lint lint-snippets screenshots lighthouse bench lock test-newest test-lowest

help:
	@sed -n 's/^#   //p' Makefile

serve:
	$(ENVIRONMENT) site
	$(BIN)/mkdocs serve

# A run that proved every page leaves .proof.json; a process that a block ended leaves none.
test: lint
	@rm -f .proof.json
	$(BIN)/pytest
	@test -s .proof.json

docs-check: lint-snippets
	@rm -f .proof.json
	$(BIN)/pytest $(PAGES)
	@test -s .proof.json

outputs:
	$(ENVIRONMENT) test
	$(BIN)/python -m tools.front_matter
	$(BIN)/python -m tools.reference
	$(BIN)/pytest docs --update-outputs
	$(BIN)/python -m tools.benchmark_chart
	$(BIN)/python -m tools.cards

site:
	$(ENVIRONMENT) site
	DLREF_PROVED="$$($(BIN)/python -m tools.proof)" $(BIN)/mkdocs build --strict --quiet
	@echo "dlref: the site is in site/"

lint: lint-snippets
	$(BIN)/ruff check --quiet
	$(BIN)/ruff format --check --quiet
	$(BIN)/mypy

# A snippet is a script of its own, and need not annotate its functions.
lint-snippets:
	$(ENVIRONMENT) test
	@$(BIN)/ruff check --quiet snippets
	@$(BIN)/ruff format --check --quiet snippets
	@for entry in snippets/*/; do \
		$(BIN)/mypy --config-file= --check-untyped-defs --allow-redefinition --ignore-missing-imports --no-error-summary $$entry || exit 1; \
	done

# Pictures of every page, for the eyes: light, dark, on three sizes of screen.
screenshots:
	$(ENVIRONMENT) test
	$(BIN)/python -m tests.browser.screenshots

# The marks of Lighthouse, a page a line; it needs npm's registry.
lighthouse:
	$(ENVIRONMENT) test
	$(ENVIRONMENT) lighthouse
	$(BIN)/python -m tests.browser.lighthouse

# Beside what others would use, with nothing else running: about a quarter of an hour.
bench:
	$(ENVIRONMENT) bench
	$(BIN)/python -m tests.benchmarks

# torch is held at the version that CI has everywhere.
lock:
	$(ENVIRONMENT) test
	echo "torch==2.13.0" | $(COMPILE) --universal --upgrade --constraint - $(ALL) \
		--output-file requirements.lock

# The same with other releases than the pinned ones, as CI does every week: the newest of all, and
# the lowest that dlref itself declares.
test-newest:
	$(MAKE) test LOCK=

test-lowest:
	$(ENVIRONMENT) test
	$(COMPILE) --resolution lowest-direct --extra torch pyproject.toml --output-file .venv/low.txt
	$(COMPILE) --constraint .venv/low.txt $(ALL) --output-file lowest.lock
	$(MAKE) test LOCK=lowest.lock
