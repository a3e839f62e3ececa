/** The JSON Schemas that editors get: as the loaders are now, and never stricter than they. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { DOCUMENT_SCHEMAS, toJsonSchema } from '../../scripts/lib/json-schemas.ts';
import { parseAccessPolicy } from '../../src/config/access-policy-document.ts';
import { parseSigningKeys } from '../../src/config/signing-keys-document.ts';
import { toAccessPolicyDocument, toConfigurationDocument } from '../../src/commands/init-documents.ts';

interface Schema {
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly minLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema | boolean;
}

/** As much of JSON Schema as these files use. */
function findFaults(schema: Schema, value: unknown, path = '$'): string[] {
  const faults: string[] = [];
  const check = (isGood: boolean, what: string): void => {
    if (!isGood) faults.push(`${path}: ${what}`);
  };
  const kind = Array.isArray(value) ? 'array' : typeof value;
  if (schema.type !== undefined) check(kind === schema.type.replace('integer', 'number'), `type ${schema.type}`);
  if (schema.const !== undefined) check(value === schema.const, 'const');
  if (schema.enum !== undefined) check(schema.enum.includes(value), 'enum');
  if (typeof value === 'string') {
    check(value.length >= (schema.minLength ?? 0), 'minLength');
    check(new RegExp(schema.pattern ?? '', 'u').test(value), 'pattern');
  }
  if (typeof value === 'number')
    check(value >= (schema.minimum ?? value) && value <= (schema.maximum ?? value), 'range');
  if (Array.isArray(value)) {
    check(value.length >= (schema.minItems ?? 0) && value.length <= (schema.maxItems ?? Infinity), 'items');
    faults.push(...value.flatMap((item, index) => findFaults(schema.items ?? {}, item, `${path}[${index}]`)));
  } else if (typeof value === 'object' && value !== null) {
    for (const name of schema.required ?? []) check(Object.hasOwn(value, name), `required ${name}`);
    for (const [name, member] of Object.entries(value)) {
      const other = schema.additionalProperties ?? {};
      const form = schema.properties?.[name] ?? (typeof other === 'object' ? other : undefined);
      check(form !== undefined, `no member ${name}`);
      if (form !== undefined) faults.push(...findFaults(form, member, `${path}.${name}`));
    }
  }
  return faults;
}

function schemaOf(page: string): Schema {
  return JSON.parse(
    readFileSync(new URL(`../../docs/reference/${page}.schema.json`, import.meta.url), 'utf8'),
  ) as Schema;
}

function exampleOf(page: string): string {
  const text = readFileSync(new URL(`../../docs/reference/${page}.md`, import.meta.url), 'utf8');
  return /```yaml\n([\s\S]*?)```/.exec(text)?.[1] ?? '';
}

const CONFIGURATION = toConfigurationDocument({
  tokenLabel: 'keyturn',
  moduleFile: '/usr/lib/softhsm/libsofthsm2.so',
  softhsmConfigFile: '/etc/softhsm2.conf',
  grpcAddress: '127.0.0.1:8443',
  httpAddress: '127.0.0.1:8080',
  isDemo: false,
});

describe('docs/reference/*.schema.json', () => {
  it.each([...DOCUMENT_SCHEMAS])(
    '%s.schema.json is as its loader and its page are (node scripts/json-schemas.ts)',
    (page, schema) => {
      const { file, text } = toJsonSchema(page, schema);
      expect(readFileSync(file, 'utf8')).toBe(text);
      expect(text.match(/"description"/g)?.length).toBeGreaterThan(8);
    },
  );

  it('the example of each page is good by its loader', () => {
    expect(parseAccessPolicy(exampleOf('access-policy')).rights.size).toBeGreaterThan(2);
    expect(parseSigningKeys(exampleOf('signing-keys-file')).length).toBeGreaterThan(0);
  });

  it.each([
    ['the access policy of its page', 'access-policy', exampleOf('access-policy')],
    ['the access policy that init writes', 'access-policy', toAccessPolicyDocument()],
    ['the configuration that init writes', 'configuration', CONFIGURATION],
    ['the signing keys file of its page', 'signing-keys-file', exampleOf('signing-keys-file')],
  ])('%s is good by it', (_what, page, document) => {
    expect(document.length).toBeGreaterThan(100);
    expect(findFaults(schemaOf(page), parse(document))).toEqual([]);
  });

  it.each([
    ['a role that does not exist', (text: string) => text.replace('role: operator', 'role: boss'), 'enum'],
    ['a misspelt member', (text: string) => text.replace('required:', 'requierd:'), 'no member requierd'],
    ['a lifetime without a unit', (text: string) => text.replace('maxLifetime: 15m', 'maxLifetime: 15'), 'type string'],
    ['a missing aud', (text: string) => text.replace(/^ +aud:.*\n/m, ''), 'required aud'],
    ['an identity without its kind', (text: string) => text.replace('dns:auth-eu', 'auth-eu'), 'pattern'],
  ])('%s is marked by it', (_what, change, fault) => {
    const faults = findFaults(schemaOf('access-policy'), parse(change(exampleOf('access-policy'))));
    expect(faults.join('\n')).toContain(fault);
  });
});
