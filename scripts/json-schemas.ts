/** Writes docs/reference/*.schema.json anew. test/tidy says when that is due. */
import { writeFileSync } from 'node:fs';
import { DOCUMENT_SCHEMAS, toJsonSchema } from './lib/json-schemas.ts';

for (const [page, schema] of DOCUMENT_SCHEMAS) {
  const { file, text } = toJsonSchema(page, schema);
  writeFileSync(file, text);
}
