#!/usr/bin/env bash
# All the tests, from an empty clone on: what they need, the build, the static checks, and then each test once.
# The last line is `N passed, N failed, N skipped`. Set CI=true where nobody watches.
set -euo pipefail
cd "$(dirname "$0")/.."
exec </dev/null

# shellcheck source=scripts/lib/prerequisites.sh
. scripts/lib/prerequisites.sh

# A proxy of the machine has nothing to do with what happens on it.
export no_proxy=127.0.0.1,localhost NO_PROXY=127.0.0.1,localhost

prerequisites test
export PATH=$PWD/node_modules/.bin:$PATH
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT

# Hundreds of processes of the tests load the same files: each is compiled once.
export NODE_COMPILE_CACHE=$results/compiled

npm run --silent build
code=0
scripts/check.sh --static || code=1
# Every token of the slow tests sits behind pkcs11-spy; the spy tests then read what it saw.
export KEYTURN_TEST_SPY_DIR=$results/spy
mkdir "$KEYTURN_TEST_SPY_DIR"
# One after the other: tests that measure time don't share the machine with the others.
for project in fast simulation slow spy; do
  vitest run --project "$project" --reporter=default --reporter=json --outputFile.json="$results/$project.json" || code=1
done
if [ "$code" -ne 0 ]; then printf '\nerror: something failed, see above\n'; fi
node scripts/count-tests.ts "$results"/{fast,simulation,slow,spy}.json || code=1
exit "$code"
