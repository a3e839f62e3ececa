/** If-None-Match (RFC 9110, section 13.1.2): a list of entity tags or `*`, compared weakly. */

const ENTITY_TAG = /(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"/g;

/** Whether the client has what `etag` (a strong tag, quotes included) names. */
export function matchesEntityTag(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  // Nearly every client sends back exactly what it got.
  if (ifNoneMatch === etag || ifNoneMatch.trim() === '*') return true;
  return (ifNoneMatch.match(ENTITY_TAG) ?? []).some((tag) => tag === etag || tag === `W/${etag}`);
}
