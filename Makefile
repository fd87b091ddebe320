# Two commands are all the set-up there is: `make demo` and `make test`.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PACKAGES := tap-visma target-twilio-alerts sandbox
WORKERS ?= auto
KILLS ?= 1000
SEED ?= 20261125
CODE := tap-visma target-twilio-alerts sandbox tests scripts benchmarks

# Compiled once here and in Meltano's environments, every process starts in a third of the time.
export UV_COMPILE_BYTECODE = 1

.PHONY: help demo test lint types check format generate pins bench torture clean

help:
	@echo 'make demo      the main job against a sandbox: who is told what, and why'
	@echo 'make test      every test'
	@echo 'make check     lint, types and every test, as CI does'
	@echo 'make format    format the code'
	@echo 'make generate  rewrite what is generated: schemas, plugin definitions, settings tables'
	@echo 'make pins      resolve the pinned requirements anew'
	@echo 'make bench     measure the tap beside others in the same run; writes docs/benchmarks.md'
	@echo 'make torture   kill the target a thousand times; writes docs/torture.md'
	@echo 'make clean     remove what the others made'

# A half-made environment must not look ready, so the mark comes last.
$(READY): requirements-dev.txt $(addsuffix /pyproject.toml,$(PACKAGES))
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-uv.txt
	@$(BIN)/python -m uv pip install --quiet --python $(BIN)/python -r requirements-dev.txt
	@$(BIN)/python -m uv pip install --quiet --python $(BIN)/python --no-deps $(addprefix -e ./,$(PACKAGES))
	@touch $(READY)

demo: $(READY)
	@$(BIN)/python scripts/demo.py

test: $(READY)
	@$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

lint: $(READY)
	@$(BIN)/python -m ruff format --check .
	@$(BIN)/python -m ruff check .

types: $(READY)
	@$(BIN)/python -m mypy tap-visma/tap_visma target-twilio-alerts/target_twilio_alerts \
		sandbox/visma_twilio_sandbox scripts

check: lint types test

format: $(READY)
	@$(BIN)/python -m ruff format .
	@$(BIN)/python -m ruff check --fix .

generate: $(READY)
	@$(BIN)/python scripts/generate_schemas.py
	@$(BIN)/python scripts/generate_raw_fields.py
	@$(BIN)/python scripts/generate_vocabulary.py
	@$(BIN)/python scripts/generate_error_codes.py
	@$(BIN)/python scripts/generate_sandbox_endpoints.py
	@$(BIN)/python scripts/generate_plugin_files.py

bench: $(READY)
	@$(BIN)/python benchmarks/bench.py --write

torture: $(READY)
	@PYTHONPATH=target-twilio-alerts/tests $(BIN)/python -m torture --kills $(KILLS) --seed $(SEED)

pins:
	@$(BIN)/python -m uv pip compile --quiet --universal --python-version 3.10 --no-header --no-annotate \
		$(addsuffix /pyproject.toml,$(PACKAGES)) requirements-dev.in -o requirements-dev.txt
	@for name in bare sdk dlt airbyte; do $(BIN)/python -m uv pip compile --quiet --universal \
		--python-version 3.10 --no-header --no-annotate benchmarks/others/$$name.in \
		-o benchmarks/others/$$name.txt || exit 1; done

clean:
	@rm -rf $(VENV) .meltano .demo .bench .editor output .pytest_cache .mypy_cache .ruff_cache .hypothesis
