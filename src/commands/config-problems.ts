/** All problems of a configuration: its own text first, then the files it names. */
import type { Config } from '../config/config.ts';
import type { ConfigProblem } from '../config/problems.ts';

export interface Inspection {
  /** Absent when the file has no usable content. */
  readonly config: Config | undefined;
  readonly problems: readonly ConfigProblem[];
}

export async function inspectConfig(file: string): Promise<Inspection> {
  // Loaded here: only these commands need the schema, and every command would wait for it.
  const { loadConfig } = await import('../config/load-config.ts');
  const { checkConfig } = await import('../config/check-config.ts');
  const { ConfigError } = await import('../config/problems.ts');
  let config: Config;
  try {
    config = await loadConfig(file);
  } catch (error) {
    if (error instanceof ConfigError) return { config: undefined, problems: error.problems };
    throw error;
  }
  return { config, problems: await checkConfig(config) };
}
