#!/usr/bin/env bash
# OpenSC's pkcs11-spy in front of SoftHSM2. It logs every call into DIR/spy.log, the PIN too: for tests only.
. "$(dirname "$0")/../lib.sh"
begin "$@"
require_packages softhsm2 opensc-pkcs11 >&2
softhsm2_token
print_token "$(find_file "$(library_folder)"/{pkcs11/,}pkcs11-spy.so)" "$directory/softhsm2/pin"
printf 'environment: SOFTHSM2_CONF=%s\n' "$softhsm2_config"
printf 'environment: PKCS11SPY=%s\n' "$softhsm2_module"
printf 'environment: PKCS11SPY_OUTPUT=%s\n' "$directory/spy.log"
