/** A key set as people read it. Pure. */
import { formatDuration } from '../base/duration.ts';
import type { KeySet } from '../client/client.ts';
import { formatTable } from './table.ts';

export function describeKeySet(keySet: KeySet): string[] {
  const rows = parseKeys(keySet.jwks).map((key) => [
    text(key['kid']),
    text(key['alg']),
    text(key['kty']),
    text(key['crv']),
  ]);
  return [
    `key set ${keySet.keySet}, generation ${keySet.generation}, verifiers are told to keep it for ${formatDuration(keySet.maxAgeMs)}`,
    '',
    ...formatTable(['KID', 'ALG', 'KTY', 'CRV'], rows),
  ];
}

function parseKeys(jwks: Uint8Array): Record<string, unknown>[] {
  const document: unknown = JSON.parse(Buffer.from(jwks).toString('utf8'));
  if (typeof document !== 'object' || document === null || !('keys' in document) || !Array.isArray(document.keys))
    return [];
  return document.keys.filter((key): key is Record<string, unknown> => typeof key === 'object' && key !== null);
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
