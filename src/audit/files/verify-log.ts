/** Verifies the audit log of a directory, and hands each of its entries on to whoever wants to know what they say. */
import type { AuditEntry } from '../entries.ts';
import { ChainVerifier, type Verification, type VerifyOptions } from '../verify-chain.ts';
import { readLines } from './read-segments.ts';

export async function verifyLog(
  directory: string,
  options: VerifyOptions,
  onEntry?: (entry: AuditEntry) => void,
): Promise<Verification> {
  const verifier = new ChainVerifier(options);
  for await (const { bytes, isWhole } of readLines(directory)) {
    if (!isWhole) {
      verifier.noteTorn(bytes.length);
      continue;
    }
    const entry = verifier.push(bytes);
    if (entry !== undefined) onEntry?.(entry);
    if (verifier.hasProblem && onEntry === undefined) break;
  }
  return verifier.end();
}
