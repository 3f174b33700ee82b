#!/usr/bin/env bash
# Make .venv with langnet, its pinned dependencies and CPU PyTorch. Called by the Makefile; safe to run again.
#
#   PYTHON       the interpreter to start from; by default the first of python3.11, 3.12, 3.13, python3 that will do
#   TORCH_INDEX  where PyTorch comes from; by default CPU builds. For a GPU: TORCH_INDEX=https://pypi.org/simple
#   EXTRAS       which optional dependencies to install (default: dev)
set -euo pipefail
cd "$(dirname "$0")/.."  # everything below is relative: the folder may have any name

CPU_WHEELS=${CPU_WHEELS:-https://download.pytorch.org/whl/cpu}
python=.venv/bin/python

say() { printf '\n== %s\n' "$*"; }

usable() { # a Python of 3.11 or later that starts (a version manager's stand-in may exist and not start)
  "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

find_python() {
  local candidate
  for candidate in ${PYTHON:+"$PYTHON"} python3.11 python3.12 python3.13 python3; do
    if usable "$candidate"; then echo "$candidate"; return; fi
    if [ "$candidate" = "${PYTHON:-}" ]; then break; fi  # asked for by name: take no other
  done
  echo "setup: no Python 3.11 or later found${PYTHON:+ at PYTHON=$PYTHON}; install one, or name it: make PYTHON=/path/to/python3.11" >&2
  return 1
}

pip() { "$python" -m pip --disable-pip-version-check --no-input "$@"; }

installed_torch() { # the version without its build suffix, or nothing
  "$python" -c 'from importlib.metadata import version; print(version("torch").partition("+")[0])' 2>/dev/null || true
}

# PyPI's PyTorch for Linux brings several GB of CUDA libraries; the CPU build ("2.x.y+cpu") is 20 times smaller.
# Tried in turn: the sources that this machine's pip is set up with, PyTorch's own index, and PyPI's build.
# The dependencies come with the next step, pinned; so none here.
install_torch() {
  local version
  version=$(sed -n 's/^torch==//p' constraints.txt)
  if [ "$(installed_torch)" = "$version" ]; then return; fi
  if [ -n "${TORCH_INDEX:-}" ]; then
    say "PyTorch $version from $TORCH_INDEX"
    pip install --no-deps --index-url "$TORCH_INDEX" "torch==$version"
    return
  fi
  if [ "$(uname -s)" = Linux ]; then
    say "PyTorch $version, CPU build"
    if pip install --no-deps --retries 1 "torch==$version+cpu" 2>/dev/null; then return; fi
    # A quick question first, so that an unreachable index costs seconds; then the download, with pip's own patience.
    if pip index versions torch --index-url "$CPU_WHEELS" --timeout 10 --retries 1 2>/dev/null | grep -F "$version+cpu" >/dev/null &&
      pip install --no-deps --index-url "$CPU_WHEELS" "torch==$version+cpu"; then return; fi
    say "No CPU build within reach: taking the package index's own PyTorch, which may bring CUDA libraries (several GB)"
  fi
  pip install --no-deps "torch==$version"
}

if ! usable "$python"; then
  base=$(find_python)
  say "A virtual environment in .venv, from $("$base" --version)"
  rm -rf .venv
  "$base" -m venv .venv
fi
install_torch
say "langnet and its dependencies, at the versions in constraints.txt"
# The build backend is installed first and pinned too; so the build needs no environment of its own.
pip install -c constraints.txt hatchling
pip install -c constraints.txt --no-build-isolation -e ".[${EXTRAS:-dev}]"
say "Ready: .venv/bin/langnet --help"
