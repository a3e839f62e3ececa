/** The whole daemon over a token, as a process: JWTs, a restart, a kill, and the token's loss and return. */
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import { hasReason } from '../../src/base/errors.ts';
import type { SignedJwt } from '../../src/client/client.ts';
import type { Algorithm } from '../../src/jose/algorithms.ts';
import { type DaemonProcess, startDaemonProcess, waitFor } from '../fixtures/daemon-process.ts';
import { AUDIENCE, type Deployment, ISSUER, makeDeployment, SHORT_PROMISE } from '../fixtures/deployment.ts';
import { cell, type Cell, tryCell } from './cells.ts';
import { endProcesses, setUpToken, type TestToken } from './set-up.ts';

const NAME = 'access-tokens';
/** ML-DSA keys share a key set with no others. */
const ML_DSA_KEY_SET = 'post-quantum';
const READY_TIMEOUT_MS = 60_000;
const CALL_TIMEOUT_MS = 5_000;
/** Longer than any token at hand needs to notice. */
const LOSS_TIMEOUT_MS = 8_000;

/** `mlDsa`: those that the token can do. */
export async function checkDaemon(
  token: TestToken,
  mlDsa: readonly Algorithm[],
  onProgress: (what: string) => void,
): Promise<readonly Cell[]> {
  const { moduleFile: module, moduleParameters, pinFile, environment } = token.config;
  const deployment = await makeDeployment({
    spy: false,
    signingKeys: [NAME, ...mlDsa.map(signingKeyOf)],
    config: {
      keySets: { [ML_DSA_KEY_SET]: SHORT_PROMISE },
      token: {
        module,
        ...(moduleParameters === undefined ? {} : { moduleParameters }),
        label: token.label,
        pinFile,
        environment,
        generateTimeout: '120s',
        signTimeout: '10s',
      },
    },
  });
  const host = new DaemonHost(deployment);
  try {
    const cells: Cell[] = [];
    for (const [check, act] of [
      ['daemon', () => signFirst(host)],
      ...(mlDsa.length === 0 ? [] : [['daemon-ml-dsa', () => signMlDsa(host, mlDsa)] as const]),
      ['daemon-restart', () => signAgain(host)],
      ['token-loss', () => loseToken(host, token)],
    ] as const) {
      onProgress(check);
      cells.push(await tryCell(check, act));
    }
    return cells;
  } finally {
    await host.daemon?.stop();
    await deployment.dispose();
  }
}

class DaemonHost {
  readonly deployment: Deployment;
  daemon: DaemonProcess | undefined;
  /** What signed so far: the kid and the key set of each signing key. */
  readonly signers = new Map<string, { readonly kid: string; readonly keySet: string }>();

  constructor(deployment: Deployment) {
    this.deployment = deployment;
  }

  async start(): Promise<DaemonProcess> {
    this.daemon = await startDaemonProcess(this.deployment);
    return this.daemon;
  }

  get running(): DaemonProcess {
    if (this.daemon === undefined) throw new Error('the daemon does not run');
    return this.daemon;
  }

  sign(signingKey = NAME): Promise<SignedJwt> {
    const claims = { iss: ISSUER, aud: AUDIENCE, sub: 'somebody' };
    return this.running.admin.signJwt({ signingKey, claims, lifetimeSeconds: 60 }, { deadlineMs: CALL_TIMEOUT_MS });
  }

  async keySet(name: string): Promise<JSONWebKeySet> {
    return (await (await fetch(`${this.running.httpUrl}/${name}/jwks.json`)).json()) as JSONWebKeySet;
  }

  /** Signs as soon as it can, and holds the JWT against the key set that verifiers get; the same key as ever before. */
  async signAndVerify(signingKey = NAME, keySet = 'default'): Promise<SignedJwt> {
    let signed: SignedJwt | undefined;
    let problem: unknown;
    await waitFor(
      'a JWT',
      async () => {
        try {
          signed = await this.sign(signingKey);
        } catch (error) {
          problem = error;
        }
        return signed !== undefined;
      },
      READY_TIMEOUT_MS,
    ).catch((error: unknown) => {
      throw new Error(`${String(error)}; the last answer: ${String(problem)}`);
    });
    if (signed === undefined) throw new Error('no JWT');
    const { kid, jwt } = signed;
    await jwtVerify(jwt, createLocalJWKSet(await this.keySet(keySet)), { issuer: ISSUER, audience: AUDIENCE });
    const before = this.signers.get(signingKey) ?? { kid, keySet };
    if (kid !== before.kid) throw new Error(`${kid} signs for ${signingKey} instead of ${before.kid}`);
    this.signers.set(signingKey, before);
    return signed;
  }
}

