/** `keyturn jwks proof`: what an old signer must sign, so that its public key can be imported; needs no daemon. */
import { DEFAULT_KEY_SET, parseKeySetName } from '../base/ids.ts';
import { parseImportedJwk } from '../jose/imported-jwk.ts';
import { proofClaims } from '../jose/possession-proof.ts';
import { readNamedFile } from './argument-input.ts';
import { textOption, type CommandSpec } from './command.ts';
import { EXIT } from './exit-code.ts';
import { KEY_SET_OPTION } from './imported-key-views.ts';

export const jwksProofCommand: CommandSpec = {
  name: 'jwks proof',
  summary: 'check a public JWK, and print the claims that its private key must sign for an import',
  options: [
    { flags: '--jwk <file>', description: 'the public JWK, with its kid and alg', required: true },
    KEY_SET_OPTION,
  ],
  async run(context, { options }) {
    const { thumbprint } = parseImportedJwk(await readNamedFile(context, textOption(options, 'jwk') ?? '', '--jwk'));
    const keySet = parseKeySetName(textOption(options, 'keySet') ?? DEFAULT_KEY_SET, '--key-set');
    context.terminal.printJson(proofClaims(keySet, thumbprint, context.clock.wallMs()));
    return EXIT.ok;
  },
};
