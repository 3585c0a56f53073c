# Every road of the book. Each sets up .venv first if need be; `make help` lists them. Written for GNU make 3.81 and later.

PYTHON ?= python3
# An index to take PyTorch's build from, such as the one with CPU builds that its install page lists. Empty: the default.
TORCH_INDEX ?=
# make train CORPUS=tinyshakespeare
CORPUS ?=
# make ledger STUDY=norms
STUDY ?=
# make test SLOW=1 runs the slow tests too. CI does.
SLOW ?= $(CI)

PY := .venv/bin/python
READY := .venv/.ready

.DEFAULT_GOAL := help
.PHONY: help book pdf shots test lab refresh train ledger lint bench stamp clean

help: ## this list
	@echo "make ..."
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/\1|\2/p' Makefile | awk -F'|' '{ printf "  %-9s %s\n", $$1, $$2 }'

$(READY): requirements.txt pyproject.toml tools/setup.py
	@$(PYTHON) tools/setup.py $(if $(TORCH_INDEX),--torch-index "$(TORCH_INDEX)")

book: $(READY) ## build the book from the executed notebooks: _build/html/index.html
	@.venv/bin/jupyter-book build -q -W -n --keep-going . || \
	  { echo "The book has warnings, which count as errors: see above." >&2; exit 1; }
	@echo "The book is built. Open it: $(CURDIR)/_build/html/index.html"

pdf: book ## the whole book as one PDF: _build/lmkit.pdf
	@$(PY) tools/pdf.py

shots: book ## the pictures of the README, taken of the book: assets/shots
	@$(PY) tools/shots.py

test: $(READY) ## unit tests, every notebook with its outputs compared, browser tests (SLOW=1: the Colab simulation too)
	@$(PY) tools/check.py $(if $(filter-out 0 false,$(SLOW)),--slow)

lab: $(READY) ## JupyterLab on the chapters
	@.venv/bin/jupyter lab --notebook-dir=chapters

refresh: $(READY) ## execute the notebooks and store clean outputs: the baseline that make test compares with
	@OMP_NUM_THREADS=1 $(PY) tools/refresh.py chapters/*.ipynb

train: $(READY) ## train the book's own model, on a GPU if there is one (CORPUS=tinyshakespeare: another corpus)
	@$(PY) -m lmkit.pretrain --resume auto $(if $(CORPUS),--corpus "$(CORPUS)")

ledger: $(READY) ## run what is missing or stale of the lab's comparisons (STUDY=norms: of one; hours for all)
	@$(PY) -m lmkit.lab $(if $(STUDY),$(STUDY),--all) --run --stale

lint: $(READY) ## ruff, the form of the notebooks, the book's address
	@$(PY) -m ruff check .
	@$(PY) tools/guards.py $(wildcard chapters/*.ipynb)
	@$(PY) tools/stamp.py --check

bench: $(READY) ## measure what the book claims about speed and memory
	@for script in benchmarks/*.py; do echo "--- $$script"; $(PY) "$$script" || exit 1; done

stamp: $(READY) ## write the book's address (repository.url in _config.yml) into setup cells and CITATION.cff
	@$(PY) tools/stamp.py

clean: ## remove the built book, and nothing else
	rm -rf _build
