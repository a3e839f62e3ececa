/** `keyturn clock confirm TIME`: an operator vouches for the wall clock after it stepped. */
import { describeClockStatus } from './clock-status.ts';
import { type CommandSpec, isSwitchedOn, JSON_OPTION, textOption } from './command.ts';
import { withClient } from './connection.ts';
import { EXIT } from './exit-code.ts';
import { parseTime } from './time.ts';

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
    const request = { time: parseTime(text, 'TIME'), reason: textOption(options, 'reason') };
    const status = await withClient(context, options, (client) => client.confirmClock(request));
    if (isSwitchedOn(options, 'json')) terminal.printJson(status);
    else for (const line of describeClockStatus(status)) terminal.print(line);
    return EXIT.ok;
  },
};
