/**
 * A caller with one narrow grant tries everything it can send to get a JWT for another audience, issuer or subject, of
 * another type or with a longer life. Whatever the daemon signs all the same is read by independent JSON readers: they must read
 * the same, and nothing that the grant doesn't allow.
 */
import { readFileSync } from 'node:fs';
import { credentials } from '@grpc/grpc-js';
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DaemonProcess, startDaemonProcess } from '../fixtures/daemon-process.ts';
import { AUDIENCE, type Deployment, ISSUER, makeDeployment } from '../fixtures/deployment.ts';
import {
  buildGoReader,
  HAS_GO,
  HAS_PYTHON,
  type Reading,
  readWithNode,
  readWithPython,
  render,
} from '../fixtures/json-readings.ts';
import { RawSigner } from '../fixtures/raw-signing.ts';
import { redTeamTricks, type Trick } from '../fixtures/red-team.ts';
import { EVIL } from '../fixtures/red-team-names.ts';

const GRANT = {
  signingKey: 'access-tokens',
  iss: ISSUER,
  aud: AUDIENCE,
  sub: 'user:alice',
  typ: ['JWT', 'at+jwt'],
  maxLifetimeSeconds: 3_600,
};
/** Beside those of every deployment. */
const CLAIM_RULES = { sub: ['user:*'], forbidden: ['scope'] };
const IN_FLIGHT = 64;

interface Signed extends Trick {
  readonly jwt: string;
}
interface Refused extends Trick {
  readonly reason: string | undefined;
}

let deployment: Deployment;
let daemon: DaemonProcess;
let kid: string | undefined;
let startedSeconds: number;
const signed: Signed[] = [];
const refused: Refused[] = [];

beforeAll(async () => {
  deployment = await makeDeployment({ claims: CLAIM_RULES });
  daemon = await startDaemonProcess(deployment);
  await daemon.admin.applySigningKey({ name: 'access-tokens', algorithm: 'ES256' });
  kid = (await daemon.admin.getSigningKey({ name: 'access-tokens' })).signingKey.activeKid;
  startedSeconds = Math.floor(Date.now() / 1_000);
  const { tls } = deployment;
  const signer = new RawSigner(
    `127.0.0.1:${daemon.grpcAddress.port}`,
    credentials.createSsl(
      readFileSync(tls.ca),
      readFileSync(tls.privateKeyOf('auth-service')),
      readFileSync(tls.certificateOf('auth-service')),
    ),
  );
  const tricks = redTeamTricks(GRANT);
  const outcomes = await signer.signAll(
    tricks.map(({ message }) => message),
    IN_FLIGHT,
  );
  signer.close();
  tricks.forEach((trick, index) => {
    const outcome = outcomes[index];
    if (outcome === undefined) throw new Error(`no answer to ${trick.what}`);
    if ('jwt' in outcome) signed.push({ ...trick, jwt: outcome.jwt });
    else refused.push({ ...trick, reason: outcome.reason });
  });
});

afterAll(async () => {
  await daemon.stop();
  await deployment.dispose();
});

describe('of all that a caller with a narrow grant tries', () => {
  it('some is signed and most is refused, with a reason and never as an unforeseen error', () => {
    expect(signed.length).toBeGreaterThan(500);
    expect(refused.length).toBeGreaterThan(1_500);
    expect(refused.filter(({ reason }) => reason === undefined || reason === 'INTERNAL')).toEqual([]);
  });

  it('what is signed is a JWT in compact form and nothing else', () => {
    expect(jwts().filter((jwt) => !/^[\w-]+\.[\w-]+\.[\w-]+$/.test(jwt))).toEqual([]);
  });

  it('what is signed verifies, for the granted issuer and audience, with a library of verifiers', async () => {
    const jwks = (await (await fetch(`${daemon.httpUrl}/.well-known/jwks.json`)).json()) as JSONWebKeySet;
    const keys = createLocalJWKSet(jwks);
    // One of them lives for a second.
    const currentDate = new Date(startedSeconds * 1_000);
    for (const { jwt } of signed)
      await jwtVerify(jwt, keys, { issuer: ISSUER, audience: AUDIENCE, requiredClaims: ['exp'], currentDate });
  });

  it('nothing signed is beyond the grant, as JSON.parse reads it', () => {
    expectWithinGrant(readWithNode(jwts()));
  });

  it.skipIf(!HAS_PYTHON)(
    "nothing signed is beyond the grant, and all of it means the same, as Python's json reads it",
    async () => {
      const readings = await readWithPython(jwts());
      expectWithinGrant(readings);
      expectSame(readings);
    },
  );

  it.skipIf(!HAS_GO)(
    "nothing signed is beyond the grant, and all of it means the same, as Go's encoding/json reads it (needs go)",
    async () => {
      const reader = await buildGoReader();
      const readings = await reader.read(jwts());
      await reader.dispose();
      expectWithinGrant(readings);
      expectSame(readings);
    },
  );
});

function jwts(): readonly string[] {
  return signed.map(({ jwt }) => jwt);
}

function expectSame(readings: readonly Reading[]): void {
  expect(readings.length).toBe(signed.length);
  const byNode = readWithNode(jwts());
  const different = signed.filter(
    (_, index) => readings[index]?.['problem'] !== undefined || !isSame(readings[index], byNode[index]),
  );
  expect(different.map(({ what }) => what)).toEqual([]);
}

/** Readers name what they saw in an order of their own. */
function isSame(one: Reading = {}, other: Reading = {}): boolean {
  const names = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...names].every((name) => one[name] === other[name]);
}

/** Held against what a reader made of each JWT; what it refuses to read at all is judged elsewhere. */
function expectWithinGrant(readings: readonly Reading[]): void {
  const endedSeconds = Math.ceil(Date.now() / 1_000);
  const headers = GRANT.typ.map((typ) => render({ alg: 'ES256', kid, typ }));
  const isWithin = ({ header, iss, aud, sub, exp, iat, nbf, jti, scope, problem }: Reading): boolean => {
    if (problem !== undefined) return true;
    const lifeSeconds = toNumber(exp) - toNumber(iat);
    return (
      headers.includes(String(header)) &&
      iss === render(ISSUER) &&
      [render(AUDIENCE), render([AUDIENCE])].includes(String(aud)) &&
      String(sub).startsWith(render('user:')) &&
      lifeSeconds >= 1 &&
      lifeSeconds <= GRANT.maxLifetimeSeconds &&
      toNumber(iat) >= startedSeconds &&
      toNumber(iat) <= endedSeconds &&
      nbf === 'null' &&
      scope === 'null' &&
      /^s[0-9a-f]+$/.test(String(jti)) &&
      jti !== render(EVIL.jti)
    );
  };
  const beyond = signed.filter((_, index) => !isWithin(readings[index] ?? {}));
  expect(beyond.map(({ what }) => what)).toEqual([]);
}

function toNumber(rendered: unknown): number {
  return /^n[0-9a-f]{16}$/.test(String(rendered))
    ? Buffer.from(String(rendered).slice(1), 'hex').readDoubleBE()
    : Number.NaN;
}
