/** Whatever the token gives instead of a signature, for every algorithm: no caller of the daemon ever gets it. */
import { constants, createPublicKey, type JsonWebKey, verify } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Algorithm, ALGORITHMS, specOf } from '../../src/jose/algorithms.ts';
import { type DaemonProcess, startDaemonProcess, waitFor } from '../fixtures/daemon-process.ts';
import { AUDIENCE, ISSUER, SHORT_PROMISE } from '../fixtures/deployment.ts';
import { makeShimmedDeployment, type ShimmedDeployment } from '../fixtures/shimmed-deployment.ts';

const OF_SOFTHSM2 = ALGORITHMS.filter((algorithm) => specOf(algorithm).keyType !== 'AKP');
const KINDS = ['flipBit', 'truncate', 'zero', 'derEncode', 'otherKey'] as const;
const REQUESTS = 3;

let deployment: ShimmedDeployment;
let daemon: DaemonProcess;
let publicKeys: ReadonlyMap<string, JsonWebKey>;

beforeAll(async () => {
  const signingKeys = OF_SOFTHSM2.map(nameOf);
  const keySets = { default: { ...SHORT_PROMISE, maxPublishedVersions: 64 } };
  deployment = await makeShimmedDeployment({ signingKeys, config: { keySets, metrics: { address: '127.0.0.1:0' } } });
  daemon = await startDaemonProcess(deployment);
  await Promise.all(
    OF_SOFTHSM2.map((algorithm) =>
      daemon.admin.applySigningKey({
        name: nameOf(algorithm),
        algorithm,
        ...(specOf(algorithm).keyType === 'RSA' ? { rsaBits: 2_048 } : {}),
        // Two of a kind are enough: the other one is there for a token that signs with another key.
        lifecyclePolicy: { standbys: 1 },
      }),
    ),
  );
  await waitFor(
    'every signing key to be ready',
    async () => {
      const keys = await daemon.admin.listSigningKeys();
      return keys.signingKeys.every(({ activeKid }) => activeKid !== undefined);
    },
    60_000,
  );
  const jwks = (await (await fetch(`${daemon.httpUrl}/.well-known/jwks.json`)).json()) as { keys: JsonWebKey[] };
  publicKeys = new Map(jwks.keys.map((jwk) => [String(jwk['kid']), jwk]));
});

afterAll(async () => {
  await daemon.stop();
  await deployment.dispose();
});

function nameOf(algorithm: Algorithm): string {
  return algorithm.toLowerCase();
}

/** By node:crypto alone. */
function isGood(algorithm: Algorithm, jwt: string): boolean {
  const [header = '', claims = '', signature = ''] = jwt.split('.');
  const { kid } = JSON.parse(Buffer.from(header, 'base64url').toString()) as { readonly kid: string };
  const key = createPublicKey({ format: 'jwk', key: publicKeys.get(kid) ?? {} });
  const hash = /^[RPE]S(\d{3})/.exec(algorithm)?.[1];
  const isPss = algorithm.startsWith('PS');
  return verify(
    hash === undefined ? null : `sha${hash}`,
    Buffer.from(`${header}.${claims}`),
    {
      key,
      dsaEncoding: 'ieee-p1363',
      ...(isPss ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: Number(hash) / 8 } : {}),
    },
    Buffer.from(signature, 'base64url'),
  );
}

async function wrongOnesCaught(): Promise<number> {
  const metricsUrl = /"metricsUrl":"([^"]+)"/.exec(daemon.log())?.[1] ?? '';
  const text = await (await fetch(`${metricsUrl}/metrics`)).text();
  return Number(/^keyturn_hsm_signatures_total\{result="wrong"\} (\d+)$/m.exec(text)?.[1] ?? 0);
}

describe('wrong signatures of every kind', () => {
  it.each(OF_SOFTHSM2)('%s: all are caught, every caller gets a good JWT', async (algorithm) => {
    // DER is for R‖S alone: an RSA signature is one number.
    const kinds = KINDS.filter((kind) => kind !== 'derEncode' || specOf(algorithm).keyType !== 'RSA');
    const client = daemon.clientOf('auth-service');
    const claims = { iss: ISSUER, aud: AUDIENCE };
    for (const action of kinds) {
      // One at a time: a request that meets three fails, and no caller gets a JWT for it.
      const on = action === 'otherKey' ? 'C_SignInit' : 'C_Sign';
      const rule = deployment.shim.arm({ on, action, limit: 1 });
      const requests = Array.from({ length: REQUESTS }, () =>
        client.signJwt({ signingKey: nameOf(algorithm), claims }),
      );
      const areGood = (await Promise.all(requests)).map(({ jwt }) => isGood(algorithm, jwt));
      expect([action, ...areGood]).toEqual([action, ...requests.map(() => true)]);
      expect([action, rule.hits()]).toEqual([action, 1]);
      rule.disarm();
    }
  });

  it('are counted', async () => {
    const RSA_KINDS = KINDS.length - 1;
    const expected = OF_SOFTHSM2.map((algorithm) => (specOf(algorithm).keyType === 'RSA' ? RSA_KINDS : KINDS.length));
    await waitFor(
      'the count',
      async () => (await wrongOnesCaught()) === expected.reduce((sum, count) => sum + count, 0),
    );
  });
});
