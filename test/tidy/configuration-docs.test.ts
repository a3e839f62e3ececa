/** The reference pages list exactly the options that the schemas accept: no more, no less. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { accessPolicySchema } from '../../src/config/access-policy-schema.ts';
import { configSchema } from '../../src/config/config-schema.ts';
import { signingKeysSchema } from '../../src/config/signing-keys-document.ts';

interface SchemaNode {
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly additionalProperties?: SchemaNode | boolean;
  readonly items?: SchemaNode;
  readonly $ref?: string;
}

/** `grpc.unix[].path`, `keySets.{name}.jwksMaxAge`, … of a schema; free values (variables of an environment) aren't options. */
function optionsOf(schema: SchemaNode, path = ''): readonly string[] {
  const own = path === '' ? [] : [path];
  const members = Object.entries(schema.properties ?? {}).flatMap(([name, member]) =>
    optionsOf(member, path === '' ? name : `${path}.${name}`),
  );
  const { additionalProperties: named, items } = schema;
  const isNamed = typeof named === 'object' && Object.keys(named).length > 0;
  return [
    ...own,
    ...members,
    ...(isNamed ? optionsOf(named, `${path}.{name}`) : []),
    ...(items === undefined ? [] : optionsOf(items, `${path}[]`)),
  ];
}

function documentedOptions(page: string): readonly string[] {
  const text = readFileSync(new URL(`../../docs/reference/${page}`, import.meta.url), 'utf8');
  return [...text.matchAll(/^\| `([a-z][A-Za-z.{}[\]]*)` \|[^|]*\|[^|]*\|[^|]*\|$/gm)].map(([, option = '']) => option);
}

function schemaOptions(schema: z.ZodType): readonly string[] {
  return optionsOf(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any', reused: 'inline' }) as SchemaNode);
}

describe('docs/reference', () => {
  it.each([
    ['configuration.md', configSchema, 'grpc.unix[].path'],
    ['access-policy.md', accessPolicySchema, 'grants[].claims.maxLifetime'],
    ['signing-keys-file.md', signingKeysSchema, 'signingKeys.{name}.lifecyclePolicy.preset'],
  ])('%s lists every option of its schema and no other', (page, schema, sample) => {
    const options = schemaOptions(schema).filter((option) => page === 'access-policy.md' || !option.endsWith('[]'));
    expect(options).toContain(sample);
    expect(documentedOptions(page).toSorted()).toEqual(options.toSorted());
  });
});
