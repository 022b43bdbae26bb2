# Copyright 2026 doa_ros contributors
# SPDX-License-Identifier: Apache-2.0

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup demo page evaluate benchmark-cpu soak docs figures screenshot test test-all fuzz lint clean

env := source ./env.sh
lint := ruff check && ruff format --check -q && mypy

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' Makefile

setup: ## Make .venv, build the workspace into install/ (again: only what changed)
	@scripts/setup.sh

demo: setup ## Locate simulated speech; SOURCE=device for the array, DEMO_ARGS=... for more
	@$(env) && doa-demo $(if $(SOURCE),--source $(SOURCE)) $(DEMO_ARGS)

page: setup ## Show two simulated talkers on the live page; SOURCE=device for the array
	@$(env) && doa_pipeline --dashboard --ros-args -r __ns:=/doa -p source:=$(or $(SOURCE),sim) -p loop:=true \
		-p scene:=two_talkers -p model:=uma8_several_int8 -p allow_control:=true

evaluate: ## Compare the methods on simulated speech; EVALUATE_ARGS=... for more
	@scripts/setup.sh training
	@$(env) && python3 -m training evaluate $(EVALUATE_ARGS)

benchmark-cpu: setup ## Measure CPU time, memory and rate; BENCHMARK_ARGS=... for more
	@$(env) && doa-benchmark-cpu $(BENCHMARK_ARGS)

soak: ## Run for MINUTES=60 with a device and processes that fail; SOAK_ARGS=... for more
	@scripts/setup.sh test
	@$(env) && doa-soak --minutes $(or $(MINUTES),60) $(SOAK_ARGS)

docs: ## Make pages for a browser of docs/, which need no network: build/docs/index.html
	@scripts/setup.sh docs
	@$(env) && docs/reference/tables.py && python3 -m sphinx -q -W --keep-going -b html docs build/docs
	@echo "docs: open build/docs/index.html"

figures: setup ## Draw the figures of docs/concepts.md anew
	@$(env) && docs/figures/draw.py

screenshot: ## Take the pictures of the live page anew, from a run of a scene
	@scripts/setup.sh test
	@$(env) && scripts/take_screenshot.py docs/dashboard.gif docs/dashboard.png

test: ## Run the linters and the tests; PYTEST_ARGS=... for pytest
	@scripts/setup.sh test training docs
	@$(env) && $(lint) && scripts/run_tests.py $(PYTEST_ARGS)

test-all: ## Run the linters and all tests, also those that take long; PYTEST_ARGS=... for pytest
	@scripts/setup.sh test training docs
	@$(env) && $(lint) && scripts/run_tests.py --all $(PYTEST_ARGS)

fuzz: ## Feed readers and nodes with anything, 1500 cases per test; PYTEST_ARGS=... for pytest
	@scripts/setup.sh test training
	@$(env) && python3 -m pytest -m '' --hypothesis-profile=nightly --hypothesis-show-statistics --timeout=3600 \
		$$(find test -name test_fuzz.py) $(PYTEST_ARGS)

lint: ## Run the linters only: rules, format and types
	@scripts/setup.sh test training
	@$(env) && $(lint)

clean: ## Remove everything that was made here: .venv, build, install, log, caches
	rm -rf .venv build install log dist *.egg-info .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +
