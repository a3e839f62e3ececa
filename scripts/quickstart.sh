#!/usr/bin/env bash
# The first five minutes with keyturn: everything from an empty clone to a rotated key, in a demo folder that the next
# run makes anew. Safe to run again at any time. Ends the daemon that it started, and nothing else.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
exec </dev/null

# shellcheck source=scripts/lib/prerequisites.sh
. scripts/lib/prerequisites.sh

# A proxy of the machine has nothing to do with what happens on it.
export no_proxy=127.0.0.1,localhost NO_PROXY=127.0.0.1,localhost
unset KEYTURN_CONFIG

readonly steps=8
readonly issuer=https://issuer.example audience=https://api.example
step_number=0
daemon_pid=''
demo=$root/.keyturn-demo
# The path of a Unix socket has room for 107 bytes: a deep clone gets its demo elsewhere.
if [ "${#demo}" -gt 85 ]; then demo=/tmp/keyturn-demo-$(id -u); fi

step() {
  step_number=$((step_number + 1))
  printf '\n\033[1m[%d/%d] %s\033[0m\n' "$step_number" "$steps" "$1"
}

say() { printf '      %s\n' "$@"; }

indent() { fold -s -w 112 | sed 's/ *$//; s/^/      /'; }

# Shows a command of the CLI as the user would type it, and runs it.
show() {
  printf '      $ scripts/keyturn %s\n' "$*"
  keyturn "$@" 2>&1 | indent
}

keyturn() { "$root/scripts/keyturn" --config "$demo/keyturn.yaml" "$@"; }

fail() {
  printf '\nerror: %s\n' "$1" >&2
  exit 1
}

