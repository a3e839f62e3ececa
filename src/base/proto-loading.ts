/**
 * Where the proto files are and how they become types, once for server and client: scripts/generate.sh uses the same
 * options. The files lie beside src/ and, in the package, beside dist/.
 */
import { fileURLToPath } from 'node:url';

export const PROTO_DIRECTORY = fileURLToPath(new URL('../../proto/', import.meta.url));

export const PROTO_FILES: readonly string[] = [
  'keyturn/v1/signing_service.proto',
  'keyturn/v1/key_admin_service.proto',
  'keyturn/v1/key_set_service.proto',
  'keyturn/v1/token_service.proto',
  'keyturn/v1/clock_service.proto',
  'keyturn/v1/store_service.proto',
  'keyturn/v1/approval_service.proto',
  'keyturn/v1/audit_service.proto',
];

export const STATUS_PROTO_FILES: readonly string[] = ['google/rpc/status.proto', 'google/rpc/error_details.proto'];

/** Options of @grpc/proto-loader. */
export const PROTO_OPTIONS = {
  longs: Number,
  enums: String,
  bytes: Buffer,
  defaults: true,
  oneofs: true,
  includeDirs: [PROTO_DIRECTORY],
};

/** The `domain` of every google.rpc.ErrorInfo. */
export const ERROR_DOMAIN = 'keyturn';
/** The trailer that carries google.rpc.Status. */
export const STATUS_DETAILS_TRAILER = 'grpc-status-details-bin';
