/** What a copy of a store holds, for people. */
import type { StoreSummary } from '../store/sqlite/store-copy.ts';
import { formatTime } from './time.ts';

export function summaryLines(summary: StoreSummary, nowMs: number): string[] {
  const { bytes, sha256, streams, events, lastEventAtMs } = summary;
  const last = lastEventAtMs === undefined ? 'none' : formatTime(lastEventAtMs, nowMs);
  return [`events   ${events} in ${streams} streams`, `latest   ${last}`, `bytes    ${bytes}`, `sha256   ${sha256}`];
}

export function summaryJson({ lastEventAtMs, ...summary }: StoreSummary): object {
  return {
    ...summary,
    lastEventTime: lastEventAtMs === undefined ? undefined : new Date(lastEventAtMs).toISOString(),
  };
}
