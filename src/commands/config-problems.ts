/** All problems of a configuration: its own text first, then the files it names. */
import { hasReason } from '../base/errors.ts';
import type { Config } from '../config/config.ts';

export interface ConfigProblem {
  /** Where, such as `token.pinFile`; empty when it is the file itself. */
  readonly path: string;
  readonly message: string;
}

export interface Inspection {
  /** Absent when the file has no usable content. */
  readonly config: Config | undefined;
  readonly problems: readonly ConfigProblem[];
}

export async function inspectConfig(file: string): Promise<Inspection> {
  const { loadConfig } = await import('../config/load-config.ts');
  const { checkConfig } = await import('../config/check-config.ts');
  let config: Config;
  try {
    config = await loadConfig(file);
  } catch (error) {
    if (!hasReason(error, 'CONFIG_INVALID')) throw error;
    return { config: undefined, problems: problemsOf(error) };
  }
  return { config, problems: await checkConfig(config) };
}

function problemsOf(error: Error): readonly ConfigProblem[] {
  return [{ path: '', message: error.message }];
}
