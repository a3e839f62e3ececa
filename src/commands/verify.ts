/** `keyturn verify`: checks a JWT against a JWKS, as a verifier would; needs no daemon. */
import { JSON_OPTION, isSwitchedOn, textOption, type CommandSpec } from './command.ts';
import { EXIT } from './exit-code.ts';
import { readKeySet } from './key-set-source.ts';
import { formatFields } from './table.ts';
import { formatTime } from './time.ts';

export const verifyCommand: CommandSpec = {
  name: 'verify',
  summary: 'check a JWT against a key set, as a verifier would',
  arguments: [{ syntax: '<jwt>', description: 'the JWT, or - to read it from stdin' }],
  options: [
    { flags: '--jwks <url-or-file>', description: 'the key set', required: true },
    { flags: '--issuer <issuer>', description: 'the iss that the JWT must have' },
    { flags: '--audience <audience>', description: 'an aud that the JWT must have' },
    JSON_OPTION,
  ],
  async run(context, input) {
    const [word = ''] = input.arguments;
    const jwt = (word === '-' ? (await context.terminal.readInput()).toString('utf8') : word).trim();
    const jwks = await readKeySet(context, textOption(input.options, 'jwks') ?? '');
    const nowMs = context.clock.wallMs();
    const issuer = textOption(input.options, 'issuer');
    const audience = textOption(input.options, 'audience');
    const { verifyJwt } = await import('../jose/verify-jwt.ts');
    const { payload, protectedHeader } = await verifyJwt(jwt, jwks, {
      nowMs,
      ...(issuer === undefined ? {} : { issuer }),
      ...(audience === undefined ? {} : { audience }),
    });
    if (isSwitchedOn(input.options, 'json')) {
      context.terminal.printJson({ verified: true, header: protectedHeader, claims: payload });
      return EXIT.ok;
    }
    context.terminal.print('verified');
    const expires = typeof payload.exp === 'number' ? formatTime(payload.exp * 1_000, nowMs) : 'never';
    for (const line of formatFields([
      ['alg', protectedHeader.alg],
      ['kid', protectedHeader.kid ?? ''],
      ['expires', expires],
      ['claims', JSON.stringify(payload)],
    ])) {
      context.terminal.print(`  ${line}`);
    }
    return EXIT.ok;
  },
};
