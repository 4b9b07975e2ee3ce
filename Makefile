# Leadmagnet. `make help` lists what there is.
PYTHON ?= python3
PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin
INSTANCE := instance
# Three at a time on two cores, because many tests wait for a process, a clock or a server; one PostgreSQL for all.
PYTEST_ARGS ?= -n 3 --dist worksteal
SECONDS ?= 600
FLASK := $(BIN)/flask --app wsgi
# As SendGrid's documentation has them; a file beside the checkout, because they are not ours.
EVENTS ?= ../shared/sendgrid/event_samples.json

# What a clinic on one machine needs; anything set in the environment wins.
export PUBLIC_URL ?= http://127.0.0.1:$(PORT)
export TIME_LAPSE ?= 1

.DEFAULT_GOAL := help
.PHONY: help run test check lint types contracts format lock films crash flood timing fuzz events bench bench-peers clean

help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(VENV)/.run $(INSTANCE)/secret_key $(INSTANCE)/suppression_key ## Serve everything on this machine (PORT=8000 TIME_LAPSE=1)
	@env $(RUN_ENV) $(FLASK) prepare
	@exec env $(RUN_ENV) $(BIN)/gunicorn --bind 127.0.0.1:$(PORT) --worker-class gthread --threads 8 --log-level warning wsgi:app

test: $(VENV)/.test ## Run the whole suite: style, types, house rules, tests
	@$(MAKE) --no-print-directory check
	$(BIN)/python -m pytest $(PYTEST_ARGS)

check: lint types contracts ## Style, types and the house's import rules, without the tests

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.test
	$(BIN)/mypy

contracts: $(VENV)/.test
	$(BIN)/lint-imports

format: $(VENV)/.test ## Put all code into the house's form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# For the oldest Python we run on: some packages need another one there (redis: async-timeout before 3.11.3).
lock: $(VENV)/.run ## Pin requirements.in, requirements-test.in and the peers' anew, with hashes
	$(BIN)/pip install -q uv
	$(BIN)/uv pip compile -q --upgrade --python-version 3.11.0 --generate-hashes --no-header requirements.in -o requirements.txt
	$(BIN)/uv pip compile -q --upgrade --python-version 3.11.0 --generate-hashes --no-header requirements-test.in -o requirements-test.txt
	$(BIN)/uv pip compile -q --upgrade --python-version 3.11.0 --generate-hashes --no-header benchmarks/requirements-peers.in -o benchmarks/requirements-peers.txt

films: ## Draw posters, figures and films anew (needs requirements-film.in)
	$(PYTHON) -m venv $(VENV)-film
	$(VENV)-film/bin/pip install -q -r requirements-film.in
	$(VENV)-film/bin/python -m leadmagnet.content.figure

crash: $(VENV)/.test ## Kill workers a hundred times over 20,000 deliveries, on SQLite and (TEST_POSTGRES_URL) PostgreSQL
	PYTHONPATH=. $(BIN)/python -m tests.crash.siege sendgrid sqlite:///FOLDER/crash.db 20000 100
	PYTHONPATH=. $(BIN)/python -m tests.crash.siege smtp sqlite:///FOLDER/crash.db 20000 100
	PYTHONPATH=. $(BIN)/python -m tests.crash.on_postgres sendgrid 20000 100
	PYTHONPATH=. $(BIN)/python -m tests.crash.restart 20000 10

fuzz: $(VENV)/.test ## Send hostile requests to every address for SECONDS (600) and say what broke
	PYTHONPATH=. $(BIN)/python -W ignore -m tests.fuzz $(SECONDS)

flood: $(VENV)/.test ## Send 10,000 hostile sign-ups in a minute, on SQLite and (TEST_POSTGRES_URL) PostgreSQL
	PYTHONPATH=. $(BIN)/python -m tests.abuse.flood sqlite
	PYTHONPATH=. $(BIN)/python -m tests.abuse.flood postgres

timing: $(VENV)/.test ## Compare the times of answers to known and unknown addresses, over 2,000 sign-ups
	PYTHONPATH=. $(BIN)/python -m tests.abuse.timing sqlite
	PYTHONPATH=. $(BIN)/python -m tests.abuse.timing postgres

events: $(VENV)/.test ## Bring sample events (EVENTS=file) in a thousand ways, on SQLite and PostgreSQL: one end
	PYTHONPATH=. $(BIN)/python -m tests.journeys.ways $(EVENTS) 1000

bench: $(VENV)/.test ## Measure messages, SMTP, the whole path, claims and events, side by side (PostgreSQL at TEST_POSTGRES_URL)
	PYTHONPATH=. $(BIN)/python -m benchmarks.messages
	PYTHONPATH=. $(BIN)/python -m benchmarks.smtp
	PYTHONPATH=. $(BIN)/python -m benchmarks.path
	PYTHONPATH=. $(BIN)/python -m benchmarks.claims
	PYTHONPATH=. $(BIN)/python -m benchmarks.events

bench-peers: $(VENV)/.test $(VENV)-peers/.made ## Measure the path by SMTP beside django-post-office and django-drip-campaigns
	PYTHONPATH=. $(BIN)/python -m benchmarks.compare

clean: ## Remove the environment and caches; instance/ stays
	rm -rf $(VENV) $(VENV)-film $(VENV)-peers .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

# Secrets are made once and stay in instance/.
RUN_ENV = $(if $(SECRET_KEY)$(SECRET_KEY_FILE),,SECRET_KEY_FILE=$(INSTANCE)/secret_key) \
	$(if $(SUPPRESSION_KEY)$(SUPPRESSION_KEY_FILE),,SUPPRESSION_KEY_FILE=$(INSTANCE)/suppression_key) \
	RUN_WORKER_IN_WEB=$${RUN_WORKER_IN_WEB:-true}

$(INSTANCE)/secret_key $(INSTANCE)/suppression_key: | $(VENV)/.run
	@mkdir -p -m 700 $(INSTANCE)
	@umask 077 && $(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(48))' > $@

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit("Leadmagnet needs Python 3.11 or newer; set PYTHON=python3.11") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: requirements.txt | $(VENV)/bin/python
	$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $@

$(VENV)/.test: requirements-test.txt $(VENV)/.run
	$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements-test.txt
	@touch $@

# Measured, never imported: what we run on must not depend on it.
$(VENV)-peers/.made: benchmarks/requirements-peers.txt | $(VENV)/bin/python
	$(PYTHON) -m venv $(VENV)-peers
	$(VENV)-peers/bin/pip install -q --disable-pip-version-check --require-hashes -r benchmarks/requirements-peers.txt
	@touch $@
