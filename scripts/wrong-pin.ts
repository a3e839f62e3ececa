/**
 * `npm run wrong-pin [-- --restarts N --token NAME --json]`: the daemon with a wrong PIN, restarted again and again. The token
 * may hear of it once, over all workers and all restarts, until an operator says `retry-login`. Counted twice: by
 * pkcs11-spy in front of the token, and by the token's own flags; openCryptoki is one that has such flags, and locks
 * itself after the third failure. Exit code 1 when it was tried more often, or when the right PIN is no longer taken.
 */
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type DaemonProcess, startDaemonProcess, waitFor } from '../test/fixtures/daemon-process.ts';
import { AUDIENCE, type Deployment, ISSUER, makeDeployment } from '../test/fixtures/deployment.ts';
import { readPinFlags } from '../test/tokens/pin-flags.ts';
import { endProcesses, setUpToken, type TestToken } from '../test/tokens/set-up.ts';
import { type Check, reportEvidence } from './lib/evidence.ts';

const WORKERS = 2;
/** As long as a PIN may be on every token at hand. */
const WRONG_PIN = '00000000';
const READY_TIMEOUT_MS = 60_000;
/** What a token that counts, and locks itself after the third failure, says after each. */
const FAILURE_FLAGS = ['USER_PIN_COUNT_LOW', 'USER_PIN_FINAL_TRY', 'USER_PIN_LOCKED'];

const { values: options } = parseArgs({
  options: {
    restarts: { type: 'string', default: '5' },
    token: { type: 'string', default: 'softhsm2' },
    json: { type: 'boolean', default: false },
  },
});
const restarts = Number(options.restarts);
if (!Number.isInteger(restarts) || restarts < 1) throw new RangeError('--restarts is a whole number above 0');

/** pkcs11-spy writes the PIN too: the log is thrown away with the token. */
class SpiedToken {
  readonly #token: TestToken;
  readonly #spy: TestToken;
  readonly #log: string;

  constructor(token: TestToken, spy: TestToken, dir: string) {
    [this.#token, this.#spy, this.#log] = [token, spy, join(dir, 'logins.log')];
  }

  deploy(pinFile: string): Promise<Deployment> {
    const { config, label } = this.#token;
    if (config.moduleParameters !== undefined) throw new RangeError('pkcs11-spy takes no parameters for the module');
    const environment = { ...config.environment, PKCS11SPY: config.moduleFile, PKCS11SPY_OUTPUT: this.#log };
    const token = { module: this.#spy.config.moduleFile, label, pinFile, environment, workers: WORKERS };
    return makeDeployment({ spy: false, config: { token } });
  }

  async countLogins(): Promise<number> {
    return (await readFile(this.#log, 'utf8')).match(/^\d+: C_Login$/gm)?.length ?? 0;
  }

  flags(): Promise<readonly string[]> {
    return readPinFlags(this.#token);
  }
}

function countFailures(flags: readonly string[]): number {
  return 1 + FAILURE_FLAGS.findLastIndex((flag) => flags.includes(flag));
}

function tell(text: string): void {
  if (!options.json) process.stdout.write(`${text}\n`);
}

async function whenSigning({ admin }: DaemonProcess): Promise<void> {
  const claims = { iss: ISSUER, aud: AUDIENCE };
  const isSigned = (): Promise<boolean> =>
    admin.signJwt({ signingKey: 'access-tokens', claims }).then(
      () => true,
      () => false,
    );
  await waitFor('a JWT', isSigned, READY_TIMEOUT_MS);
}

async function whenRefused({ admin }: DaemonProcess, reason: string): Promise<void> {
  await waitFor(reason, async () => (await admin.getTokenStatus()).reason === reason, READY_TIMEOUT_MS);
}

async function run(token: SpiedToken, deployment: Deployment, pinFile: string, rightPin: string): Promise<boolean> {
  const before = await startDaemonProcess(deployment);
  await before.admin.applySigningKey({
    name: 'access-tokens',
    algorithm: 'RS256',
    rsaBits: 2_048,
    lifecyclePolicy: { standbys: 1 },
  });
  await whenSigning(before);
  await before.stop();
  const rightLogins = await token.countLogins();

  await writeFile(pinFile, WRONG_PIN);
  for (let start = 0; start <= restarts; start += 1) {
    const daemon = await startDaemonProcess(deployment);
    await whenRefused(daemon, start === 0 ? 'PIN_INCORRECT' : 'LOGIN_LATCHED');
    await (start % 2 === 0 ? daemon.stop() : daemon.kill());
    tell(`start ${start + 1}: ${(await token.countLogins()) - rightLogins} logins tried`);
  }
  const wrongLogins = (await token.countLogins()) - rightLogins;
  const flags = await token.flags();

  await writeFile(pinFile, rightPin);
  const after = await startDaemonProcess(deployment);
  await whenRefused(after, 'LOGIN_LATCHED');
  await after.admin.retryLogin({ reason: 'the PIN file is right again' });
  await whenSigning(after);
  await after.stop();
  const checks: readonly Check[] = [
    { name: 'restarts with a wrong PIN', value: restarts, unit: 'restarts', bar: { atLeast: 1 } },
    { name: 'logins with the right PIN before', value: rightLogins, unit: 'logins', bar: { atLeast: WORKERS } },
    { name: 'logins tried with the wrong PIN', value: wrongLogins, unit: 'logins', bar: { atMost: 1 } },
    { name: 'logins that the spy missed', value: 1 - wrongLogins, unit: 'logins', bar: { atMost: 0 } },
    { name: "failures by the token's own flags", value: countFailures(flags), unit: 'failures', bar: { atMost: 1 } },
  ];
  return reportEvidence(checks, { token: options.token, workers: WORKERS, flags }, options.json);
}

const dir = await mkdtemp(join(tmpdir(), 'keyturn-wrong-pin-'));
try {
  const token = await setUpToken(options.token, join(dir, 'token'));
  try {
    const spied = new SpiedToken(token, await setUpToken('spy', join(dir, 'spy')), dir);
    const pinFile = join(dir, 'pin');
    await copyFile(token.config.pinFile, pinFile);
    const deployment = await spied.deploy(pinFile);
    try {
      const rightPin = await readFile(token.config.pinFile, 'utf8');
      process.exitCode = (await run(spied, deployment, pinFile, rightPin)) ? 0 : 1;
    } finally {
      await deployment.dispose();
    }
  } finally {
    await endProcesses(token.processes);
  }
} finally {
  await rm(dir, { recursive: true, force: true });
}
