#!/bin/sh
# Makes src/gen/ (TypeScript types of the proto files) anew. `npm run check` fails when it is out of date.
set -eu
cd "$(dirname "$0")/.."
rm -rf src/gen
npx --no proto-loader-gen-types -- --longs=Number --enums=String --bytes=Buffer --defaults --oneofs \
  --grpcLib=@grpc/grpc-js --importFileExtension=.ts --outDir=src/gen -I proto -- \
  keyturn/v1/signing_service.proto keyturn/v1/key_admin_service.proto keyturn/v1/key_set_service.proto keyturn/v1/token_service.proto \
  google/rpc/status.proto google/rpc/error_details.proto
