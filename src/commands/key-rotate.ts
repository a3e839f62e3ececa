/** `keyturn key rotate`: a standby takes over, now or at a time. */
import { KeyturnError } from '../base/errors.ts';
import { type CommandContext, type CommandSpec, isSwitchedOn, type Options, textOption } from './command.ts';
import { withClient } from './connection.ts';
import { EXIT } from './exit-code.ts';
import { describeRotationTime } from './key-change-views.ts';
import { KEY_COMMAND_OPTIONS, toKeyCommand } from './key-command.ts';
import { formatTime, parseTime } from './time.ts';

export const keyRotateCommand: CommandSpec = {
  name: 'key rotate',
  summary: 'let the oldest propagated standby sign from now on',
  arguments: [{ syntax: '<name>', description: 'the signing key' }],
  options: [
    { flags: '--use-last-standby', description: 'take the last propagated standby' },
    { flags: '--at <time>', description: 'not now: rotate at this time, instead of at the end of the signing period' },
    { flags: '--cancel-at', description: 'take back what --at said' },
    ...KEY_COMMAND_OPTIONS,
  ],
  async run(context, input) {
    const [signingKey = ''] = input.arguments;
    const { options } = input;
    const { terminal } = context;
    const at = textOption(options, 'at');
    if (at !== undefined || isSwitchedOn(options, 'cancelAt')) return schedule(context, options, signingKey, at);
    const validateOnly = isSwitchedOn(options, 'dryRun');
    const result = await withClient(context, options, (client) =>
      client.rotate({
        signingKey,
        useLastStandby: isSwitchedOn(options, 'useLastStandby'),
        ...toKeyCommand(options),
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

async function schedule(
  context: CommandContext,
  options: Options,
  signingKey: string,
  at: string | undefined,
): Promise<number> {
  const { terminal, clock } = context;
  const isAlone = !isSwitchedOn(options, 'useLastStandby') && !(at !== undefined && isSwitchedOn(options, 'cancelAt'));
  if (!isAlone) {
    const message = '--at, --cancel-at and --use-last-standby exclude each other';
    throw new KeyturnError('FIELD_INVALID', message, { field: '--at' });
  }
  const rotateTime = at === undefined ? undefined : parseTime(at, '--at');
  const { signingKey: after } = await withClient(context, options, (client) =>
    client.scheduleRotation({ signingKey, rotateTime, ...toKeyCommand(options) }),
  );
  const isDryRun = isSwitchedOn(options, 'dryRun');
  if (isSwitchedOn(options, 'json')) terminal.printJson({ dryRun: isDryRun, signingKey: after });
  else for (const line of describeRotationTime(after, { isDryRun, nowMs: clock.wallMs() })) terminal.print(line);
  return EXIT.ok;
}
