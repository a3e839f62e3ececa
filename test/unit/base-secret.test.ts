/** A secret in the hands of everything that prints values. */
import { format, inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../src/base/secret.ts';
import { createLogger } from '../../src/server/telemetry/logger.ts';

const PIN = 'marker-4711';
const FORMS = [PIN, Buffer.from(PIN).toString('hex'), Buffer.from(PIN).toString('base64'), '109,97,114', '6d 61 72'];
const secret = (): Secret => new Secret(Buffer.from(PIN));

function logged(fields: object): string {
  const lines: string[] = [];
  const log = createLogger({ level: 'debug', stream: { write: (line) => void lines.push(line) } });
  log.error(fields, 'planted');
  return lines.join('');
}

describe('a secret', () => {
  it.each<[string, (value: Secret) => unknown]>([
    ['String', String],
    ['a template', (value) => `PIN: ${value.toString()}`],
    ['JSON', (value) => JSON.stringify({ pin: value, list: [value] })],
    ['inspect', (value) => inspect(value, { showHidden: true, depth: 9 })],
    ['inspect, of what holds it', (value) => inspect({ deep: { deeper: [value] } }, { depth: 9, showHidden: true })],
    ['format', (value) => format('%s %o %j %O', value, value, value, value)],
    ['an error', (value) => inspect(new Error('planted', { cause: { value } }))],
    [
      'the own members',
      (value) => JSON.stringify([Object.keys(value), Object.entries(value), Object.assign({}, value)]),
    ],
    ['the log', (value) => logged({ anything: value, deep: { deeper: value }, err: new Error(String(value)) })],
  ])('is a word to %s', (_what, print) => {
    const shown = String(print(secret()));
    for (const form of FORMS) expect(shown).not.toContain(form);
  });

  it('is given out when asked for, and is gone when it is wiped', () => {
    const one = secret();
    expect(one.reveal().toString()).toBe(PIN);
    expect(one.isEmpty).toBe(false);
    one.wipe();
    expect(one.reveal().toString()).toBe('\0'.repeat(PIN.length));
    expect(new Secret(Buffer.alloc(0)).isEmpty).toBe(true);
  });

  it('would be found if it were shown: the check finds one that is no Secret', () => {
    expect(logged({ anything: PIN })).toContain(PIN);
  });

  it('is cut out of the log by its name, too, when somebody logs it as it is', () => {
    for (const name of ['pin', 'privateKey', 'claims', 'jwt', 'signingInput', 'proof'])
      expect(logged({ [name]: PIN, deep: { [name]: PIN }, deeper: { still: { [name]: PIN } } })).not.toContain(PIN);
  });
});
