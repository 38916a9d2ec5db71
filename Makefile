## make study     run a tier and write its report; the first time it installs what is needed into .venv
## make report    the report of the published results; with TIER=... that of your own run
## make verdicts  the verdicts of your own run that differ from the published ones, as Markdown
## make publish   pack a finished run of your own into results/published
## make docs      the documentation as pages, to site/
## make test      all tests but the slow ones; with SLOW=1 these
## make lint      format, style, types
## make audit     known vulnerabilities of the pinned versions
## make wheels    for a machine without network: what it lacks of the study, in a folder
## make offline   on such a machine, whose Python has torch: the environment from that folder
## make clean     remove the virtual environment
##
## What is run, as in `make study TIER=smoke CORES=2`:
##   TIER=quick          how much: smoke, quick, cpu or full
##   QUESTIONS=dynamics  only these questions: dynamics, images, density, timeseries, gradients; with commas
##   ARMS=resnet6        only these methods of an experiment, with commas
##   SEEDS=2             at most so many seeds
## How (make study):
##   CORES=2             on so many cores, not on all
##   GPU_SHARE=6         so many jobs at a time on a GPU, not one
##   FIRST=1             only what the tier names under `first`, without report
##   VERBOSE=1           with all that Snakemake says
## Of wheels and offline: WHEELS=folder, PYTHON=python3, and of wheels HAS=file (what `pip list` prints on that machine),
## WITHOUT=package
OWN := $(TIER)
TIER ?= quick
PYTHON ?= python3
CORES ?= all
GPU_SHARE ?= 1
WHEELS ?= wheels
VENV := .venv
BIN := $(VENV)/bin
GPUS := $(shell nvidia-smi -L 2>/dev/null | grep -c '^GPU')
SETTINGS := tier=$(TIER) $(if $(QUESTIONS),questions=$(QUESTIONS)) $(if $(ARMS),arms=$(ARMS)) $(if $(SEEDS),seeds=$(SEEDS))
SNAKEMAKE = $(BIN)/snakemake --cores $(CORES) --resources gpu=$(if $(filter 0,$(GPUS)),1,$(GPUS)) --config $(SETTINGS)

.PHONY: help study report publish verdicts docs test lint audit wheels offline clean

help:
	@sed -n 's/^## \{0,1\}//p' $(firstword $(MAKEFILE_LIST))

# Before anything is installed.
TIERS := $(basename $(notdir $(wildcard config/tiers/*.yaml)))
ifneq ($(filter study report publish verdicts,$(MAKECMDGOALS)),)
$(if $(filter $(TIER),$(TIERS)),,$(error TIER=$(TIER): no such tier; there are: $(TIERS)))
endif

# Snakemake's output goes to a log, or with VERBOSE=1 to the terminal.
study: $(VENV)/study.stamp
	@$(BIN)/odestudy study --tier $(TIER) --cores $(CORES) --gpus $(if $(filter 0,$(GPUS)),1,$(GPUS)) --gpu-share $(GPU_SHARE) $(if $(QUESTIONS),--questions "$(QUESTIONS)") $(if $(ARMS),--arms "$(ARMS)") $(if $(SEEDS),--seeds $(SEEDS)) $(if $(FIRST),--first) $(if $(VERBOSE),--verbose)

report: $(VENV)/study.stamp
	$(if $(OWN),$(SNAKEMAKE) results/$(TIER)/report/index.html,$(BIN)/odestudy report)

publish: study
	$(BIN)/odestudy publish --tier $(TIER) $(if $(QUESTIONS),--questions $(QUESTIONS)) $(if $(SEEDS),--seeds $(SEEDS))

verdicts: $(VENV)/study.stamp
	$(BIN)/odestudy compare $(firstword $(wildcard results/published/$(TIER)-*)) results/$(TIER) --markdown

docs: $(VENV)/docs.stamp
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

test: $(VENV)/test.stamp
	$(BIN)/python -m pytest $(if $(SLOW),-m slow,-n auto)

lint: $(VENV)/test.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/mypy
	$(BIN)/mypy tests/ode/typed_use.py
	$(BIN)/hadolint Dockerfile

# From the index that pip is configured with.
audit: $(BIN)/python
	$(PYTHON) -m venv $(VENV)/audit
	$(VENV)/audit/bin/pip install --quiet --disable-pip-version-check pip-audit
	$(VENV)/audit/bin/pip-audit --no-deps --disable-pip --progress-spinner off -r constraints.txt

# HAS names the packages that the other machine has, as `pip list` prints there.
wheels: $(VENV)/study.stamp
	$(BIN)/python tools/wheels.py $(WHEELS) $(if $(HAS),--has $(HAS)) $(if $(WITHOUT),--without $(WITHOUT))

offline:
	bash tools/offline.sh $(PYTHON) $(WHEELS) $(VENV)

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/study.stamp: $(BIN)/python pyproject.toml constraints.txt
	@echo "Installing the study into $(VENV): some minutes, once"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable .
	@touch $@

$(VENV)/test.stamp: $(VENV)/study.stamp
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[test,slurm,docs]"
	@touch $@

$(VENV)/docs.stamp: $(VENV)/study.stamp
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[docs]"
	@touch $@

clean:
	rm -rf $(VENV)
