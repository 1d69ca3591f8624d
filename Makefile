# make run    set up, then the live dashboard
# make test       set up with what the tests need, then lint, types and tests: a few minutes
# make test-all   the same, and the tests that take long
# make coverage   which lines of live_ser and training the tests of `make test` run
# make bench      measure speed and memory, compared with alternatives: ten minutes
# make soak       listen for an hour, twice, then serve for one, and check that nothing grows
# make fuzz       read ten thousand broken files of each kind
# make schedules  run fifty random schedules of faults of a sound server, on a quiet machine
.DEFAULT_GOAL := run
.PHONY: run test test-all coverage bench soak fuzz schedules setup setup-dev demo manual snapshots clean

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# One thread per worker, because there is a worker for each core.
ONE_THREAD := OMP_NUM_THREADS=1 TF_NUM_INTRAOP_THREADS=1 TF_NUM_INTEROP_THREADS=1
PYTEST := $(ONE_THREAD) $(BIN)/pytest -n auto --dist loadgroup
RUN_PACKAGES := libportaudio2
TEST_PACKAGES := libportaudio2 libasound2-plugins pulseaudio pulseaudio-utils espeak-ng tmux ffmpeg \
	jackd2 chromium chromium-driver strace

run: setup
	@$(BIN)/live-ser listen --or-demo
	@echo
	@echo "go on with:"
	@echo "  ./live-ser listen -o session.jsonl   keep a record; --profile NAME remembers your voice"
	@echo "  ./live-ser report session.jsonl      a page of it"
	@echo "  ./live-ser file RECORDING            what a recording sounds like"
	@echo "  ./live-ser --help                    everything else"

test: setup-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(PYTEST) -m "not slow"

test-all: test
	$(PYTEST) -m slow

coverage: setup-dev
	$(PYTEST) -m "not slow" --cov --cov-report=term

setup: $(VENV)/.runtime
	@sh scripts/system_packages.sh $(RUN_PACKAGES)

setup-dev: $(VENV)/.dev
	@sh scripts/system_packages.sh $(TEST_PACKAGES)

$(VENV)/.runtime: pyproject.toml | $(BIN)/python
	@echo "setting up live-ser; the first time, this takes a minute"
	@$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(VENV)/.dev: pyproject.toml | $(BIN)/python
	@echo "setting up live-ser, its training and its tests; the first time, this takes minutes"
	@$(BIN)/python -m pip install --quiet --editable '.[train,dev]'
	@touch $@ $(VENV)/.runtime

$(BIN)/python:
	@sh scripts/make_venv.sh $(PYTHON) $(VENV)

bench: $(VENV)/.bench
	$(BIN)/python -m benchmarks

soak: setup-dev
	$(BIN)/python -m tests.support.soak

fuzz: setup-dev
	$(BIN)/python -m tests.support.fuzz

schedules: setup-dev
	$(BIN)/python -m tests.support.schedules

$(VENV)/.bench: $(VENV)/.dev
	@$(BIN)/python -m pip install --quiet --editable '.[bench]'
	@touch $@

demo: setup-dev
	$(BIN)/python -m scripts.make_demo

manual: setup-dev
	$(BIN)/python -m scripts.make_manual

snapshots: setup-dev
	$(BIN)/python scripts/snapshots.py

clean:
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache
