/** Loads keyturn.yaml: text → schema → `Config`, with paths absolute and defaults filled in. All problems at once. */
import { dirname, join, resolve } from 'node:path';
import { KeyturnError } from '../base/errors.ts';
import { DEFAULT_KEY_SET, type KeySetName, parseKeySetName } from '../base/ids.ts';
import type { KeySetPromise } from '../lifecycle/model.ts';
import type { AuditConfig, Config, GrpcListenerConfig, HttpConfig, TokenConfig } from './config.ts';
import { type ConfigDocument, configSchema, keySetSchema } from './config-schema.ts';
import { ConfigError, type ConfigProblem, formatPath } from './problems.ts';
import { toProblems } from './schema-parts.ts';
import { parseYaml, readDocumentFile } from './yaml-document.ts';

/** sockaddr_un.sun_path without its final zero. */
const MAX_SOCKET_PATH_BYTES = 107;
const MAX_KEY_SETS = 64;
const AUDIT_DIRECTORY = 'audit';
const BYTES_PER_MEGABYTE = 1_000_000;

/** Errors: CONFIG_INVALID, a ConfigError with every problem. */
export async function loadConfig(file: string): Promise<Config> {
  return parseConfig(await readDocumentFile(file), file);
}

/** `file` is where relative paths start, and isn't read. Errors: CONFIG_INVALID, a ConfigError with every problem. */
export function parseConfig(text: string, file: string): Config {
  const { value, problems: yamlProblems } = parseYaml(text);
  if (yamlProblems.length > 0) throw new ConfigError(file, yamlProblems);
  const parsed = configSchema.safeParse(value, { reportInput: true });
  if (!parsed.success) throw new ConfigError(file, [...toProblems(parsed.error), ...findKeySetNameProblems(value)]);
  const config = toConfig(parsed.data, resolve(file));
  const problems = [...findKeySetNameProblems(value), ...findListenerProblems(config)];
  if (problems.length > 0) throw new ConfigError(file, problems);
  return config;
}

function toConfig(document: ConfigDocument, file: string): Config {
  const fromHere = (path: string): string => resolve(dirname(file), path);
  return {
    file,
    grpcListeners: toListeners(document.grpc, fromHere),
    http: document.http.address,
    metrics: document.metrics?.address,
    token: toTokenConfig(document.token, fromHere),
    canaryPeriodMs: document.token.canaryPeriod,
    verifyOneIn: document.token.verifyOneIn,
    storeFile: fromHere(document.store.file),
    audit: toAuditConfig(document, fromHere),
    accessPolicyFile: fromHere(document.accessPolicy),
    keySets: toKeySets(document.keySets),
    clockStepLimitMs: document.clock.stepLimit,
    limits: {
      maxQueuedRequests: document.limits.maxQueuedRequests,
      maxClaimsBytes: document.limits.maxClaimsBytes,
      maxClaimsDepth: document.limits.maxClaimsDepth,
      maxRequestMs: document.limits.maxRequest,
      drainMs: document.limits.drain,
    },
    logLevel: document.log.level,
  };
}

/** Beside the store, unless it says otherwise. */
function toAuditConfig({ audit, store }: ConfigDocument, fromHere: (path: string) => string): AuditConfig | undefined {
  if (!audit.enabled) return undefined;
  return {
    directory: fromHere(audit.directory ?? join(dirname(store.file), AUDIT_DIRECTORY)),
    onFailure: audit.onFailure,
    checkpointPeriodMs: audit.checkpointPeriod,
    retentionMs: audit.retention,
    segmentBytes: audit.segmentMegabytes * BYTES_PER_MEGABYTE,
  };
}

/** TLS first, then the Unix sockets in their order. */
function toListeners(
  { tls, unix }: ConfigDocument['grpc'],
  fromHere: (path: string) => string,
): readonly GrpcListenerConfig[] {
  const listeners: GrpcListenerConfig[] = unix.map(({ path, caller }) => ({
    kind: 'unix',
    path: fromHere(path),
    caller,
  }));
  if (tls === undefined) return listeners;
  const { address, certificate, privateKey, clientCa, callerName, revocationLists } = tls;
  return [
    {
      kind: 'tls',
      host: address.host,
      port: address.port,
      certificateFile: fromHere(certificate),
      privateKeyFile: fromHere(privateKey),
      clientCaFile: fromHere(clientCa),
      revocationListFiles: revocationLists.map(fromHere),
      maxConnectionAgeMs: tls.maxConnectionAge,
      connectionGraceMs: tls.connectionGrace,
      callerName,
    },
    ...listeners,
  ];
}

