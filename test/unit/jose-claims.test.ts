import { describe, expect, it } from 'vitest';
import { KeyturnError } from '../../src/base/errors.ts';
import type { Reason } from '../../src/base/reasons.ts';
import { type Claims, parseClaims, withTimes } from '../../src/jose/claims.ts';

const LIMITS = { maxBytes: 8_192, maxDepth: 4 };
const TIMES = { iatSeconds: 1_700_000_000, expSeconds: 1_700_000_900 };

function parse(text: string): Claims {
  return parseClaims(Buffer.from(text), LIMITS);
}

function refusalOf(bytes: Uint8Array | string, limits = LIMITS): KeyturnError {
  try {
    parseClaims(Buffer.from(bytes), limits);
  } catch (error) {
    if (error instanceof KeyturnError) return error;
    throw error;
  }
  throw new Error('accepted');
}

describe('parseClaims', () => {
  it('keeps the bytes as they are and gives the members without a prototype', () => {
    const text = ' {"a" : 1.0, "b":[true,false,null,{"c":"\\u00fc"}],"constructor":"x" }\n';
    const claims = parse(text);
    expect(Buffer.from(claims.bytes).toString()).toBe(text);
    expect(claims.members.get('b')).toEqual([true, false, null, new Map([['c', 'ü']])]);
    expect(claims.members.get('toString')).toBeUndefined();
  });

  it.each<[string, Reason, string]>([
    ['nothing', 'CLAIMS_NOT_JSON', ''],
    ['an open object', 'CLAIMS_NOT_JSON', '{'],
    ['a name without quotes', 'CLAIMS_NOT_JSON', '{a:1}'],
    ['single quotes', 'CLAIMS_NOT_JSON', "{'a':1}"],
    ['a trailing comma', 'CLAIMS_NOT_JSON', '{"a":1,}'],
    ['a trailing comma in a list', 'CLAIMS_NOT_JSON', '{"a":[1,]}'],
    ['a comment', 'CLAIMS_NOT_JSON', '{"a":1/**/}'],
    ['a leading zero', 'CLAIMS_NOT_JSON', '{"a":01}'],
    ['a plus sign', 'CLAIMS_NOT_JSON', '{"a":+1}'],
    ['a lone minus', 'CLAIMS_NOT_JSON', '{"a":-}'],
    ['a bare fraction', 'CLAIMS_NOT_JSON', '{"a":1.}'],
    ['NaN', 'CLAIMS_NOT_JSON', '{"a":NaN}'],
    ['an unknown escape', 'CLAIMS_NOT_JSON', '{"a":"\\x41"}'],
    ['a short escape', 'CLAIMS_NOT_JSON', '{"a":"\\u00"}'],
    ['a raw line break in a string', 'CLAIMS_NOT_JSON', '{"a":"x\ny"}'],
    ['a string that ends in a backslash', 'CLAIMS_NOT_JSON', '{"a":"\\'],
    ['a no-break space between tokens', 'CLAIMS_NOT_JSON', '{"a":\u00a01}'],
    ['a byte order mark', 'CLAIMS_NOT_JSON', '\ufeff{}'],
    ['two objects', 'CLAIMS_NOT_JSON', '{}{}'],
    ['a NUL behind the object', 'CLAIMS_NOT_JSON', '{}\0'],
    ['a list', 'CLAIMS_NOT_OBJECT', '[{}]'],
    ['a string', 'CLAIMS_NOT_OBJECT', '"{}"'],
    ['null', 'CLAIMS_NOT_OBJECT', 'null'],
    ['a duplicate name', 'CLAIMS_DUPLICATE_NAME', '{"a":1,"b":2,"a":1}'],
    ['a duplicate name behind an escape', 'CLAIMS_DUPLICATE_NAME', '{"iss":1,"\\u0069ss":2}'],
    ['a duplicate name further down', 'CLAIMS_DUPLICATE_NAME', '{"x":[{"a":1,"a":2}]}'],
    ['__proto__', 'CLAIMS_FORBIDDEN_NAME', '{"__proto__":{}}'],
    ['an escaped __proto__ further down', 'CLAIMS_FORBIDDEN_NAME', '{"x":[{"\\u005f_proto__":1}]}'],
    ['a high surrogate alone', 'CLAIMS_LONE_SURROGATE', '{"a":"\\ud83d"}'],
    ['a low surrogate alone', 'CLAIMS_LONE_SURROGATE', '{"a":"\\ude00x"}'],
    ['surrogates in the wrong order', 'CLAIMS_LONE_SURROGATE', '{"a":"\\ude00\\ud83d"}'],
    ['a lone surrogate in a name', 'CLAIMS_LONE_SURROGATE', '{"\\ud83d":1}'],
    ['U+0000 in a value', 'CLAIMS_FORBIDDEN_CHARACTER', '{"a":"x\\u0000y"}'],
    ['U+0000 in a name', 'CLAIMS_FORBIDDEN_CHARACTER', '{"aud\\u0000":1}'],
    ['a control character in a name', 'CLAIMS_FORBIDDEN_NAME', '{"x":{"aud\\n":1}}'],
    ['names that differ in case', 'CLAIMS_DUPLICATE_NAME', '{"role":1,"Role":2}'],
    ['names that differ in case further down', 'CLAIMS_DUPLICATE_NAME', '{"x":[{"sUb":1,"Sub":2}]}'],
    ['names that differ in their normal form', 'CLAIMS_DUPLICATE_NAME', '{"\u00e9":1,"e\u0301":2}'],
    ['names that differ in what nobody sees', 'CLAIMS_DUPLICATE_NAME', '{"role":1,"ro\u200dle":2}'],
    ['AUD', 'CLAIMS_FORBIDDEN_NAME', '{"AUD":1}'],
    ['Exp', 'CLAIMS_FORBIDDEN_NAME', '{"Exp":1}'],
    ['an escaped ISS', 'CLAIMS_FORBIDDEN_NAME', '{"\\u0049SS":1}'],
    ['iss with a long s', 'CLAIMS_FORBIDDEN_NAME', '{"i\u017fs":1}'],
    ['iss with a dotless i', 'CLAIMS_FORBIDDEN_NAME', '{"\u0131ss":1}'],
    ['iss with a dotted I', 'CLAIMS_FORBIDDEN_NAME', '{"\u0130ss":1}'],
    ['iss with a sharp s', 'CLAIMS_FORBIDDEN_NAME', '{"i\u00df":1}'],
    ['aud in full width', 'CLAIMS_FORBIDDEN_NAME', '{"\uff41\uff55\uff44":1}'],
    ['sub with a soft hyphen', 'CLAIMS_FORBIDDEN_NAME', '{"su\u00adb":1}'],
    ['2^53', 'CLAIMS_NUMBER_UNSAFE', '{"a":9007199254740992}'],
    ['2^53 + 1', 'CLAIMS_NUMBER_UNSAFE', '{"a":[9007199254740993]}'],
    ['-2^53 as a decimal', 'CLAIMS_NUMBER_UNSAFE', '{"a":-9007199254740992.0}'],
    ['1e16', 'CLAIMS_NUMBER_UNSAFE', '{"a":1e16}'],
    ['1e400', 'CLAIMS_NUMBER_UNSAFE', '{"a":1e400}'],
    ['1e-400', 'CLAIMS_NUMBER_UNSAFE', '{"a":1e-400}'],
    ['a 1 behind 400 zeros', 'CLAIMS_NUMBER_UNSAFE', `{"a":0.${'0'.repeat(400)}1}`],
    ['a thousand digits', 'CLAIMS_NUMBER_UNSAFE', `{"a":${'9'.repeat(1_000)}}`],
    ['18 digits', 'CLAIMS_NUMBER_UNSAFE', '{"a":0.123456789012345678}'],
    ['-0', 'CLAIMS_NUMBER_UNSAFE', '{"a":-0}'],
    ['-0.0e1', 'CLAIMS_NUMBER_UNSAFE', '{"a":-0.0e1}'],
    ['a fifth level', 'CLAIMS_TOO_DEEP', '{"a":[[[[]]]]}'],
    ['iat', 'CLAIM_RESERVED', '{"iat":1}'],
    ['exp', 'CLAIM_RESERVED', '{"exp":1}'],
    ['nbf', 'CLAIM_RESERVED', '{"nbf":1}'],
    ['an escaped jti', 'CLAIM_RESERVED', '{"j\\u0074i":"x"}'],
  ])('refuses %s (%s)', (_name, reason, text) => {
    expect(refusalOf(text)).toMatchObject({ reason });
  });

  it.each<[string, number[]]>([
    ['a byte that UTF-8 never has', [0xff]],
    ['a cut sequence', [0xc3]],
    ['an overlong slash', [0xc0, 0xaf]],
    ['a surrogate in UTF-8', [0xed, 0xa0, 0x80]],
    ['a code point beyond U+10FFFF', [0xf4, 0x90, 0x80, 0x80]],
  ])('refuses %s as not UTF-8', (_name, bytes) => {
    const text = Buffer.concat([Buffer.from('{"a":"'), Buffer.from(bytes), Buffer.from('"}')]);
    expect(refusalOf(text)).toMatchObject({ reason: 'CLAIMS_NOT_UTF8' });
  });

  it('accepts exactly the largest size and the greatest depth', () => {
    expect(parse('{"a":[[[1]]]}').members.size).toBe(1);
    const text = '{"a":1}';
    expect(parseClaims(Buffer.from(text), { maxBytes: 7, maxDepth: 1 }).members.size).toBe(1);
    expect(refusalOf(text, { maxBytes: 6, maxDepth: 1 })).toMatchObject({ reason: 'CLAIMS_TOO_LARGE' });
  });

  it('refuses a mebibyte of brackets before it reads one', () => {
    expect(refusalOf('['.repeat(1_048_576))).toMatchObject({ reason: 'CLAIMS_TOO_LARGE' });
    expect(refusalOf('['.repeat(1_048_576), { maxBytes: 2 ** 21, maxDepth: 64 })).toMatchObject({
      reason: 'CLAIMS_TOO_DEEP',
    });
  });

  it('counts depth, not objects: any number may stand side by side', () => {
    expect(parse('{"a":[{},{},{},[],[],{"b":{}}],"c":{},"d":{}}').members.size).toBe(3);
  });

  it.each([
    '9007199254740991',
    '-9007199254740991',
    '0.30000000000000004',
    '5e-324',
    '-1.5E+3',
    '0',
    '0.0',
    '0e5',
    '1.0',
    '0.00000000000000000000012345',
  ])('accepts the number %s', (number) => {
    expect(parse(`{"a":${number}}`).members.get('a')).toBe(JSON.parse(number));
  });

  it('accepts names with capitals and in any script, as long as no two are alike', () => {
    const text = '{"clientId":1,"client_id":2,"Rolle":3,"größe":4,"名前":5,"https://a.example/Claim":6,"аud":7}';
    expect([...parse(text).members.values()]).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(parse('{"act":{"AUD":1}}').members.size, 'no claim of this JWT').toBe(1);
  });

  it('accepts a paired surrogate, and reserved names further down', () => {
    expect(parse('{"a":"\\ud83d\\ude00","act":{"iat":1,"jti":"x"}}').members.get('a')).toBe('😀');
  });

  it('tells the place in bytes and never a value', () => {
    const { message } = refusalOf('{"ü":"s3cret","x":"s3cret","x":"s3cret"}');
    expect(message).toContain('(byte 28)');
    expect(message).toContain('"x"');
    expect(message).not.toContain('s3cret');
    expect(refusalOf('{"x":s3cret}').message).not.toContain('s3cret');
    expect(refusalOf('{"x":"s3cret\\q"}').message).not.toContain('s3cret');
  });
});

