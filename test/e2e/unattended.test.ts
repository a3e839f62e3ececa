/**
 * Rotations that nobody asks for, under constant load from eight clients, watched by three verifiers that cache:
 * jose's remote key set, PyJWT's client, and one that keeps its copy for a fixed time and never asks early. Each JWT is
 * verified at once, just before it expires, and after each rotation that it lives through.
 */
import { execFile, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createLocalJWKSet, createRemoteJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import { describe, expect, it } from 'vitest';
import { type DaemonProcess, startDaemonProcess } from '../fixtures/daemon-process.ts';
import { AUDIENCE, type Deployment, ISSUER, makeDeployment } from '../fixtures/deployment.ts';

const run = promisify(execFile);
/** A hundred take three minutes: KEYTURN_TEST_ROTATIONS=100. */
const ROTATIONS = Number(process.env['KEYTURN_TEST_ROTATIONS'] ?? 40);
const CLIENTS = 8;
/** Between two JWTs of one client. */
const PACE_MS = 100;
const CEILING_MS = 1_000;
const SIGNING_PERIOD_MS = 1_500;
const LIFETIME_SECONDS = 4;
/** Before its expiry a JWT is looked at once more. */
const LAST_LOOK_MS = 400;
/** JWTs that are looked at again after each rotation. */
const SAMPLE = 16;
/** ACTIVE, two standbys, one being made, one being destroyed, one more that waits for its destruction. */
const MAX_PRIVATE_KEYS = 6;
const TIME_LIMIT_MS = 420_000;
const SIGNING_KEY = 'access-tokens';

type Verify = (jwt: string) => Promise<void>;

interface Verifier {
  readonly name: string;
  readonly verify: Verify;
  close(): void;
}

function joseRemote(url: URL): Verifier {
  const keySet = createRemoteJWKSet(url, { cacheMaxAge: CEILING_MS, cooldownDuration: CEILING_MS });
  return {
    name: 'jose',
    verify: async (jwt) => {
      await jwtVerify(jwt, keySet, { issuer: ISSUER, audience: AUDIENCE });
    },
    close: () => undefined,
  };
}

/** Keeps each copy for the whole ceiling, and never asks before that, whatever kid it meets. */
function fixedTtl(url: URL): Verifier {
  let copy: { readonly jwks: JSONWebKeySet; readonly untilMs: number } | undefined;
  let fetching: Promise<void> | undefined;
  const refresh = async (): Promise<void> => {
    const askedMs = performance.now();
    const jwks = (await (await fetch(url)).json()) as JSONWebKeySet;
    copy = { jwks, untilMs: askedMs + CEILING_MS };
    fetching = undefined;
  };
  return {
    name: 'fixed TTL',
    verify: async (jwt) => {
      if (copy === undefined || performance.now() >= copy.untilMs) await (fetching ??= refresh());
      await jwtVerify(jwt, createLocalJWKSet(copy?.jwks ?? { keys: [] }), { issuer: ISSUER, audience: AUDIENCE });
    },
    close: () => undefined,
  };
}

function pyJwt(url: URL): Verifier {
  const program = fileURLToPath(new URL('./python/pyjwt_client.py', import.meta.url));
  const child = spawn('/usr/bin/python3', [program, url.href, ISSUER, AUDIENCE, String(CEILING_MS / 1_000)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const waiting = new Map<string, { resolve: () => void; reject: (error: Error) => void }>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    const [id = '', ...verdict] = line.split(' ');
    const waiter = waiting.get(id);
    waiting.delete(id);
    if (verdict.join(' ') === 'ok') waiter?.resolve();
    else waiter?.reject(new Error(verdict.join(' ')));
  });
  let count = 0;
  return {
    name: 'PyJWT',
    verify: (jwt) =>
      new Promise((resolve, reject) => {
        count += 1;
        waiting.set(String(count), { resolve, reject });
        child.stdin.write(`${count} ${jwt}\n`);
      }),
    close: () => child.stdin.end(),
  };
}

async function privateKeysInToken(deployment: Deployment): Promise<number> {
  const { softHsmModuleFile, label, pinFile, environment } = deployment.token;
  const { stdout } = await run(
    'pkcs11-tool',
    [
      '--module',
      softHsmModuleFile,
      '--token-label',
      label,
      '--login',
      '--pin',
      readFileSync(pinFile, 'utf8'),
      '--list-objects',
      '--type',
      'privkey',
    ],
    { env: { ...process.env, ...environment } },
  );
  return stdout.match(/^Private Key Object/gm)?.length ?? 0;
}

interface Issued {
  readonly jwt: string;
  readonly expMs: number;
}

class Watch {
  readonly failures: string[] = [];
  readonly counts = new Map<string, number>();
  readonly #verifiers: readonly Verifier[];
  readonly #pending = new Set<Promise<void>>();

  constructor(verifiers: readonly Verifier[]) {
    this.#verifiers = verifiers;
  }

  look(when: string, { jwt, expMs }: Issued): void {
    for (const { name, verify } of this.#verifiers) {
      const looked = verify(jwt).then(
        () => {
          this.counts.set(`${name}, ${when}`, (this.counts.get(`${name}, ${when}`) ?? 0) + 1);
        },
        (error: unknown) => {
          // A look that was overtaken by the expiry says nothing about keys.
          if (Date.now() < expMs) this.failures.push(`${name}, ${when}: ${String(error)}`);
        },
      );
      this.#pending.add(looked);
      void looked.finally(() => this.#pending.delete(looked));
    }
  }

  async settled(): Promise<void> {
    while (this.#pending.size > 0) await Promise.all(this.#pending);
  }
}

async function signFor(
  daemon: DaemonProcess,
  watch: Watch,
  isOver: () => boolean,
  seen: Map<string, Issued[]>,
): Promise<number> {
  const client = daemon.clientOf('auth-service');
  let signed = 0;
  while (!isOver()) {
    const { jwt, kid, expireTime } = await client.signJwt({
      signingKey: SIGNING_KEY,
      claims: { iss: ISSUER, aud: AUDIENCE },
      lifetimeSeconds: LIFETIME_SECONDS,
    });
    signed += 1;
    const issued = { jwt, expMs: expireTime.getTime() };
    if (!seen.has(kid)) {
      const alive = [...seen.values()].flat().filter(({ expMs }) => expMs > Date.now() + LAST_LOOK_MS);
      for (const earlier of alive.slice(-SAMPLE)) watch.look('after a rotation', earlier);
      seen.set(kid, []);
    }
    seen.get(kid)?.push(issued);
    watch.look('at once', issued);
    setTimeout(
      () => {
        watch.look('before its expiry', issued);
      },
      issued.expMs - Date.now() - LAST_LOOK_MS,
    );
    await new Promise((resolve) => setTimeout(resolve, PACE_MS));
  }
  return signed;
}

describe('unattended rotation', () => {
  it(`${ROTATIONS} times under load: every JWT is verifiable by every verifier all its life`, {
    timeout: TIME_LIMIT_MS + 60_000,
  }, async () => {
    const deployment = await makeDeployment({
      config: {
        keySets: {
          default: { jwksMaxAge: '1s', verifierCacheCeiling: '1s', verifierSkew: '0s', sharedCaches: 'none' },
        },
      },
    });
    const daemon = await startDaemonProcess(deployment);
    const url = new URL(`${daemon.httpUrl}/.well-known/jwks.json`);
    const verifiers = [joseRemote(url), fixedTtl(url), pyJwt(url)];
    try {
      await daemon.admin.applySigningKey({
        name: SIGNING_KEY,
        algorithm: 'ES256',
        lifecyclePolicy: {
          signingPeriodMs: SIGNING_PERIOD_MS,
          maxJwtLifetimeMs: LIFETIME_SECONDS * 1_000,
          rollbackWindowMs: 0,
        },
      });
      const watch = new Watch(verifiers);
      const seen = new Map<string, Issued[]>();
      const deadlineMs = performance.now() + TIME_LIMIT_MS;
      const isOver = (): boolean =>
        seen.size > ROTATIONS || performance.now() > deadlineMs || watch.failures.length > 0;
      const counting: number[] = [];
      const clients = Promise.all(Array.from({ length: CLIENTS }, () => signFor(daemon, watch, isOver, seen)));
      while (!isOver()) {
        counting.push(await privateKeysInToken(deployment));
        await new Promise((resolve) => setTimeout(resolve, 5_000));
      }
      const signed = (await clients).reduce((sum, count) => sum + count, 0);
      await new Promise((resolve) => setTimeout(resolve, LIFETIME_SECONDS * 1_000));
      await watch.settled();
      const figures = [...watch.counts].map(([what, count]) => `${what}: ${count}`).join('; ');
      process.stdout.write(
        `${seen.size - 1} rotations, ${signed} JWTs; verified ${figures}; private keys in the token: at most ${Math.max(...counting)}\n`,
      );
      expect(watch.failures).toEqual([]);
      expect(seen.size - 1).toBeGreaterThanOrEqual(ROTATIONS);
      expect(Math.max(...counting)).toBeLessThanOrEqual(MAX_PRIVATE_KEYS);
      expect(watch.counts.size, 'each verifier looked at each moment').toBe(9);
    } finally {
      for (const verifier of verifiers) verifier.close();
      await daemon.stop();
      await deployment.dispose();
    }
  });
});
