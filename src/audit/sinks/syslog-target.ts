/** Where a syslog server listens, and how a connection to it is made: RFC 5425 over TLS, RFC 6587 over TCP or a Unix stream. */
import { createConnection, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { assertNever } from '../../base/assert-never.ts';
import { KeyturnError } from '../../base/errors.ts';

export type SyslogTarget =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  /** `ca`: PEM; undefined: the system's roots. */
  | { readonly kind: 'tls'; readonly host: string; readonly port: number; readonly ca: string | undefined };

const URL_FORM = /^(tcp|tls):\/\/(?:\[([0-9a-f:]+)\]|([a-z0-9.-]+)):(\d{1,5})$/i;
const MAX_PORT = 65_535;

/** `tls://HOST:PORT`, `tcp://HOST:PORT` or `unix:PATH`. Errors: FIELD_INVALID. */
export function parseSyslogTarget(text: string, field: string, ca: string | undefined): SyslogTarget {
  if (text.startsWith('unix:/')) return { kind: 'unix', path: text.slice('unix:'.length) };
  const [, kind, bracketed, plain, digits] = URL_FORM.exec(text) ?? [];
  const host = bracketed ?? plain;
  const port = Number(digits);
  if (host === undefined || port < 1 || port > MAX_PORT)
    throw new KeyturnError('FIELD_INVALID', `${field} must be tls://HOST:PORT, tcp://HOST:PORT or unix:/PATH`, {
      field,
    });
  return kind?.toLowerCase() === 'tls' ? { kind: 'tls', host, port, ca } : { kind: 'tcp', host, port };
}

export function connectTo(target: SyslogTarget, ready: () => void): Socket {
  switch (target.kind) {
    case 'unix':
      return createConnection({ path: target.path }, ready);
    case 'tcp':
      return createConnection({ host: target.host, port: target.port, keepAlive: true }, ready);
    case 'tls': {
      const { host, port, ca } = target;
      // The name in the certificate is checked; RFC 5425 wants TLS, and we speak 1.3 alone everywhere.
      return connectTls({ host, port, minVersion: 'TLSv1.3', ...(ca === undefined ? {} : { ca }) }, ready);
    }
    default:
      return assertNever(target);
  }
}
