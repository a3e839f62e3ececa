/** `keyturn audit key`: the public key of the latest checkpoint, to be kept elsewhere. */
import { toCheckpointJwk } from '../audit/checkpoint-key.ts';
import type { TrustedKey } from '../audit/checkpoints.ts';
import { KeyturnError } from '../base/errors.ts';
import { directoryOf, DIRECTORY_ARGUMENT } from './audit-log.ts';
import type { CommandSpec } from './command.ts';
import { EXIT } from './exit-code.ts';

export const auditKeyCommand: CommandSpec = {
  name: 'audit key',
  summary: 'print the public key of the latest checkpoint in an audit log, as a JWK',
  arguments: [DIRECTORY_ARGUMENT],
  async run(context, input) {
    const { verifyLog } = await import('../audit/files/verify-log.ts');
    let latest: TrustedKey | undefined;
    const directory = directoryOf(context, input);
    await verifyLog(directory, { heads: [] }, (entry) => {
      if (entry.kind === 'CHECKPOINT') latest = { kid: entry.kid, publicKey: entry.publicKey };
    });
    if (latest === undefined)
      throw new KeyturnError('FIELD_INVALID', `there is no checkpoint in ${directory} yet`, { field: 'directory' });
    context.terminal.printJson(toCheckpointJwk(latest));
    context.terminal.hint(
      'whoever can write the files can put another key there: compare its kid with what the daemon logs at its start',
    );
    return EXIT.ok;
  },
};
