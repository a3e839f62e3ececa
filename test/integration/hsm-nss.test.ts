/** NSS softokn, a second real token beside SoftHSM2. `npm run tokens -- nss` tries all of its guide. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { parseDocumentedCells } from '../tokens/cells.ts';
import { runShortConformance } from '../tokens/conformance.ts';
import { setUpToken } from '../tokens/set-up.ts';

it('a module that overwrites a key of the same CKA_ID is caught, and the rest is as its guide says', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'keyturn-nss-'));
  try {
    const cells = await runShortConformance(await setUpToken('nss', dir));
    const guide = await readFile(fileURLToPath(new URL('../../docs/tokens/nss.md', import.meta.url)), 'utf8');
    const documented = parseDocumentedCells(guide);
    const verdicts = Object.fromEntries(cells.map(({ check, verdict }) => [check, verdict]));
    expect(verdicts, JSON.stringify(cells)).toEqual(
      Object.fromEntries(Object.keys(verdicts).map((check) => [check, documented.get(check)])),
    );
    expect(verdicts).toMatchObject({ 'cka-id': 'caught', secrets: 'ok', 'stale-handle': 'ok', 'worker-loss': 'ok' });
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
});
