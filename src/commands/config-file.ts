/** Which configuration file a command means. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { KeyturnError } from '../base/errors.ts';
import { textOption, type CommandContext, type Options } from './command.ts';

/** Looked for in this order when neither --config nor $KEYTURN_CONFIG names one. */
export const USUAL_CONFIG_FILES = ['keyturn.yaml', '.keyturn/keyturn.yaml', '/etc/keyturn/keyturn.yaml'] as const;

/** The absolute path; a file that was named isn't looked at, so that its absence is told as what it is. */
export function findConfigFile(context: CommandContext, options: Options): string | undefined {
  const named = textOption(options, 'config') ?? context.configFileVariable;
  if (named !== undefined && named !== '') return path.resolve(context.workingDirectory, named);
  return USUAL_CONFIG_FILES.map((file) => path.resolve(context.workingDirectory, file)).find((file) =>
    existsSync(file),
  );
}

export function requireConfigFile(context: CommandContext, options: Options): string {
  const file = findConfigFile(context, options);
  if (file !== undefined) return file;
  throw new KeyturnError(
    'CONFIG_INVALID',
    `no configuration found: none named by --config or $KEYTURN_CONFIG, and no ${USUAL_CONFIG_FILES.join(', ')}; keyturn init makes one`,
  );
}
