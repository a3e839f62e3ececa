/**
 * The form of keyturn.yaml: every option, its bounds, its default. docs/reference/configuration.md lists the same
 * options, and a test compares the two.
 */
import { isIPv4, isIPv6 } from 'node:net';
import { z } from 'zod';
import { formatDuration } from '../base/duration.ts';
import { parseCallerName } from '../base/ids.ts';
import { duration, integer, invalid, list, member, text, wholeSeconds } from './schema-parts.ts';
import { parseWorkerEnvironment } from './worker-environment.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** PATH_MAX of Linux. */
const MAX_PATH_BYTES = 4_096;
const MAX_UNIX_LISTENERS = 16;
const MAX_REVOCATION_LISTS = 64;
const MAX_MODULE_PARAMETERS_BYTES = 4_096;
/** CK_TOKEN_INFO: label is 32 bytes, serialNumber 16. */
const MAX_LABEL_BYTES = 32;
const MAX_SERIAL_BYTES = 16;
const MAX_PORT = 65_535;
const MAX_WORKERS = 16;
const MAX_VERIFY_ONE_IN = 256;
const MAX_SESSIONS_PER_WORKER = 64;
const MAX_RETENTION_DAYS = 3_653;
const MAX_SEGMENT_MEGABYTES = 1_024;

/** A cache that adds no `Age` keeps a copy for max-age after an upstream cache did so too (DESIGN, section 4). */
const CEILING_FACTOR = { assumed: 2, none: 1 } as const;

export interface Address {
  readonly host: string;
  readonly port: number;
}

const DNS_NAME = /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/i;

function parseAddress(value: unknown, field: string): Address {
  const [, bracketed, plain, digits] =
    typeof value === 'string' ? (/^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(value) ?? []) : [];
  const host = bracketed ?? plain ?? '';
  const isHost =
    bracketed === undefined ? isIPv4(host) || (DNS_NAME.test(host) && !/^[\d.]+$/.test(host)) : isIPv6(host);
  const port = Number(digits);
  if (isHost && port <= MAX_PORT) return { host, port };
  throw invalid(`${field} must be HOST:PORT such as 127.0.0.1:8443 or [::1]:8443`);
}

/** Lets a check of which members are present run although one of them has a problem of its own. */
function isMapping({ value }: { readonly value: unknown }): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const filePath = text(MAX_PATH_BYTES);
const address = member(parseAddress);

const grpcSchema = z
  .strictObject({
    tls: z
      .strictObject({
        address,
        certificate: filePath,
        privateKey: filePath,
        clientCa: filePath,
        callerName: z.enum(['spiffe', 'dns', 'cn']),
        revocationLists: list(filePath, 0, MAX_REVOCATION_LISTS).default([]),
        maxConnectionAge: duration(SECOND_MS, DAY_MS).default(HOUR_MS),
        connectionGrace: duration(SECOND_MS, 10 * MINUTE_MS).default(15 * SECOND_MS),
      })
      .optional(),
    unix: z
      .array(z.strictObject({ path: filePath, caller: member(parseCallerName) }))
      .max(MAX_UNIX_LISTENERS, { error: `must have at most ${MAX_UNIX_LISTENERS} members` })
      .default([]),
  })
  .refine((grpc) => grpc.tls !== undefined || grpc.unix?.length > 0, {
    error: 'must have tls, unix or both: nobody could call the daemon',
    when: isMapping,
  });

const tokenSchema = z
  .strictObject({
    module: filePath,
    moduleParameters: text(MAX_MODULE_PARAMETERS_BYTES).optional(),
    label: text(MAX_LABEL_BYTES).optional(),
    serial: text(MAX_SERIAL_BYTES).optional(),
    pinFile: filePath,
    environment: z.record(z.string(), z.unknown()).superRefine(parseWorkerEnvironment).default({}),
    workers: integer(1, MAX_WORKERS).default(2),
    sessionsPerWorker: integer(1, MAX_SESSIONS_PER_WORKER).default(1),
    signTimeout: duration(100, MINUTE_MS).default(2 * SECOND_MS),
    generateTimeout: duration(SECOND_MS, 10 * MINUTE_MS).default(10 * SECOND_MS),
    canaryPeriod: duration(SECOND_MS, HOUR_MS).default(5 * SECOND_MS),
    verifyOneIn: integer(1, MAX_VERIFY_ONE_IN).default(1),
  })
  .refine((token) => (token.label === undefined) !== (token.serial === undefined), {
    error: 'must have label or serial, exactly one of them',
    when: isMapping,
  });

export const keySetSchema = z
  .strictObject({
    jwksMaxAge: wholeSeconds(SECOND_MS, DAY_MS).default(5 * MINUTE_MS),
    verifierCacheCeiling: wholeSeconds(SECOND_MS, 30 * DAY_MS).default(HOUR_MS),
    verifierSkew: wholeSeconds(0, HOUR_MS).default(5 * MINUTE_MS),
    sharedCaches: z.enum(['assumed', 'none']).default('assumed'),
    maxPublishedVersions: integer(3, 64).default(16),
  })
  .superRefine(({ jwksMaxAge, verifierCacheCeiling, sharedCaches }, context) => {
    const factor = CEILING_FACTOR[sharedCaches];
    const leastMs = factor * jwksMaxAge;
    if (verifierCacheCeiling >= leastMs) return;
    const why = sharedCaches === 'assumed' ? ', since a cache without Age doubles max-age' : '';
    context.addIssue({
      code: 'custom',
      path: ['verifierCacheCeiling'],
      message: `must be at least ${factor} × jwksMaxAge = ${formatDuration(leastMs)}${why}; it is ${formatDuration(verifierCacheCeiling)}`,
    });
  });

const auditSchema = z.strictObject({
  enabled: z.boolean({ error: 'must be true or false' }).default(true),
  directory: filePath.optional(),
  onFailure: z.enum(['refuse', 'continue']).default('refuse'),
  checkpointPeriod: duration(SECOND_MS, HOUR_MS).default(MINUTE_MS),
  retention: duration(DAY_MS, MAX_RETENTION_DAYS * DAY_MS).optional(),
  segmentMegabytes: integer(1, MAX_SEGMENT_MEGABYTES).default(64),
});

const limitsSchema = z.strictObject({
  maxQueuedRequests: integer(1, 100_000).default(1_024),
  maxClaimsBytes: integer(64, 65_536).default(8_192),
  maxClaimsDepth: integer(1, 64).default(16),
  maxRequest: duration(100, MINUTE_MS).default(10 * SECOND_MS),
  drain: duration(0, 5 * MINUTE_MS).default(10 * SECOND_MS),
});

export const configSchema = z.strictObject({
  grpc: grpcSchema,
  http: z.strictObject({ address: address.default({ host: '127.0.0.1', port: 8080 }) }).prefault({}),
  metrics: z.strictObject({ address }).optional(),
  token: tokenSchema,
  store: z.strictObject({ file: filePath }),
  audit: auditSchema.prefault({}),
  accessPolicy: filePath,
  keySets: z.record(z.string(), keySetSchema).default({}),
  clock: z.strictObject({ stepLimit: wholeSeconds(SECOND_MS, HOUR_MS).default(MINUTE_MS) }).prefault({}),
  limits: limitsSchema.prefault({}),
  log: z.strictObject({ level: z.enum(['debug', 'info', 'warn', 'error']).default('info') }).prefault({}),
});

export type ConfigDocument = z.infer<typeof configSchema>;
