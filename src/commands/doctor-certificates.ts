/** Looks at how long a TLS listener's certificates are good. That they are usable, the configuration's check says. */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { TlsListenerConfig } from '../config/config.ts';
import { parseRevocationLists } from '../config/revocation-lists.ts';
import { fail, ok, warn, type Finding } from './findings.ts';
import { formatTime } from './time.ts';

/** Sooner than this and somebody should renew it now. */
const SOON_MS = 14 * 86_400_000;
const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

export function checkCertificates(listener: TlsListenerConfig, nowMs: number): Finding[] {
  return [
    checkValidity('server certificate', listener.certificateFile, nowMs),
    checkValidity('client CA', listener.clientCaFile, nowMs),
    ...listener.revocationListFiles.map((file) => checkRevocationList(file, nowMs)),
  ];
}

/** Lists are made for days, and replaced long before. */
const LIST_SOON_MS = 4 * 3_600_000;

function checkRevocationList(file: string, nowMs: number): Finding {
  const name = 'revocation list';
  try {
    const nextUpdateMs = Math.min(...parseRevocationLists(readFileSync(file)).map((list) => list.nextUpdateMs));
    const until = formatTime(nextUpdateMs, nowMs);
    const hint = "fetch the CA's new list, replace the file, and send the daemon SIGHUP";
    if (nextUpdateMs <= nowMs)
      return fail(name, `${file} is out of date since ${until}: nobody gets in over TLS`, hint);
    if (nextUpdateMs - nowMs < LIST_SOON_MS) return warn(name, `${file} is out of date at ${until}`, hint);
    return ok(name, `${file} is good until ${until}`);
  } catch (error) {
    return fail(name, `${file} can't be used: ${textOf(error)}`, 'name a file with certificate revocation lists');
  }
}

/** The one of the file's certificates that expires first decides. */
function checkValidity(name: string, file: string, nowMs: number): Finding {
  const certificates = readCertificates(file);
  if (typeof certificates === 'string')
    return fail(name, certificates, 'name a PEM file with at least one certificate');
  const notBeforeMs = Math.max(...certificates.map((certificate) => certificate.validFromDate.getTime()));
  const notAfterMs = Math.min(...certificates.map((certificate) => certificate.validToDate.getTime()));
  const expiry = formatTime(notAfterMs, nowMs);
  if (notBeforeMs > nowMs) {
    return fail(
      name,
      `${file} is valid only from ${formatTime(notBeforeMs, nowMs)}`,
      "compare this machine's clock with another one",
    );
  }
  if (notAfterMs <= nowMs)
    return fail(name, `${file} expired at ${expiry}`, 'renew it; the daemon refuses its callers meanwhile');
  if (notAfterMs - nowMs < SOON_MS) return warn(name, `${file} expires at ${expiry}`, 'renew it soon');
  return ok(name, `${file} expires at ${expiry}`);
}

function readCertificates(file: string): X509Certificate[] | string {
  try {
    const blocks = readFileSync(file, 'utf8').match(PEM_CERTIFICATE) ?? [];
    return blocks.length === 0 ? `${file} holds no certificate` : blocks.map((block) => new X509Certificate(block));
  } catch (error) {
    return `${file} can't be used: ${textOf(error)}`;
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
