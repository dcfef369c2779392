# `make demo` and `make test` are all that a fresh machine with Python 3.11, git and make needs.
PYTHON ?= python3
PY = .venv/bin/python
# Two processes, for two cores; each begins with half of the tests, so that most modules make their fixtures once.
PYTEST = $(PY) -m pytest -n 2 --dist worksteal
export PIP_DISABLE_PIP_VERSION_CHECK = 1
# Without compiled modules every process that the tests start, a kernel above all, compiles dashkit anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test quick test-all check docs bench clean

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "dashkit needs Python 3.11 or newer; say make PYTHON=python3.11")'
	$(PYTHON) -m venv .venv
	$(PY) -m pip install --quiet --constraint constraints.txt --editable '.[attach,dev]'
	touch $@

demo: .venv/installed
	$(PY) -m dashkit demo --dir data/demo

test: .venv/installed
	$(PYTEST)

quick: .venv/installed
	$(PYTEST) -m "not (exhaustive or kernel or crash or browser or slow)"

test-all: .venv/installed
	$(PYTEST) -m "exhaustive or not exhaustive"

check: .venv/installed
	.ci/check

docs: .venv/installed
	$(PY) docs/generate.py

bench: .venv/installed
	$(PY) benchmarks/migrate.py

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis
