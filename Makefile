# Everything works from a fresh clone with Python (3.11 or newer), make and a package index.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help overlay words theorems docs test verify lint bench clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.core: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

$(VENV)/.test: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[test]'
	@touch $(VENV)/.core $@

$(VENV)/.lint: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[test,lint]'
	@touch $(VENV)/.core $(VENV)/.test $@

$(VENV)/.docs: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[docs]'
	@touch $(VENV)/.core $@

overlay: $(VENV)/.core ## predict, simulate and overlay the preset `transient` along its label noise (out/overlay)
	$(BIN)/python -m figures overlay transient --vary label_noise=0.02:0.2:8 --out out/overlay

words: $(VENV)/.core ## the same for real counts: the words of Python's own documentation (out/words)
	$(BIN)/python examples/count_words.py out/words.csv
	$(BIN)/python -m figures overlay words --counts out/words.csv --out out/words

theorems: $(VENV)/.test ## check every theorem (some minutes), and write its pages in docs
	mkdir -p out
	$(BIN)/python -m theory check --markdown > out/falsification.md
	$(BIN)/python -m theory page > out/theorems.md
	$(BIN)/python -m tests.verification.page > out/verification.md
	mv out/falsification.md out/theorems.md out/verification.md docs/

docs: $(VENV)/.docs ## run the code on the pages and build them; warnings are errors (out/docs/index.html)
	rm -rf out/docs out/docs-work
	$(BIN)/python -m sphinx --fresh-env --fail-on-warning --keep-going --nitpicky --quiet -d out/docs-work docs out/docs

test: $(VENV)/.test ## the fast suite
	$(BIN)/python -m pytest -q

verify: $(VENV)/.test ## the long statistical checks too
	$(BIN)/python -m pytest -q -m 'slow or not slow'

lint: $(VENV)/.lint ## ruff and mypy --strict
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/.core ## speed as ratios measured within one run (docs/bench.md, some ten minutes)
	mkdir -p out
	$(BIN)/python -m benchmarks.page > out/bench.md
	mv out/bench.md docs/

clean: ## remove what the targets made
	rm -rf $(VENV) out build dist *.egg-info
