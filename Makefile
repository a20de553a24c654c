# The front door. Everything runs in .venv, which the first target that needs it sets up.
.DEFAULT_GOAL := help
GATE := .venv/bin/python scripts/gate.py
CHECK := .venv/bin/python scripts/check.py
# uv takes the Pythons that are here, and trusts what the machine trusts.
export UV_PYTHON_DOWNLOADS := never
export UV_SYSTEM_CERTS := true

.PHONY: help venv test test-full lint format typing docs docs-check sanity unit contract faults integration build release-check demo rehearse bench pins clean

help:  ## list the targets
	@sed -n 's/^\([a-z -]*\):.*  ## /\1	/p' $(MAKEFILE_LIST) | expand -t 28

venv:  ## set up .venv (again when requirements/dev.txt changed)
	@scripts/venv.sh

test: venv  ## everything a change must pass
	@$(GATE)

test-full: venv  ## the same with the slow tests, every supported ansible-core, galaxy-importer and the modules for AWX
	@$(GATE) --full

unit contract faults integration: venv  ## one kind of tests
	@$(CHECK) $@

lint: venv  ## ruff, yamllint, ansible-lint
	@$(CHECK) lint

format: venv  ## let ruff mend what it can
	@.venv/bin/ruff check --fix
	@.venv/bin/ruff format

typing: venv  ## mypy
	@$(CHECK) typing

docs: venv  ## build the documentation as HTML, in .cache/docs/html
	@$(CHECK) site

docs-check: venv  ## documentation, the same built as HTML, and changelog
	@$(CHECK) docs

sanity: venv  ## ansible-test sanity, oldest and newest ansible-core
	@$(GATE) sanity

build: venv  ## build the tarball, install it elsewhere, read its documentation
	@$(CHECK) build

release-check: venv  ## whether this commit can be published: version, changelog, tag, documentation, tarball, importer
	@.venv/bin/python scripts/release.py
	@$(CHECK) docs build ee importer

demo: venv  ## see the collection mirror two simulated instances
	@scripts/demo.sh

rehearse: venv  ## rehearse in the simulator; SNAPSHOT=file and VARS="-i inventory -e @pair.yml" for your own clusters
	@PYTHONPATH=extensions .venv/bin/python scripts/rehearse.py $(if $(SNAPSHOT),--snapshot '$(SNAPSHOT)') -- $(VARS)

bench: venv  ## measure runs without changes against other ways to make them; WRITE=1 puts it into docs/benchmark
	@.venv/bin/python tests/bench/bench.py $(if $(WRITE),--write)
	@.venv/bin/python tests/bench/makespan.py

pins: venv  ## bring the pinned development packages up to date
	@for group in dev importer awx; do \
		.venv/bin/uv pip compile --quiet --upgrade --universal --python-version 3.10 --group $$group --no-annotate \
			--no-emit-index-url --custom-compile-command "make pins" --output-file requirements/$$group.txt; \
	done

clean:  ## remove everything the targets made
	rm -rf .venv .venv-* .cl .cache .ansible .hypothesis .mypy_cache .pytest_cache .ruff_cache tests/output *.tar.gz
