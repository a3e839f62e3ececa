#!/usr/bin/env bash
# Kryoptic, a software token that has ML-DSA (PKCS#11 3.2) where it was built with it. Debian 12 has no package of it: the
# module is found where packages put it, or by KRYOPTIC_MODULE. Where it is not installed, this token can't be had.
. "$(dirname "$0")/../lib.sh"
begin "$@"
module=
for candidate in "${KRYOPTIC_MODULE:-}" "$(library_folder)"/{,pkcs11/}libkryoptic_pkcs11.so /usr/lib64/{,pkcs11/}libkryoptic_pkcs11.so; do
  if [ -f "$candidate" ]; then module=$candidate && break; fi
done
if [ -z "$module" ]; then
  printf 'error: Kryoptic is not installed\nhint: install it, and name its libkryoptic_pkcs11.so by KRYOPTIC_MODULE\n' >&2
  exit "$missing_prerequisite"
fi
require_packages opensc >&2

export KRYOPTIC_CONF=$directory/token.conf
if [ ! -e "$directory/pin" ]; then
  printf '[[slots]]\nslot = 0\ndbtype = "sqlite"\ndbargs = "%s"\n' "$directory/token.sql" >"$KRYOPTIC_CONF"
  random_digits 32 >"$directory/so-pin"
  random_digits 32 >"$directory/new-pin"
  so_pin=$(cat "$directory/so-pin") user_pin=$(cat "$directory/new-pin")
  export so_pin user_pin
  pkcs11-tool --module "$module" --slot 0 --init-token --label "$token_label" --so-pin env:so_pin >&2
  pkcs11-tool --module "$module" --slot 0 --login --login-type so --so-pin env:so_pin --init-pin --new-pin env:user_pin >&2
  mv "$directory/new-pin" "$directory/pin"
fi
print_token "$module" "$directory/pin"
printf 'environment: %s\n' "KRYOPTIC_CONF=$KRYOPTIC_CONF"
