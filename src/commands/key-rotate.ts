/** `keyturn key rotate`: a standby takes over. */
import { isSwitchedOn, JSON_OPTION, textOption, type CommandSpec } from './command.ts';
import { withClient } from './connection.ts';
import { EXIT } from './exit-code.ts';
import { formatTime } from './time.ts';

export const keyRotateCommand: CommandSpec = {
  name: 'key rotate',
  summary: 'let the oldest propagated standby sign from now on',
  arguments: [{ syntax: '<name>', description: 'the signing key' }],
  options: [
    { flags: '--use-last-standby', description: 'take the last propagated standby' },
    { flags: '--etag <etag>', description: 'rotate only if this is still its etag' },
    { flags: '--reason <text>', description: 'why; kept in the event log' },
    { flags: '--dry-run', description: 'check everything, change nothing' },
    JSON_OPTION,
  ],
  async run(context, input) {
    const [signingKey = ''] = input.arguments;
    const { options } = input;
    const { terminal } = context;
    const validateOnly = isSwitchedOn(options, 'dryRun');
    const result = await withClient(context, options, (client) =>
      client.rotate({
        signingKey,
        useLastStandby: isSwitchedOn(options, 'useLastStandby'),
        validateOnly,
        etag: textOption(options, 'etag'),
        reason: textOption(options, 'reason'),
      }),
    );
    if (isSwitchedOn(options, 'json')) {
      terminal.printJson({ dryRun: validateOnly, ...result });
      return EXIT.ok;
    }
    const nowMs = context.clock.wallMs();
    const { activated, suspended } = result;
    terminal.print(`version ${activated.version} ${validateOnly ? 'would sign' : 'signs now'}, kid ${activated.kid}`);
    if (suspended !== undefined) {
      const until =
        suspended.expCeiling === undefined
          ? ''
          : `; its last JWT expires before ${formatTime(suspended.expCeiling.getTime(), nowMs)}`;
      terminal.print(`version ${suspended.version} ${validateOnly ? 'would stay' : 'stays'} published${until}`);
    }
    const next = result.signingKey.rotateAllowedTime;
    if (next !== undefined && !validateOnly)
      terminal.print(`the next rotation is allowed from ${formatTime(next.getTime(), nowMs)}`);
    return EXIT.ok;
  },
};
