/** Problems of a configuration or an access policy: found all at once, each with its place. */
import { KeyturnError } from '../base/errors.ts';
import type { Reason } from '../base/reasons.ts';

export interface ConfigProblem {
  /** Where, such as `token.pinFile` or `grants[0].claims.iss`; empty when it is the file itself. */
  readonly path: string;
  readonly message: string;
  /** When a reason says it better than CONFIG_INVALID. */
  readonly reason?: Reason;
}

/** One line for each problem. Its reason is the problems' own if they agree on one, else CONFIG_INVALID. */
export class ConfigError extends KeyturnError {
  readonly problems: readonly ConfigProblem[];

  constructor(file: string, problems: readonly ConfigProblem[]) {
    const [first] = problems;
    const shared =
      first?.reason !== undefined && problems.every(({ reason }) => reason === first.reason)
        ? first.reason
        : 'CONFIG_INVALID';
    const place = first === undefined || first.path === '' ? {} : { field: first.path };
    super(
      shared,
      [`${file} can't be used:`, ...problems.map((problem) => `  ${formatProblem(problem)}`)].join('\n'),
      place,
    );
    this.problems = problems;
  }
}

export function formatProblem({ path, message }: ConfigProblem): string {
  return path === '' ? message : `${path}: ${message}`;
}

/** `grants[0].claims.iss` from its parts. */
export function formatPath(parts: readonly PropertyKey[]): string {
  return parts.reduce<string>((path, part) => {
    if (typeof part === 'number') return `${path}[${part}]`;
    return path === '' ? String(part) : `${path}.${String(part)}`;
  }, '');
}
