#!/bin/sh
# Makes src/gen/ (TypeScript types of the proto files) and proto/descriptors.binpb (what server reflection shows) anew. `npm run check` fails when it is out of date.
set -eu
cd "$(dirname "$0")/.."
rm -rf src/gen
npx --no proto-loader-gen-types -- --longs=Number --enums=String --bytes=Buffer --defaults --oneofs \
  --grpcLib=@grpc/grpc-js --importFileExtension=.ts --outDir=src/gen -I proto -- \
  keyturn/v1/signing_service.proto keyturn/v1/key_admin_service.proto keyturn/v1/key_set_service.proto keyturn/v1/token_service.proto \
  google/rpc/status.proto google/rpc/error_details.proto

# Real descriptors, by a real compiler: those that @grpc/proto-loader makes have other field names and broken map entries.
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
mkdir -p "$tree/grpc/health/v1"
cp -r proto/google proto/keyturn "$tree"
cp node_modules/grpc-health-check/proto/health/v1/health.proto "$tree/grpc/health/v1/"
npx --no buf -- build "$tree" --as-file-descriptor-set --exclude-source-info -o proto/descriptors.binpb
