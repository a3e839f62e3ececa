/**
 * The probe port: fetches a key set from the daemon's own HTTP listener, as a verifier would. What it saw is the
 * evidence for served time (rule 1). Adapters: server/http/http-jwks-probe.ts and test/fakes.
 */
import type { KeySetName, Kid } from '../base/ids.ts';

export interface JwksProbe {
  /** The kids in the answer; undefined for a key set without content (404). Rejects when the server didn't answer well. */
  fetchKids(keySet: KeySetName): Promise<ReadonlySet<Kid> | undefined>;
}
