#!/usr/bin/env bash
# Lock files with hashes and without a single address, so that they work with any package index.
set -euo pipefail

uv="$(command -v uv || echo .venv/bin/uv)"
[ -x "$uv" ] || { .venv/bin/python -m pip --quiet install uv; uv=.venv/bin/uv; }
options=(--universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate --quiet --upgrade)
"$uv" pip compile pyproject.toml --group dev "${options[@]}" -o requirements/dev.lock
"$uv" pip compile pyproject.toml "${options[@]}" -c requirements/dev.lock -o requirements/runtime.lock
printf 'hatchling>=1.27\neditables>=0.5\n' | "$uv" pip compile - "${options[@]}" -c requirements/dev.lock -o requirements/build.lock
if grep -nE '://|index-url|find-links' requirements/*.lock; then
  echo "A lock file holds an address; that must not be committed." >&2
  exit 1
fi
echo "Locked: $(grep -c == requirements/runtime.lock) packages to run, $(grep -c == requirements/dev.lock) to develop."
