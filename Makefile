# make demo: fit the tutorial curves and NIST's measurements, and draw them and the other examples.
# make test: lint, types, tests of the core and of the package, without the slow ones.
# make test-all: the same with the slow ones.
# make sanitize: all tests once more, with every check that the compilers have.
# make valgrind: some of them under valgrind.
# make docs: the documentation, with the examples as a gallery, in build/docs.
# make fuzz: the property tests on many more random fits and hostile calls, for half an hour.
# make mutants: the tests on deliberately broken solvers; they must fail.
# make peers: the test suites of lmfit and astropy.modeling, with SciPy's solver and with this one.
# make wheel: the sdist and a wheel for every Python found, each tested where it is installed.
# make bench: time, evaluations, memory and start-up compared with SciPy.
# make bench-picture: the picture and the table of README.md, from the results of make bench.
# make bench-many: many fits beside loops, Dask and xarray.
# make bench-parts: data in parts beside SciPy in memory, and Dask; threads.
# make survey: which solver finds the minimum of usual fits.
# make bench-core: the compiled core beside libcminpack, and in threads.
# make clean: remove .venv, build and generated files.

SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
ROOT := $(if $(filter-out 0,$(shell id -u)),sudo )

MESON = PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/meson
INSTALLED = .venv/package .venv/

# Say what is done, and print a dot every other second until it is done.
define patiently
	@printf '%s ' "$(1)"; (while sleep 2; do printf .; done) & dots=$$!; \
	$(2); failed=$$?; kill $$dots; wait $$dots 2>/dev/null; echo; exit $$failed
endef

.PHONY: demo test test-all checks docs sanitize valgrind fuzz mutants peers wheel bench bench-picture bench-many bench-parts bench-core survey clean

demo: $(INSTALLED)demo
	@$(BIN)/python tools/demo.py build/demo

test: checks
	$(BIN)/python -m pytest -n auto -rs -m "not slow"

test-all: checks
	$(BIN)/python -m pytest -n auto -rs

checks: $(INSTALLED)test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(call patiently,building the tests of the core (half a minute),$(call build_core,core-tests))
	$(MESON) test -C build/core --print-errorlogs --quiet

docs: $(INSTALLED)docs
	$(call patiently,building the documentation (two minutes),$(BIN)/sphinx-build -q -W --keep-going docs build/docs)
	@echo build/docs/index.html

sanitize: $(INSTALLED)test
	$(call build_apart,sanitized,-Dbuildtype=debug -Doptimization=2 "-Dfortran_args=['-fcheck=all'$(comma)'-DDEBUGGING']" \
	  -Dc_link_args=-lgfortran -Db_sanitize=address$(comma)undefined -Db_lundef=false)
	$(MESON) test -C build/sanitized --print-errorlogs
	PYTHONPATH=$(CURDIR)/build/sanitized/package \
	  LD_PRELOAD="$$(gcc -print-file-name=libasan.so) $$(gcc -print-file-name=libubsan.so)" \
	  ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1:quarantine_size_mb=1 \
	  UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 \
	  $(BIN)/python -m pytest -n auto -m "not release"

valgrind: $(INSTALLED)test
	@command -v valgrind >/dev/null || $(ROOT)apt-get install -y -qq valgrind
	$(call build_apart,debugged,-Dbuildtype=debugoptimized)
	PYTHONPATH=$(CURDIR)/build/debugged/package PYTHONMALLOC=malloc \
	  valgrind --quiet --error-exitcode=1 --num-callers=30 --suppressions=tests/valgrind.supp \
	  $(BIN)/python -m pytest -p no:xdist -m "not release" \
	  tests/test_tutorial_fits.py tests/test_leastsq.py tests/test_callbacks.py tests/test_native.py

fuzz: $(INSTALLED)test
	$(BIN)/python -m pytest tests/test_properties.py tests/test_hostile.py \
	  --hypothesis-profile=fuzz

mutants: $(INSTALLED)test
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python tools/mutants.py

peers: $(INSTALLED)test
	$(BIN)/python tools/peers.py

wheel: .venv/tools
	$(BIN)/python -m pip install -qq --group wheel
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python tools/wheels.py

bench: $(INSTALLED)benchmark
	$(BIN)/python benchmarks/bench.py

bench-picture: $(INSTALLED)benchmark
	$(BIN)/python benchmarks/picture.py
	$(BIN)/python benchmarks/table.py

bench-many: $(INSTALLED)benchmark
	$(BIN)/python benchmarks/many.py

bench-parts: $(INSTALLED)benchmark
	$(BIN)/python benchmarks/parts.py

survey: $(INSTALLED)benchmark
	$(BIN)/python benchmarks/survey.py

bench-core: $(INSTALLED)benchmark
	@$(call build_core,harness)
	$(BIN)/python benchmarks/compiled.py build/core/libharness.so

clean:
	rm -rf .venv build dist docs/gallery docs/sg_execution_times.rst \
	  .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Build a target of the core, from nothing if its modules have changed: then ninja looks for old ones.
core_after = $(MESON) setup $(1) build/core && $(MESON) compile -C build/core $(2)
build_core = { $(call core_after,--reconfigure,$(1)) || $(call core_after,--wipe,$(1)); } \
  >build/core.log 2>&1 || { cat build/core.log; false; }

# Build the package once more with options of its own: build/NAME, installed in build/NAME/package.
comma := ,
define build_apart
	@mkdir -p build
	PATH="$(CURDIR)/$(BIN):$$PATH" \
	  $(BIN)/python -m pip install -qq --no-build-isolation --no-deps --upgrade \
	  --target build/$(1)/package -Cbuild-dir=build/$(1) $(addprefix -Csetup-args=,$(2)) .
endef

# The package is installed anew whenever a file of it changed, and once for all targets.
SOURCES := $(wildcard minpack/* minpack/*/* src/leastsq/* src/leastsq/*/*) meson.build pyproject.toml

.venv/package: $(SOURCES) .venv/tools
	@mkdir -p build
	$(call patiently,building leastsq (a minute),PATH="$(CURDIR)/$(BIN):$$PATH" \
	  $(BIN)/python -m pip install -qq --no-build-isolation --no-deps --force-reinstall .)
	@touch $@

# A stamp a dependency group.
.venv/demo .venv/docs .venv/test .venv/benchmark: .venv/%: pyproject.toml .venv/tools
	$(call patiently,installing what $* needs (up to a minute),$(BIN)/python -m pip install -qq --group $*)
	@touch $@

.venv/tools: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else \
	  f"leastsq needs Python 3.11 or newer, and {sys.executable} is {sys.version.split()[0]}: make ... PYTHON=python3.13")'
	@echo "installing into .venv: two minutes in all"
	@needs=; \
	command -v gfortran >/dev/null || needs=gfortran; \
	$(PYTHON) -c 'import os, sysconfig; os.stat(sysconfig.get_path("include") + "/Python.h")' \
	  2>/dev/null || needs="$$needs python3-dev"; \
	for try in $${needs:+1 2 3 4 5}; do \
	  echo "installing $$needs"; \
	  $(ROOT)apt-get update -qq && $(ROOT)apt-get install -y -qq $$needs && break; \
	  [ $$try -lt 5 ] && sleep 10 || exit 1; \
	done
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install -qq --upgrade 'pip>=25.1'
	@$(BIN)/python -m pip install -qq --group build
	@touch $@
