#!/usr/bin/env bash
# Caml Crush: a SoftHSM2 token behind the filtering proxy pkcs11proxyd, one process a client, on a Unix socket.
. "$(dirname "$0")/../lib.sh"
begin "$@"
require_packages softhsm2 caml-crush-server caml-crush-clients >&2
softhsm2_token
socket=$directory/proxy.sock

if [ ! -e "$directory/proxy.conf" ]; then
  mkdir -p "$directory/netplex"
  printf 'debug = 0\nlog_subchannel = filter\nmodules = [("softhsm2", "%s")]\n' "$softhsm2_module" >"$directory/filter.conf"
  # A process takes one connection: what one client does to the module stays its own.
  cat >"$directory/proxy.conf" <<CONF
netplex {
  controller {
    max_level = "warning";
    socket_directory = "$directory/netplex";
    logging { type = "stderr"; };
  };
  service {
    name = "PKCS#11 Filtering Proxy";
    conn_limit = 1;
    protocol {
      name = "rpc_pkcs11";
      address { type = "local"; path = "$socket"; };
    };
    processor {
      type = "rpc_pkcs11";
      filter_config = "$directory/filter.conf";
      use_ssl = false;
    };
    workload_manager {
      type = "dynamic";
      max_jobs_per_thread = 1;
      min_free_jobs_capacity = 1;
      max_free_jobs_capacity = 1;
      max_threads = 32;
    };
  };
}
CONF
fi
if ! runs pkcs11proxyd; then
  rm -f "$socket"
  SOFTHSM2_CONF=$softhsm2_config start pkcs11proxyd pkcs11proxyd -fg -conf "$directory/proxy.conf"
  await pkcs11proxyd test -S "$socket"
fi
print_token "$(find_file "$(library_folder)"/caml-crush/libp11clientunix.so)" "$directory/softhsm2/pin"
printf 'environment: %s\n' PKCS11PROXY_LIBNAME=softhsm2 "PKCS11PROXY_SOCKET_PATH=$socket" PKCS11PROXY_RPC_TIMEOUT=30
print_processes pkcs11proxyd
