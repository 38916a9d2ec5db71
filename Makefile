# make study [TIER=smoke|quick|cpu|full] [QUESTIONS=dynamics,images] [ARMS=...] [SEEDS=n]   run a tier, say where its report is
# make test                                                                      run all tests but the slow ones (pytest -m slow)
# make report [TIER=...]                                                         tables, figures, report; no training where metrics are there
# make publish [TIER=...] [QUESTIONS=...] [SEEDS=n]                              a finished run to results/published/<tier>-<device>
# make lint                                                                      format, style, types
TIER ?= quick
PYTHON ?= python3
CORES ?= all
VENV := .venv
BIN := $(VENV)/bin
GPUS := $(shell nvidia-smi -L 2>/dev/null | grep -c '^GPU')
SETTINGS := tier=$(TIER) $(if $(QUESTIONS),questions=$(QUESTIONS)) $(if $(ARMS),arms=$(ARMS)) $(if $(SEEDS),seeds=$(SEEDS))
SNAKEMAKE = $(BIN)/snakemake --cores $(CORES) --resources gpu=$(if $(filter 0,$(GPUS)),1,$(GPUS)) --config $(SETTINGS)

.PHONY: study report publish test lint clean

study: $(VENV)/study.stamp
	$(SNAKEMAKE)
	@echo "The report: $(CURDIR)/results/$(TIER)/report/index.html and report.pdf beside it"

report: $(VENV)/study.stamp
	$(SNAKEMAKE) results/$(TIER)/report/index.html

# What is published is shown as a whole, as `odestudy verify` does, however much of it this run has added.
publish: study
	$(BIN)/snakemake --cores $(CORES) --config tier=$(TIER) -- $$($(BIN)/odestudy publish --tier $(TIER) $(if $(QUESTIONS),--questions $(QUESTIONS)) $(if $(SEEDS),--seeds $(SEEDS)))/manifest.sha256

test: $(VENV)/test.stamp
	$(BIN)/python -m pytest -n auto --dist loadgroup

lint: $(VENV)/test.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile workflow/rules
	$(BIN)/mypy
	$(BIN)/hadolint Dockerfile

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/study.stamp: $(BIN)/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable .
	@touch $@

$(VENV)/test.stamp: $(VENV)/study.stamp
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[test,slurm]"
	@touch $@

clean:
	rm -rf $(VENV)
