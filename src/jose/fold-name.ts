/**
 * When two member names are one to some reader. Go's encoding/json and .NET's web defaults match names without regard to
 * case, Java's equalsIgnoreCase holds İ for i, Swift compares by canonical equivalence: `AUD` or `iſs` can be the audience
 * or the issuer that a service sees. Folding is wider than any one of them.
 */

/** Folds to itself: printable ASCII without capitals, as nearly all names are. */
const PLAIN_NAME = /^[\x20-\x40\x5b-\x7e]*$/;
const ASCII = /^[\x20-\x7e]*$/;
/** Joiners, soft hyphens, variation selectors: what some comparisons skip and no eye sees. */
const INVISIBLE = /\p{Default_Ignorable_Code_Point}/gu;

export function isPlainName(name: string): boolean {
  return PLAIN_NAME.test(name);
}

/** Names that any reader could take for the same are equal when folded. */
export function foldName(name: string): string {
  if (isPlainName(name)) return name;
  if (ASCII.test(name)) return name.toLowerCase();
  // By way of upper case, since ſ and ı have theirs in ASCII; the dot of İ would stay behind as a mark of its own.
  const visible = name.normalize('NFKC').replace(INVISIBLE, '').replaceAll('İ', 'i');
  return visible.toLowerCase().toUpperCase().toLowerCase().normalize('NFKC');
}
