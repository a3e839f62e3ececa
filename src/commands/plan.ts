/** `keyturn plan`: what will happen to a signing key, or to those of a file, and when. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { KeyturnError } from '../base/errors.ts';
import {
  isSwitchedOn,
  JSON_OPTION,
  textOption,
  type CommandContext,
  type CommandSpec,
  type Options,
} from './command.ts';
import { withClient } from './connection.ts';
import { EXIT } from './exit-code.ts';
import { withContents } from './plan-phases.ts';
import { drawSvg } from './plan-svg.ts';
import { describePlan } from './plan-views.ts';
import { FILE_OPTION, readSigningKeysFile } from './signing-keys-file.ts';

const DAY_MS = 86_400_000;
const DEFAULT_DAYS = '90';
const MAX_DAYS = 3_652;

export const planCommand: CommandSpec = {
  name: 'plan',
  summary: 'tell what will happen to a signing key and when, and what would with a file of signing keys',
  arguments: [{ syntax: '[name]', description: 'the signing key, as it is; or name a file' }],
  options: [
    FILE_OPTION,
    { flags: '--days <days>', description: `how far to look (default: ${DEFAULT_DAYS})` },
    { flags: '--svg <file>', description: 'draw it into this file as well' },
    JSON_OPTION,
  ],
  async run(context, input) {
    const { options } = input;
    const subject = await readSubject(context, input.arguments[0], options);
    const horizonMs = parseDays(textOption(options, 'days') ?? DEFAULT_DAYS) * DAY_MS;
    const plan = await withClient(context, options, (client) => client.plan({ ...subject, horizonMs }));
    const svg = textOption(options, 'svg');
    if (svg !== undefined) await writeSvg(context, svg, drawSvg(plan));
    if (isSwitchedOn(options, 'json')) context.terminal.printJson(withContents(plan));
    else for (const line of describePlan(plan)) context.terminal.print(line);
    return EXIT.ok;
  },
};

async function readSubject(context: CommandContext, name: string | undefined, options: Options) {
  const file = textOption(options, 'file');
  if (name !== undefined && file === undefined) return { signingKey: name };
  if (name === undefined && file !== undefined) return { proposed: await readSigningKeysFile(context, file) };
  throw new KeyturnError('FIELD_INVALID', 'name a signing key, or a file with -f; not both', { field: 'name' });
}

function parseDays(text: string): number {
  const days = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (days >= 1 && days <= MAX_DAYS) return days;
  throw new KeyturnError('FIELD_INVALID', `--days must be a whole number from 1 to ${MAX_DAYS}`, { field: '--days' });
}

async function writeSvg(context: CommandContext, file: string, svg: string): Promise<void> {
  try {
    await writeFile(path.resolve(context.workingDirectory, file), svg);
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    throw new KeyturnError('FIELD_INVALID', `--svg can't be written: ${text}`, { field: '--svg', cause: error });
  }
  context.terminal.note(`drew the plan into ${file}`);
}
