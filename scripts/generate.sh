#!/bin/sh
# Makes src/gen/ (TypeScript types of the proto files) and proto/descriptors.binpb (what server reflection shows) anew, or
# the folder and the file that are given. `npm run check` fails when they are out of date.
set -eu
cd "$(dirname "$0")/.."
out=${1:-src/gen}
descriptors=${2:-proto/descriptors.binpb}
rm -rf "$out"
npx --no proto-loader-gen-types -- --longs=Number --enums=String --bytes=Buffer --defaults --oneofs \
  --grpcLib=@grpc/grpc-js --importFileExtension=.ts --outDir="$out" -I proto -- \
  keyturn/v1/signing_service.proto keyturn/v1/key_admin_service.proto keyturn/v1/key_set_service.proto keyturn/v1/token_service.proto \
  keyturn/v1/clock_service.proto keyturn/v1/store_service.proto keyturn/v1/approval_service.proto keyturn/v1/audit_service.proto \
  google/rpc/status.proto google/rpc/error_details.proto
# Entry points of files without a service: the compiler refuses their unused imports.
rm "$out/status.ts" "$out/error_details.ts"

# Real descriptors, by a real compiler: those that @grpc/proto-loader makes have other field names and broken map entries.
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
mkdir -p "$tree/grpc/health/v1"
cp -r proto/google proto/keyturn "$tree"
cp node_modules/grpc-health-check/proto/health/v1/health.proto "$tree/grpc/health/v1/"
npx --no buf -- build "$tree" --as-file-descriptor-set --exclude-source-info -o "$descriptors"
