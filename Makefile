# `make demo` and `make test` do all the set-up that they need.

PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin
# Files of few tests often take longest: they are not left to the end.
TEST = $(RUN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder
# Users should see our output and not TensorFlow's.
export TF_CPP_MIN_LOG_LEVEL := 3
export KERAS_BACKEND := tensorflow
# Faster on a CPU; see docs/cpu.md.
export TF_ENABLE_ONEDNN_OPTS ?= 1

.PHONY: demo test test-all lint format bench clean

demo: $(VENV)/.installed
	$(RUN)/mtl-keras train models/cnn_cls_seg_digit_scenes/recipe.toml \
		--seed 0 --output runs/demo --overwrite

test: $(VENV)/.installed lint
	$(TEST) -m "not slow"

test-all: $(VENV)/.installed lint
	$(TEST)

lint: $(VENV)/.installed
	$(RUN)/ruff check .
	$(RUN)/ruff format --check .

format: $(VENV)/.installed
	$(RUN)/ruff check --fix .
	$(RUN)/ruff format .

bench: $(VENV)/.installed
	$(RUN)/python benchmarks/plain_keras.py
	$(RUN)/python benchmarks/onednn.py
	$(RUN)/python benchmarks/import_time.py
	$(RUN)/python benchmarks/checks.py
	$(RUN)/python benchmarks/masking.py
	$(RUN)/python benchmarks/mixed_stream.py
	$(RUN)/python benchmarks/two_replicas.py
	$(RUN)/python benchmarks/weighting.py

# Installed anew only when the dependencies change.
$(VENV)/.installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(RUN)/python -m pip install --quiet --upgrade pip
	$(RUN)/python -m pip install --quiet --editable ".[dev]"
	touch $@

clean:
	rm -rf $(VENV) runs build dist
