/** The whole daemon over a token, as a process: a JWT, a restart, a kill, and the token's loss and return. */
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import { hasReason } from '../../src/base/errors.ts';
import type { SignedJwt } from '../../src/client/client.ts';
import { type DaemonProcess, startDaemonProcess, waitFor } from '../fixtures/daemon-process.ts';
import { AUDIENCE, type Deployment, ISSUER, makeDeployment } from '../fixtures/deployment.ts';
import { cell, type Cell, tryCell } from './cells.ts';
import { endProcesses, setUpToken, type TestToken } from './set-up.ts';

const NAME = 'access-tokens';
const READY_TIMEOUT_MS = 60_000;
const CALL_TIMEOUT_MS = 5_000;
/** Longer than any token at hand needs to notice. */
const LOSS_TIMEOUT_MS = 8_000;

export async function checkDaemon(token: TestToken, onProgress: (what: string) => void): Promise<readonly Cell[]> {
  const { moduleFile: module, moduleParameters, pinFile, environment } = token.config;
  const deployment = await makeDeployment({
    spy: false,
    config: {
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
  kid = '';

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

  sign(): Promise<SignedJwt> {
    const claims = { iss: ISSUER, aud: AUDIENCE, sub: 'somebody' };
    return this.running.admin.signJwt(
      { signingKey: NAME, claims, lifetimeSeconds: 60 },
      { deadlineMs: CALL_TIMEOUT_MS },
    );
  }

  /** Signs as soon as it can, and holds the JWT against the key set that verifiers get. */
  async signAndVerify(): Promise<SignedJwt> {
    let signed: SignedJwt | undefined;
    let problem: unknown;
    await waitFor(
      'a JWT',
      async () => {
        try {
          signed = await this.sign();
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
    const jwks = (await (await fetch(`${this.running.httpUrl}/.well-known/jwks.json`)).json()) as JSONWebKeySet;
    await jwtVerify(signed.jwt, createLocalJWKSet(jwks), { issuer: ISSUER, audience: AUDIENCE });
    return signed;
  }
}

async function signFirst(host: DaemonHost): Promise<Cell> {
  const daemon = await host.start();
  const lifecyclePolicy = { standbys: 1 };
  await daemon.admin.applySigningKey({ name: NAME, algorithm: 'RS256', rsaBits: 2_048, lifecyclePolicy });
  host.kid = (await host.signAndVerify()).kid;
  return cell('daemon', 'ok', 'a JWT over gRPC, verified with the published key set');
}

async function signAgain(host: DaemonHost): Promise<Cell> {
  for (const end of ['stop', 'kill'] as const) {
    await host.running[end]();
    await host.start();
    const { kid } = await host.signAndVerify();
    if (kid !== host.kid) throw new Error(`after ${end}, ${kid} signs instead of ${host.kid}`);
  }
  return cell('daemon-restart', 'ok', 'after SIGTERM and after SIGKILL the same key signs');
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
  const { kid } = await host.signAndVerify();
  if (kid !== host.kid) throw new Error(`after the return, ${kid} signs instead of ${host.kid}`);
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
