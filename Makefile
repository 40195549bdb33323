# One command each; `make` alone lists them. All that is needed is make and Python 3.11 or newer.
PYTHON ?= $(shell for one in python3 python3.11 python3.12 python3.13 python3.14; do \
	$$one -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$one && break; done)
VENV := .venv
BIN := $(VENV)/bin
CONFIG ?= hub.toml

# uv does not read pip's configuration; a mirror or a certificate that is set there is used all the same.
PIP_CONFIG = $(shell $(BIN)/python -m pip config list 2>/dev/null | sed -n "s/^global\.$(1)='\(.*\)'$$/\1/p")
MIRROR = $(or $(UV_DEFAULT_INDEX),$(UV_INDEX_URL),$(PIP_INDEX_URL),$(call PIP_CONFIG,index-url))
CERTIFICATE = $(or $(SSL_CERT_FILE),$(PIP_CERT),$(call PIP_CONFIG,cert))
UV = VIRTUAL_ENV=$(VENV) $(if $(MIRROR),UV_DEFAULT_INDEX="$(MIRROR)") $(if $(CERTIFICATE),SSL_CERT_FILE="$(CERTIFICATE)") $(BIN)/uv
COMPILE = $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header

.DEFAULT_GOAL := help
.PHONY: help run test check bench format lint types imports unused kotaemon lock clean

help: ## list the commands
	@sed -nE 's/^([a-z]+):.*## (.*)/  make \1	\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 16

$(BIN)/uv: requirements-uv.lock
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed. If it has another name: make run PYTHON=/path/to/python"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "Python can't make an environment here. On Debian and Ubuntu: apt install python3-venv"; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.lock
	@touch $@

$(VENV)/.run: requirements.lock $(BIN)/uv
	@echo "Setting up $(VENV): the first time takes a minute or two."
	@$(UV) pip install --quiet --require-hashes -r requirements.lock
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.run
	@echo "Setting up the test tools."
	@$(UV) pip install --quiet --require-hashes -r requirements-dev.lock
	@touch $@

# The configuration that comes along has tools for the sample order system, which then runs beside the hub.
BESIDE = $(if $(filter hub.toml,$(CONFIG)),$(BIN)/python -m examples.orders --beside)

run: $(VENV)/.run ## set up what is needed and start the hub with hub.toml on http://127.0.0.1:8080
	@exec $(BESIDE) $(BIN)/python -m hub serve --config "$(CONFIG)"

test: $(VENV)/.dev ## set up the test tools and run the whole test-suite
	$(BIN)/python -m pytest -n 2 --dist loadfile -q

check: format lint types imports unused test ## everything that CI runs: format, lint, types, imports, dependencies, tests

format: $(VENV)/.dev
	$(BIN)/ruff format --check .

lint: $(VENV)/.dev
	$(BIN)/ruff check .

types: $(VENV)/.dev
	$(BIN)/mypy

imports: $(VENV)/.dev
	$(BIN)/lint-imports

unused: $(VENV)/.dev
	$(BIN)/deptry .

bench: $(VENV)/.dev ## measure throughput beside a bare aiohttp handler, memory, start-up and growth
	$(BIN)/python -m tests.bench

# Kotaemon's versions do not go together with the hub's: its agents run in an environment of their own.
KOTAEMON := .venv-kotaemon
KOTAEMON_COMMIT := 4015bb0f7cebd59d474624c4a570a4c119cdd826
KOTAEMON_PUBLIC := kotaemon @ git+https://github.com/Cinnamon/kotaemon@$(KOTAEMON_COMMIT)\#subdirectory=libs/kotaemon
KOTAEMON_FOLDER = $(firstword $(wildcard $(KOTAEMON_SOURCE)/libs/kotaemon) $(KOTAEMON_SOURCE))

kotaemon: $(BIN)/uv requirements-kotaemon.lock ## set up engine = "kotaemon", from its repository or KOTAEMON_SOURCE=folder
	@$(UV) venv --quiet --clear --python ">=3.11,<3.13" $(KOTAEMON)
	@$(UV) pip install --quiet --python $(KOTAEMON)/bin/python --require-hashes -r requirements-kotaemon.lock
ifdef KOTAEMON_SOURCE
	@cp -R "$(KOTAEMON_FOLDER)" $(KOTAEMON)/source
	@$(UV) pip install --quiet --python $(KOTAEMON)/bin/python --no-deps --no-build-isolation ./$(KOTAEMON)/source
	@rm -rf $(KOTAEMON)/source
else
	@$(UV) pip install --quiet --python $(KOTAEMON)/bin/python --no-deps --no-build-isolation "$(KOTAEMON_PUBLIC)" || { \
		echo "Kotaemon's repository can't be reached from here. Copy it here and run: make kotaemon KOTAEMON_SOURCE=/path/to/kotaemon"; exit 1; }
endif
	@echo 'Kotaemon is set up in $(KOTAEMON). Write engine = "kotaemon" below [agent] in $(CONFIG).'

lock: $(BIN)/uv ## resolve the dependencies again into the lock files
	@$(COMPILE) pyproject.toml -o requirements.lock
	@$(COMPILE) -c requirements.lock --group dev pyproject.toml -o requirements-dev.lock
	@$(COMPILE) requirements-kotaemon.in -o requirements-kotaemon.lock

clean: ## remove the environments
	rm -rf $(VENV) $(KOTAEMON)
