/**
 * A daemon as a process, and what comes to it over its listeners: gRPC messages that no client library would send, bytes
 * that are hardly HTTP/2, and HTTP/1.1 as smugglers write it. After all that it must be alive, sign, and have logged no
 * unforeseen error.
 */
import { readFileSync } from 'node:fs';
import { connect, type NetConnectOpts } from 'node:net';
import { Client, credentials, type ServiceError } from '@grpc/grpc-js';
import fc from 'fast-check';
import { METHOD_RULES } from '../../src/access/methods.ts';
import { fromServiceError } from '../../src/client/service-error.ts';
import { type DaemonProcess, startDaemonProcess } from '../../test/fixtures/daemon-process.ts';
import { AUDIENCE, type Deployment, ISSUER, makeDeployment } from '../../test/fixtures/deployment.ts';
import { type RawOutcome, RawSigner } from '../../test/fixtures/raw-signing.ts';
import { redTeamTricks } from '../../test/fixtures/red-team.ts';
import { signJwtMessage } from '../../test/fixtures/wire-message.ts';
import { claimsBytes } from './claims.ts';
import { mutatedBytes } from './mutations.ts';
import { http1, http2 } from './wire-bytes.ts';
import { ACCEPTED, batchTarget, require, type Target } from './target.ts';

const GRANT = {
  signingKey: 'access-tokens',
  iss: ISSUER,
  aud: AUDIENCE,
  sub: 'user:alice',
  typ: ['JWT', 'at+jwt'],
  maxLifetimeSeconds: 3_600,
};
const BATCH = 32;
/** A connection that the daemon keeps longer, although its peer has ended, is a leak. */
const MAX_CONNECTION_MS = 20_000;
const DEADLINE_MS = 20_000;

export interface Wire {
  readonly targets: readonly Target[];
  /** Throws unless the daemon lives, signs, and has logged nothing unforeseen. */
  requireWell(): Promise<void>;
  dispose(): Promise<void>;
}

export async function openWire(): Promise<Wire> {
  const deployment = await makeDeployment({ claims: { sub: ['user:*'], forbidden: ['scope'] } });
  const daemon = await startDaemonProcess(deployment);
  await daemon.admin.applySigningKey({ name: 'access-tokens', algorithm: 'Ed25519' });
  const address = `127.0.0.1:${daemon.grpcAddress.port}`;
  const signer = new RawSigner(address, signerCredentials(deployment));
  const admin = new Client(`unix:${deployment.adminSocket}`, credentials.createInsecure());
  return {
    targets: [
      batchTarget('SignJwt over gRPC', 15, anyMessage, BATCH, async (messages) =>
        (await signer.signAll(messages, BATCH)).map(requireAllowed),
      ),
      batchTarget('BatchSignJwt over gRPC', 5, anyMessage, BATCH, (messages) => signAsBatch(signer, messages)),
      batchTarget('all methods over gRPC', 5, call, BATCH, (calls) =>
        Promise.all(calls.map((one) => callMethod(admin, one))),
      ),
      batchTarget('bytes to the gRPC socket', 5, http2, BATCH, (inputs) =>
        Promise.all(inputs.map((bytes) => exchange({ path: deployment.adminSocket }, bytes).then(judgeHttp2))),
      ),
      batchTarget('bytes to the HTTP listener', 10, http1, BATCH, (inputs) =>
        Promise.all(inputs.map((bytes) => exchange(httpOptions(daemon), bytes).then(judgeHttp1))),
      ),
    ],
    async requireWell() {
      const { jwt } = await daemon.clientOf('auth-service').signJwt({
        signingKey: 'access-tokens',
        claims: { iss: ISSUER, aud: AUDIENCE, sub: GRANT.sub },
      });
      require(requireWithinGrant(jwt) === ACCEPTED, 'the daemon no longer signs');
      const errors = daemon
        .log()
        .split('\n')
        .filter((line) => /"level":(?:"error"|"fatal"|50|60)/.test(line));
      require(errors.length === 0, `the daemon logged errors: ${errors.slice(0, 3).join('\n')}`);
    },
    async dispose() {
      signer.close();
      admin.close();
      await daemon.stop();
      await deployment.dispose();
    },
  };
}

function signerCredentials({ tls }: Deployment): ReturnType<typeof credentials.createSsl> {
  return credentials.createSsl(
    readFileSync(tls.ca),
    readFileSync(tls.privateKeyOf('auth-service')),
    readFileSync(tls.certificateOf('auth-service')),
  );
}

function requireForeseen(reason: string | undefined, message: string): string {
  require(reason !== undefined && reason !== 'INTERNAL', `an unforeseen error: ${String(reason)} ${message}`);
  return reason ?? '';
}

// --- SignJwt

const TRICKS = redTeamTricks(GRANT).map(({ message }) => message);
const message = fc
  .record({
    claims: claimsBytes,
    typ: fc.constantFrom('', 'JWT', 'JWT', 'at+jwt', 'jwt', 'logout+jwt'),
    lifetimeSeconds: fc.oneof(fc.constantFrom(1, 60, 3_600), fc.integer()),
  })
  .map((fields) => signJwtMessage({ signingKey: GRANT.signingKey, ...fields }));
const anyMessage = fc.oneof(
  { weight: 6, arbitrary: message },
  { weight: 6, arbitrary: mutatedBytes(fc.constantFrom(...TRICKS)) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes)) },
);

