# Everything a developer does, one command each. Needs Python 3.11 or later and make, nothing else:
# what is missing is installed into .venv, and Node (for building the client) too.

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
NPM := $(BIN)/python scripts/build_client.py --npm
# Test files beside each other, each whole and in order: half of a test is waiting for something.
PARALLEL := --numprocesses=auto --maxprocesses=4 --max-worker-restart=0 \
	--dist=loadfile --no-loadscope-reorder

# The first of these that is recent enough; PYTHON=/path/to/python3.13 names one.
PYTHONS := python3 python3.14 python3.13 python3.12 python3.11 python
PYTHON ?= $(shell for python in $(PYTHONS); do \
	$$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' 2>/dev/null \
	&& echo $$python && break; done)

.DEFAULT_GOAL := help
.PHONY: help run test check build dev bench format types picture wheel clean

help: ## List these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: build ## Start a Python prompt with an example, and open its page
	@$(BIN)/python -i example.py

test: build ## Run every test in both languages (ARGS="-k name" goes to pytest)
	@$(BIN)/python scripts/chromium.py
	@$(NPM) run -s test
	@$(BIN)/python -m pytest $(PARALLEL) $(ARGS)

check: $(INSTALLED) ## Format, lint, types, import contracts, generated files: CI's first half
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python scripts/wire_schema.py --check
	@$(BIN)/python scripts/wire_docs.py --check
	@$(NPM) run -s check

build: $(INSTALLED) ## Build the client into static/, if its sources changed
	@$(BIN)/python scripts/build_client.py

dev: $(INSTALLED) ## Build the client anew at every change, beside a running "make run"
	@$(NPM) run watch -- --outDir ../static --emptyOutDir=false

bench: build ## Measure speed against other programs, as far as they are installed
	@$(BIN)/python scripts/chromium.py
	@$(BIN)/python -m tests.benchmarks $(ARGS)

format: $(INSTALLED) ## Format both languages
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .
	@$(NPM) run -s format

types: $(INSTALLED) ## Write what is generated: the wire's reference and types, the key table
	@$(BIN)/python scripts/wire_schema.py
	@$(BIN)/python scripts/wire_docs.py
	@$(NPM) run -s types

picture: build ## Take the README's picture from the real page
	@$(BIN)/python scripts/picture.py

wheel: $(INSTALLED) ## Build sdist and wheel into dist/
	@$(BIN)/python -m pip install --quiet build
	@$(BIN)/python -m build

clean: ## Remove everything that the commands above made
	rm -rf $(VENV) frontend/node_modules dist build
	find static -mindepth 1 ! -name README.md -delete

$(INSTALLED): pyproject.toml
	@test -n "$(PYTHON)" || { echo "Voxelview needs Python 3.11 to 3.14. Install one, or name it:" \
		"make PYTHON=/path/to/python3.13" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
		echo "$(PYTHON) cannot make a virtual environment. On Debian and Ubuntu install its" \
		"package: apt-get install python3-venv" >&2; exit 1; }
	@echo "Installing into $(VENV)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@
