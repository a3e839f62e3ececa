/** `keyturn key declare-compromised`: one version, or a signing key with all its versions, is withdrawn for good. */
import { textOption, type CommandSpec } from './command.ts';
import { DECLARE_OPTIONS, declareCompromised } from './declare-compromised.ts';
import { parseVersion } from './key-command.ts';

export const keyDeclareCompromisedCommand: CommandSpec = {
  name: 'key declare-compromised',
  summary: 'withdraw a version, or all versions of a signing key, at once and for good',
  arguments: [{ syntax: '<name>', description: 'the signing key' }],
  options: [
    { flags: '--version <number>', description: 'this version only; without it all of them fall, standbys too' },
    ...DECLARE_OPTIONS,
  ],
  run(context, input) {
    const [signingKey = ''] = input.arguments;
    const versionText = textOption(input.options, 'version');
    const scope =
      versionText === undefined
        ? { signingKey }
        : { version: { signingKey, version: parseVersion(versionText, '--version') } };
    return declareCompromised(context, input, { scope, toName: () => Promise.resolve(signingKey) });
  },
};
