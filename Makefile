# SPDX-License-Identifier: GPL-3.0-or-later
# Everything a developer or a build machine does with Holdfast. Needs make and Python 3.11 or newer.

PYTHON ?= python3
OUT ?= build/demo
BLENDER ?=
# how many suites, and pure tests, run side by side
JOBS ?= 2
SUITES := test-blender-4.5 test-blender-5.2 test-pure
# which of the tests of the installed zip
INSTALLED ?= tests/installed
# arguments for tests/window/drive.py
WINDOW ?=
# arguments for tests/bench/bench_physics.py
BENCH ?=
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.NOTPARALLEL:

PURE := .env/pure/bin/python
VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' blender_manifest.toml)
HOST := $(shell uname -s -m | sed 's/Linux x86_64/linux_x64/; s/Darwin arm64/macos_arm64/; s/Darwin x86_64/macos_x64/')
ZIP := dist/holdfast-$(VERSION)-$(HOST).zip
LIMIT := timeout --kill-after=20 2400
ENVIRONMENTS = $(PYTHON) scripts/environments.py
# the Blender on which the long sweeps are run too; "all" of them for make test-all
SWEEPS ?= 5.2
SUITE = $(LIMIT) .env/blender-$(1)/bin/python -m pytest tests/blender \
  $(if $(filter $(1) all,$(SWEEPS)),,-m "not sweep")

.PHONY: help
help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16

.PHONY: env
env: ## the environments for development: no Blender, Blender 4.5, Blender 5.2
	@$(ENVIRONMENTS) pure blender-4.5 blender-5.2

.PHONY: env-all
env-all: env ## the same with Blender 4.2 and 5.0
	@$(ENVIRONMENTS) blender-4.2 blender-5.0

.PHONY: demo
demo: ## two sketches become a master, offline, in OUT (default build/demo)
	@$(ENVIRONMENTS) blender-4.5
	@.env/blender-4.5/bin/python scripts/holdfast.py demo --output $(OUT)

.PHONY: lint
lint: ## ruff: rules and format
	@$(ENVIRONMENTS) pure
	.env/pure/bin/ruff check .
	.env/pure/bin/ruff format --check .

.PHONY: types
types: ## mypy: strict where there is no Blender, stubs of Blender 4.2 elsewhere
	@$(ENVIRONMENTS) pure
	@mkdir -p build/types && ln -sfn ../.. build/types/holdfast
	MYPYPATH=build/types .env/pure/bin/mypy -p holdfast

.PHONY: test-pure
test-pure: ## the tests that need no Blender
	@$(ENVIRONMENTS) pure
	$(LIMIT) $(PURE) -m pytest tests/pure -n $(JOBS)

.PHONY: test-sdk
test-sdk: ## our requests beside those of the vendors' own SDKs, against servers on this machine
	@$(ENVIRONMENTS) sdk
	$(LIMIT) .env/sdk/bin/python -m pytest tests/sdk

.PHONY: test-blender-%
test-blender-%:
	@$(ENVIRONMENTS) blender-$*
	$(call SUITE,$*)

.PHONY: test
test: lint types ## lint, types, and both suites on Blender 4.5 and 5.2, JOBS of them at a time
	@$(ENVIRONMENTS) pure blender-4.5 blender-5.2
	@mkdir -p build/logs
	@printf '%s\n' $(SUITES) | xargs -P $(JOBS) -n 1 sh -c \
	  '$(MAKE) --no-print-directory $$0 > build/logs/$$0.log 2>&1; code=$$?; cat build/logs/$$0.log; exit $$code'

.PHONY: test-all
test-all: SWEEPS = all
test-all: export SWEEPS := all
test-all: test test-blender-4.2 test-blender-5.0 ## the same with Blender 4.2 and 5.0, and every sweep on all four

.PHONY: dist
dist: ## one installable zip per platform in dist/
	@$(ENVIRONMENTS) pure
	$(PURE) scripts/dist.py

$(ZIP):
	@$(MAKE) --no-print-directory dist

.PHONY: validate
validate: need-blender ## check the built zips by our rules and by Blender's (BLENDER=path)
	$(PURE) -m pytest tests/installed/test_zips.py
	for zip in dist/*.zip; do "$(BLENDER)" --command extension validate "$$zip"; done

.PHONY: install
install: need-blender $(ZIP) ## install the zip of this platform into the Blender that BLENDER= names
	"$(BLENDER)" --command extension install-file -r user_default --enable $(ZIP)

.PHONY: test-installed
test-installed: need-blender $(ZIP) ## install the zip into a real Blender, run the demo and its suite there (BLENDER=path)
	@$(ENVIRONMENTS) pure inside
	BLENDER="$(BLENDER)" $(LIMIT) $(PURE) -m pytest $(INSTALLED) -s

.PHONY: test-window
test-window: need-blender $(ZIP) ## drive a real window under Xvfb, screenshots in build/screenshots (BLENDER=path)
	$(PURE) scripts/window.py "$(BLENDER)" $(ZIP) build/screenshots/$(notdir $(BLENDER)) $(WINDOW)

.PHONY: bench
bench: ## time to enable the extension, and Physics against its limits on all versions set up (BENCH=--full)
	@$(ENVIRONMENTS) pure blender-4.5 blender-5.2
	@for version in 4.5 5.2; do .env/blender-$$version/bin/python scripts/bench.py; done
	@$(PURE) -m tests.bench.bench_physics $(BENCH)

.PHONY: bench-jf
bench-jf: ## J and F of masks beside vos-benchmark: the same values, cost, memory
	@$(ENVIRONMENTS) bench
	@.env/bench/bin/python -m tests.bench.bench_jf

.PHONY: need-blender
need-blender:
	@test -x "$(BLENDER)" || { echo "Name a Blender executable: make $(MAKECMDGOALS) BLENDER=/path/to/blender" >&2; exit 2; }

.PHONY: clean
clean: ## remove what was built; the environments stay
	rm -rf build dist .mypy_cache .ruff_cache .pytest_cache
