/** An audit entry as a syslog message (RFC 5424), framed for a stream by its length (RFC 6587, section 3.4.1). */
import { assertNever } from '../../base/assert-never.ts';
import { type EntryKind, isEntryKind } from '../entries.ts';

/** `log audit`: RFC 5424, table 1. */
const FACILITY = 13;
const SEVERITY = { critical: 2, warning: 4, notice: 5, informational: 6 } as const;
const APP_NAME = 'keyturn';
/** RFC 5424, section 6: what a header field holds at most, and of which characters. */
const MAX_HOST_NAME = 255;
const NIL = '-';

export interface SyslogOrigin {
  readonly hostName: string;
  readonly processId: number;
}

/** Of a line, what the header says; a line of a kind that isn't known is sent all the same. */
const HEAD = /^\{"seq":\d+,"time":"([^"]+)","kind":"([A-Z_]+)"/;

/** The message is the line itself: what the chain's hashes are over can be checked at the other end as well. */
export function toSyslogFrame(line: string, { hostName, processId }: SyslogOrigin): Buffer {
  const [, time = NIL, kind = NIL] = HEAD.exec(line) ?? [];
  const priority = FACILITY * 8 + (isEntryKind(kind) ? severityOf(kind) : SEVERITY.informational);
  const message = `<${priority}>1 ${time} ${toHostName(hostName)} ${APP_NAME} ${processId} ${kind} - ${line}`;
  return Buffer.from(`${Buffer.byteLength(message)} ${message}`);
}

function toHostName(name: string): string {
  return /^[\x21-\x7e]+$/.test(name) ? name.slice(0, MAX_HOST_NAME) : NIL;
}

function severityOf(kind: EntryKind): number {
  switch (kind) {
    case 'HISTORY_MISSING':
      return SEVERITY.critical;
    case 'LOG_INTERRUPTED':
    case 'TAIL_CUT':
    case 'REFUSED':
    case 'JWT_FAILED':
      return SEVERITY.warning;
    case 'LOG_STARTED':
    case 'LOG_STOPPED':
    case 'SEGMENTS_REMOVED':
    case 'CALL':
    case 'ACCESS_POLICY_LOADED':
    case 'CHECKPOINT':
      return SEVERITY.notice;
    case 'SEGMENT_STARTED':
    case 'JWT_DISPATCHED':
    case 'EVENT':
      return SEVERITY.informational;
    default:
      return assertNever(kind);
  }
}

/** Whether the line is of a JWT: most of a log is. */
export function isAboutJwt(line: string): boolean {
  const kind = HEAD.exec(line)?.[2];
  return kind === 'JWT_DISPATCHED' || kind === 'JWT_FAILED';
}
