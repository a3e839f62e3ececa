/** Before what can't be undone: the user types the name back, or has said --yes. A pipe is nobody's confirmation. */
import { KeyturnError } from '../base/errors.ts';
import { type CommandContext, isSwitchedOn, type OptionSpec, type Options } from './command.ts';

export const YES_OPTION: OptionSpec = { flags: '--yes', description: "don't ask" };

/** FIELD_INVALID when nobody can be asked: known before the daemon is. */
export function requireConfirmable({ terminal }: CommandContext, options: Options): void {
  if (isSwitchedOn(options, 'yes') || terminal.isInteractive()) return;
  throw notConfirmed('there is no terminal to ask at; give --yes');
}

/** Resolves when the user has typed `name`, or has said --yes. The effect was shown before. */
export async function confirmByName(context: CommandContext, options: Options, name: string): Promise<void> {
  if (isSwitchedOn(options, 'yes')) return;
  requireConfirmable(context, options);
  context.terminal.note(`Type ${name} to go on:`);
  if ((await context.terminal.readLine()) !== name) throw notConfirmed(`type ${name}, or give --yes`);
}

function notConfirmed(what: string): KeyturnError {
  return new KeyturnError('FIELD_INVALID', `not confirmed, and nothing was changed: ${what}`, { field: '--yes' });
}
