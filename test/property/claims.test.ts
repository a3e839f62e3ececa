/** The claims reader against JSON.parse, which is an independent implementation of the same grammar. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KeyturnError } from '../../src/base/errors.ts';
import { parseClaims, withTimes } from '../../src/jose/claims.ts';
import { foldName } from '../../src/jose/fold-name.ts';
import type { JsonValue } from '../../src/jose/strict-json.ts';

const LIMITS = { maxBytes: 65_536, maxDepth: 32 };
const TIMES = { iatSeconds: 1_700_000_000, expSeconds: 1_700_000_900 };
const DAEMON_CLAIMS = { iat: TIMES.iatSeconds, exp: TIMES.expSeconds };

/** Maps as plain objects, for comparison with JSON.parse. */
function toPlain(value: JsonValue): unknown {
  if (value instanceof Map) return Object.fromEntries([...value].map(([name, member]) => [name, toPlain(member)]));
  return Array.isArray(value) ? value.map(toPlain) : value;
}

const REGISTERED = ['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti'];
const name = fc
  .string({ unit: 'grapheme', maxLength: 12 })
  .filter((text) => text !== '__proto__' && !/\p{Cc}/u.test(text));

/** No reader takes two of the names for one. */
function hasDistinctNames(object: object): boolean {
  const names = Object.keys(object);
  return new Set(names.map(foldName)).size === names.length;
}
const { value: jsonValue } = fc.letrec<{ value: unknown; object: object }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('\0')),
    fc.double({ noNaN: true, min: -Number.MAX_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER }),
    fc.maxSafeInteger(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 4 }),
    tie('object'),
  ),
  object: fc.dictionary(name, tie('value'), { maxKeys: 5, noNullPrototype: true }).filter(hasDistinctNames),
}));
const claimsObject = fc
  .dictionary(name, jsonValue, { maxKeys: 6, noNullPrototype: true })
  .filter(
    (object) => hasDistinctNames(object) && !Object.keys(object).some((key) => REGISTERED.includes(foldName(key))),
  );
const indent = fc.constantFrom(undefined, 1, '\t');

/** The text with everything escaped that may be: other bytes, the same JSON. */
function escapeAll(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

describe('whatever JSON.stringify writes', () => {
  it('is accepted, means the same, and means it still with the times in it', () => {
    fc.assert(
      fc.property(claimsObject, indent, fc.boolean(), (object, space, isEscaped) => {
        const plain = JSON.stringify(object, null, space);
        const text = isEscaped && space === undefined ? escapeAll(plain) : plain;
        const claims = parseClaims(Buffer.from(text), LIMITS);
        expect(toPlain(claims.members)).toEqual(JSON.parse(text));
        const spliced: unknown = JSON.parse(Buffer.from(withTimes(claims, TIMES)).toString());
        expect(spliced).toEqual({ ...JSON.parse(text), ...DAEMON_CLAIMS });
      }),
      { numRuns: 1_000 },
    );
  });

  it('is refused once a name is planted twice, at any depth and behind any escape', () => {
    const planted = fc
      .string({ minLength: 1, maxLength: 8 })
      .filter((text) => !text.startsWith('__') && text.isWellFormed() && !/\p{Cc}/u.test(text));
    fc.assert(
      fc.property(jsonValue, planted, fc.nat(12), fc.boolean(), (value, twice, depth, isEscaped) => {
        const first = JSON.stringify(twice);
        const code = twice.charCodeAt(0).toString(16).padStart(4, '0');
        const second = isEscaped ? `"\\u${code}${first.slice(JSON.stringify(twice.charAt(0)).length - 1)}` : first;
        let text = `{${first}:${JSON.stringify(value)},"__x":[],${second}:1}`;
        for (let level = 0; level < depth; level += 1) text = level % 2 === 0 ? `[1,${text}]` : `{"__y":${text}}`;
        expect(reasonOf(`{"__z":${text}}`)).toBe('CLAIMS_DUPLICATE_NAME');
      }),
      { numRuns: 1_000 },
    );
  });
});

function reasonOf(text: string | Uint8Array): string {
  try {
    parseClaims(Buffer.from(text), LIMITS);
    return 'accepted';
  } catch (error) {
    if (error instanceof KeyturnError) return error.reason;
    throw error;
  }
}

/** Refused with a documented reason, or JSON.parse reads the very same from it. Never anything else. */
function expectAgreement(bytes: Uint8Array): string {
  const reason = reasonOf(bytes);
  if (reason === 'accepted') {
    expect(toPlain(parseClaims(bytes, LIMITS).members)).toEqual(JSON.parse(Buffer.from(bytes).toString()));
  } else {
    expect(reason).toMatch(/^CLAIMS?_/);
    if (reason === 'CLAIMS_NOT_JSON') expect(() => void JSON.parse(Buffer.from(bytes).toString())).toThrow(SyntaxError);
  }
  return reason;
}

describe('bytes of any kind', () => {
  it('never crash the reader', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expectAgreement(bytes);
      }),
      { numRuns: 2_000 },
    );
  });

  it('made of JSON tokens are judged as JSON.parse judges them', () => {
    const tokens = [
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"a"',
      '"b"',
      '"\\u0061"',
      '1',
      '-0.5e+3',
      '01',
      'true',
      'null',
      ' ',
      '\n',
      '"',
      '\\',
      '"\\ud800"',
      '"__proto__"',
    ];
    const seen = new Set<string>();
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...tokens), { maxLength: 12 }), (parts) => {
        seen.add(expectAgreement(Buffer.from(`{"a":${parts.join('')}}`)));
      }),
      { numRuns: 5_000 },
    );
    // Otherwise the property said nothing.
    expect([...seen]).toEqual(expect.arrayContaining(['accepted', 'CLAIMS_NOT_JSON']));
  });

  it('made by changing one byte of good claims are judged as JSON.parse judges them', () => {
    fc.assert(
      fc.property(claimsObject, fc.nat(), fc.nat(255), (object, place, byte) => {
        const bytes = Buffer.from(JSON.stringify(object));
        bytes.writeUInt8(byte, place % bytes.length);
        expectAgreement(bytes);
      }),
      { numRuns: 2_000 },
    );
  });
});
