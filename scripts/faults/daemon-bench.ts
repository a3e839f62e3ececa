/**
 * The same faults as bench.ts, met by the daemon as a process and caused and seen from outside alone: signatures, key
 * generations, destructions and listings that callers ask for over gRPC, rungs as its metrics tell them, and JWTs held
 * against its key set.
 */
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import { classifyFault, nameFault } from '../../src/hsm/faults.ts';
import type { Rung } from '../../src/hsm/hsm.ts';
import { RUNGS } from '../../src/hsm/ladder.ts';
import { type DaemonProcess, startDaemonProcess, waitFor } from '../../test/fixtures/daemon-process.ts';
import { AUDIENCE, ISSUER, SHORT_PROMISE } from '../../test/fixtures/deployment.ts';
import { makeShimmedDeployment, type ShimmedDeployment } from '../../test/fixtures/shimmed-deployment.ts';
import type { Shim } from '../../test/shim/shim.ts';
import { pause } from '../soak/load.ts';
import type { Bench, Cell } from './bench.ts';
import { allowedFailures, expectedRung, type FaultyFunction, needsOperator, toCkRv, TRIGGERS } from './expectations.ts';

const WORKERS = 2;
const IN_FLIGHT = 8;
const DEADLINE_MS = 8_000;
/** One that isn't well by then is broken; a doubtful login alone waits for 5 s. */
const HEALTHY_WITHIN_MS = 30_000;
const START_WITHIN_MS = 60_000;
const SIGNING_KEY = 'signs';
/** Its standbys are declared compromised one after the other: each is destroyed, and another one is made. */
const VICTIM = 'victim';
const STANDBYS = 2;
/** The daemon answers for its metrics once a second. */
const METRICS_FRESH_MS = 1_050;

type Rungs = ReadonlyMap<string, number>;
type Answers = Pick<Cell, 'signed' | 'failed' | 'wrong'>;

export class DaemonBench implements Bench {
  /** After so many of the daemon's workers have died it goes on as before. */
  readonly isWorn = false;
  #deployment: ShimmedDeployment | undefined;
  #daemon: DaemonProcess | undefined;
  #metricsUrl = '';
  #rungsReadAtMs = Number.NEGATIVE_INFINITY;
  /** As they were after the cell before. */
  #before: Rungs = new Map();
  #keySet = createLocalJWKSet({ keys: [] });