clean_up() {
  local code=$?
  trap - EXIT
  if [ -n "$daemon_pid" ] && kill -TERM "$daemon_pid" 2>/dev/null; then wait "$daemon_pid" 2>/dev/null || true; fi
  if [ "$code" -ne 0 ] && [ -s "$demo/daemon.log" ]; then
    printf 'hint: the last lines of %s:\n' "$demo/daemon.log" >&2
    tail -n 5 "$demo/daemon.log" >&2
  fi
  exit "$code"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Tries a command twice a second until it succeeds, and prints what it said then; its last words when the time is up.
wait_for() {
  local seconds=$1 words
  shift
  local end=$((SECONDS + seconds))
  until words=$("$@" 2>&1); do
    if [ "$SECONDS" -ge "$end" ]; then
      printf '%s\n' "$words" >&2
      return 1
    fi
    if [ -n "$daemon_pid" ] && ! kill -0 "$daemon_pid" 2>/dev/null; then
      printf 'the daemon has ended\n' >&2
      return 1
    fi
    sleep 0.5
  done
  printf '%s\n' "$words"
}

# A port of the loopback interface that is free now.
free_port() {
  node_modules/.bin/node -e '
    const server = require("node:net").createServer().listen(0, "127.0.0.1", () => {
      console.log(server.address().port);
      server.close();
    });'
}

sign() {
  keyturn sign access-tokens --as auth-service \
    --claims "{\"iss\":\"$issuer\",\"aud\":\"$audience\",\"sub\":\"alice\"}" --lifetime 5m
}

# Rotates, waiting for the moment at which it is allowed.
rotate_in_time() {
  local words
  printf '      $ scripts/keyturn key rotate access-tokens\n'
  words=$(wait_for 60 keyturn key rotate access-tokens --reason quickstart) || fail 'the rotation was refused for too long'
  printf '%s\n' "$words" | indent
}

# Both verifiers on one JWT; $1 names it, $2 is the JWT.
verify_both() {
  printf '%s' "$2" | keyturn verify - --jwks "$jwks_url" --issuer "$issuer" --audience "$audience" >/dev/null ||
    fail "jose refused $1"
  printf '%s' "$2" | "$python" scripts/verify_with_pyjwt.py "$jwks_url" "$issuer" "$audience" >/dev/null ||
    fail "PyJWT refused $1"
  say "$1: verified by jose (Node) and by PyJWT (Python)."
}

# The JOSE header of a JWT, readable.
header_of() {
  node_modules/.bin/node -e 'console.log(Buffer.from(process.argv[1].split(".")[0], "base64url").toString())' "$1"
}

# ---------------------------------------------------------------------------------------------------------------------

step 'Install what is needed and build'
prerequisites quickstart
npm run --silent build
python=/usr/bin/python3
say 'Done.'

step 'Make a token: the safe that the keys will live in'
say 'Real installations use a hardware security module. SoftHSM2 plays that part here: same interface (PKCS#11),' \
  'but its "hardware" is a folder. Keys are made inside and can be used, but not taken out.'
if [ -f "$demo/daemon.pid" ] && grep -qs "$demo" "/proc/$(cat "$demo/daemon.pid")/cmdline"; then
  fail "another quickstart is running (process $(cat "$demo/daemon.pid"))"
fi
rm -rf "$demo"
grpc_port=$(free_port)
http_port=$(free_port)
jwks_url=http://127.0.0.1:$http_port/.well-known/jwks.json
printf '      $ scripts/keyturn init --demo\n'
scripts/keyturn init --demo --dir "$demo" --grpc-address "127.0.0.1:$grpc_port" --http-address "127.0.0.1:$http_port" --json \
  >/dev/null
say 'It also made certificates for the callers and a list of who may do what.' \
  'NOTE: --demo promises verifiers that keys turn within seconds. That is for watching only: real verifiers keep keys' \
  'for minutes to hours, and the default gives them one hour.'

step 'Start the daemon'
scripts/keyturn serve --config "$demo/keyturn.yaml" >"$demo/daemon.log" 2>&1 &
daemon_pid=$!
printf '%s\n' "$daemon_pid" >"$demo/daemon.pid"
wait_for 30 keyturn token status >/dev/null || fail 'the daemon did not get ready'
say "It is process $daemon_pid. Callers reach it on port $grpc_port, verifiers on port $http_port."

step 'Create a signing key'
show key apply access-tokens --algorithm ES256 --max-jwt-lifetime 15m
wait_for 30 sign >/dev/null || fail 'the signing key did not get ready'
say 'The private key was made in the token and stays there. Two standbys are published already, waiting for their turn.'

step 'Sign a JWT, and verify it'
say "auth-service connects with its certificate and asks for a JWT for the user alice."
first=$(sign)
say "JWT 1: ${first:0:60}…" "       header $(header_of "$first")"
say "Verifiers fetch the public keys at $jwks_url"
verify_both 'JWT 1' "$first"

step 'Rotate: let a standby take over'
rotate_in_time
second=$(sign)
say "JWT 2: ${second:0:60}…" "       header $(header_of "$second")"
[ "$(header_of "$first")" != "$(header_of "$second")" ] || fail 'both JWTs have the same key'
say 'Another kid: another key. Nobody had to wait or to fetch anything, since the standby was published before.'
verify_both 'JWT 1' "$first"
verify_both 'JWT 2' "$second"

step 'Try to rotate too early'
say 'A key must never sign before every verifier can know it. So keyturn refuses, and says when it will agree:'
printf '      $ scripts/keyturn key rotate access-tokens\n'
if refusal=$(keyturn key rotate access-tokens --reason 'too early' 2>&1); then
  say '(This machine was so slow that the next standby is ready already.)'
else
  printf '%s\n' "$refusal" | indent
  say '' 'A few seconds later:'
  rotate_in_time
fi
third=$(sign)
verify_both 'JWT 1' "$first"
verify_both 'JWT 3' "$third"

step 'Look at what there is now'
show key show access-tokens

cat <<END

It works. The daemon ends now; the demo stays in $demo.

What to do next:
  scripts/keyturn init                    a folder of your own (.keyturn/), with the real default of one hour
  scripts/keyturn serve                   start its daemon, and in another terminal:
  scripts/keyturn key apply access-tokens --algorithm ES256
  scripts/keyturn doctor                  if something doesn't work
  docs/guides/                            your own token, verifiers, containers
END
