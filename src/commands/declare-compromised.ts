/** What `key declare-compromised` and `token declare-compromised` have in common: show the effect, ask, do, tell. */
import type { CompromiseEffect, CompromiseScope, KeyturnClient } from '../client/client.ts';
import {
  isSwitchedOn,
  JSON_OPTION,
  textOption,
  type CommandContext,
  type CommandInput,
  type OptionSpec,
} from './command.ts';
import { confirmByName, requireConfirmable, YES_OPTION } from './confirm.ts';
import { withClient } from './connection.ts';
import { EXIT } from './exit-code.ts';
import { describeCompromise } from './key-change-views.ts';
import { REQUEST_ID_OPTION } from './key-command.ts';
import { propose, PROPOSE_OPTION } from './propose.ts';

export const DECLARE_OPTIONS: readonly OptionSpec[] = [
  { flags: '--reason <text>', description: 'why; kept in the event log', required: true },
  REQUEST_ID_OPTION,
  { flags: '--retain', description: 'keep the private keys in the token, as evidence; they never sign again' },
  { flags: '--dry-run', description: 'tell what would happen, change nothing' },
  PROPOSE_OPTION,
  YES_OPTION,
  JSON_OPTION,
];

export interface Declaration {
  readonly scope: CompromiseScope;
  /** What the user must type back. */
  readonly toName: (client: KeyturnClient) => Promise<string>;
}

export async function declareCompromised(
  context: CommandContext,
  { options }: CommandInput,
  { scope, toName }: Declaration,
): Promise<number> {
  const isDryRun = isSwitchedOn(options, 'dryRun');
  const retain = isSwitchedOn(options, 'retain');
  const request = {
    scope,
    retain,
    reason: textOption(options, 'reason') ?? '',
    requestId: textOption(options, 'requestId'),
  };
  if (isSwitchedOn(options, 'propose')) return propose(context, options, { declareCompromised: request });
  if (!isDryRun) requireConfirmable(context, options);
  const describe = (effects: readonly CompromiseEffect[], isPreview: boolean): string[] =>
    describeCompromise(effects, { isDryRun: isPreview, isRetained: retain, nowMs: context.clock.wallMs() });
  const effects = await withClient(context, options, async (client) => {
    // Whoever says --yes has no time to lose.
    if (!isSwitchedOn(options, 'yes') || isDryRun) {
      const preview = await client.declareCompromised({ ...request, validateOnly: true });
      if (isDryRun) return preview.effects;
      for (const line of describe(preview.effects, true)) context.terminal.note(line);
      await confirmByName(context, options, await toName(client));
    }
    return (await client.declareCompromised(request)).effects;
  });
  if (isSwitchedOn(options, 'json')) context.terminal.printJson({ dryRun: isDryRun, effects });
  else for (const line of describe(effects, isDryRun)) context.terminal.print(line);
  return EXIT.ok;
}
