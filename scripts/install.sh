#!/usr/bin/env bash
# Makes .venv with all that the demo and the tests need, from pinned and hashed packages.
set -euo pipefail
cd "$(dirname "$0")/.."

wanted='import sys; sys.exit(sys.version_info < (3, 12))'
python=""
for name in python3 python3.12 python3.13 python3.14 python; do
  if command -v "$name" >/dev/null 2>&1 && "$name" -c "$wanted" >/dev/null 2>&1; then
    python="$name"
    break
  fi
done

if [ -n "$python" ]; then
  [ -x .venv/bin/python ] || "$python" -m venv .venv 2>/dev/null || {
    echo "proxy-guard: '$python' can't make a virtual environment: install it, e.g. 'apt-get install python3-venv'" >&2
    exit 1
  }
elif command -v uv >/dev/null 2>&1; then
  [ -x .venv/bin/python ] || uv venv --quiet --seed --python ">=3.12" .venv
else
  echo "proxy-guard needs Python 3.12 or newer: install it, e.g. 'apt-get install python3.12 python3.12-venv'" >&2
  exit 1
fi

echo "Installing into .venv (about two minutes the first time)…"
if command -v uv >/dev/null 2>&1; then
  uv pip install --quiet --python .venv/bin/python --require-hashes -r requirements.lock
  uv pip install --quiet --python .venv/bin/python --no-deps --editable .
else
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
fi
