/** `keyturn jwks import`: publish a verify-only public key of an old signer until it expires. */
import { readNamedFile } from './argument-input.ts';
import { isSwitchedOn, JSON_OPTION, textOption, type CommandSpec } from './command.ts';
import { withClient } from './connection.ts';
import { EXIT } from './exit-code.ts';
import { KEY_SET_OPTION } from './imported-key-views.ts';
import { propose, PROPOSE_OPTION } from './propose.ts';
import { formatTime, parseTime } from './time.ts';

export const jwksImportCommand: CommandSpec = {
  name: 'jwks import',
  summary: 'publish the public key of an old signer, to verify with',
  options: [
    KEY_SET_OPTION,
    { flags: '--jwk <file>', description: 'the public JWK, with its kid and alg', required: true },
    { flags: '--proof <file>', description: 'the JWT that its private key signed for this import', required: true },
    { flags: '--expires-at <time>', description: 'when it leaves the key set, at most 400 d ahead', required: true },
    { flags: '--reason <text>', description: 'why; kept in the event log', required: true },
    { flags: '--dry-run', description: 'check everything, change nothing' },
    PROPOSE_OPTION,
    JSON_OPTION,
  ],
  async run(context, { options }) {
    const { terminal, clock } = context;
    const isDryRun = isSwitchedOn(options, 'dryRun');
    const proof = await readNamedFile(context, textOption(options, 'proof') ?? '', '--proof');
    const request = {
      keySet: textOption(options, 'keySet'),
      jwk: await readNamedFile(context, textOption(options, 'jwk') ?? '', '--jwk'),
      proof: proof.toString('utf8').trim(),
      expireTime: parseTime(textOption(options, 'expiresAt') ?? '', '--expires-at'),
      validateOnly: isDryRun,
      reason: textOption(options, 'reason') ?? '',
    };
    if (isSwitchedOn(options, 'propose')) return propose(context, options, { importPublicKey: request });
    const { importedKey, changed } = await withClient(context, options, (client) => client.importPublicKey(request));
    if (isSwitchedOn(options, 'json')) {
      terminal.printJson({ dryRun: isDryRun, changed, importedKey });
      return EXIT.ok;
    }
    const until = formatTime(importedKey.expireTime.getTime(), clock.wallMs());
    const does = isDryRun ? 'would publish' : 'publishes';
    terminal.print(
      `key set ${importedKey.keySet} ${does} kid ${importedKey.kid} (${importedKey.algorithm}) until ${until}`,
    );
    if (!changed) terminal.note('it was imported until then already: nothing changed');
    else if (!isDryRun)
      terminal.hint('verifiers that hold an older copy of the key set know it when they fetch the next');
    return EXIT.ok;
  },
};
