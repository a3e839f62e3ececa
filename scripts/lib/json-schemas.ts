/**
 * JSON Schemas of the three documents that people write, for their editors: the form is the loaders' own, each member's
 * description is the meaning that its reference page gives. What members mean together only `keyturn config check` knows.
 */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { accessPolicySchema } from '../../src/config/access-policy-schema.ts';
import { configSchema } from '../../src/config/config-schema.ts';
import { signingKeysSchema } from '../../src/config/signing-keys-document.ts';

const REFERENCE = new URL('../../docs/reference/', import.meta.url);

/** By the name of the reference page. */
export const DOCUMENT_SCHEMAS: ReadonlyMap<string, z.ZodType> = new Map<string, z.ZodType>([
  ['access-policy', accessPolicySchema],
  ['configuration', configSchema],
  ['signing-keys-file', signingKeysSchema],
]);

interface SchemaNode {
  description?: string;
  default?: unknown;
  propertyNames?: unknown;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly additionalProperties?: SchemaNode | boolean;
  readonly items?: SchemaNode;
}

/** The file's address, and the text that should be in it. */
export function toJsonSchema(page: string, schema: z.ZodType): { readonly file: URL; readonly text: string } {
  const form = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any', reused: 'inline' }) as SchemaNode;
  describe(form, '', readMeanings(page));
  const title = `keyturn ${page.replaceAll('-', ' ')}`;
  return { file: new URL(`${page}.schema.json`, REFERENCE), text: `${JSON.stringify({ title, ...form }, null, 2)}\n` };
}

/** `grants[].claims.iss` → its meaning, from the page's table, without Markdown. */
function readMeanings(page: string): ReadonlyMap<string, string> {
  const text = readFileSync(new URL(`${page}.md`, REFERENCE), 'utf8');
  const rows = text.matchAll(/^\| `([a-z][A-Za-z.{}[\]]*)` \|[^|]*\|[^|]*\| ?([^|]*?) ?\|$/gm);
  return new Map([...rows].map(([, path = '', meaning = '']) => [path, toPlain(meaning)]));
}

function toPlain(markdown: string): string {
  return markdown.replace(/\[([^\]]+)\]\([^)]+\)/g, '$1').replace(/[`*]/g, '');
}

function describe(node: SchemaNode, path: string, meanings: ReadonlyMap<string, string>): void {
  const meaning = meanings.get(path);
  if (meaning !== undefined && meaning !== '') node.description = meaning;
  // Defaults here are what the loader makes of them (milliseconds); the page has them as people write them.
  delete node.default;
  delete node.propertyNames;
  for (const [name, member] of Object.entries(node.properties ?? {}))
    describe(member, path === '' ? name : `${path}.${name}`, meanings);
  if (typeof node.additionalProperties === 'object') describe(node.additionalProperties, `${path}.{name}`, meanings);
  if (node.items !== undefined) describe(node.items, `${path}[]`, meanings);
}
