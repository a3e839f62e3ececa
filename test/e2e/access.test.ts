/**
 * Every gRPC method as every kind of caller, against a table written by hand; who doesn't even get a connection; and what
 * another access policy changes on SIGHUP.
 */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { kill } from 'node:process';
import { Client, credentials, Metadata, type ChannelCredentials, type ServiceError, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDevelopmentAuthority } from '../../src/commands/development-certificates.ts';
import { type DaemonProcess, startDaemonProcess, waitFor } from '../fixtures/daemon-process.ts';
import { type Deployment, makeDeployment } from '../fixtures/deployment.ts';
import { grpcMethods } from '../fixtures/proto-methods.ts';

const DAY_MS = 86_400_000;
const DEADLINE_MS = 5_000;

/** Over mTLS by certificate; `admin` over its Unix socket. */
const KNOWN = ['auth-service', 'other-service', 'operator', 'auditor', 'security-officer', 'admin'] as const;
type Known = (typeof KNOWN)[number];

const SIGNERS: readonly Known[] = ['auth-service', 'other-service', 'admin'];
const ADMINISTRATORS: readonly Known[] = ['operator', 'security-officer', 'admin'];
const INSPECTORS: readonly Known[] = [...ADMINISTRATORS, 'auditor'];

/** Who may call what. A method of the proto files without a row here fails the test, and so does a row without a method. */
const TABLE: Readonly<Record<string, readonly Known[]>> = {
  '/keyturn.v1.SigningService/SignJwt': SIGNERS,
  '/keyturn.v1.SigningService/BatchSignJwt': SIGNERS,
  '/keyturn.v1.KeyAdminService/ApplySigningKey': ADMINISTRATORS,
  '/keyturn.v1.KeyAdminService/GetSigningKey': INSPECTORS,
  '/keyturn.v1.KeyAdminService/ListSigningKeys': INSPECTORS,
  '/keyturn.v1.KeyAdminService/ListKeyVersions': INSPECTORS,
  '/keyturn.v1.KeyAdminService/Rotate': ADMINISTRATORS,
  '/keyturn.v1.KeyAdminService/Suspend': ADMINISTRATORS,
  '/keyturn.v1.KeyAdminService/Reactivate': ADMINISTRATORS,
  '/keyturn.v1.KeyAdminService/Rollback': ADMINISTRATORS,
  '/keyturn.v1.KeyAdminService/Retire': ADMINISTRATORS,
  '/keyturn.v1.KeyAdminService/Unretire': ADMINISTRATORS,
  '/keyturn.v1.KeyAdminService/ScheduleRotation': ADMINISTRATORS,
  '/keyturn.v1.KeyAdminService/DeclareCompromised': ['security-officer', 'admin'],
  '/keyturn.v1.KeyAdminService/ImportPublicKey': ['security-officer', 'admin'],
  '/keyturn.v1.KeyAdminService/RemovePublicKey': ['security-officer', 'admin'],
  '/keyturn.v1.KeyAdminService/ListPublicKeys': INSPECTORS,
  '/keyturn.v1.KeyAdminService/Plan': INSPECTORS,
  '/keyturn.v1.KeySetService/GetKeySet': KNOWN,
  '/keyturn.v1.KeySetService/WatchKeySet': KNOWN,
  '/keyturn.v1.TokenService/GetTokenStatus': INSPECTORS,
  '/keyturn.v1.TokenService/RetryLogin': ADMINISTRATORS,
  '/keyturn.v1.TokenService/Reconcile': INSPECTORS,
  '/keyturn.v1.TokenService/ResolveObject': ['security-officer', 'admin'],
  '/keyturn.v1.StoreService/BackUp': ADMINISTRATORS,
  '/keyturn.v1.StoreService/Recover': ['security-officer', 'admin'],
  '/keyturn.v1.ApprovalService/Propose': ['security-officer', 'admin'],
  '/keyturn.v1.ApprovalService/Approve': ['security-officer', 'admin'],
  '/keyturn.v1.ApprovalService/CancelProposal': ['security-officer', 'admin'],
  '/keyturn.v1.ApprovalService/ListProposals': INSPECTORS,
  '/keyturn.v1.AuditService/GetCheckpoint': INSPECTORS,
  '/keyturn.v1.AuditService/ListEntries': ['auditor', 'security-officer', 'admin'],
  '/keyturn.v1.ClockService/GetClockStatus': INSPECTORS,
  '/keyturn.v1.ClockService/ConfirmClock': ADMINISTRATORS,
  '/grpc.health.v1.Health/Check': KNOWN,
  '/grpc.health.v1.Health/List': KNOWN,
  '/grpc.health.v1.Health/Watch': KNOWN,
  '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo': KNOWN,
  '/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo': KNOWN,
};
const STREAMING = new Set(
  Object.keys(TABLE).filter((method) => /(?:Info|Watch|WatchKeySet|BackUp|ListEntries)$/.test(method)),
);

