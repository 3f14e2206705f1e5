# `make demo` and `make test` do all the set-up that they need.

PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin
# A worker that is through takes tests over from the other one.
TEST = $(RUN)/python -m pytest -n 2 --dist worksteal
# The parts of `make test-all`: rooms of the tests, and what is left.
ROOMS := distribution training tuning models weighting
SHARDS := $(ROOMS) rest
SHARD ?= $(SHARDS)
FILES_rest := tests $(ROOMS:%=--ignore=tests/%)
# Users should see our output and not TensorFlow's.
export TF_CPP_MIN_LOG_LEVEL := 3
export KERAS_BACKEND := tensorflow
# Faster on a CPU; see docs/cpu.md.
export TF_ENABLE_ONEDNN_OPTS ?= 1

.PHONY: demo test test-all test-keras lint format generate bench docs clean

demo: $(VENV)/.installed
	$(RUN)/mtl-keras train models/cnn_cls_seg_digit_scenes/recipe.toml \
		--seed 0 --output runs/demo --overwrite

test: $(VENV)/.installed lint
	$(TEST) -m "not slow and not keras_source"

# All tests, or those of one part: `make test-all SHARD=training`. With `-k`, a
# part that fails does not keep the others from being run.
test-all: $(VENV)/.installed lint $(SHARD:%=test-shard-%)

test-shard-%:
	$(TEST) $(or $(FILES_$*),tests/$*)

# Whether Keras changed what is overridden here.
test-keras: $(VENV)/.installed
	$(RUN)/python -m pytest -m keras_source

lint: $(VENV)/.installed
	$(RUN)/ruff check .
	$(RUN)/ruff format --check .

format: $(VENV)/.installed
	$(RUN)/ruff check --fix .
	$(RUN)/ruff format .

# The files that repeat what the registries hold.
generate: $(VENV)/.installed
	$(RUN)/python tests/generated_files.py

bench: $(VENV)/.installed
	$(RUN)/python benchmarks/plain_keras.py
	$(RUN)/python benchmarks/onednn.py
	$(RUN)/python benchmarks/import_time.py
	$(RUN)/python benchmarks/checks.py
	$(RUN)/python benchmarks/masking.py
	$(RUN)/python benchmarks/mixed_stream.py
	$(RUN)/python benchmarks/two_replicas.py
	$(RUN)/python benchmarks/weighting.py
	$(RUN)/python benchmarks/reading.py
	$(RUN)/python benchmarks/reading_images.py
	$(RUN)/python benchmarks/mixing_many.py

# The site, in site/; it works without network.
docs: $(VENV)/.installed
	NO_MKDOCS_2_WARNING=1 $(RUN)/python -m mkdocs build --strict --quiet
	@echo "python -m http.server --directory site shows it."

# Installed again only when the dependencies change.
$(VENV)/.installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(RUN)/python -m pip install --quiet --upgrade pip
	$(RUN)/python -m pip install --quiet --editable ".[dev]"
	touch $@

clean:
	rm -rf $(VENV) runs build dist site
