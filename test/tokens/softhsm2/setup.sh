#!/usr/bin/env bash
# SoftHSM2: keys in files, everything in the process that loads it.
. "$(dirname "$0")/../lib.sh"
begin "$@"
require_packages softhsm2 >&2
softhsm2_token
print_token "$softhsm2_module" "$directory/softhsm2/pin"
printf 'environment: SOFTHSM2_CONF=%s\n' "$softhsm2_config"
