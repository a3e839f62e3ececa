/** `keyturn token reconcile`: the store and the token held against each other. */
import type { Finding } from '../client/client.ts';
import { type CommandSpec, isSwitchedOn, JSON_OPTION } from './command.ts';
import { withClient } from './connection.ts';
import { EXIT } from './exit-code.ts';
import { formatTable } from './table.ts';

const MEANINGS: Readonly<Record<Finding['kind'], string>> = {
  ORPHAN: "in the token, but the store doesn't know it: fences its signing key",
  RESURRECTED: 'destroyed, says the store, yet in the token: fences its signing key',
  MISSING: "the store says that it is in the token, and it isn't",
  DUPLICATE: 'several private keys have this CKA_ID: it never signs',
  CHALLENGE_FAILED: "its trial signature doesn't verify under its published key",
};

export const tokenReconcileCommand: CommandSpec = {
  name: 'token reconcile',
  summary: 'hold the store and the token against each other, with a trial signature by every published version',
  options: [JSON_OPTION],
  async run(context, { options }) {
    const { terminal } = context;
    const { findings, ...doubts } = await withClient(context, options, (client) => client.reconcile());
    if (isSwitchedOn(options, 'json')) {
      terminal.printJson(findings);
      return findings.length === 0 ? EXIT.ok : EXIT.refused;
    }
    if (findings.length === 0) {
      terminal.print('store and token agree');
    } else {
      const rows = findings.map(({ kind, ckaId, ckaLabel }) => [kind, ckaId, ckaLabel, MEANINGS[kind]]);
      for (const line of formatTable(['FINDING', 'CKA_ID', 'CKA_LABEL', 'MEANING'], rows)) terminal.print(line);
    }
    if (doubts.restoreTime !== undefined || doubts.fencedSigningKeys.length > 0)
      terminal.hint('`keyturn recover --dry-run` shows what is known of each version, and the way out');
    if (findings.some(({ kind }) => kind === 'ORPHAN' || kind === 'RESURRECTED'))
      terminal.hint('single objects are decided about with `keyturn token resolve CKA_ID --destroy` or `--ignore`');
    return findings.length === 0 ? EXIT.ok : EXIT.refused;
  },
};
