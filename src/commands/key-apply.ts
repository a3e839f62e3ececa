/** `keyturn key apply`: a signing key as it should be; made, or its lifecycle policy changed. */
import { parseDuration } from '../base/duration.ts';
import { KeyturnError } from '../base/errors.ts';
import { isSwitchedOn, JSON_OPTION, textOption, type CommandSpec, type Options } from './command.ts';
import { withClient } from './connection.ts';
import { EXIT } from './exit-code.ts';
import { describeNext, describeSigningKey } from './key-views.ts';

export const keyApplyCommand: CommandSpec = {
  name: 'key apply',
  summary: 'make a signing key, or change its lifecycle policy',
  arguments: [{ syntax: '<name>', description: 'the signing key, such as access-tokens' }],
  options: [
    { flags: '--algorithm <alg>', description: 'the JWS algorithm: ES256, RS256, EdDSA, …', required: true },
    { flags: '--key-set <name>', description: 'the key set that publishes it (default: default)' },
    { flags: '--rsa-bits <bits>', description: '2048, 3072 (default) or 4096; RSA only' },
    { flags: '--signing-period <duration>', description: 'how long a version signs (default: 30d)' },
    { flags: '--max-signing-period <duration>', description: 'the longest that it may sign (default: twice that)' },
    { flags: '--max-jwt-lifetime <duration>', description: 'the longest lifetime of a JWT (default: 1h)' },
    { flags: '--rollback-window <duration>', description: 'how long a rotation can be rolled back (default: 1h)' },
    { flags: '--standbys <count>', description: 'standbys kept published: 2 (default) or 1' },
    { flags: '--no-jti', description: "don't add a random jti to each JWT" },
    { flags: '--nbf', description: "add an nbf to each JWT: its iat, less the key set's verifierSkew" },
    { flags: '--etag <etag>', description: 'change it only if this is still its etag' },
    { flags: '--reason <text>', description: 'why; kept in the event log' },
    { flags: '--dry-run', description: 'check everything, change nothing' },
    JSON_OPTION,
  ],
  async run(context, input) {
    const [name = ''] = input.arguments;
    const { options } = input;
    const rsaBits = wholeNumber(options, 'rsaBits', '--rsa-bits');
    const request = {
      name,
      algorithm: textOption(options, 'algorithm') ?? '',
      keySet: textOption(options, 'keySet'),
      rsaBits,
      lifecyclePolicy: {
        signingPeriodMs: duration(options, 'signingPeriod', '--signing-period'),
        maxSigningPeriodMs: duration(options, 'maxSigningPeriod', '--max-signing-period'),
        maxJwtLifetimeMs: duration(options, 'maxJwtLifetime', '--max-jwt-lifetime'),
        rollbackWindowMs: duration(options, 'rollbackWindow', '--rollback-window'),
        standbys: wholeNumber(options, 'standbys', '--standbys'),
        // Commander makes `--no-jti` the option `jti`, true unless given.
        addJti: options['jti'] !== false,
        addNbf: isSwitchedOn(options, 'nbf'),
      },
      etag: textOption(options, 'etag'),
      reason: textOption(options, 'reason'),
      validateOnly: isSwitchedOn(options, 'dryRun'),
    };
    const { signingKey, changed } = await withClient(context, options, (client) => client.applySigningKey(request));
    const { terminal } = context;
    if (isSwitchedOn(options, 'json')) {
      terminal.printJson({ changed, dryRun: request.validateOnly, signingKey });
      return EXIT.ok;
    }
    const nowMs = context.clock.wallMs();
    terminal.note(outcome(request.validateOnly, changed));
    for (const line of [...describeSigningKey(signingKey, nowMs), ...describeNext(signingKey, [], nowMs)])
      terminal.print(line);
    return EXIT.ok;
  },
};

function outcome(isDryRun: boolean, changed: boolean): string {
  if (isDryRun) return changed ? 'would be accepted; nothing was changed' : 'would change nothing';
  return changed ? 'applied' : 'nothing to change: it is like that already';
}

function duration(options: Options, name: string, field: string): number | undefined {
  const text = textOption(options, name);
  return text === undefined ? undefined : parseDuration(text, field);
}

function wholeNumber(options: Options, name: string, field: string): number | undefined {
  const text = textOption(options, name);
  if (text === undefined) return undefined;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new KeyturnError('FIELD_INVALID', `${field} must be a whole number`, { field });
}
