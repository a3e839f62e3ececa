/**
 * Certificates swapped, revoked and expired under load, with connections that make way every second: no request of an
 * allowed caller fails, and none of a shut out one passes after the documented time.
 */
import { readFileSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { kill } from 'node:process';
import { connect } from 'node:tls';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { issueCertificate } from '../../src/commands/development-certificates.ts';
import { type DaemonProcess, startDaemonProcess, waitFor } from '../fixtures/daemon-process.ts';
import { type Deployment, makeDeployment } from '../fixtures/deployment.ts';
import { issueRevocationList } from '../fixtures/revocation-list.ts';
import { type SigningLoad, startSigningLoad } from '../fixtures/signing-load.ts';

const GRACE_MS = 2_000;
const CALLERS = 4;
const TLS = {
  address: '127.0.0.1:0',
  certificate: 'server.pem',
  privateKey: 'server.key',
  clientCa: 'ca.pem',
  callerName: 'dns',
  revocationLists: ['revoked.pem'],
  maxConnectionAge: '1s',
  connectionGrace: `${GRACE_MS}ms`,
};

let deployment: Deployment;
let daemon: DaemonProcess;
let load: SigningLoad;

beforeAll(async () => {
  deployment = await makeDeployment({ config: { grpc: { tls: TLS } } });
  await replaceFile('revoked.pem', await issueRevocationList(deployment.authority));
  daemon = await startDaemonProcess(deployment);
  await daemon.admin.applySigningKey({ name: 'access-tokens', algorithm: 'ES256' });
  await waitFor('a token that signs', async () => (await daemon.admin.getTokenStatus()).state === 'READY');
});

afterAll(async () => {
  await daemon.stop();
  await deployment.dispose();
});

beforeEach(() => {
  load = startSigningLoad(
    Array.from({ length: CALLERS }, () => daemon.clientOf('auth-service')),
    'access-tokens',
  );
});

afterEach(async () => {
  await load.stop();
});

/** As a configuration manager does it. */
async function replaceFile(name: string, content: string): Promise<void> {
  const path = join(deployment.dir, name);
  await writeFile(`${path}.new`, content, { mode: 0o600 });
  await rename(`${path}.new`, path);
}

/** The log lines about the TLS files that come of a SIGHUP. */
async function reload(): Promise<{ readonly msg: string; readonly result?: string; readonly problem?: string }> {
  const find = (): string[] =>
    daemon
      .log()
      .split('\n')
      .filter((line) => line.includes('"part":"tls"') && line.endsWith('}'));
  const { length } = find();
  kill(daemon.pid, 'SIGHUP');
  await waitFor('the reload', () => find().length > length);
  return JSON.parse(find().at(-1) ?? '') as { msg: string };
}

async function moreSignatures(of: SigningLoad = load): Promise<void> {
  const { length } = of.jwts;
  await waitFor('more signatures', () => of.jwts.length > length + 10 * CALLERS);
}

/** As a new connection gets it. */
function servedSerial(): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      ...daemon.grpcAddress,
      ca: readFileSync(deployment.tls.ca),
      cert: readFileSync(deployment.tls.certificateOf('operator')),
      key: readFileSync(deployment.tls.privateKeyOf('operator')),
      ALPNProtocols: ['h2'],
    });
    socket.on('error', reject);
    socket.on('secureConnect', () => {
      resolve(socket.getPeerCertificate().serialNumber);
      socket.destroy();
    });
  });
}

async function issueServer(): Promise<{ readonly certificatePem: string; readonly privateKeyPem: string }> {
  const now = Date.now();
  return issueCertificate(deployment.authority, {
    commonName: 'server',
    usage: 'server',
    dnsNames: ['localhost'],
    ipAddresses: ['127.0.0.1'],
    validity: { notBefore: new Date(now - 60_000), notAfter: new Date(now + 3_600_000) },
  });
}

describe('under load, with connections that make way every second', () => {
  it('a new server certificate is served to new connections; one without its key changes nothing', async () => {
    await moreSignatures();
    const before = await servedSerial();
    const fresh = await issueServer();
    await replaceFile('server.pem', fresh.certificatePem);
    expect(await reload()).toMatchObject({ problem: expect.stringContaining('is not the private key') as string });
    expect(await servedSerial()).toBe(before);
    await replaceFile('server.key', fresh.privateKeyPem);
    expect(await reload()).toMatchObject({ result: 'new connections get the new certificate' });
    expect(await servedSerial()).not.toBe(before);
    await moreSignatures();
    expect(load.failures).toEqual([]);
  });

  it('a revoked certificate signs nothing more after the reload and the grace, and disturbs nobody', async () => {
    await deployment.issue('stolen', { dnsNames: ['auth-service.example'] });
    const thief = startSigningLoad([daemon.clientOf('stolen')], 'access-tokens');
    await moreSignatures(thief);
    expect(thief.failures).toEqual([]);
    const stolen = readFileSync(deployment.tls.certificateOf('stolen'), 'utf8');
    await replaceFile('revoked.pem', await issueRevocationList(deployment.authority, [stolen]));
    expect(await reload()).toMatchObject({
      result: expect.stringContaining('every connection is made anew') as string,
    });
    const endMs = performance.now() + GRACE_MS;
    await waitFor('a refusal after the grace', () => performance.now() > endMs && thief.failures.length > 3);
    const { length } = thief.failures;
    await waitFor('further refusals', () => thief.failures.length > length);
    await moreSignatures();
    await thief.stop();
    expect(thief.jwts.filter(({ askedAtMs }) => askedAtMs > endMs)).toEqual([]);
    expect(thief.failures.at(-1)).toMatchObject({ reason: 'DAEMON_UNREACHABLE' });
    expect(daemon.log()).toContain('the client certificate is not accepted: CERT_REVOKED');
    expect(load.failures).toEqual([]);
  });

  it('a certificate that expires signs nothing more from that second, on an open connection either', async () => {
    const notAfter = new Date(Math.ceil(Date.now() / 1_000) * 1_000 + 4_000);
    await deployment.issue('short-lived', { dnsNames: ['auth-service.example'], notAfter });
    const late = startSigningLoad([daemon.clientOf('short-lived')], 'access-tokens');
    const endMs = performance.now() + (notAfter.getTime() - Date.now()) + 1_000;
    await waitFor('a refusal after the end', () => performance.now() > endMs && late.failures.length > 3);
    await moreSignatures();
    await late.stop();
    expect(late.jwts.length).toBeGreaterThan(0);
    expect(late.jwts.filter(({ askedAtMs }) => askedAtMs > endMs)).toEqual([]);
    expect(load.failures).toEqual([]);
  });
});
