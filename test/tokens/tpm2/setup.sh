#!/usr/bin/env bash
# tpm2-pkcs11 over the resource manager tpm2-abrmd (on a D-Bus of its own) over swtpm, a TPM 2.0 in software. Without a
# resource manager, three loaded keys fill the TPM, and swtpm takes one client at a time. Unix sockets only.
. "$(dirname "$0")/../lib.sh"
begin "$@"
require_packages libtpm2-pkcs11-1 libtpm2-pkcs11-tools libtss2-tcti-swtpm0 libtss2-tcti-tabrmd0 tpm2-abrmd swtpm dbus dbus-daemon >&2

export DBUS_SESSION_BUS_ADDRESS=unix:path=$directory/bus
readonly tcti=tabrmd:bus_type=session

has_owner() {
  dbus-send --session --print-reply --dest=org.freedesktop.DBus / org.freedesktop.DBus.NameHasOwner \
    string:com.intel.tss2.Tabrmd | grep -q 'boolean true'
}

mkdir -p "$directory/state" "$directory/store"
if ! runs dbus-daemon; then
  # Before the start: afterwards it might be the new one's socket.
  rm -f "$directory/bus"
  start dbus-daemon dbus-daemon --session --nosyslog --nofork --address="$DBUS_SESSION_BUS_ADDRESS"
  await dbus-daemon test -S "$directory/bus"
fi
if start swtpm swtpm socket --tpm2 --tpmstate "dir=$directory/state" --server "type=unixio,path=$directory/tpm" \
  --ctrl "type=unixio,path=$directory/tpm.ctrl" --flags not-need-init,startup-clear; then
  await swtpm test -S "$directory/tpm.ctrl"
fi
if start tpm2-abrmd tpm2-abrmd --session --allow-root "--tcti=swtpm:path=$directory/tpm" --flush-all; then
  await tpm2-abrmd has_owner
fi
if [ ! -e "$directory/pin" ]; then
  random_digits 32 >"$directory/so-pin"
  random_digits 32 >"$directory/new-pin"
  export TPM2_PKCS11_TCTI=$tcti TPM2TOOLS_TCTI=$tcti
  tpm2_ptool init --path "$directory/store" >&2
  tpm2_ptool addtoken --pid 1 --label "$token_label" --path "$directory/store" \
    --userpin "$(cat "$directory/new-pin")" --sopin "$(cat "$directory/so-pin")" >&2
  mv "$directory/new-pin" "$directory/pin"
fi
print_token "$(find_file "$(library_folder)"/pkcs11/libtpm2_pkcs11.so)" "$directory/pin"
printf 'environment: %s\n' "DBUS_SESSION_BUS_ADDRESS=$DBUS_SESSION_BUS_ADDRESS" "TPM2_PKCS11_STORE=$directory/store" \
  "TPM2_PKCS11_TCTI=$tcti" TPM2_PKCS11_LOG_LEVEL=0
print_processes tpm2-abrmd swtpm dbus-daemon
