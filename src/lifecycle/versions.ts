/** A signing key's versions, whether something can still happen to them or they are archived. Pure. */
import type { Kid } from '../base/ids.ts';
import { type Archive, archivedItems, findArchived } from './archive.ts';
import type { KeyVersion } from './signing-key-state.ts';

interface Versions {
  readonly versions: readonly KeyVersion[];
  readonly archive: Archive<KeyVersion>;
}

/** Live or in the archive. */
export function findVersion({ versions, archive }: Versions, number: number): KeyVersion | undefined {
  return versions.find((version) => version.number === number) ?? findArchived(archive, number);
}

/** The version that has the kid, live or in the archive: each new key is held against all that ever were. */
export function findByKid({ versions, archive }: Versions, kid: Kid): KeyVersion | undefined {
  const live = versions.find((version) => version.kid === kid);
  if (live !== undefined) return live;
  for (const chunk of archive.chunks) {
    const archived = chunk?.find((version) => version?.kid === kid);
    if (archived !== undefined) return archived;
  }
  return undefined;
}

/** Those of the archive included: for what happens rarely. */
export function* everyVersion({ versions, archive }: Versions): Generator<KeyVersion> {
  yield* versions;
  const live = new Set(versions.map(({ number }) => number));
  for (const version of archivedItems(archive)) if (!live.has(version.number)) yield version;
}