const signingKeyOf = (algorithm: Algorithm): string => algorithm.toLowerCase();

async function signFirst(host: DaemonHost): Promise<Cell> {
  const daemon = await host.start();
  const lifecyclePolicy = { standbys: 1 };
  await daemon.admin.applySigningKey({ name: NAME, algorithm: 'RS256', rsaBits: 2_048, lifecyclePolicy });
  await host.signAndVerify();
  return cell('daemon', 'ok', 'a JWT over gRPC, verified with the published key set');
}

async function signMlDsa(host: DaemonHost, algorithms: readonly Algorithm[]): Promise<Cell> {
  const lifecyclePolicy = { standbys: 1 };
  const sizes: string[] = [];
  for (const algorithm of algorithms) {
    const name = signingKeyOf(algorithm);
    await host.running.admin.applySigningKey({ name, algorithm, keySet: ML_DSA_KEY_SET, lifecyclePolicy });
    const { jwt } = await host.signAndVerify(name, ML_DSA_KEY_SET);
    sizes.push(`${algorithm}: ${jwt.length} bytes`);
  }
  const isAkp = ({ kty }: { kty?: string }): boolean => kty === 'AKP';
  if (!(await host.keySet(ML_DSA_KEY_SET)).keys.every(isAkp)) throw new Error('other keys are among the ML-DSA keys');
  if ((await host.keySet('default')).keys.some(isAkp)) throw new Error('ML-DSA keys are among the others');
  return cell('daemon-ml-dsa', 'ok', `JWTs over gRPC, verified with a key set of their own: ${sizes.join(', ')}`);
}

async function signAgain(host: DaemonHost): Promise<Cell> {
  for (const end of ['stop', 'kill'] as const) {
    await host.running[end]();
    await host.start();
    for (const [name, { keySet }] of host.signers) await host.signAndVerify(name, keySet);
  }
  return cell('daemon-restart', 'ok', 'after SIGTERM and after SIGKILL the same keys sign');
}

async function loseToken(host: DaemonHost, token: TestToken): Promise<Cell> {
  if (token.processes.length === 0) return cell('token-loss', 'none', 'the module has no process of its own');
  const names = token.processes.map(({ name }) => name).join(', ');
  await endProcesses(token.processes);
  const startMs = performance.now();
  const isNeeded = await isRefusedSoon(host);
  // A module that is open already may not need its process: the next worker will.
  let isMissed = isNeeded;
  if (!isNeeded) {
    for (const pid of await host.running.workerPids()) process.kill(pid, 'SIGKILL');
    isMissed = await isRefusedSoon(host);
  }
  const refused = isMissed ? `refused after ${Math.round(performance.now() - startMs)} ms` : 'let in all the same';
  const response = await fetch(`${host.running.httpUrl}/.well-known/jwks.json`);
  if (response.status !== 200) throw new Error(`without its token the daemon answers ${response.status} for the JWKS`);
  await setUpToken(token.name, token.dir);
  const backMs = performance.now();
  await host.signAndVerify();
  return cell(
    'token-loss',
    'ok',
    `without ${names}: ${isNeeded ? '' : 'open workers sign on, new ones are '}${refused}, the JWKS still served; signs ${Math.round(performance.now() - backMs)} ms after the return`,
  );
}

async function isRefusedSoon(host: DaemonHost): Promise<boolean> {
  const untilMs = performance.now() + LOSS_TIMEOUT_MS;
  while (performance.now() < untilMs) if (await isRefused(host)) return true;
  return false;
}

async function isRefused(host: DaemonHost): Promise<boolean> {
  try {
    await host.sign();
    return false;
  } catch (error) {
    if (hasReason(error, 'TOKEN_UNAVAILABLE') || hasReason(error, 'DEADLINE_EXCEEDED')) return true;
    throw error;
  }
}