  async start(): Promise<void> {
    this.#deployment = await makeShimmedDeployment({
      signingKeys: [SIGNING_KEY, VICTIM],
      config: {
        token: { workers: WORKERS, canaryPeriod: '1h' },
        metrics: { address: '127.0.0.1:0' },
        keySets: { default: SHORT_PROMISE, victims: SHORT_PROMISE },
      },
    });
    this.#daemon = await startDaemonProcess(this.#deployment);
    this.#metricsUrl = /"metricsUrl":"([^"]+)"/.exec(this.#daemon.log())?.[1] ?? '';
    await this.#admin.applySigningKey({ name: SIGNING_KEY, algorithm: 'ES256' });
    await this.#admin.applySigningKey({ name: VICTIM, algorithm: 'ES256', keySet: 'victims' });
    await waitFor('the signing keys', () => this.#isWhole(), START_WITHIN_MS);
    const response = await fetch(`${this.#running.httpUrl}/.well-known/jwks.json`);
    this.#keySet = createLocalJWKSet((await response.json()) as JSONWebKeySet);
    this.#before = await this.#rungs();
  }

  async close(): Promise<void> {
    await this.#daemon?.stop();
    await this.#deployment?.dispose();
  }

  async run(functionName: FaultyFunction, ckr: number): Promise<Cell> {
    const shim = this.#shim;
    const before = this.#before;
    const loginsBefore = shim.calls('C_Login');
    const fault = shim.arm({ on: functionName, action: 'returnCode', ckr: toCkRv(ckr), limit: 1 });
    const trigger = TRIGGERS[functionName];
    if (trigger !== undefined) shim.arm({ on: 'C_Sign', action: 'returnCode', ckr: trigger, limit: 1 });
    const startMs = performance.now();
    const deviations: string[] = [];
    const [answers, operation] = await Promise.all([this.#sign(), this.#operate(functionName)]);
    await waitFor('the fault', () => fault.hits() > 0, HEALTHY_WITHIN_MS).catch(() =>
      deviations.push('the fault was never met'),
    );
    if (needsOperator(functionName, ckr)) await this.#actAsOperator(before, deviations);
    await this.#becomeHealthy(deviations);
    const healthyMs = Math.round(performance.now() - startMs);
    const logins = shim.calls('C_Login') - loginsBefore;
    shim.clear();
    this.#before = await this.#rungs();
    const rung = highestRung(before, this.#before);
    const expected = expectedRung(functionName, ckr);
    if (rung !== expected) deviations.push(`rung ${rung} instead of ${expected}`);
    if (answers.wrong > 0) deviations.push(`${answers.wrong} wrong JWTs`);
    if (answers.failed > allowedFailures(functionName, ckr)) deviations.push(`${answers.failed} requests failed`);
    return {
      functionName,
      code: nameFault(ckr),
      faultClass: classifyFault(ckr),
      rung,
      expectedRung: expected,
      ...answers,
      ...(operation === undefined ? {} : { operation }),
      logins,
      healthyMs,
      deviations,
    };
  }

  get #running(): DaemonProcess {
    if (this.#daemon === undefined) throw new Error('the bench was not started');
    return this.#daemon;
  }

  get #shim(): Shim {
    if (this.#deployment === undefined) throw new Error('the bench was not started');
    return this.#deployment.shim;
  }

  get #admin(): DaemonProcess['admin'] {
    return this.#running.admin;
  }

  async #sign(): Promise<Answers> {
    const answers = await Promise.all(
      Array.from({ length: IN_FLIGHT }, async (_, index): Promise<keyof Answers> => {
        const claims = { iss: ISSUER, aud: AUDIENCE, sub: String(index) };
        const answer = await this.#admin.signJwt({ signingKey: SIGNING_KEY, claims }, { deadlineMs: DEADLINE_MS }).then(
          ({ jwt }) => jwt,
          () => undefined,
        );
        if (answer === undefined) return 'failed';
        const expected = { issuer: ISSUER, audience: AUDIENCE, subject: claims.sub };
        return jwtVerify(answer, this.#keySet, expected).then(
          () => 'signed',
          () => 'wrong',
        );
      }),
    );
    const count = (outcome: keyof Answers): number => answers.filter((answer) => answer === outcome).length;
    return { signed: count('signed'), failed: count('failed'), wrong: count('wrong') };
  }

  async #operate(functionName: FaultyFunction): Promise<string | undefined> {
    const work = this.#operationOf(functionName);
    if (work === undefined) return undefined;
    return work.then(
      () => 'done',
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    );
  }

  #operationOf(functionName: FaultyFunction): Promise<unknown> | undefined {
    switch (functionName) {
      case 'C_FindObjects':
        return this.#admin.reconcile();
      case 'C_GenerateKeyPair':
      case 'C_DestroyObject':
        return this.#loseStandby();
      case 'C_Initialize':
      case 'C_OpenSession':
      case 'C_Login':
      case 'C_SignInit':
      case 'C_Sign':
        return undefined;
    }
  }

  async #loseStandby(): Promise<void> {
    const { keyVersions } = await this.#admin.listKeyVersions({ signingKey: VICTIM });
    const standby = keyVersions.find(({ state }) => state === 'PRE_ACTIVE');
    if (standby === undefined) throw new Error('the victim has no standby');
    await this.#admin.declareCompromised({
      scope: { version: { signingKey: VICTIM, version: standby.version } },
      reason: 'a fault is tried',
    });
  }

  async #actAsOperator(before: Rungs, deviations: string[]): Promise<void> {
    const isRefused = async (): Promise<boolean> =>
      countOf(await this.#rungs(), 'operator') > countOf(before, 'operator');
    await waitFor('the refusal', isRefused, HEALTHY_WITHIN_MS).catch(() => deviations.push('the refusal is not told'));
    const shim = this.#shim;
    const logins = shim.calls('C_Login');
    await pause(100);
    if (shim.calls('C_Login') !== logins) deviations.push('somebody logged in beside the latch');
    await this.#admin.retryLogin();
  }

  /** All workers take requests, everything asked for has come about, and JWTs are good. */
  async #becomeHealthy(deviations: string[]): Promise<void> {
    try {
      await waitFor('the workers and the signing keys', () => this.#isWhole(), HEALTHY_WITHIN_MS);
      const { signed } = await this.#sign();
      if (signed < IN_FLIGHT) throw new Error(`only ${signed} of ${IN_FLIGHT} requests are signed afterwards`);
    } catch (error) {
      deviations.push(`broken: ${String(error)}`);
    }
  }

  async #isWhole(): Promise<boolean> {
    const { workers } = await this.#admin.getTokenStatus();
    if (workers.length !== WORKERS || workers.some(({ state, sessions }) => state !== 'ready' || sessions === 0))
      return false;
    for (const signingKey of [SIGNING_KEY, VICTIM]) {
      const { activeVersion, publishedStandbys } = (await this.#admin.getSigningKey({ name: signingKey })).signingKey;
      if (activeVersion === undefined || publishedStandbys !== STANDBYS) return false;
      // The newest: the page that is left out holds what was well before.
      const { keyVersions } = await this.#admin.listKeyVersions({ signingKey });
      if (keyVersions.some(({ state, privateKeyPresent }) => state === 'COMPROMISED' && privateKeyPresent))
        return false;
    }
    return true;
  }

  async #rungs(): Promise<Rungs> {
    await pause(Math.max(0, this.#rungsReadAtMs + METRICS_FRESH_MS - performance.now()));
    const text = await (await fetch(`${this.#metricsUrl}/metrics`)).text();
    this.#rungsReadAtMs = performance.now();
    const counts = text.matchAll(/^keyturn_hsm_fault_rungs_total\{rung="(\w+)"\} (\d+)$/gm);
    return new Map([...counts].map(([, rung = '', count]) => [rung, Number(count)]));
  }
}

function countOf(rungs: Rungs, rung: Rung): number {
  return rungs.get(rung) ?? 0;
}

function highestRung(before: Rungs, after: Rungs): Rung | 'none' {
  return RUNGS.findLast((rung) => countOf(after, rung) > countOf(before, rung)) ?? 'none';
}
