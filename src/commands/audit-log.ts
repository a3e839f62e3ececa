/** What the commands on an audit log's files share: no daemon, no configuration and no token is needed for any of them. */
import path from 'node:path';
import { formatHead, type Head, parseHead } from '../audit/chain.ts';
import { parseCheckpointJwk } from '../audit/checkpoint-key.ts';
import type { Verification, VerifyOptions } from '../audit/verify-chain.ts';
import { readNamedFile } from './argument-input.ts';
import {
  type ArgumentSpec,
  type CommandContext,
  type CommandInput,
  type Options,
  type OptionSpec,
  textOption,
} from './command.ts';

export const DIRECTORY_ARGUMENT: ArgumentSpec = {
  syntax: '<directory>',
  description: 'the audit log: the folder with its segment files, or a copy of it',
};

export const VERIFY_OPTIONS: readonly OptionSpec[] = [
  { flags: '--key <file>', description: 'the public key of checkpoints (JWK), kept from an earlier `audit key`' },
  {
    flags: '--head <seq:hash>',
    description: 'a head known from elsewhere; several are separated by commas',
  },
];

export function directoryOf(context: CommandContext, { arguments: [directory = ''] }: CommandInput): string {
  return path.resolve(context.workingDirectory, directory);
}

/** Errors: FIELD_INVALID. */
export async function verifyOptionsOf(context: CommandContext, options: Options): Promise<VerifyOptions> {
  const keyFile = textOption(options, 'key');
  const key = keyFile === undefined ? undefined : parseCheckpointJwk(await readNamedFile(context, keyFile, '--key'));
  return { key, heads: headsOf(options) };
}

function headsOf(options: Options): readonly Head[] {
  const text = textOption(options, 'head');
  return text === undefined ? [] : text.split(',').map((head) => parseHead(head.trim(), '--head'));
}

export function verificationJson(verification: Verification): object {
  const { problem, entries, first, head, checkpoints, signedThrough, knownThrough, notes } = verification;
  return {
    verified: problem === undefined,
    ...(problem === undefined ? {} : { problem }),
    entries,
    first,
    head: formatHead(head),
    checkpoints,
    ...(signedThrough === undefined ? {} : { signedThrough }),
    ...(knownThrough === undefined ? {} : { knownThrough }),
    notes,
  };
}