function requireWithinGrant(jwt: string): string {
  const [header = {}, claims = {}] = jwt
    .split('.', 2)
    .map((part) => JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>);
  const { iss, aud, sub, exp, iat, nbf, scope } = claims;
  const lifeSeconds = Number(exp) - Number(iat);
  require(Object.keys(header).join() === 'alg,kid,typ' &&
    GRANT.typ.includes(String(header['typ'])), `the header is ${JSON.stringify(header)}`);
  require(iss === ISSUER &&
    [aud].flat().join() === AUDIENCE &&
    String(sub).startsWith('user:'), `the claims are ${JSON.stringify(claims)}`);
  require(lifeSeconds >= 1 &&
    lifeSeconds <= GRANT.maxLifetimeSeconds &&
    nbf === undefined &&
    scope === undefined, `the claims are ${JSON.stringify(claims)}`);
  return ACCEPTED;
}

function requireAllowed(outcome: RawOutcome): string {
  if ('jwt' in outcome) return requireWithinGrant(outcome.jwt);
  return requireForeseen(outcome.reason, outcome.message);
}

/** In one call, all that are messages have the outcomes that each has by itself. One that isn't makes the call none. */
async function signAsBatch(signer: RawSigner, messages: readonly Buffer[]): Promise<readonly string[]> {
  const alone = (await signer.signAll(messages, BATCH)).map(requireAllowed);
  const isMessage = (_message: Buffer, index: number): boolean => alone[index] !== 'REQUEST_MALFORMED';
  const expected = alone.filter((outcome) => outcome !== 'REQUEST_MALFORMED');
  if (expected.length === 0) return alone;
  const outcomes = await signer.signBatch(messages.filter(isMessage));
  require(!('reason' in outcomes), `the batch was refused: ${JSON.stringify(outcomes)}`);
  const found = 'reason' in outcomes ? [] : outcomes.map(requireAllowed);
  require(found.join() === expected.join(), `in a batch ${found.join()}, alone ${expected.join()}`);
  return alone;
}

// --- Every method, as a caller with all roles. No message names the signing key, so that none can end it.

const METHODS = Object.keys(METHOD_RULES).filter((path) => path.startsWith('/keyturn.'));
const call = fc.tuple(
  fc.constantFrom(...METHODS, '/keyturn.v1.SigningService/SignDigest', '/x', '//', '/keyturn.v1.KeyAdminService/'),
  fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc
      .array(fc.tuple(fc.nat(12), fc.oneof(fc.uint8Array({ maxLength: 12 }), fc.string({ maxLength: 12 }))), {
        maxLength: 5,
      })
      .map((fields) =>
        Buffer.concat(
          fields.flatMap(([number, value]) => [
            Buffer.from([(number << 3) | 2, Buffer.from(value as string).length]),
            Buffer.from(value as string),
          ]),
        ),
      ),
  ),
);

function callMethod(client: Client, [path, bytes]: readonly [string, Uint8Array]): Promise<string> {
  const same = (message: Buffer): Buffer => message;
  return new Promise((resolve, reject) => {
    const stream = client.makeServerStreamRequest(path, same, same, Buffer.from(bytes), {
      deadline: Date.now() + DEADLINE_MS,
    });
    stream.on('data', () => {
      resolve(ACCEPTED);
      stream.cancel();
    });
    stream.on('end', () => {
      resolve(ACCEPTED);
    });
    stream.on('error', (error: ServiceError) => {
      // Of a cancelled stream, after its first message.
      try {
        resolve(requireForeseen(fromServiceError(error, 'the daemon').reason, error.details));
      } catch (finding) {
        reject(finding instanceof Error ? finding : new Error(String(finding)));
      }
    });
  });
}

// --- Bytes

function httpOptions({ httpUrl }: DaemonProcess): NetConnectOpts {
  const { hostname, port } = new URL(httpUrl);
  return { host: hostname, port: Number(port) };
}

/** Sends the bytes, ends its half, and reads until the daemon ends the other. Rejects when it doesn't. */
function exchange(target: NetConnectOpts, bytes: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect({ ...target, allowHalfOpen: true });
    const timer = setTimeout(() => {
      reject(new Error(`the daemon kept the connection for ${MAX_CONNECTION_MS} ms`));
      socket.destroy();
    }, MAX_CONNECTION_MS);
    // A connection that the daemon resets is one that it refuses.
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(Buffer.concat(chunks));
    });
    socket.on('end', () => socket.destroy());
    socket.end(bytes);
  });
}

const HEADERS = 1;
const GOAWAY = 7;

/** A request that was understood has an answer, if only an error; a GOAWAY names what was not. */
function judgeHttp2(answer: Buffer): string {
  const types = new Set<number>();
  for (let at = 0; at + 9 <= answer.length; at += 9 + answer.readUIntBE(at, 3)) types.add(answer.readUInt8(at + 3));
  if (types.has(HEADERS)) return ACCEPTED;
  return types.has(GOAWAY) ? 'refused' : 'no answer';
}

const STATUSES = new Set([100, 200, 204, 304, 400, 404, 405, 408, 413, 414, 417, 431, 505]);

function judgeHttp1(answer: Buffer): string {
  const statuses = [...answer.toString('latin1').matchAll(/^HTTP\/1\.1 (\d{3})/gm)].map(([, status]) => Number(status));
  for (const status of statuses) require(STATUSES.has(status), `the answer's status is ${status}`);
  const [first] = statuses;
  if (first === undefined) return 'cut off';
  return first === 200 ? ACCEPTED : String(first);
}
