#!/usr/bin/env bash
# Write constraints.txt anew: install langnet with all extras into an empty environment without constraints (PyTorch
# alone keeps its version; give another with TORCH=2.x.y), and pin what pip chose. Look at the difference, then `make check`.
set -euo pipefail
cd "$(dirname "$0")/.."

torch=${TORCH:-$(sed -n 's/^torch==//p' constraints.txt)}
scratch=.constraints-venv
trap 'rm -rf "$scratch"' EXIT

"${PYTHON:-python3}" -m venv "$scratch"
pip() { "$scratch/bin/python" -m pip --disable-pip-version-check --no-input "$@"; }
pip install --no-deps "torch==$torch+cpu" || pip install --no-deps --index-url https://download.pytorch.org/whl/cpu "torch==$torch"
pip install -e ".[dev,onnx,reference,translation,vectors]"

{
  cat <<'HEADER'
# The exact version of every package that langnet is developed and tested with (all extras).
# Used by the Makefile as `pip install -c constraints.txt`; `pip install langnet` itself takes the ranges in pyproject.toml.
# Written by `make constraints`: change pyproject.toml and run that, rather than editing this file.
# torch stands without its build suffix (+cpu, +cu130), so that any build of that version will do.
HEADER
  pip freeze --all --exclude pip --exclude wheel --exclude-editable | grep -v '^langnet' | sed -E 's/^(torch==[^+]*)\+.*/\1/' | LC_ALL=C sort -f
} > "$scratch/constraints.txt"
mv "$scratch/constraints.txt" constraints.txt
echo "constraints.txt: $(grep -c == constraints.txt) packages pinned"
