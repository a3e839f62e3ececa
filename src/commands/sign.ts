/** `keyturn sign`: one JWT, from the command line. */
import { parseDuration } from '../base/duration.ts';
import { KeyturnError } from '../base/errors.ts';
import { readArgument } from './argument-input.ts';
import { isSwitchedOn, JSON_OPTION, textOption, type CommandSpec } from './command.ts';
import { withClient } from './connection.ts';
import { EXIT } from './exit-code.ts';

export const signCommand: CommandSpec = {
  name: 'sign',
  summary: 'sign a JWT with a signing key',
  arguments: [{ syntax: '<name>', description: 'the signing key' }],
  options: [
    { flags: '--claims <json>', description: 'the claims as a JSON object, @FILE, or - for stdin', required: true },
    { flags: '--lifetime <duration>', description: 'from iat to exp, such as 5m (default: the longest permitted)' },
    { flags: '--typ <typ>', description: "the header's typ (default: JWT)" },
    JSON_OPTION,
  ],
  async run(context, input) {
    const [signingKey = ''] = input.arguments;
    const claims = await readArgument(context, textOption(input.options, 'claims') ?? '', '--claims');
    const lifetime = textOption(input.options, 'lifetime');
    const lifetimeSeconds = lifetime === undefined ? undefined : toSeconds(lifetime);
    const typ = textOption(input.options, 'typ');
    const signed = await withClient(context, input.options, (client) =>
      client.signJwt({ signingKey, claims, lifetimeSeconds, typ }),
    );
    if (isSwitchedOn(input.options, 'json')) context.terminal.printJson(signed);
    else context.terminal.print(signed.jwt);
    return EXIT.ok;
  },
};

/** `exp` and `iat` are whole seconds here. */
function toSeconds(lifetime: string): number {
  const seconds = parseDuration(lifetime, '--lifetime') / 1_000;
  if (Number.isInteger(seconds) && seconds > 0) return seconds;
  throw new KeyturnError('FIELD_INVALID', '--lifetime must be whole seconds, at least 1s', { field: '--lifetime' });
}
