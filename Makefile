# Two commands matter: `make run` (the demo shop on http://localhost:8000) and `make test`.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
DEMO   := var/demo
# Tests start many processes: what these import is compiled once, whatever the machine says.
export PYTHONDONTWRITEBYTECODE :=
export VALET_DATA ?= $(wildcard $(abspath ../shared/data))

.PHONY: install run test fuzz lint clean

install: $(VENV)/installed

# Rebuilt only when the lock or the project's metadata change; the stamp is written last, so a killed install is repeated.
# The lock names all there is to install. What the service and a training import is compiled at once: of all that a fifth.
$(VENV)/installed: requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Valet needs Python 3.11 or newer: make install PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV) || { echo "Python cannot make a virtual environment here; on Debian: apt-get install python3-venv"; exit 2; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --no-deps --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --no-deps --no-build-isolation --editable .
	$(BIN)/python -c "import training.run, service.http.recommend, service.http.decide, service.serve" || { echo "Where libgomp.so.1 is not found: apt-get install libgomp1"; exit 2; }
	touch $@

run: install $(DEMO)/models/current
	$(BIN)/python -m service.serve --demo $(DEMO)

$(DEMO)/models/current: $(VENV)/installed $(wildcard training/demo/*.py training/demo/*.toml)
	$(BIN)/python -m training.run --demo --models-dir $(DEMO)/models --store sqlite:///$(DEMO)/valet.db

# Files go to as many processes as there are processors; a file's tests stay together, for they share what they trained. Those that take
# longest begin first, see tests/conftest.py. Each process reckons on one thread: those that wait for one another take a processor to wait.
test: export OMP_NUM_THREADS = 1
test: install
	$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder

# Every operation of /openapi.json 1,000 times, other cases each time; the suite does 50 or fewer, always the same.
fuzz: install
	VALET_FUZZ=1000 $(BIN)/python -m pytest -n auto --dist loadfile tests/service/http/test_schemathesis.py tests/service/http/test_fuzz.py tests/training/test_read_fuzz.py

lint: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

clean:
	rm -rf $(VENV) var
