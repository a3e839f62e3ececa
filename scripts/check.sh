#!/usr/bin/env bash
# Says whether the tree is good: one line a step, and at the first that fails its output. `--static` leaves the tests
# out (scripts/test.sh runs all of them anyway).
set -euo pipefail
cd "$(dirname "$0")/.."
# Node 24 and the tools of the lock file, whatever the machine has.
export PATH=$PWD/node_modules/.bin:$PATH
workshop=$(mktemp -d)
trap 'rm -rf "$workshop"' EXIT

step() {
  local name=$1 started=$SECONDS
  shift
  printf '%-22s' "$name"
  if "$@" >"$workshop/output" 2>&1 </dev/null; then
    printf 'ok   %3d s\n' "$((SECONDS - started))"
  else
    printf 'FAILED\n\n'
    cat "$workshop/output"
    printf '\nerror: %s failed: %s\n' "$name" "$*" >&2
    exit 1
  fi
}

generated_files_are_fresh() {
  scripts/generate.sh "$workshop/gen" "$workshop/descriptors.binpb"
  diff -r "$workshop/gen" src/gen && cmp "$workshop/descriptors.binpb" proto/descriptors.binpb \
    || { echo 'hint: npm run generate, then commit src/gen and proto/descriptors.binpb' && return 1; }
}

step 'format' biome format
step 'lint' oxlint --type-aware
step 'types' tsc -p tsconfig.json --noEmit
step 'dead code' knip --no-progress
step 'proto lint' buf lint
step 'generated files' generated_files_are_fresh
if [ "${1:-}" = --static ]; then exit 0; fi
step 'tidy' vitest run --project fast test/tidy
step 'fast tests' vitest run --project fast --exclude 'test/tidy/**'
