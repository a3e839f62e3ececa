# shellcheck shell=bash
# What the set-ups of the test tokens share. A set-up is `setup.sh DIR`: it makes in DIR what isn't there yet, starts the
# processes that don't run, and says on stdout how to use the token, one `name: value` a line:
#
#   module: FILE            the PKCS#11 library            environment: NAME=VALUE   for the process that loads it
#   label: TEXT             CKA_LABEL of the token         parameters: TEXT          what C_Initialize takes
#   pin: FILE               holds the user PIN             process: NAME PID         started here, ended by the caller
#
# Run again after a process has ended, it brings that process back and leaves the token as it is.
set -euo pipefail
umask 077

# EX_USAGE of sysexits.h.
readonly wrong_usage=64
readonly token_label=keyturn-tokens
# 10 s in steps of 0.1 s.
readonly start_polls=100

tokens=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib/prerequisites.sh
. "$tokens/../../scripts/lib/prerequisites.sh"

fail() {
  printf 'error: %s\n' "$1" >&2
  exit 1
}

# begin "$@": the folder, absolute and ours alone, in $directory.
begin() {
  [ $# -eq 1 ] || { printf 'usage: setup.sh DIR\n' >&2 && exit "$wrong_usage"; }
  mkdir -p "$1"
  directory=$(cd "$1" && pwd)
  readonly directory
}

# N random hexadecimal digits.
random_digits() {
  od -An -N16 -tx1 /dev/urandom | tr -d ' \n' | cut -c "1-$1"
}

# The first of the files that is there.
find_file() {
  local file
  for file in "$@"; do
    if [ -e "$file" ]; then printf '%s\n' "$file" && return; fi
  done
  fail "none of these files is there: $*"
}

# The library folder of Debian's multiarch, such as /usr/lib/x86_64-linux-gnu.
library_folder() {
  printf '/usr/lib/%s-linux-gnu\n' "$(uname -m)"
}

# is_running NAME PID: by its name in the process table too, since process ids are used again; one that has ended and that
# nobody has waited for doesn't count.
is_running() {
  [ -n "$2" ] && [ "$(cat "/proc/$2/comm" 2>/dev/null || true)" = "$1" ] && ! grep -q '^State:[[:space:]]*Z' "/proc/$2/status"
}

# runs NAME: what was started here by that name.
runs() {
  is_running "$1" "$(cat "$directory/$1.pid" 2>/dev/null || true)"
}

# start NAME COMMAND...: in the background, in a session of its own, unless it runs. NAME is what the process is called.
start() {
  local name=$1 pid_file=$directory/$1.pid
  shift
  if runs "$name"; then return 1; fi
  setsid "$@" </dev/null >"$directory/$name.log" 2>&1 &
  printf '%s\n' "$!" >"$pid_file"
}

# await NAME CONDITION...: until the condition holds, while the process lives.
await() {
  local name=$1 poll
  shift
  for ((poll = 0; poll < start_polls; poll += 1)); do
    if "$@" 2>/dev/null; then return; fi
    sleep 0.1
  done
  cat "$directory/$name.log" >&2 || true
  fail "$name did not come up; its log is above"
}

print_processes() {
  local name
  for name in "$@"; do printf 'process: %s %s\n' "$name" "$(cat "$directory/$name.pid")"; done
}

# A SoftHSM2 token in DIR/softhsm2, for what stands in front of one; prints nothing.
softhsm2_token() {
  if [ ! -e "$directory/softhsm2/pin" ]; then
    "$tokens/../../softhsm/setup.sh" "$directory/softhsm2" "$token_label" >"$directory/softhsm2.txt"
  fi
  softhsm2_module=$(sed -n 's/^module: //p' "$directory/softhsm2.txt")
  softhsm2_config=$directory/softhsm2/softhsm2.conf
}

# print_token MODULE PIN-FILE
print_token() {
  printf 'module: %s\nlabel: %s\npin: %s\n' "$1" "$token_label" "$2"
}
