/** `keyturn apply`: the signing keys of a file as it says; the difference first, then the question, then the change. */
import { KeyturnError } from '../base/errors.ts';
import type { KeyturnClient, Plan, ProposedSigningKey, SigningKey } from '../client/client.ts';
import { compareKeys, describeKeyChanges, type KeyChange } from './apply-views.ts';
import { isSwitchedOn, JSON_OPTION, textOption, type CommandContext, type CommandSpec } from './command.ts';
import { confirmByName, YES_OPTION } from './confirm.ts';
import { withClient } from './connection.ts';
import { EXIT } from './exit-code.ts';
import { collectPages } from './paging.ts';
import { describeKeySet } from './plan-views.ts';
import { FILE_OPTION, readSigningKeysFile } from './signing-keys-file.ts';

/** What the user types back. */
const CONFIRMATION = 'apply';

interface Comparison {
  readonly changes: readonly KeyChange[];
  /** On the daemon, and not in the file: mentioned, never removed. */
  readonly unlisted: readonly string[];
  /** What it leads to; undefined when something is refused. */
  readonly plan: Plan | undefined;
}

export const applyCommand: CommandSpec = {
  name: 'apply',
  summary: 'make the signing keys of a file, and change their lifecycle policies to what it says',
  options: [
    { ...FILE_OPTION, required: true },
    { flags: '--reason <text>', description: 'why; kept in the event log' },
    { flags: '--dry-run', description: 'show the difference, change nothing' },
    YES_OPTION,
    JSON_OPTION,
  ],
  async run(context, { options }) {
    const { terminal } = context;
    const isJson = isSwitchedOn(options, 'json');
    const isDryRun = isSwitchedOn(options, 'dryRun');
    const wanted = await readSigningKeysFile(context, textOption(options, 'file') ?? '');
    return withClient(context, options, async (client) => {
      const comparison = await compare(client, wanted);
      const { changes, unlisted } = comparison;
      // With --json the difference is for whoever is asked, and stdout for the one value at the end.
      for (const line of isJson && isDryRun ? [] : describeComparison(comparison, context)) {
        if (isJson) terminal.note(line);
        else terminal.print(line);
      }
      const refused = changes.filter(({ kind }) => kind === 'refused').length;
      const toDo = changes.filter(({ kind }) => kind === 'create' || kind === 'change');
      let applied: readonly string[] = [];
      if (refused === 0 && toDo.length > 0 && !isDryRun) {
        await confirmByName(context, options, CONFIRMATION);
        applied = await applyAll(context, client, { wanted, toDo, reason: textOption(options, 'reason') });
      }
      if (isJson) terminal.printJson({ dryRun: isDryRun, changes, unlisted, applied });
      if (refused === 0) return EXIT.ok;
      terminal.error(`${refused} of ${changes.length} signing keys are refused, so nothing was changed`);
      return EXIT.refused;
    });
  },
};

function describeComparison({ changes, unlisted, plan }: Comparison, { clock }: CommandContext): string[] {
  const isAnythingNew = changes.some(({ kind }) => kind === 'create' || kind === 'change');
  const keySets = isAnythingNew ? (plan?.keySets ?? []) : [];
  return [
    ...describeKeyChanges(changes, unlisted),
    ...keySets.flatMap((keySet) => describeKeySet(keySet, clock.wallMs())),
  ];
}

/** The daemon says what it would do, so that what it refuses shows here and not halfway. */
async function compare(client: KeyturnClient, wanted: readonly ProposedSigningKey[]): Promise<Comparison> {
  const signingKeys = await collectPages(async (page) => {
    const answer = await client.listSigningKeys(page);
    return { items: answer.signingKeys, nextPageToken: answer.nextPageToken };
  });
  const before = new Map(signingKeys.map((signingKey) => [signingKey.name, signingKey]));
  const changes: KeyChange[] = [];
  for (const key of wanted) changes.push(await compareOne(client, key, before.get(key.name)));
  const unlisted = [...before.keys()].filter((name) => !wanted.some((key) => key.name === name));
  if (changes.some(({ kind }) => kind === 'refused')) return { changes, unlisted, plan: undefined };
  // Each alone may fit where all of them don't: a plan takes them together.
  return { changes, unlisted, plan: await client.plan({ proposed: wanted }) };
}

async function compareOne(
  client: KeyturnClient,
  key: ProposedSigningKey,
  before: SigningKey | undefined,
): Promise<KeyChange> {
  const { name } = key;
  try {
    const { signingKey: after, changed } = await client.applySigningKey({
      ...key,
      etag: before?.etag,
      validateOnly: true,
    });
    if (before === undefined) return { kind: 'create', name, after };
    return changed
      ? { kind: 'change', name, fields: compareKeys(before, after), etag: before.etag }
      : { kind: 'unchanged', name };
  } catch (error) {
    if (!(error instanceof KeyturnError) || !isRefusal(error)) throw error;
    return { kind: 'refused', name, reason: error.reason, message: error.message };
  }
}

/** A daemon that can't be reached or a caller that may not isn't the signing key's fault. */
function isRefusal({ code }: KeyturnError): boolean {
  return code === 'INVALID_ARGUMENT' || code === 'FAILED_PRECONDITION' || code === 'ABORTED';
}

interface ToApply {
  readonly wanted: readonly ProposedSigningKey[];
  readonly toDo: readonly KeyChange[];
  readonly reason: string | undefined;
}

/** One after the other, in the order of the file; what has been done is told before the next may fail. */
async function applyAll(
  { terminal }: CommandContext,
  client: KeyturnClient,
  { wanted, toDo, reason }: ToApply,
): Promise<readonly string[]> {
  const applied: string[] = [];
  for (const change of toDo) {
    const key = wanted.find(({ name }) => name === change.name);
    if (key === undefined) continue;
    await client.applySigningKey({ ...key, reason, etag: change.kind === 'change' ? change.etag : undefined });
    applied.push(change.name);
    terminal.note(`applied ${change.name}`);
  }
  return applied;
}
