# `make help` lists what there is to do.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help setup run kafka test lint format bench bench-kafka bench-accuracy clean

help: ## Show this list.
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 15))' || \
	  { echo "gsr needs Python 3.11 to 3.14; name one with: make PYTHON=python3.12 …" >&2; exit 2; }
	@echo "Installing gsr into $(VENV) (a few minutes the first time: torch is large) …"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check \
	  --constraint constraints.txt --editable '.[evaluate]' --group test --group lint
	@touch $@

setup: $(STAMP) ## Install everything into .venv (the other commands do it by themselves).

run: $(STAMP) ## Watch it work: simulated shoppers, or EVENTS=file.csv.gz for your own log (ARGS="--column user=visitor").
	@$(BIN)/gsr run --demo $(if $(EVENTS),--events "$(EVENTS)") $(ARGS)

kafka: $(STAMP) ## Run Apache Kafka on kafka://127.0.0.1:9092 until Ctrl-C, to try things by hand.
	@$(BIN)/python -m tests.kafka_broker

test: $(STAMP) ## Run every test.
	@$(BIN)/python -m pytest -q --doctest-modules --numprocesses 2 --dist loadfile

lint: $(STAMP) ## Check style, types, layers and spelling.
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/codespell

format: $(STAMP) ## Format the code.
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: $(STAMP) ## Run the ingest benchmark (minutes).
	@$(BIN)/python -m benchmarks.ingest

bench-kafka: $(STAMP) ## Compare ingest from Kafka with Kafka Streams and Quix Streams (25 minutes).
	@$(BIN)/python -m benchmarks.ingest_kafka.install
	@$(BIN)/python -m benchmarks.ingest_kafka --out run/ingest_kafka.json
	@$(BIN)/python -m benchmarks.ingest_kafka.flatness --out run/ingest_kafka_flatness.json

DATA ?= ../shared/data
bench-accuracy: $(STAMP) ## Compare accuracy and speed with other models (a day; goes on where it stopped).
	@$(BIN)/python -m benchmarks.accuracy.install
	@$(BIN)/python -m benchmarks.accuracy.everything --data "$(DATA)"

clean: ## Remove the virtual environment and what runs left behind.
	rm -rf $(VENV) run build dist *.egg-info
