# Every target sets up what it needs; `make help` lists them.
VENV ?= .venv
PYTHON ?= python3.11
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
EXTRAS := $(VENV)/.extras
ENCODER := $(VENV)/.encoder

# In the order in which the report tells them.
STUDIES := paper strategies second_encoder development two_sets clustering uncertainty generation templates transfer transfer_transformer stopping peers

.PHONY: help setup extras encoder demo test check fmt lint types imports openapi openapi-check docs serve \
	bench evidence cov audit lock sbom licences clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

$(STAMP): pyproject.toml clients/python/pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --group dev -e '.[postgres,otel]' \
		-e clients/python
	touch $@

# Beside the rest and not part of it, so that the demo is up without torch and its like.
$(EXTRAS): $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		-e '.[postgres,otel,peers,benchmark,cluster,transformer]'
	$(BIN)/tailwise encoder install paraphrase
	touch $@

$(ENCODER): $(STAMP)
	$(BIN)/tailwise encoder install
	touch $@

setup: $(STAMP) ## virtual environment with everything the project needs

extras: $(EXTRAS) ## the optional parts too: benchmarks, peers, Dask, fine-tuning, a second encoder

encoder: $(ENCODER) ## the sentence encoder, hash-checked, no torch

demo: $(ENCODER) ## run the whole loop on the bundled corpus and write a report
	$(BIN)/tailwise demo

test: $(ENCODER) $(EXTRAS) ## the whole test suite
	$(BIN)/python -m pytest

check: $(STAMP) lint types imports openapi-check ## what CI runs before the tests

fmt: $(STAMP) ## format and fix
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lint: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(STAMP)
	$(BIN)/mypy

imports: $(STAMP)
	$(BIN)/lint-imports

openapi: $(STAMP) ## write openapi.yaml from the code
	$(BIN)/tailwise openapi > openapi.yaml.new && mv openapi.yaml.new openapi.yaml

openapi-check: $(STAMP)
	$(BIN)/tailwise openapi | diff - openapi.yaml

docs: $(STAMP) ## the documentation site, in build/site
	$(BIN)/sphinx-build --fail-on-warning --quiet -b html docs build/site

serve: $(ENCODER) ## a server and a worker on this machine
	$(BIN)/tailwise serve

bench: $(ENCODER) ## speed and memory against references, in one table
	$(BIN)/python -m benchmarks.performance

evidence: $(ENCODER) $(EXTRAS) ## every experiment, then the report (hours at first, see docs/benchmarks.md)
	$(BIN)/tailwise benchmark run benchmarks/experiments/*.toml
	$(BIN)/tailwise benchmark multi-label
	$(BIN)/tailwise benchmark report $(STUDIES:%=benchmarks/results/%.json) --to docs/evidence

cov: $(ENCODER) $(EXTRAS) ## tests with branch coverage
	$(BIN)/coverage run -m pytest -n 0 && $(BIN)/coverage report

audit: $(STAMP) ## known vulnerabilities in the installed packages
	$(BIN)/python -m pip_audit

lock: $(STAMP) ## pin every dependency of the image by hash
	$(BIN)/uv pip compile pyproject.toml --extra postgres --extra otel --generate-hashes --python-version 3.11 \
		--no-emit-index-url --no-header --quiet --output-file requirements.lock

sbom: $(STAMP) ## what the image is made of, as CycloneDX, in sbom.json
	$(BIN)/cyclonedx-py requirements requirements.lock --pyproject pyproject.toml \
		--output-reproducible --of JSON --output-file sbom.json

licences: $(STAMP) ## the licence of everything in the image, as a table
	$(BIN)/pip-licenses --from=mixed --format=markdown --order=license \
		--packages $$(sed -n 's/^\([a-z0-9-]*\)[^ ]*==.*/\1/p' requirements.lock)

clean: ## remove what the targets made
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache
