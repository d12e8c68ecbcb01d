# make lab     JupyterLab with the tour. LAB_ARGS="--no-browser --port=9999" is handed on to it.
# make test    everything that CI runs. TEST_ARGS="-k queue" is handed on to pytest.
# make soak    `make test` three times in a row, and three times beside a busy loop on each core. SOAK_ARGS=1: once each.
# make bench   how fast it is, beside other libraries. BENCH_ARGS="--quick --only 1,4" is handed on.
# They set up what they need in .venv first, and find it ready the next time. PYTHON=python3.12 picks another Python.

PYTHON ?= python3
VENV := $(CURDIR)/.venv
RUN := "$(VENV)/bin/python"
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# Jupyter and IPython write into .venv only, and take its kernel even where the user's folders have one of that name.
HOMES = JUPYTER_CONFIG_DIR="$(1)/config" JUPYTER_DATA_DIR="$(1)/data" JUPYTER_RUNTIME_DIR="$(1)/runtime" \
	IPYTHONDIR="$(1)/ipython" JUPYTER_PREFER_ENV_PATH=1
OWN := env -u JUPYTER_PATH -u JUPYTER_CONFIG_PATH -u JUPYTERLAB_SETTINGS_DIR -u JUPYTERLAB_WORKSPACES_DIR -u PYTHONPATH

.PHONY: lab test soak bench

lab:
	@$(PYTHON) scripts/make_venv.py lab
	@exec $(OWN) $(call HOMES,$(VENV)/jupyter) $(RUN) -m jupyterlab --ServerApp.root_dir="$(CURDIR)" \
		--LabApp.default_url=/lab/tree/notebooks/tour.ipynb $(if $(filter 0,$(shell id -u)),--allow-root) $(LAB_ARGS)

# What tests the front end's sources, and the MCP servers that the tests talk to.
NODE_PACKAGES := js/node_modules/.package-lock.json tests/interop/node_modules/.package-lock.json

# The user's key and settings stay out of the tests.
test: TEMP := $(VENV)/test
test:
	@$(PYTHON) scripts/make_venv.py dev
	@$(RUN) scripts/ipykernels.py
	@if node -e "process.exit(+(process.versions.node.split('.')[0] < 20))" 2>/dev/null; then \
		$(MAKE) --no-print-directory $(NODE_PACKAGES); \
	else echo "Node 20 or newer is not here: the tests of the front end's sources and of node's MCP servers are skipped."; fi
	@rm -rf "$(TEMP)"
	@CHROME="$$($(RUN) scripts/find_browser.py)" && export CHROME && \
		$(OWN) -u OPENROUTER_API_KEY $(call HOMES,$(TEMP)) \
		RUSTBOT_CONFIG_DIR="$(TEMP)/rustbot" RUSTBOT_DATA_DIR="$(TEMP)/rustbot" \
		$(RUN) scripts/run_tests.py $(TEST_ARGS)

soak:
	@$(PYTHON) scripts/make_venv.py dev
	@$(RUN) scripts/soak.py $(SOAK_ARGS)

bench:
	@$(PYTHON) scripts/make_venv.py dev
	@$(MAKE) --no-print-directory .venv-bench/.installed
	@CHROME="$$($(RUN) scripts/find_browser.py)" && export CHROME && $(OWN) $(RUN) -m benchmarks $(BENCH_ARGS)

# The other libraries want versions of their own, so they get an environment of their own.
.venv-bench/.installed: benchmarks/requirements-peers.txt
	@$(RUN) -m venv --without-pip --clear .venv-bench
	@$(RUN) -m pip --python .venv-bench/bin/python install --quiet -r $<
	@touch $@

%/node_modules/.package-lock.json: %/package-lock.json
	@cd $* && npm ci --no-audit --no-fund --loglevel=error
	@touch $@
