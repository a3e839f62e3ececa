#!/bin/sh
# setup.sh DIR LABEL [PIN-FILE]: a new SoftHSM2 token with a random PIN.
#
# DIR gets softhsm2.conf, tokens/, pin and so-pin (0600); with PIN-FILE, the user PIN is taken from it instead of being
# made. The last lines on stdout say where things are: `module: FILE`, `config: FILE`, `pin: FILE`.
#
# softhsm2-util takes PINs as arguments only (without them it insists on a terminal), so for the fraction of a second
# that it runs, other users of this machine can read them in its argument list: make tokens on a machine that is yours.
set -eu
umask 077

fail() {
  printf 'error: %s\n' "$1" >&2
  exit 1
}

[ $# -ge 2 ] && [ $# -le 3 ] || fail "usage: setup.sh DIR LABEL [PIN-FILE]"
directory=$1
label=$2
given_pin=${3-}
here=$(cd "$(dirname "$0")" && pwd)

# CKA_LABEL of a token is 32 bytes, blank-padded.
[ -n "$label" ] && [ "$(printf %s "$label" | wc -c)" -le 32 ] || fail "LABEL must be 1 to 32 bytes"
command -v softhsm2-util >/dev/null || fail "softhsm2-util is not installed (Debian: apt-get install softhsm2)"

module=
for candidate in \
  "${SOFTHSM2_MODULE:-}" \
  /usr/lib/softhsm/libsofthsm2.so \
  /usr/lib/*/softhsm/libsofthsm2.so \
  /usr/lib64/softhsm/libsofthsm2.so \
  /usr/lib64/pkcs11/libsofthsm2.so \
  /usr/local/lib/softhsm/libsofthsm2.so \
  /opt/homebrew/lib/softhsm/libsofthsm2.so; do
  if [ -n "$candidate" ] && [ -f "$candidate" ]; then
    module=$candidate
    break
  fi
done
[ -n "$module" ] || fail "libsofthsm2.so was not found (Debian: apt-get install softhsm2); name it in SOFTHSM2_MODULE"

mkdir -p "$directory"
directory=$(cd "$directory" && pwd)
for made in softhsm2.conf tokens pin so-pin; do
  [ ! -e "$directory/$made" ] || fail "$directory/$made exists already: this script never touches a token that is there"
done

# 128 random bits as hexadecimal digits.
random_pin() {
  od -An -N16 -tx1 /dev/urandom | tr -d ' \n'
}

mkdir "$directory/tokens"
escaped=$(printf %s "$directory/tokens" | sed 's/[&|\\]/\\&/g')
sed "s|@TOKEN_DIRECTORY@|$escaped|" "$here/softhsm2.conf.in" >"$directory/softhsm2.conf"
if [ -n "$given_pin" ]; then
  cat "$given_pin" >"$directory/pin"
else
  random_pin >"$directory/pin"
fi
random_pin >"$directory/so-pin"

SOFTHSM2_CONF=$directory/softhsm2.conf softhsm2-util --module "$module" --init-token --free --label "$label" \
  --so-pin "$(cat "$directory/so-pin")" --pin "$(cat "$directory/pin")" >&2 ||
  fail "softhsm2-util could not make the token; its message is above"

printf 'module: %s\nconfig: %s\npin: %s\n' "$module" "$directory/softhsm2.conf" "$directory/pin"
