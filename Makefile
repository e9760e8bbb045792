# A virtual environment with everything pinned, the demo, the tests.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin

PIP = $(BIN)/python -m pip --disable-pip-version-check
BY_HASH = --quiet --require-hashes --no-deps

UV ?= uv
COMPILE = $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
	--custom-compile-command "make lock" --constraint constraints.txt
SOURCE = medpy
WITH_TORCH = torch triton cuda-bindings cuda-pathfinder cuda-toolkit nvidia-cublas nvidia-cuda-cupti \
	nvidia-cuda-nvrtc nvidia-cuda-runtime nvidia-cudnn-cu13 nvidia-cufft nvidia-cufile nvidia-curand \
	nvidia-cusolver nvidia-cusparse nvidia-cusparselt-cu13 nvidia-nccl-cu13 nvidia-nvjitlink \
	nvidia-nvshmem-cu13 nvidia-nvtx

# Files of tests side by side, one a core, each with one thread: most of a test's time is not spent in torch.
PYTEST = OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto --dist loadfile

.PHONY: demo test quick lint style docs lock clean

demo: $(VENV)/installed
	$(BIN)/dmcvr demo --output demo

test: $(VENV)/installed lint
	$(PYTEST)

# What a developer runs every few minutes.
quick: style
	$(PYTEST) -m "not slow"

lint: style
	$(BIN)/mypy
	PYTHONPATH=DMCVRReconstruction $(BIN)/lint-imports --no-cache

style: $(VENV)/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

# The API's page, from its docstrings: docs/index.html.
docs: $(VENV)/installed
	$(BIN)/pdoc dmcvr --output-directory docs

# Everything by the hashes of its published files, but torch: which build of it fits is for the machine to say,
# so it is pinned by version, and what only its CUDA builds need comes with it. medpy is published as source,
# and built with the setuptools that was just installed.
$(VENV)/installed: pyproject.toml constraints.txt requirements-lock.txt requirements-lock-source.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) install $(BY_HASH) --only-binary :all: --requirement requirements-lock.txt
	$(PIP) install $(BY_HASH) --no-build-isolation --use-pep517 --requirement requirements-lock-source.txt
	$(PIP) install --quiet --constraint constraints.txt torch
	$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	$(PIP) check
	touch $@

# After a change to pyproject.toml or constraints.txt; needs uv (https://docs.astral.sh/uv).
lock:
	$(COMPILE) $(addprefix --no-emit-package ,$(SOURCE) $(WITH_TORCH)) --extra test pyproject.toml \
		--output-file requirements-lock.txt
	echo $(SOURCE) | $(COMPILE) --no-deps - --output-file requirements-lock-source.txt

clean:
	rm -rf $(VENV) demo docs build
