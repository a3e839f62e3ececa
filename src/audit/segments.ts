/** The names of segment files: the sequence of the first entry, in sixteen digits, so that they sort as they follow. */

const DIGITS = 16;
const NAME = /^(\d{16})\.jsonl$/;

export function segmentName(firstSeq: number): string {
  return `${String(firstSeq).padStart(DIGITS, '0')}.jsonl`;
}

/** Undefined for any other file. */
export function parseSegmentName(name: string): number | undefined {
  const digits = NAME.exec(name)?.[1];
  const seq = Number(digits);
  return digits !== undefined && Number.isSafeInteger(seq) && seq >= 1 ? seq : undefined;
}

/** Segment names of a directory's listing, in order. */
export function toSegments(names: readonly string[]): readonly { readonly name: string; readonly firstSeq: number }[] {
  return names
    .flatMap((name) => {
      const firstSeq = parseSegmentName(name);
      return firstSeq === undefined ? [] : [{ name, firstSeq }];
    })
    .toSorted((left, right) => left.firstSeq - right.firstSeq);
}
