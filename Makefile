# Kahn: two commands are enough, `make demo` and `make test`. Both first do `make setup`.
# Nothing here writes outside the checkout, except: Debian packages (listed before, `make uninstall-packages` takes them
# away), the lab's root file system in ~/.cache/kahn, and `make install`, which says what it does.

.DEFAULT_GOAL := help
PREFIX ?= /opt/kahn
RUN := .venv/bin/python

.PHONY: help setup demo test test-long check bench-planning format lock docs texts install uninstall uninstall-packages clean

help:  ## This list
	@awk -F':.*## ' '/^[a-z-]+:.*## / { printf "  make %-20s %s\n", $$1, $$2 }' Makefile

setup:  ## Debian packages (root only), .venv and the kahn command; quick when all is there
	@sh .ci/setup.sh

demo: setup  ## The whole story on throw-away hosts: import, plan, approve, run, roll back, report
	@$(RUN) -m orchestrator.lab.demo

test: setup  ## Everything but the long proofs: check, then real ansible, PostgreSQL and lab hosts
	@sh .ci/test.sh all

test-long: setup  ## The long proofs, which neither check nor test runs; PARTS="samba trial" takes files by words of their names
	@PARTS="$(PARTS)" sh .ci/test.sh long

check: setup  ## Format, lint, types, import contracts, house rules, unit and property tests
	@sh .ci/test.sh check

bench-planning: setup  ## Planners side by side on made-up towns and graphs; sizes: see python -m bench.planning --help
	@$(RUN) -m bench.planning

format: setup  ## Put all sources into their one form
	@$(RUN) -m ruff check --fix-only --quiet .
	@$(RUN) -m ruff format --quiet .

lock:  ## Resolve the dependencies again (needs uv); writes no registry address
	@sh .ci/lock.sh

docs: setup  ## Write the generated pages: states, errors, commands, settings
	@$(RUN) .ci/pages.py

texts: setup  ## Bring the German catalogue up to date and list what is untranslated
	@$(RUN) .ci/catalogue.py update

install: setup  ## Install into PREFIX (default /opt/kahn): own environment, user kahn, systemd unit; honours DESTDIR
	@PREFIX="$(PREFIX)" DESTDIR="$(DESTDIR)" sh .ci/install.sh

uninstall:  ## Take away what `make install` put there; keeps the state directory
	@PREFIX="$(PREFIX)" DESTDIR="$(DESTDIR)" sh .ci/install.sh remove

uninstall-packages:  ## Take away exactly the Debian packages that setup added
	@"$$(sh .ci/python.sh)" .ci/packages.py remove

clean:  ## Remove everything made by the build; labs must be down
	@if [ -d .state/lab ]; then echo "A lab may be up: run .venv/bin/kahn lab down first."; exit 1; fi
	@rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	@find inventory orchestrator playbooks tests .ci -name __pycache__ -type d -prune -exec rm -rf {} +
	@if [ -s .state/installed-packages ]; then echo "Kept: .state (it lists the packages that setup added)"; else rm -rf .state; fi
