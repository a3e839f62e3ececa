/** `keyturn token status`: how the token and the HSM workers are. */
import { formatDuration } from '../base/duration.ts';
import type { TokenStatus } from '../client/client.ts';
import { isSwitchedOn, JSON_OPTION, type CommandSpec } from './command.ts';
import { withClient } from './connection.ts';
import { EXIT } from './exit-code.ts';
import { formatFields, formatTable } from './table.ts';

export const tokenStatusCommand: CommandSpec = {
  name: 'token status',
  summary: 'how the token and the HSM workers are',
  options: [JSON_OPTION],
  async run(context, { options }) {
    const { terminal } = context;
    const status = await withClient(context, options, (client) => client.getTokenStatus());
    if (isSwitchedOn(options, 'json')) terminal.printJson(status);
    else for (const line of describeTokenStatus(status)) terminal.print(line);
    return status.state === 'READY' ? EXIT.ok : EXIT.unavailable;
  },
};

export function describeTokenStatus(status: TokenStatus): string[] {
  const reason = status.reason === undefined ? '' : ` (${status.reason})`;
  const fields = formatFields([
    ['state', `${status.state.toLowerCase()}${reason}`],
    ...(status.message === undefined ? [] : [['message', status.message] as const]),
    ['token', [status.label, status.serial && `serial ${status.serial}`].filter(Boolean).join(', ')],
    ['device', [status.manufacturer, status.model, status.firmwareVersion].filter(Boolean).join(' ')],
    ['waiting requests', String(status.queueDepth)],
    ['workers replaced', String(status.workerRestarts)],
  ]);
  const workers = status.workers.map((worker) => [
    String(worker.pid),
    worker.state,
    String(worker.sessions),
    String(worker.inFlight),
    formatDuration(worker.uptimeMs),
  ]);
  return [...fields, '', ...formatTable(['WORKER', 'STATE', 'SESSIONS', 'IN FLIGHT', 'UP'], workers)];
}
