/** A signing key's versions, whether something can still happen to them or they are archived. Pure. */
import { type Archive, archivedItems, findArchived } from './archive.ts';
import type { KeyVersion } from './fold.ts';

interface Versions {
  readonly versions: readonly KeyVersion[];
  readonly archive: Archive<KeyVersion>;
}

/** Live or in the archive. */
export function findVersion({ versions, archive }: Versions, number: number): KeyVersion | undefined {
  return versions.find((version) => version.number === number) ?? findArchived(archive, number);
}

/** Those of the archive included: for what happens rarely. */
export function* everyVersion({ versions, archive }: Versions): Generator<KeyVersion> {
  yield* versions;
  const live = new Set(versions.map(({ number }) => number));
  for (const version of archivedItems(archive)) if (!live.has(version.number)) yield version;
}
