/** Which access policy a command means, and how it shows what stands in it. */
import path from 'node:path';
import type { Statement } from '../access/policy.ts';
import type { CommandContext, Options, OptionSpec } from './command.ts';
import { textOption } from './command.ts';
import { requireConfigFile } from './config-file.ts';

export const POLICY_OPTION: OptionSpec = {
  flags: '--policy <file>',
  description: "the access policy (default: the configuration's)",
};

/** `named`, else --policy, else what the configuration names; the daemon isn't asked. */
export async function findPolicyFile(context: CommandContext, options: Options, named?: string): Promise<string> {
  const own = named ?? textOption(options, 'policy');
  if (own !== undefined) return path.resolve(context.workingDirectory, own);
  const { loadConfig } = await import('../config/load-config.ts');
  return (await loadConfig(requireConfigFile(context, options))).accessPolicyFile;
}

/** `access-policy.yaml:13  grants[2] gives the role signer for access-tokens, through the group auth-services`. */
export function formatStatement(file: string, { effect, place, group, roles, signingKeys }: Statement): string {
  const what =
    effect === 'grant'
      ? [
          `gives the role ${roles?.join(', ') ?? ''}`,
          ...(signingKeys === undefined ? [] : [`for ${signingKeys.join(', ')}`]),
        ]
      : [
          `takes ${[...(roles ?? []).map((role) => `the role ${role}`), ...(signingKeys ?? [])].join(', ') || 'everything'}`,
        ];
  const through = group === undefined ? '' : `, through the group ${group}`;
  return `${path.basename(file)}:${place.line}  ${place.path} ${what.join(' ')}${through}`;
}
