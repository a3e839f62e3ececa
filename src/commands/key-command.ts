/** What the commands that change who signs have in common: suspend, reactivate and rollback. */
import { KeyturnError } from '../base/errors.ts';
import type { SigningKey } from '../client/client.ts';
import {
  isSwitchedOn,
  JSON_OPTION,
  textOption,
  type CommandContext,
  type OptionSpec,
  type Options,
} from './command.ts';
import { EXIT } from './exit-code.ts';
import { describeNewSigner } from './key-change-views.ts';

export const REQUEST_ID_OPTION: OptionSpec = {
  flags: '--request-id <uuid>',
  description: 'a UUID of your own: given again within 24 h, the command is not done twice',
};

export const KEY_COMMAND_OPTIONS: readonly OptionSpec[] = [
  { flags: '--etag <etag>', description: 'only if this is still its etag' },
  { flags: '--reason <text>', description: 'why; kept in the event log' },
  REQUEST_ID_OPTION,
  { flags: '--dry-run', description: 'check everything, change nothing' },
  JSON_OPTION,
];

interface SentOptions {
  readonly validateOnly: boolean;
  readonly etag: string | undefined;
  readonly reason: string | undefined;
  readonly requestId: string | undefined;
}

export function toKeyCommand(options: Options): SentOptions {
  return {
    validateOnly: isSwitchedOn(options, 'dryRun'),
    etag: textOption(options, 'etag'),
    reason: textOption(options, 'reason'),
    requestId: textOption(options, 'requestId'),
  };
}

/** A version's number as typed. Errors: FIELD_INVALID. */
export function parseVersion(text: string, field: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new KeyturnError('FIELD_INVALID', `${field} must be the number of a version, such as 3`, { field });
}

export interface Change {
  readonly before: SigningKey;
  readonly after: SigningKey;
  /** Further lines for people. */
  readonly remarks?: readonly string[];
}

export function reportChange(
  context: CommandContext,
  options: Options,
  { before, after, remarks = [] }: Change,
): number {
  const { terminal, clock } = context;
  const isDryRun = isSwitchedOn(options, 'dryRun');
  if (isSwitchedOn(options, 'json')) {
    terminal.printJson({ dryRun: isDryRun, signingKey: after });
    return EXIT.ok;
  }
  const lines = describeNewSigner(before, after, { isDryRun, nowMs: clock.wallMs() });
  for (const line of [...lines, ...remarks]) terminal.print(line);
  return EXIT.ok;
}
