/** Certificate revocation lists, in DER and in PEM. They come from a CA's address, so from outside. */
import fc from 'fast-check';
import { createDevelopmentAuthority } from '../../src/commands/development-certificates.ts';
import { parseRevocationLists, type RevocationList } from '../../src/config/revocation-lists.ts';
import { issueRevocationList } from '../../test/fixtures/revocation-list.ts';
import { mutatedBytes, mutatedText } from './mutations.ts';
import { ACCEPTED, pureTarget, require } from './target.ts';

const NOW_MS = Date.now();
const authority = await createDevelopmentAuthority('fuzz CA', {
  notBefore: new Date(NOW_MS - 60_000),
  notAfter: new Date(NOW_MS + 3_600_000),
});
const PEM = await issueRevocationList(authority, [authority.certificatePem]);
const DER = Buffer.from(PEM.replace(/-----.+-----/g, ''), 'base64');
const TOKENS = ['-----BEGIN X509 CRL-----', '-----END X509 CRL-----', '\n', '=', 'A', 'MIIB', '\0', '-----'];

const file = fc.oneof(
  { weight: 3, arbitrary: mutatedBytes(fc.constant(DER)) },
  {
    weight: 1,
    arbitrary: mutatedText(fc.constantFrom(PEM, PEM + PEM), TOKENS).map((text) => Buffer.from(text, 'latin1')),
  },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from([0x30, ...bytes])) },
);

function judge(bytes: Buffer): string {
  let lists: readonly RevocationList[];
  try {
    lists = parseRevocationLists(bytes);
  } catch (thrown) {
    // Its message goes behind the file's name.
    require(thrown instanceof Error &&
      thrown.message.startsWith('holds '), `an error of another kind: ${String(thrown)}`);
    return 'refused';
  }
  for (const { nextUpdateMs, issuer, pem } of lists) {
    require(Number.isFinite(nextUpdateMs), 'a list without an end was let through');
    require(issuer.length > 0 &&
      pem.startsWith('-----BEGIN X509 CRL-----\n'), 'a list without content was let through');
  }
  return ACCEPTED;
}

export const revocationTargets = [pureTarget('revocation lists', 30, file, judge)];
