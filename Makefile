# Three commands need nothing before them: `make learn`, `make book` and `make test`.
# They make .venv from requirements.txt first, where it is missing or out of date.

PYTHON  ?= python3
# self-study: solutions are folded away. class: no solution anywhere in the book.
PROFILE ?= self-study
# cpu: PyTorch without its CUDA libraries, wherever uv finds that; asked for once, when .venv is made.
TORCH   ?=
VENV   := .venv
BIN    := $(VENV)/bin

# The stamp is named after the content of both files, so a second run installs nothing and a changed lock installs
# again. It is written last: an environment without a stamp was interrupted, and is made anew.
STAMP := $(VENV)/.installed-$(shell cat requirements.txt pyproject.toml | cksum | cut -d' ' -f1)

# The kernel that JupyterLab and the book start notebooks in, with the course's policy for threads.
KERNEL := import sys; from ipykernel.kernelspec import install; from vitcourse.threads import NOTEBOOK; \
	install(prefix=sys.prefix, env=NOTEBOOK)

FIRST = $(patsubst lessons/%,%,$(firstword $(sort $(wildcard lessons/*/*.ipynb))))

# Several programs test at once, each on one thread; a file is the work of one of them, from its top to its end.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n logical --maxprocesses 4 --dist loadfile

LOCK_VENV := _build/lock

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help learn book notebooks publish dist test test-fast test-slow gpu lint lock clean

help:  ## show the targets
	@echo "make TARGET, where TARGET is one of:"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1@\2/p' $(MAKEFILE_LIST) | awk -F@ '{ printf "%-12s%s\n", $$1, $$2 }'

learn: notebooks  ## write your notebooks (notebooks/), and open lesson 01 in JupyterLab
	@JUPYTER_CONFIG_PATH=$(CURDIR)/book/assets/jupyter $(BIN)/jupyter lab --ServerApp.root_dir=notebooks \
		--LabApp.default_url=/lab/tree/$(FIRST) $(if $(filter 0,$(shell id -u)),--allow-root)

book: $(STAMP)  ## execute the lessons and build the book (_build/html); PROFILE=class leaves out the solutions
	@$(BIN)/python book/programs/build.py --profile $(PROFILE)

notebooks: $(STAMP)  ## write your notebooks (notebooks/), never over your work, and the answer keys (_build/keys)
	@$(BIN)/python book/programs/derive.py

publish: $(STAMP)  ## commit the notebooks for learners to the branch "learner", which Colab and Binder open
	@$(BIN)/python book/programs/publish.py

dist: $(STAMP)  ## pack the book for others (dist/): its pages, one PDF, the learner's notebooks, checksums
	@$(BIN)/python book/programs/build.py --if-stale
	@$(BIN)/python book/programs/dist.py

test: $(STAMP)  ## build the book where it is missing or stale, then run the tests
	@$(BIN)/python book/programs/build.py --if-stale
	@$(PYTEST) -m "not at_length"

test-fast: $(STAMP)  ## the tests for daily work: all but the slow ones, under two minutes, without the book
	@$(PYTEST) -m "not slow"

test-slow: $(STAMP)  ## the tests that `make test-fast` leaves out, and those that do at length what others do shortly
	@$(BIN)/python book/programs/build.py --if-stale
	@$(PYTEST) -m slow --hypothesis-profile=at_length

gpu: $(STAMP)  ## run the tests that need a CUDA device
	@$(BIN)/python -m pytest -m gpu

lint: $(STAMP)  ## check the style of code and notebooks
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

lock:  ## compile requirements.txt anew from pyproject.toml
	@$(PYTHON) -m venv --clear $(LOCK_VENV)
	@$(LOCK_VENV)/bin/pip install --quiet --disable-pip-version-check uv
	@$(LOCK_VENV)/bin/uv pip compile pyproject.toml --group book --group test --universal --python-version 3.11 \
		--no-emit-index-url --no-annotate --custom-compile-command "make lock" -o requirements.txt --quiet
	@rm -rf $(LOCK_VENV)
	@echo "requirements.txt is compiled; the next make book or make test installs it"

clean:  ## remove everything that is built, but keep .venv
	rm -rf _build .pytest_cache .ruff_cache .hypothesis

$(STAMP):
	@command -v $(PYTHON) >/dev/null || { echo "vitcourse needs Python 3.11 or newer, and $(PYTHON) was not found"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "vitcourse needs Python 3.11 or newer; $(PYTHON) is %s. Name another one with PYTHON=..." % sys.version.split()[0])'
	@ls $(VENV)/.installed-* >/dev/null 2>&1 || { echo "Making $(VENV)"; $(PYTHON) -m venv --clear $(VENV); }
	@rm -f $(VENV)/.installed-*
ifeq ($(TORCH),cpu)
	@echo "Installing the versions of requirements.txt into $(VENV), and PyTorch without CUDA"
	@$(BIN)/pip install --disable-pip-version-check --no-input --quiet uv
	@$(BIN)/uv pip install --python $(BIN)/python --torch-backend cpu \
		--constraints requirements.txt --group book --group test --editable .
else
	@echo "Installing requirements.txt into $(VENV) (the first time about 7 GB and a few minutes)"
	@$(BIN)/pip install --disable-pip-version-check --no-input -r requirements.txt
	@$(BIN)/pip install --disable-pip-version-check --no-input --quiet --no-deps --no-build-isolation -e .
endif
	@$(BIN)/python -c '$(KERNEL)'
	@touch $@
