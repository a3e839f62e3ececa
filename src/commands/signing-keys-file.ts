/** The signing keys file that `apply` and `plan` read. */
import path from 'node:path';
import { KeyturnError } from '../base/errors.ts';
import type { ProposedSigningKey } from '../client/client.ts';
import type { CommandContext, OptionSpec } from './command.ts';

export const FILE_OPTION: OptionSpec = { flags: '-f, --file <file>', description: 'the signing keys file (YAML)' };

/** Errors: CONFIG_INVALID with every problem; FIELD_INVALID when it names no signing key. */
export async function readSigningKeysFile(
  context: CommandContext,
  name: string,
  option = '--file',
): Promise<readonly ProposedSigningKey[]> {
  const file = path.resolve(context.workingDirectory, name);
  const { loadSigningKeys } = await import('../config/signing-keys-document.ts');
  const wanted = await loadSigningKeys(file);
  if (wanted.length > 0) return wanted;
  throw new KeyturnError('FIELD_INVALID', `${file} names no signing key`, { field: option });
}
