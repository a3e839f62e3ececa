/** Looks at the running daemon from outside: its listeners, and the token through it. Never touches the token itself. */
import { connect } from 'node:net';
import type { KeyturnError } from '../base/errors.ts';
import { formatDuration } from '../base/duration.ts';
import { hasReason, toKeyturnError } from '../base/errors.ts';
import type { ClockStatus, KeyturnClient, Reconciliation, TokenStatus } from '../client/client.ts';
import type { Config } from '../config/config.ts';
import type { CommandContext, Options } from './command.ts';
import { connectableHost, toAddress, withClient } from './connection.ts';
import { checkStore } from './doctor-store.ts';
import { fail, ok, warn, type Finding } from './findings.ts';
import { hintsFor } from './hints.ts';
import { causeText } from './key-set-source.ts';

const CONNECT_TIMEOUT_MS = 2_000;

export async function checkDaemon(context: CommandContext, options: Options, config: Config): Promise<Finding[]> {
  const name = 'daemon';
  let status: TokenStatus;
  let clock: ClockStatus;
  let reconciliation: Reconciliation | undefined;
  try {
    [status, clock, reconciliation] = await withClient(context, options, (client) =>
      Promise.all([client.getTokenStatus(), client.getClockStatus(), reconcile(client)]),
    );
  } catch (thrown) {
    const error = toKeyturnError(thrown);
    if (error.reason !== 'DAEMON_UNREACHABLE')
      return [fail(name, `${error.message} (${error.reason})`, firstHint(context, error))];
    return [
      warn(
        name,
        `it doesn't answer: ${error.message}`,
        'start it with `keyturn serve`; the token and the listeners were not checked',
      ),
    ];
  }
  return [
    ok(name, 'it answers'),
    checkToken(status),
    ...checkStore(reconciliation, context.clock.wallMs()),
    checkTrust(clock),
    ...(await checkListeners(config)),
  ];
}

/** Undefined without a token to compare with: that is told already. */
async function reconcile(client: KeyturnClient): Promise<Reconciliation | undefined> {
  try {
    return await client.reconcile();
  } catch (thrown) {
    if (hasReason(thrown, 'TOKEN_UNAVAILABLE')) return undefined;
    throw thrown;
  }
}

function checkToken(status: TokenStatus): Finding {
  const name = 'token';
  const label = status.label === undefined ? '' : ` "${status.label}"`;
  if (status.state === 'READY') return ok(name, `token${label} is ready, ${status.workers.length} workers`);
  const message = `${status.message ?? 'not ready'}${status.reason === undefined ? '' : ` (${status.reason})`}`;
  if (status.state === 'STARTING')
    return warn(name, 'the HSM workers are starting', 'run keyturn doctor again in a moment');
  return fail(name, message, '`keyturn token status` shows the workers; the daemon log has the whole story');
}

/** The daemon's own judgement: this process knows no base to hold the machine's clock against. */
function checkTrust({ trusted, stepMs }: ClockStatus): Finding {
  const name = 'trust in the clock';
  return trusted
    ? ok(name, 'the daemon believes the wall clock')
    : fail(
        name,
        `the daemon doesn't believe the wall clock, which is ${formatDuration(stepMs)} off: nothing is signed`,
        'set it right; or, if it is right now, `keyturn clock confirm TIME`',
      );
}

async function checkListeners(config: Config): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const listener of config.grpcListeners) {
    if (listener.kind === 'unix') continue;
    findings.push(await checkPort('gRPC listener', listener.host, listener.port));
  }
  findings.push(await checkHttp(config));
  return findings;
}

async function checkPort(name: string, host: string, port: number): Promise<Finding> {
  if (port === 0)
    return warn(name, 'the system chose its port', 'name a port in the configuration, so that callers find it');
  const address = toAddress(connectableHost(host), port);
  const problem = await tryToConnect(connectableHost(host), port);
  return problem === undefined
    ? ok(name, `${address} accepts connections`)
    : fail(
        name,
        `${address} accepts no connection: ${problem}`,
        'is it another daemon that answered, with another configuration?',
      );
}

async function checkHttp(config: Config): Promise<Finding> {
  const name = 'HTTP listener';
  if (config.http.port === 0)
    return warn(name, 'the system chose its port', 'name a port in the configuration, so that verifiers find it');
  const url = `http://${toAddress(connectableHost(config.http.host), config.http.port)}/healthz`;
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(CONNECT_TIMEOUT_MS) });
    await response.body?.cancel();
    return response.ok
      ? ok(name, `${url} answers`)
      : fail(name, `${url} answers ${response.status}`, 'does another server use this port?');
  } catch (error) {
    return fail(
      name,
      `${url} doesn't answer: ${causeText(error)}`,
      'is it another daemon that answered, with another configuration?',
    );
  }
}

/** Undefined when it could; else why not. */
function tryToConnect(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: CONNECT_TIMEOUT_MS });
    const end = (problem: string | undefined): void => {
      socket.destroy();
      resolve(problem);
    };
    socket.once('connect', () => end(undefined));
    socket.once('timeout', () => end('no answer'));
    socket.once('error', (error) => end(error.message));
  });
}

function firstHint(context: CommandContext, error: KeyturnError): string {
  return hintsFor(error, context.clock.wallMs())[0] ?? 'the daemon log has the cause';
}