describe('withTimes', () => {
  const splice = (text: string, jti?: string): string =>
    Buffer.from(withTimes(parse(text), jti === undefined ? TIMES : { ...TIMES, jti })).toString();

  it.each([
    ['{}', '{"iat":1700000000,"exp":1700000900}'],
    [' { } ', ' { "iat":1700000000,"exp":1700000900} '],
    ['{"n":1.10e2}', '{"n":1.10e2,"iat":1700000000,"exp":1700000900}'],
    ['{"n":0.10000000000000000 }\r\n', '{"n":0.10000000000000000 ,"iat":1700000000,"exp":1700000900}\r\n'],
    ['{"a":{},"b":"}"}', '{"a":{},"b":"}","iat":1700000000,"exp":1700000900}'],
  ])('puts the times into %j before its closing brace', (text, expected) => {
    expect(splice(text)).toBe(expected);
  });

  it('adds nbf behind iat and exp when there is one', () => {
    const bytes = withTimes(parse('{"a":1}'), { ...TIMES, nbfSeconds: TIMES.iatSeconds - 300, jti: 'x' });
    expect(Buffer.from(bytes).toString()).toBe('{"a":1,"iat":1700000000,"exp":1700000900,"nbf":1699999700,"jti":"x"}');
  });

  it('adds jti behind the times when there is one', () => {
    expect(splice('{"a":1}', 'x"y')).toBe('{"a":1,"iat":1700000000,"exp":1700000900,"jti":"x\\"y"}');
  });
});
