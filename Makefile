# What you need: Python 3.11 or newer, make, and a package index. Everything else goes into .venv.
# Java 17+ and Maven, or Docker, or KCHAT_TEST_BOOTSTRAP=host:port let the tests run against a real Kafka.

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check

.PHONY: demo test proof nightly bench bench-quick scale check docs docs-serve mutants format dist constraints clean

demo: .venv/demo.installed  ## the main job, end to end; KCHAT_BOOTSTRAP=host:port for a cluster of yours
	@$(BIN)/kchat demo

test: .venv/dev.installed  ## all tests; then on the other Pythons that are here, and with the oldest dependencies
	$(BIN)/python -m pytest $(PYTEST_ARGS)
	$(BIN)/python tools/other_environments.py

proof: .venv/dev.installed  ## the campaign of faults on a real Kafka; MINUTES=60 for a long one; writes docs/reliability.md
	MINUTES=$(or $(MINUTES),5) KCHAT_PROOF_REPORT=1 KCHAT_REQUIRE_KAFKA=1 $(BIN)/python -m pytest tests/proof $(PYTEST_ARGS)

nightly: .venv/dev.installed  ## all properties with NIGHTLY_EXAMPLES=20000 each: about three hours
	HYPOTHESIS_PROFILE=nightly $(BIN)/python -m pytest -m hypothesis --timeout 10800 --durations 10 $(PYTEST_ARGS)

bench: .venv/bench.installed  ## kchat beside the alternatives on real servers, about ten minutes; writes docs/performance.*
	$(BIN)/python -m bench --write

bench-quick: .venv/bench.installed  ## the same in two minutes; prints the ratios
	$(BIN)/python -m bench --quick

scale: .venv/dev.installed  ## what thousands of topics cost a broker, about five minutes; writes docs/scale.md
	$(BIN)/python -m bench.scale --write

check: .venv/dev.installed  ## the static checks
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tools/draw_machines.py --check
	$(BIN)/python tools/verify_types.py

docs: .venv/docs.installed  ## the documentation as a site, in build/site; any warning fails it
	$(BIN)/python tools/site.py

docs-serve: .venv/docs.installed  ## the same at http://127.0.0.1:8000, built again at every change
	PYTHONPATH=. $(BIN)/zensical serve

mutants: .venv/mutants.installed  ## mutation testing of the core; writes its figures into docs/mutants.md
	$(BIN)/python tools/mutants.py $(MODULES)

format: .venv/dev.installed
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

dist: .venv/dev.installed  ## what is published, in dist/: built twice alike, checked, and tried in a fresh environment
	$(BIN)/python tools/dist.py

constraints: .venv/dev.installed  ## pin what new dependencies need; UPGRADE=--upgrade for the newest of all
	$(BIN)/uv pip compile --quiet pyproject.toml --all-extras $(patsubst %,--group %,dev docs bench mutants) \
		--universal --python-version 3.11 --no-annotate --no-header --no-emit-package kchat $(UPGRADE) -o constraints.txt

clean:
	rm -rf build .cache .venv .venv-3.* .mutants .pytest_cache .mypy_cache .ruff_cache .hypothesis dist

.venv/demo.installed: .venv/created pyproject.toml constraints.txt
	$(PIP) install --constraint constraints.txt --editable '.[cli]'
	@touch $@

.venv/dev.installed: .venv/created pyproject.toml constraints.txt
	$(PIP) install --constraint constraints.txt --editable . --group dev
	@touch $@ .venv/demo.installed

.venv/docs.installed: .venv/dev.installed
	$(PIP) install --constraint constraints.txt --editable . --group docs
	@touch $@

.venv/mutants.installed: .venv/dev.installed
	$(PIP) install --constraint constraints.txt --editable . --group mutants
	@touch $@

.venv/bench.installed: .venv/dev.installed
	$(PIP) install --constraint constraints.txt --editable . --group bench
	@touch $@

.venv/created:
	@test -n "$(PYTHON)" || { echo 'kchat needs Python 3.11 or newer; name yours with make PYTHON=...' >&2; exit 1; }
	@$(PYTHON) -m venv .venv || { echo 'this Python cannot make virtual environments; on Debian: apt install python3-venv' >&2; exit 1; }
	$(PIP) install --upgrade 'pip>=25.1'
	@touch $@
