#!/usr/bin/env bash
# NSS softokn: a key database with a password. It takes its settings from C_Initialize's parameters only.
. "$(dirname "$0")/../lib.sh"
begin "$@"
require_packages libnss3 libnss3-tools >&2
if [ ! -e "$directory/pin" ]; then
  mkdir -p "$directory/db"
  random_digits 32 >"$directory/pin"
  certutil -N -d "sql:$directory/db" -f "$directory/pin"
fi
print_token "$(find_file "$(library_folder)"/{,nss/}libsoftokn3.so)" "$directory/pin"
printf "parameters: configdir='sql:%s' certPrefix='' keyPrefix='' secmod='' dbTokenDescription='%s' flags=noModDB\n" \
  "$directory/db" "$token_label"
