/**
 * The versions that nothing happens to any more, for ever: by number, in chunks, so that putting one in copies a few
 * hundred references however many there are. Immutable: a state keeps the archive that it had.
 */

/** A version of a signing key that turns every ten minutes has 50,000 successors a year. */
const CHUNK_SIZE = 256;

type Chunk<Item> = readonly (Item | undefined)[];

export interface Archive<Item> {
  readonly size: number;
  readonly chunks: readonly (Chunk<Item> | undefined)[];
}

interface Numbered {
  readonly number: number;
}

const EMPTY: Archive<never> = { size: 0, chunks: [] };

export function emptyArchive<Item extends Numbered>(): Archive<Item> {
  return EMPTY;
}

export function findArchived<Item extends Numbered>(archive: Archive<Item>, number: number): Item | undefined {
  return archive.chunks[Math.floor(number / CHUNK_SIZE)]?.[number % CHUNK_SIZE];
}

/** Puts it in, in the place of the one that had its number. */
export function withArchived<Item extends Numbered>(archive: Archive<Item>, item: Item): Archive<Item> {
  const index = Math.floor(item.number / CHUNK_SIZE);
  const chunk = [...(archive.chunks[index] ?? [])];
  const isNew = chunk[item.number % CHUNK_SIZE] === undefined;
  chunk[item.number % CHUNK_SIZE] = item;
  const chunks = [...archive.chunks];
  chunks[index] = chunk;
  return { size: archive.size + (isNew ? 1 : 0), chunks };
}

/** In the order of the numbers. */
export function* archivedItems<Item extends Numbered>(archive: Archive<Item>): Generator<Item> {
  for (const chunk of archive.chunks) for (const item of chunk ?? []) if (item !== undefined) yield item;
}
