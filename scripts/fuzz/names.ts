/** Names of callers in certificates, as Node writes them into one line of text; and entity tags. */
import fc from 'fast-check';
import type { CallerIdentity } from '../../src/access/caller.ts';
import { matchesEntityTag } from '../../src/server/http/entity-tag.ts';
import { parseCallerIdentity } from '../../src/server/caller-name.ts';
import { mutatedText } from './mutations.ts';
import { ACCEPTED, pureTarget, require, requireReason } from './target.ts';

interface Entry {
  readonly type: string;
  readonly value: string;
}

const VALUES = [
  'auth.example',
  'AUTH.example',
  'evil.example',
  'a.example, DNS:evil.example',
  'a", DNS:"evil.example',
  'x\\',
  '*.example',
  'a..b',
  '',
  'spiffe://example/auth',
  'spiffe://example/auth/',
  'spiffe://example/../x',
  'spiffe://EXAMPLE/a',
  'https://example/',
  'spiffe://example',
  'auth.example\0.evil',
  'аuth.example',
  'auth.example ',
  ' auth.example',
  'auth.example\n',
  '127.0.0.1',
  'a@example',
  "a'b",
  'a:b',
  '"',
  ',',
];
const entry: fc.Arbitrary<Entry> = fc.record({
  type: fc.constantFrom('DNS', 'URI', 'IP Address', 'email', 'DirName', 'Registered ID', 'othername'),
  value: fc.oneof(
    fc.constantFrom('auth.example', 'spiffe://example/auth'),
    fc.constantFrom(...VALUES),
    mutatedText(fc.constantFrom(...VALUES), [', ', 'DNS:', 'URI:', '"', '\\', '\\"', '\0', '\n', '/', '.']),
  ),
});

/** As Node writes a name: as a JSON string when it holds what could be taken for the line's own punctuation. */
function write({ type, value }: Entry): string {
  const isPlain = /^[\x20-\x7e]*$/.test(value) && !/[",\\']/.test(value);
  return `${type}:${isPlain ? value : JSON.stringify(value)}`;
}

type Named = Parameters<typeof parseCallerIdentity>;

function identityOf(...[certificate, kind]: Named): CallerIdentity | string {
  try {
    return parseCallerIdentity(certificate, kind);
  } catch (thrown) {
    const reason = requireReason(thrown);
    require(reason === 'CALLER_UNKNOWN', `a refusal of something else: ${reason}`);
    return reason;
  }
}

/** The identity is the only name of its type: nobody chooses between two, nor makes two of one. */
function judgeCertificate([entries, kind]: readonly [readonly Entry[], 'dns' | 'spiffe']): string {
  const identity = identityOf({ subjectaltname: entries.map(write).join(', ') }, kind);
  if (typeof identity === 'string') return identity;
  const own = entries.filter(({ type }) => type === (kind === 'dns' ? 'DNS' : 'URI'));
  require(own.length === 1, `one of ${own.length} names was chosen`);
  const value = own[0]?.value ?? '';
  require(identity.name === (kind === 'dns' ? value.toLowerCase() : value), 'the name is not what the certificate has');
  require(/^[\x21-\x7e]+$/.test(identity.name), 'the name has characters that look like others');
  return ACCEPTED;
}

function judgeText([text, kind]: readonly [string, 'dns' | 'spiffe' | 'cn']): string {
  const certificate = kind === 'cn' ? { subject: { CN: text } } : { subjectaltname: text };
  const identity = identityOf(certificate, kind);
  return typeof identity === 'string' ? identity : ACCEPTED;
}

const ETAG = '"abc"';

function judgeEntityTag(header: string): string {
  const isMatch = matchesEntityTag(header, ETAG);
  const isFree = header.trim() === '*';
  require(!isMatch || isFree || header.includes(ETAG), 'a tag matches that is not there');
  return isMatch ? ACCEPTED : 'no match';
}

/** Often few, so that often one of a type is alone. */
const entries = fc.oneof(fc.array(entry, { minLength: 1, maxLength: 2 }), fc.array(entry, { maxLength: 4 }));
const texts = fc.array(entry, { maxLength: 4 }).map((entries) => entries.map(write).join(', '));

export const nameTargets = [
  pureTarget('names in certificates', 60, fc.tuple(entries, fc.constantFrom('dns', 'spiffe')), judgeCertificate),
  pureTarget(
    'texts of certificates',
    60,
    fc.tuple(mutatedText(texts, [', ', 'DNS:', 'URI:', '"', '\\', ':']), fc.constantFrom('dns', 'spiffe', 'cn')),
    judgeText,
  ),
  pureTarget(
    'entity tags',
    20,
    mutatedText(fc.constantFrom(ETAG, `W/${ETAG}`, `"x", ${ETAG}`, '*', '"abc'), ['"', 'W/', ',', ' ', '*', '\\']),
    judgeEntityTag,
  ),
];
