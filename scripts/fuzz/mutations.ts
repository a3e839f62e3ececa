/** Inputs that are nearly right: good ones with a few changes reach deeper than noise does. */
import fc from 'fast-check';

const MAX_CHANGES = 4;
const MAX_REMOVED = 8;

/** The texts with up to four places changed: something removed, a token or some characters put in. */
export function mutatedText(texts: fc.Arbitrary<string>, tokens: readonly string[]): fc.Arbitrary<string> {
  const inserted = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...tokens) },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 3 }) },
    { weight: 1, arbitrary: fc.constant('') },
  );
  const change = fc.tuple(fc.nat(), fc.nat({ max: MAX_REMOVED }), inserted);
  return fc.tuple(texts, several(change)).map(([text, changes]) =>
    changes.reduce((now, [place, removed, by]) => {
      const at = place % (now.length + 1);
      return now.slice(0, at) + by + now.slice(at + removed);
    }, text),
  );
}

/** Mostly one: the more there are, the less of the good is left. */
function several<T>(change: fc.Arbitrary<T>): fc.Arbitrary<T[]> {
  return fc.oneof(
    { weight: 2, arbitrary: fc.array(change, { maxLength: 1 }) },
    { weight: 1, arbitrary: fc.array(change, { maxLength: MAX_CHANGES }) },
  );
}

/** Tokens in any order. */
export function tokenSoup(tokens: readonly string[], maxLength = 24): fc.Arbitrary<string> {
  return fc.array(fc.constantFrom(...tokens), { maxLength }).map((parts) => parts.join(''));
}

/** The bytes with up to four places overwritten, cut out, doubled or grown. */
export function mutatedBytes(bytes: fc.Arbitrary<Buffer>): fc.Arbitrary<Buffer> {
  const change = fc.record({
    place: fc.nat(),
    removed: fc.nat({ max: MAX_REMOVED }),
    inserted: fc.uint8Array({ maxLength: 6 }),
    isDoubled: fc.boolean(),
  });
  return fc.tuple(bytes, several(change)).map(([good, changes]) =>
    changes.reduce((now, { place, removed, inserted, isDoubled }) => {
      const at = place % (now.length + 1);
      const cut = now.subarray(at, at + removed);
      return Buffer.concat([
        now.subarray(0, at),
        inserted,
        ...(isDoubled ? [cut, cut] : []),
        now.subarray(at + removed),
      ]);
    }, good),
  );
}

const ODD_VALUES: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -1,
  -0,
  1.5,
  1e21,
  2 ** 53,
  '',
  ' ',
  '*',
  '**',
  'null',
  '1h',
  '0s',
  '-1s',
  '366d',
  '1e3s',
  '\u0000',
  'é',
  '\ud800',
  'x'.repeat(600),
  '__proto__',
  'constructor',
  '../..',
  '/etc/passwd',
  '0.0.0.0:1',
  '[::1]:0',
  'localhost:99999',
  [],
  {},
  [[]],
  [{}],
  [null],
  ['a', 'a'],
  { '': '' },
  { constructor: 1 },
  'admin',
  'signer',
  'dns:*',
  'unix:admin',
  'spiffe://x/..',
  'ES256',
  'none',
  'JWT',
];

/** Plain data with up to three nodes replaced, removed, renamed or doubled. */
export function mutatedData(data: unknown): fc.Arbitrary<unknown> {
  const change = fc.record({
    node: fc.nat(),
    how: fc.constantFrom('replace', 'remove', 'rename', 'double'),
    value: fc.oneof(fc.constantFrom(...ODD_VALUES), fc.jsonValue({ maxDepth: 2 })),
    name: fc.constantFrom(
      'd',
      'k',
      'x5c',
      'version',
      'callers',
      'roles',
      'claims',
      'x',
      '<<',
      '',
      'constructor',
      'address',
      'Aud',
      'aud',
    ),
  });
  return fc.array(change, { maxLength: 3 }).map((changes) => {
    const root: unknown = structuredClone(data);
    for (const one of changes) applyChange(root, one);
    return root;
  });
}

interface Change {
  readonly node: number;
  readonly how: 'replace' | 'remove' | 'rename' | 'double';
  readonly value: unknown;
  readonly name: string;
}

function applyChange(root: unknown, { node, how, value, name }: Change): void {
  const places = placesIn(root);
  const place = places[node % Math.max(1, places.length)];
  if (place === undefined) return;
  const { holder, key } = place;
  // Copies: a later change must not change the odd values, nor make a circle.
  const old: unknown = structuredClone(Reflect.get(holder, key));
  if (how === 'replace') Reflect.set(holder, key, structuredClone(value));
  else if (how === 'double') Reflect.set(holder, Array.isArray(holder) ? String(holder.length) : name, old);
  else {
    Reflect.deleteProperty(holder, key);
    if (how === 'rename') Reflect.set(holder, Array.isArray(holder) ? key : name, old);
  }
}

function placesIn(value: unknown): { readonly holder: object; readonly key: string }[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, member]) => [{ holder: value, key }, ...placesIn(member)]);
}
