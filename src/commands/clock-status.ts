/** `keyturn clock status`: whether the daemon believes its machine's wall clock. */
import { formatDuration } from '../base/duration.ts';
import type { ClockStatus } from '../client/client.ts';
import { isSwitchedOn, JSON_OPTION, type CommandSpec } from './command.ts';
import { withClient } from './connection.ts';
import { EXIT } from './exit-code.ts';
import { formatFields } from './table.ts';

export const clockStatusCommand: CommandSpec = {
  name: 'clock status',
  summary: "whether the daemon believes its machine's wall clock",
  options: [JSON_OPTION],
  async run(context, { options }) {
    const { terminal } = context;
    const status = await withClient(context, options, (client) => client.getClockStatus());
    if (isSwitchedOn(options, 'json')) terminal.printJson(status);
    else for (const line of describeClockStatus(status)) terminal.print(line);
    return status.trusted ? EXIT.ok : EXIT.refused;
  },
};

export function describeClockStatus({ trusted, stepMs, stepLimitMs, time }: ClockStatus): string[] {
  return formatFields([
    ['wall clock', time.toISOString()],
    ['trusted', trusted ? 'yes' : 'no: nothing is signed, nothing final is done'],
    ['off by', formatDuration(stepMs)],
    ['tolerated', formatDuration(stepLimitMs)],
  ]);
}
