# Commands of the README and of developers. PYTHON is the interpreter of the virtual environment.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.PHONY: demo test test-all test-fast soak lint notebooks install install-dev clean

demo: install
	$(BIN)/ratsnlp-like train --task classification --corpus sample-sentiment \
		--checkpoint ko-tiny-bert --output runs/demo --overwrite
	$(BIN)/ratsnlp-like evaluate runs/demo --corpus sample-sentiment --split test
	$(BIN)/ratsnlp-like predict runs/demo --show table \
		"배송도 빠르고 정말 마음에 들어요" "돈이 아깝고 시간도 아까웠다" "기대 없이 봤는데 꿀잼 ㅋㅋ"
	$(BIN)/ratsnlp-like predict ko-tiny-gpt --show table "이 영화는" "배우들의 연기가"
	@echo "The model is in runs/demo/best"

test: install-dev
	$(BIN)/python -m pytest -n auto

# also the costly cases that `make test` leaves out
test-all: install-dev
	$(BIN)/python -m pytest -n auto --exhaustive

test-fast: install-dev
	$(BIN)/python -m pytest -n auto -m "not slow"

# random damage, kills, full disks and load, with a table of the outcomes; SOAK_MINUTES=30 make soak
soak: install-dev
	$(BIN)/python -m benchmarks.soak --minutes $(or $(SOAK_MINUTES),4)

# each from a clean kernel; `make notebooks SAVE=--save` stores the outputs
notebooks: install-dev
	$(BIN)/python notebooks/execute.py --jobs 2 $(SAVE)

lint: install-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# torch is installed first and pinned; constraints.txt has the tested versions
$(VENV)/.installed: requirements.txt constraints.txt setup.py
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet -c constraints.txt torch==2.13.0
	$(BIN)/pip install --quiet -c constraints.txt --editable .
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(BIN)/pip install --quiet -c constraints.txt --editable ".[dev,sentencepiece,tensorboard,lora,onnx,plots,tune]"
	touch $@

install: $(VENV)/.installed

install-dev: $(VENV)/.installed-dev

clean:
	rm -rf $(VENV) build dist *.egg-info runs .pytest_cache .mypy_cache .ruff_cache
