/** `keyturn recover`: the way out when the store was restored or lost; the plan first, then the question, then the commit. */
import { parseDuration } from '../base/duration.ts';
import { hasReason, KeyturnError } from '../base/errors.ts';
import type { KeyturnClient, Recovery, RecoverRequest } from '../client/client.ts';
import {
  isSwitchedOn,
  JSON_OPTION,
  textOption,
  type CommandContext,
  type CommandSpec,
  type Options,
} from './command.ts';
import { confirmByName, requireConfirmable, YES_OPTION } from './confirm.ts';
import { withClient } from './connection.ts';
import { EXIT } from './exit-code.ts';
import { propose, PROPOSE_OPTION } from './propose.ts';
import { describeRecovery } from './recover-views.ts';
import { readSigningKeysFile } from './signing-keys-file.ts';

/** What the user types back. */
const CONFIRMATION = 'recover';

export const recoverCommand: CommandSpec = {
  name: 'recover',
  summary: 'decide what a restored or lost store cannot know, so that signing goes on',
  options: [
    { flags: '--policy <file>', description: 'a signing keys file, for signing keys that the store has lost' },
    {
      flags: '--compromised <kids>',
      description: 'kids declared compromised since, separated by commas: never published',
    },
    {
      flags: '--keep <kids>',
      description: 'kids whose private key is gone, and which were good: published on for a while',
    },
    {
      flags: '--longest-jwt-lifetime <time>',
      description: 'when a JWT could live longer once than the policies say now',
    },
    { flags: '--token-restored', description: 'the token was restored from a backup, too: nothing in it signs on' },
    { flags: '--reason <text>', description: 'why; kept in the event log' },
    { flags: '--dry-run', description: 'show the plan, change nothing' },
    PROPOSE_OPTION,
    YES_OPTION,
    JSON_OPTION,
  ],
  async run(context, { options }) {
    const isDryRun = isSwitchedOn(options, 'dryRun');
    const request = await readRequest(context, options);
    if (isSwitchedOn(options, 'propose')) return propose(context, options, { recover: request });
    if (!isDryRun) requireReady(context, options, request);
    return withClient(context, options, async (client) => {
      const plan = await findPlan(client, request);
      if (plan === undefined) {
        context.terminal.note('there is nothing to recover: the store explains every object in the token');
        return EXIT.ok;
      }
      const nowMs = context.clock.wallMs();
      const isJson = isSwitchedOn(options, 'json');
      for (const line of isJson && isDryRun ? [] : describeRecovery(plan, nowMs)) {
        if (isJson) context.terminal.note(line);
        else context.terminal.print(line);
      }
      if (!isDryRun) {
        await confirmByName(context, options, CONFIRMATION);
        await client.recover({ ...request, etag: plan.etag });
      }
      if (isJson) context.terminal.printJson({ dryRun: isDryRun, ...plan });
      else tellWhatIsNext(context, plan, isDryRun);
      return EXIT.ok;
    });
  },
};

async function readRequest(context: CommandContext, options: Options): Promise<RecoverRequest> {
  const policy = textOption(options, 'policy');
  const lifetime = textOption(options, 'longestJwtLifetime');
  return {
    signingKeys: policy === undefined ? [] : await readSigningKeysFile(context, policy, '--policy'),
    compromisedKids: listOption(options, 'compromised'),
    keptKids: listOption(options, 'keep'),
    longestJwtLifetimeMs: lifetime === undefined ? undefined : parseDuration(lifetime, '--longest-jwt-lifetime'),
    tokenRestored: isSwitchedOn(options, 'tokenRestored'),
    reason: textOption(options, 'reason'),
  };
}

function listOption(options: Options, name: string): readonly string[] {
  return (textOption(options, name) ?? '').split(',').flatMap((kid) => (kid.trim() === '' ? [] : [kid.trim()]));
}

/** Before anybody is asked anything. */
function requireReady(context: CommandContext, options: Options, { reason }: RecoverRequest): void {
  requireConfirmable(context, options);
  if (reason === undefined)
    throw new KeyturnError('FIELD_INVALID', '--reason is required: it is the evidence of what was decided', {
      field: '--reason',
    });
}

async function findPlan(client: KeyturnClient, request: RecoverRequest): Promise<Recovery | undefined> {
  try {
    return await client.recover({ ...request, validateOnly: true });
  } catch (thrown) {
    if (hasReason(thrown, 'COMMAND_NOT_POSSIBLE')) return undefined;
    throw thrown;
  }
}

function tellWhatIsNext({ terminal }: CommandContext, plan: Recovery, isDryRun: boolean): void {
  if (!isDryRun) {
    terminal.note('decided, and recorded');
    terminal.hint('`keyturn jwks show` against what verifiers hold, then `keyturn doctor`');
    return;
  }
  const isPublished = plan.versions.some(({ published }) => published);
  if (isPublished)
    terminal.hint(
      'a stolen key must not be published: name what was declared compromised since, with --compromised KIDS',
    );
  if (plan.versions.some(({ fate }) => fate === 'WITHDRAWN'))
    terminal.hint('JWTs of a withdrawn version fail: name those that were good with --keep KIDS');
  terminal.hint('nothing was changed; leave out --dry-run, and say --reason, to do it');
}
