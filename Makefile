# make demo: fit the tutorial curves and NIST's measurements, and draw them.
# make test: lint, types, tests of the core and of the package.
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
# make bench-parts: data in parts beside SciPy in memory, and Dask.
# make bench-core: the compiled core beside libcminpack, and in threads.
# make clean: remove .venv, build and generated files.

SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
ROOT := $(if $(filter-out 0,$(shell id -u)),sudo )

MESON = PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/meson

.PHONY: demo test docs sanitize valgrind fuzz mutants peers wheel bench bench-picture bench-many bench-parts bench-core clean

demo: .venv/demo
	@for example in polynomial exponential sine misra1a nist lines kinetics peak band \
	  carbon_dioxide outliers t2_map spectra long_record cluster; do \
	  $(BIN)/python examples/$$example.py build/demo || exit 1; \
	done

test: .venv/test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(MESON) setup --reconfigure build/core >build/core.log || { cat build/core.log; exit 1; }
	$(MESON) test -C build/core --print-errorlogs
	$(BIN)/python -m pytest -n auto

docs: .venv/docs
	$(BIN)/sphinx-build -q -W --keep-going docs build/docs
	@echo build/docs/index.html

sanitize: .venv/test
	$(call build_apart,sanitized,-Dbuildtype=debug -Doptimization=2 "-Dfortran_args=['-fcheck=all'$(comma)'-DDEBUGGING']" \
	  -Dc_link_args=-lgfortran -Db_sanitize=address$(comma)undefined -Db_lundef=false)
	$(MESON) test -C build/sanitized --print-errorlogs
	PYTHONPATH=$(CURDIR)/build/sanitized/package \
	  LD_PRELOAD="$$(gcc -print-file-name=libasan.so) $$(gcc -print-file-name=libubsan.so)" \
	  ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1:quarantine_size_mb=1 \
	  UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 \
	  $(BIN)/python -m pytest -n auto -m "not release"

valgrind: .venv/test
	@command -v valgrind >/dev/null || $(ROOT)apt-get install -y -qq valgrind
	$(call build_apart,debugged,-Dbuildtype=debugoptimized)
	PYTHONPATH=$(CURDIR)/build/debugged/package PYTHONMALLOC=malloc \
	  valgrind --quiet --error-exitcode=1 --num-callers=30 --suppressions=tests/valgrind.supp \
	  $(BIN)/python -m pytest -p no:xdist -m "not release" \
	  tests/test_tutorial_fits.py tests/test_leastsq.py tests/test_callbacks.py tests/test_native.py

fuzz: .venv/test
	$(BIN)/python -m pytest tests/test_properties.py tests/test_hostile.py \
	  --hypothesis-profile=fuzz

mutants: .venv/test
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python tools/mutants.py

peers: .venv/test
	$(BIN)/python tools/peers.py

wheel: .venv/tools
	$(BIN)/python -m pip install --quiet --group wheel
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python tools/wheels.py

bench: .venv/test .venv/benchmark
	$(BIN)/python benchmarks/bench.py

bench-picture: .venv/benchmark
	$(BIN)/python benchmarks/picture.py
	$(BIN)/python benchmarks/table.py

bench-many: .venv/test .venv/benchmark
	$(BIN)/python benchmarks/many.py

bench-parts: .venv/test .venv/benchmark
	$(BIN)/python benchmarks/parts.py

bench-core: .venv/test .venv/benchmark
	$(MESON) setup --reconfigure build/core >build/core.log || { cat build/core.log; exit 1; }
	$(MESON) compile -C build/core harness >build/core.log || { cat build/core.log; exit 1; }
	$(BIN)/python benchmarks/compiled.py build/core/libharness.so

clean:
	rm -rf .venv build dist docs/gallery docs/sg_execution_times.rst \
	  .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Build the package once more with options of its own: build/NAME, installed in build/NAME/package.
comma := ,
define build_apart
	@mkdir -p build
	PATH="$(CURDIR)/$(BIN):$$PATH" \
	  $(BIN)/python -m pip install --quiet --no-build-isolation --no-deps --upgrade \
	  --target build/$(1)/package -Cbuild-dir=build/$(1) $(addprefix -Csetup-args=,$(2)) .
endef

# A stamp a dependency group: the package is installed anew whenever a file of it changed.
SOURCES := $(wildcard minpack/* minpack/*/* src/leastsq/* src/leastsq/*/*) meson.build pyproject.toml

.venv/demo .venv/docs .venv/test .venv/benchmark: .venv/%: $(SOURCES) .venv/tools
	@mkdir -p build
	$(BIN)/python -m pip install --quiet --group $*
	PATH="$(CURDIR)/$(BIN):$$PATH" \
	  $(BIN)/python -m pip install --quiet --no-build-isolation --no-deps --force-reinstall .
	@touch $@

.venv/tools: pyproject.toml
	@needs=; \
	command -v gfortran >/dev/null || needs=gfortran; \
	$(PYTHON) -c 'import os, sysconfig; os.stat(sysconfig.get_path("include") + "/Python.h")' \
	  2>/dev/null || needs="$$needs python3-dev"; \
	for try in $${needs:+1 2 3 4 5}; do \
	  echo "Installing $$needs"; \
	  $(ROOT)apt-get update -qq && $(ROOT)apt-get install -y -qq $$needs && break; \
	  [ $$try -lt 5 ] && sleep 10 || exit 1; \
	done
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --group build
	@touch $@
