PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/pip install -q -c constraints.txt

.DEFAULT_GOAL := help
.PHONY: help setup paint test check figures bench docs clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-7s  %s\n", $$1, $$2 }' Makefile

setup: .venv/dev.stamp ## make .venv and install limner into it, editable, with its tools

.venv/dev.stamp: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(PIP) -e '.[dev]'
	touch $@

.venv/check.stamp: .venv/dev.stamp
	$(PIP) -e '.[check]'
	touch $@

.venv/docs.stamp: .venv/dev.stamp
	$(PIP) -e '.[docs]'
	touch $@

paint: setup ## paint the bundled photograph in 500 strokes, into out/
	mkdir -p out
	$(BIN)/limner paint examples/photo.jpg -n 500 -o out/photo.png -o out/photo.svg -o out/photo.mp4 -o out/photo.json

test: setup ## run the tests, the README and the docs
	$(BIN)/pytest -q -n auto --maxprocesses 8 --dist loadfile

check: setup .venv/check.stamp ## lint, types, import rules, the tests, some figures: what CI runs
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/basedpyright
	$(BIN)/lint-imports
	$(MAKE) --no-print-directory test figures

figures: setup ## reproduce four figures of the thesis in a few iterations each, into out/figures/
	rm -rf out/figures
	$(BIN)/limner reproduce 3.4 5.4 5.12 5.17 --quick --jobs 2 --runs out/figures/runs --out out/figures

bench: setup ## time the engine and the painter on the bundled photograph, into out/bench/
	mkdir -p out/bench
	$(BIN)/limner bench engine -o out/bench/engine.json
	$(BIN)/limner bench paint -o out/bench/paint.json

docs: .venv/docs.stamp ## build the documentation into site/
	rm -rf out/docs
	mkdir -p out
	cp -RL docs out/docs
	$(BIN)/zensical build --clean --strict

clean: ## remove what make made, .venv included
	rm -rf .venv .data out site build dist .cache .hypothesis .pytest_cache .ruff_cache .import_linter_cache
