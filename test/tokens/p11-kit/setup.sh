#!/usr/bin/env bash
# p11-kit remoting: a SoftHSM2 token in a server process, reached through a Unix socket.
. "$(dirname "$0")/../lib.sh"
begin "$@"
require_packages softhsm2 p11-kit p11-kit-modules >&2
softhsm2_token
socket=$directory/p11-kit.sock
if ! runs p11-kit-server; then
  # A killed server leaves its socket behind, and the next one can't bind it. The program runs by its own path, since
  # `p11-kit server` only starts it.
  rm -f "$socket"
  server=$(find_file "$(library_folder)"/p11-kit/p11-kit-server /usr/lib*/p11-kit/p11-kit-server /usr/libexec/p11-kit/p11-kit-server)
  SOFTHSM2_CONF=$softhsm2_config start p11-kit-server \
    "$server" --foreground --provider "$softhsm2_module" --name "$socket" "pkcs11:token=$token_label"
  await p11-kit-server test -S "$socket"
fi
print_token "$(find_file "$(library_folder)"/pkcs11/p11-kit-client.so)" "$directory/softhsm2/pin"
printf 'environment: P11_KIT_SERVER_ADDRESS=unix:path=%s\n' "$socket"
print_processes p11-kit-server
