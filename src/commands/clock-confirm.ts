/** `keyturn clock confirm TIME`: an operator vouches for the wall clock after it stepped. */
import { KeyturnError } from '../base/errors.ts';
import { describeClockStatus } from './clock-status.ts';
import { type CommandSpec, isSwitchedOn, JSON_OPTION, textOption } from './command.ts';
import { withClient } from './connection.ts';
import { EXIT } from './exit-code.ts';

export const clockConfirmCommand: CommandSpec = {
  name: 'clock confirm',
  summary: 'say what time it is, read from another source than this machine; the wall clock is believed if it agrees',
  arguments: [{ syntax: '<time>', description: 'the time now, such as 2026-01-31T12:34:56Z' }],
  options: [
    JSON_OPTION,
    { flags: '--reason <text>', description: 'why, and where the time is from; kept in the event log' },
  ],
  async run(context, { arguments: [text = ''], options }) {
    const { terminal } = context;
    const request = { time: parseTime(text), reason: textOption(options, 'reason') };
    const status = await withClient(context, options, (client) => client.confirmClock(request));
    if (isSwitchedOn(options, 'json')) terminal.printJson(status);
    else for (const line of describeClockStatus(status)) terminal.print(line);
    return EXIT.ok;
  },
};

/** With its offset: a local time without one could be any of two dozen. */
const ISO_TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:\d{2})$/;

function parseTime(text: string): Date {
  const time = new Date(text);
  if (ISO_TIME.test(text) && !Number.isNaN(time.getTime())) return time;
  throw new KeyturnError(
    'FIELD_INVALID',
    'TIME must be an ISO 8601 time with its offset, such as 2026-01-31T12:34:56Z',
    {
      field: 'time',
    },
  );
}
