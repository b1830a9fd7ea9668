# Every command of this project. `make` alone lists them.

SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
INSTALLED := $(VENV)/.installed
PY := $(VENV)/bin/python
SCENARIOS := $(PY) -m scenarios $(if $(STACK),--stack '$(STACK)') $(if $(PORT_OFFSET),--port-offset '$(PORT_OFFSET)')

.DEFAULT_GOAL := help
.SUFFIXES:
.PHONY: help scenarios up down status logs web faults fingerprint bench growth report compare clean-reports test test-full test-mutants lint format lock clean

help: ## list these commands
	@grep -hE '^[a-z%-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([^:]+):.*## (.*)/\1|\2/' | awk -F'|' '{printf "  make %-18s %s\n", $$1, $$2}'

$(INSTALLED): requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed, $(PYTHON) is $$($(PYTHON) --version): try make PYTHON=python3.12" >&2; exit 2; }
	@echo "installing into $(VENV) (once, about a minute)"
	@$(PYTHON) -m venv $(VENV)
	@$(PY) -m pip install -qq --disable-pip-version-check --require-hashes --no-deps -r requirements.lock
	@touch $@

scenario-%: $(INSTALLED) ## run a scenario and judge it; for example: make scenario-baseline [STACK=compose REQUESTS=500 USERS=50 PROCESSES=2 CLAIM=back-01=1,…]
	@$(SCENARIOS) run '$*' $(if $(REQUESTS),--requests '$(REQUESTS)') $(if $(USERS),--users '$(USERS)') $(if $(PROCESSES),--processes '$(PROCESSES)') $(if $(CLAIM),--claim '$(CLAIM)')

scenarios: $(INSTALLED) ## list the scenarios with their sizes and claims
	@$(SCENARIOS) list

up down status logs: $(INSTALLED)
	@$(SCENARIOS) $@

up: ## start nginx and the three backends, and leave them running [STACK=compose PORT_OFFSET=1000]
down: ## stop nginx and the backends
status: ## show which services run
logs: ## show the last lines of every service

web: $(INSTALLED) ## choose, start and watch runs in Locust's web interface [SCENARIO=spike STACK=compose PROCESSES=2 WEB_HOST=0.0.0.0]
	@$(SCENARIOS) web $(if $(SCENARIO),--scenario '$(SCENARIO)') $(if $(PROCESSES),--processes '$(PROCESSES)') $(if $(WEB_HOST),--web-host '$(WEB_HOST)')

faults: $(INSTALLED) ## run every scenario with faults, and print one table of the results [STACK=compose]
	@$(SCENARIOS) faults

fingerprint: $(INSTALLED) ## find out which algorithm the balancer uses, with the evidence against the others [STACK=compose]
	@$(SCENARIOS) fingerprint

bench: $(INSTALLED) ## compare the CPU that a request costs each installed load generator [REQUESTS=20000 ROUNDS=5]
	@$(SCENARIOS) bench $(if $(REQUESTS),--requests '$(REQUESTS)') $(if $(ROUNDS),--rounds '$(ROUNDS)')

growth: $(INSTALLED) ## measure how the time and memory of an analysis grow with the run [REQUESTS="1000 1000000"]
	@$(PY) -m analysis.tools.growth $(REQUESTS)

report: $(INSTALLED) ## compute a report again from its ledgers; for example: make report RUN=reports/spike/latest
	@$(PY) -m analysis '$(or $(RUN),$(error say which one: make report RUN=reports/baseline/latest))'

compare: $(INSTALLED) ## say what changed between two runs, and whether the change is more than noise [A=reports/… B=reports/… SCENARIO=spike]
	@$(PY) -m analysis.comparison '$(A)' '$(B)' $(if $(SCENARIO),--scenario '$(SCENARIO)')

clean-reports: $(INSTALLED) ## remove all but the newest reports of each scenario [KEEP=20]
	@$(SCENARIOS) clean-reports $(if $(KEEP),--keep '$(KEEP)')

test: $(INSTALLED) ## run each kind of test once, in some minutes; or with ARGS what pytest is told
	@$(PY) -m $(if $(ARGS),pytest $(ARGS),tests.side_by_side)

test-full: $(INSTALLED) ## run every test: also the true sizes, every fault and every mutant
	@$(PY) -m tests.side_by_side --full

test-mutants: $(INSTALLED) ## break one thing after the other on purpose, and test that the right checks notice
	@$(PY) -m pytest tests/mutants $(ARGS)

lint: $(INSTALLED) ## check style and types (ruff, mypy)
	@$(PY) -m ruff check
	@$(PY) -m ruff format --check
	@$(PY) -m mypy

format: $(INSTALLED) ## format the code
	@$(PY) -m ruff check --fix
	@$(PY) -m ruff format

LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate

lock: ## renew the lock files from pyproject.toml (needs uv)
	@$(LOCK) --group dev -o requirements.lock
	@$(LOCK) --group backend --constraint requirements.lock -o backend/requirements.lock
	@$(LOCK) --group locustfiles --constraint requirements.lock -o locustfiles/requirements.lock

clean: ## remove what was installed and cached, but no reports
	@! ls .stack/*/stack.json >/dev/null 2>&1 || { echo "a stack is up: make down first" >&2; exit 2; }
	@rm -rf $(VENV) .stack .mypy_cache .ruff_cache .pytest_cache .hypothesis .screenshots
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