function toTokenConfig(token: ConfigDocument['token'], fromHere: (path: string) => string): TokenConfig {
  return {
    moduleFile: fromHere(token.module),
    moduleParameters: token.moduleParameters,
    selector: token.label === undefined ? { serial: token.serial ?? '' } : { label: token.label },
    pinFile: fromHere(token.pinFile),
    environment: Object.fromEntries(Object.entries(token.environment).map(([name, value]) => [name, String(value)])),
    workers: token.workers,
    sessionsPerWorker: token.sessionsPerWorker,
    signTimeoutMs: token.signTimeout,
    generateTimeoutMs: token.generateTimeout,
  };
}

function toKeySets(documents: ConfigDocument['keySets']): ReadonlyMap<KeySetName, KeySetPromise> {
  const promises = { [DEFAULT_KEY_SET]: keySetSchema.parse({}), ...documents };
  return new Map(
    Object.entries(promises).flatMap(([name, document]) => {
      if (problemOfKeySetName(name) !== undefined) return [];
      const promise: KeySetPromise = {
        jwksMaxAgeMs: document.jwksMaxAge,
        verifierCacheCeilingMs: document.verifierCacheCeiling,
        verifierSkewMs: document.verifierSkew,
        sharedCaches: document.sharedCaches,
        maxPublishedVersions: document.maxPublishedVersions,
      };
      return [[parseKeySetName(name), promise] as const];
    }),
  );
}

/** On the raw value, so that a wrong name is told together with whatever else is wrong. */
function findKeySetNameProblems(value: unknown): readonly ConfigProblem[] {
  const keySets = typeof value === 'object' && value !== null && 'keySets' in value ? value.keySets : undefined;
  if (typeof keySets !== 'object' || keySets === null || Array.isArray(keySets)) return [];
  const names = Object.keys(keySets);
  const problems = names.flatMap((name) => {
    const message = problemOfKeySetName(name);
    return message === undefined ? [] : [{ path: formatPath(['keySets', name]), message }];
  });
  return names.length > MAX_KEY_SETS
    ? [...problems, { path: 'keySets', message: `must have at most ${MAX_KEY_SETS} members` }]
    : problems;
}

function problemOfKeySetName(name: string): string | undefined {
  try {
    parseKeySetName(name, 'a key set name');
    return undefined;
  } catch (error) {
    if (error instanceof KeyturnError) return error.message;
    throw error;
  }
}

function findListenerProblems({ grpcListeners, http, metrics }: Config): readonly ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const sockets = grpcListeners.filter((listener) => listener.kind === 'unix');
  sockets.forEach(({ path }, index) => {
    const bytes = Buffer.byteLength(path);
    const place = `grpc.unix[${index}].path`;
    if (bytes > MAX_SOCKET_PATH_BYTES) {
      problems.push({
        path: place,
        message: `must have at most ${MAX_SOCKET_PATH_BYTES} bytes as an absolute path; ${path} has ${bytes}`,
      });
    }
    if (sockets.findIndex((other) => other.path === path) < index)
      problems.push({ path: place, message: `${path} is another listener's already` });
  });
  const tls = grpcListeners.find((listener) => listener.kind === 'tls');
  if (tls !== undefined && isSameAddress(http, tls))
    problems.push({ path: 'http.address', message: 'is the address of grpc.tls already' });
  // Whoever may fetch the public keys may not read the metrics: never on one listener.
  if (metrics !== undefined && isSameAddress(metrics, http))
    problems.push({ path: 'metrics.address', message: 'is http.address already' });
  if (metrics !== undefined && tls !== undefined && isSameAddress(metrics, tls))
    problems.push({ path: 'metrics.address', message: 'is the address of grpc.tls already' });
  return problems;
}

/** Port 0 is a different one each time. */
function isSameAddress(left: HttpConfig, right: HttpConfig): boolean {
  return left.port !== 0 && left.port === right.port && left.host === right.host;
}