let deployment: Deployment;
let daemon: DaemonProcess;

beforeAll(async () => {
  deployment = await makeDeployment();
  daemon = await startDaemonProcess(deployment);
  await daemon.admin.applySigningKey({ name: 'access-tokens', algorithm: 'ES256' });
  const otherAuthority = await createDevelopmentAuthority('test CA', {
    notBefore: new Date(Date.now() - DAY_MS),
    notAfter: new Date(Date.now() + DAY_MS),
  });
  await deployment.issue('stranger');
  await deployment.issue('expired', { dnsNames: ['operator.example'], notAfter: new Date(Date.now() - 60_000) });
  await deployment.issue('forged', { dnsNames: ['operator.example'], authority: otherAuthority });
  await deployment.issue('two-names', { dnsNames: ['operator.example', 'auth-service.example'] });
  await deployment.issue('no-name', { dnsNames: [] });
});

afterAll(async () => {
  await daemon.stop();
  await deployment.dispose();
});

function tlsOf(name: string | undefined): ChannelCredentials {
  const ca = readFileSync(deployment.tls.ca);
  if (name === undefined) return credentials.createSsl(ca);
  return credentials.createSsl(
    ca,
    readFileSync(deployment.tls.privateKeyOf(name)),
    readFileSync(deployment.tls.certificateOf(name)),
  );
}

function connect(caller: string): Client {
  if (caller === 'admin') return new Client(`unix:${deployment.adminSocket}`, credentials.createInsecure());
  return new Client(`127.0.0.1:${daemon.grpcAddress.port}`, tlsOf(caller));
}

interface Outcome {
  readonly code: status;
  readonly details: string;
}

/** Calls with an empty message: past the door it is at worst an invalid argument. */
function call(client: Client, method: string): Promise<Outcome> {
  const empty = (): Buffer => Buffer.alloc(0);
  const same = (bytes: Buffer): Buffer => bytes;
  const options = { deadline: Date.now() + DEADLINE_MS };
  return new Promise((resolve) => {
    const settle = (error: ServiceError | null): void => {
      resolve({ code: error?.code ?? status.OK, details: error?.details ?? '' });
      client.close();
    };
    if (!STREAMING.has(method)) {
      client.makeUnaryRequest(method, empty, same, Buffer.alloc(0), new Metadata(), options, settle);
      return;
    }
    const stream = client.makeBidiStreamRequest(method, empty, same, new Metadata(), options);
    stream.on('error', (error: ServiceError) => {
      settle(error.code === status.CANCELLED ? null : error);
    });
    stream.on('data', () => {
      stream.cancel();
    });
    stream.on('end', () => {
      settle(null);
    });
    stream.write(Buffer.alloc(0));
    stream.end();
  });
}

