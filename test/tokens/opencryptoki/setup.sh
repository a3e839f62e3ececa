#!/usr/bin/env bash
# openCryptoki's software token, with its slot manager pkcsslotd. Needs root, and there is one per machine: its paths
# (/etc/opencryptoki, /var/lib/opencryptoki, /var/run) are compiled in. Only a token that isn't initialised, or one of
# our own making, is made anew.
. "$(dirname "$0")/../lib.sh"
begin "$@"
require_packages opencryptoki >&2
[ "$(id -u)" -eq 0 ] || fail 'openCryptoki is set up by root only'

readonly data=/var/lib/opencryptoki pid_of_pkcsslotd=/var/run/pkcsslotd.pid
readonly default_so_pin=87654321
slot=$(awk '/^slot/ { slot = $2 } /libpkcs11_sw\.so/ { print slot }' /etc/opencryptoki/opencryptoki.conf)
[ -n "$slot" ] || fail '/etc/opencryptoki/opencryptoki.conf has no slot with libpkcs11_sw.so'

# It forks, and writes the file when it is ready to.
names_running() {
  is_running pkcsslotd "$(tr -d ' \n' 2>/dev/null <"$pid_of_pkcsslotd" || true)"
}

start_pkcsslotd() {
  if names_running; then return; fi
  rm -f /var/run/pkcsslotd.socket "$pid_of_pkcsslotd"
  install -d -m 0770 -g pkcs11 "$data/swtok" "$data/swtok/TOK_OBJ" /var/lock/opencryptoki /var/lock/opencryptoki/swtok
  pkcsslotd >"$directory/pkcsslotd.log" 2>&1
  await pkcsslotd test -S /var/run/pkcsslotd.socket
  await pkcsslotd names_running
  tr -d ' \n' <"$pid_of_pkcsslotd" >"$directory/pkcsslotd.pid"
}

has_ended() {
  ! is_running pkcsslotd "$1"
}

token_info() {
  pkcsconf -t -c "$slot" 2>/dev/null
}

make_token() {
  if token_info | grep -q '^[[:space:]]*Flags:.*TOKEN_INITIALIZED' && ! token_info | grep -q "Label: $token_label"; then
    fail "slot $slot holds somebody's token: $(token_info | grep Label:); this set-up leaves it alone"
  fi
  local pid
  pid=$(tr -d ' \n' <"$pid_of_pkcsslotd")
  kill "$pid"
  await pkcsslotd has_ended "$pid"
  rm -rf "$data/swtok" /dev/shm/var.lib.opencryptoki.swtok*
  start_pkcsslotd
  # Four to eight characters; and pkcsconf exits with 0 when a PIN is refused, so the flags are looked at afterwards.
  random_digits 8 >"$directory/so-pin"
  random_digits 8 >"$directory/pin"
  local first
  first=$(random_digits 8)
  printf '%s\n' "$token_label" | pkcsconf -I -c "$slot" -S "$default_so_pin" >&2
  pkcsconf -P -c "$slot" -S "$default_so_pin" -n "$(cat "$directory/so-pin")" >&2
  pkcsconf -u -c "$slot" -S "$(cat "$directory/so-pin")" -n "$first" >&2
  # A PIN that the security officer has set is good for changing it only.
  pkcsconf -p -c "$slot" -U "$first" -n "$(cat "$directory/pin")" >&2
  token_info | grep -q USER_PIN_INITIALIZED || fail 'the user PIN was not set'
  if token_info | grep -q USER_PIN_TO_BE_CHANGED; then fail 'the user PIN was not changed'; fi
}

start_pkcsslotd
if [ ! -e "$directory/pin" ]; then make_token; fi
print_token "$(find_file "$(library_folder)"/{pkcs11,opencryptoki}/libopencryptoki.so)" "$directory/pin"
if [ -e "$directory/pkcsslotd.pid" ]; then print_processes pkcsslotd; fi
