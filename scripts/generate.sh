#!/bin/sh
# Makes src/gen/ (TypeScript types of the proto files) anew, or the folder that is given. `npm run check` fails when
# src/gen is out of date.
set -eu
cd "$(dirname "$0")/.."
out=${1:-src/gen}
rm -rf "$out"
npx --no proto-loader-gen-types -- --longs=Number --enums=String --bytes=Buffer --defaults --oneofs \
  --grpcLib=@grpc/grpc-js --importFileExtension=.ts --outDir="$out" -I proto -- \
  keyturn/v1/signing_service.proto keyturn/v1/key_admin_service.proto keyturn/v1/key_set_service.proto keyturn/v1/token_service.proto \
  google/rpc/status.proto google/rpc/error_details.proto
# Entry points of files without a service: the compiler refuses their unused imports.
rm src/gen/status.ts src/gen/error_details.ts