describe('every method as every caller', () => {
  it('has a row for each method of the proto files, and a method for each row', () => {
    const own = Object.keys(TABLE).filter((method) => method.startsWith('/keyturn.'));
    expect(own.toSorted()).toEqual(grpcMethods().toSorted());
  });

  it.each(Object.keys(TABLE).flatMap((method) => KNOWN.map((caller) => [method, caller] as const)))(
    '%s as %s',
    async (method, caller) => {
      const outcome = await call(connect(caller), method);
      if (TABLE[method]?.includes(caller) === true) {
        expect(
          [status.UNAUTHENTICATED, status.UNIMPLEMENTED, status.UNAVAILABLE, status.INTERNAL, status.DEADLINE_EXCEEDED],
          outcome.details,
        ).not.toContain(outcome.code);
        if (outcome.code === status.PERMISSION_DENIED)
          expect(outcome.details, 'the method is open, the signing key is not').toContain('signing key');
      } else {
        expect(outcome.code, outcome.details).toBe(status.PERMISSION_DENIED);
        expect(outcome.details).toContain(method.split('/')[2]);
      }
    },
  );

  it.each(Object.keys(TABLE))(
    '%s is closed to whoever has no certificate, whom the access policy does not name, and whom it denies everything',
    async (method) => {
      const nobody = new Client(`127.0.0.1:${daemon.grpcAddress.port}`, tlsOf(undefined));
      expect((await call(nobody, method)).code).toBe(status.UNAVAILABLE);
      expect((await call(connect('stranger'), method)).code).toBe(status.UNAUTHENTICATED);
      const denied = await call(connect('denied-service'), method);
      expect([denied.code, denied.details]).toEqual([
        status.PERMISSION_DENIED,
        expect.stringContaining('denies it everything'),
      ]);
    },
  );

  it('answers an unknown method as unimplemented, and to a stranger as unauthenticated', async () => {
    expect((await call(connect('operator'), '/keyturn.v1.SigningService/SignDigest')).code).toBe(status.UNIMPLEMENTED);
    expect((await call(connect('stranger'), '/keyturn.v1.SigningService/SignDigest')).code).toBe(
      status.UNAUTHENTICATED,
    );
  });
});

describe('connections', () => {
  const METHOD = '/keyturn.v1.KeySetService/GetKeySet';
  const connectWith = (channel: ChannelCredentials): Client =>
    new Client(`127.0.0.1:${daemon.grpcAddress.port}`, channel);

  it.each([
    ['without a certificate', () => tlsOf(undefined)],
    ['with an expired certificate', () => tlsOf('expired')],
    ['with a certificate of another CA of the same name', () => tlsOf('forged')],
    ['in plain text', () => credentials.createInsecure()],
  ])('are refused %s', async (_how, channel) => {
    expect((await call(connectWith(channel()), METHOD)).code).toBe(status.UNAVAILABLE);
  });

  it.each(['two-names', 'no-name'])('with %s in the certificate name no caller', async (name) => {
    expect([status.UNAVAILABLE, status.UNAUTHENTICATED]).toContain((await call(connect(name), METHOD)).code);
  });

  it('of others go on after all that', async () => {
    expect((await call(connect('operator'), METHOD)).code).toBe(status.OK);
  });
});

describe('another access policy', () => {
  const METHOD = '/keyturn.v1.KeyAdminService/ListSigningKeys';
  const policyFile = (): string => join(deployment.dir, 'access-policy.yaml');
  /** The log line about the access policy that comes of a SIGHUP. */
  const reload = async (document: string): Promise<string> => {
    const find = (): string[] =>
      daemon
        .log()
        .split('\n')
        .filter((line) => line.includes('"part":"accessPolicy"') && line.endsWith('}'));
    const { length } = find();
    writeFileSync(policyFile(), document);
    kill(daemon.pid, 'SIGHUP');
    await waitFor('the reload', () => find().length > length);
    return find().at(-1) ?? '';
  };

  it('takes its place on SIGHUP, for open connections too; one that is wrong changes nothing and says where', async () => {
    const before = readFileSync(policyFile(), 'utf8');
    const auditor = daemon.clientOf('auditor');
    await auditor.listSigningKeys();

    const wrong = before.replace('"role": "auditor"', '"role": "boss"');
    expect(await reload(wrong)).toContain('grants[1].role: must be signer or operator or auditor or securityOfficer');
    await auditor.listSigningKeys();

    const fresh = before.replace('"denials": [', '"denials": [{ "callers": ["auditor"], "roles": ["auditor"] },');
    const hash = createHash('sha256').update(fresh).digest('hex');
    expect(await reload(fresh)).toContain(`"result":"${hash}"`);
    await expect(auditor.listSigningKeys()).rejects.toMatchObject({ reason: 'METHOD_NOT_PERMITTED' });
    expect((await call(connect('auditor'), METHOD)).code).toBe(status.PERMISSION_DENIED);

    await reload(before);
    await auditor.listSigningKeys();
  });
});
