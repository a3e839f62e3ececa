/**
 * The caller's name in a client certificate that the TLS layer has already verified. One type of name per listener,
 * and exactly one name of that type: a certificate with two would let its holder choose who to be.
 */
import type { CallerIdentity } from '../access/caller.ts';
import { KeyturnError } from '../base/errors.ts';
import type { TlsListenerConfig } from '../config/config.ts';

/** What is needed of node:tls's PeerCertificate. */
export interface NamedCertificate {
  readonly subject?: { readonly CN?: string | readonly string[] | undefined } | undefined;
  readonly subjectaltname?: string | undefined;
}

/** SPIFFE-ID, section 2: at most 2048 bytes; scheme, trust domain, path of one or more segments. */
const SPIFFE_ID = /^spiffe:\/\/[a-z0-9._-]{1,255}(?:\/[A-Za-z0-9._-]+)+$/;
const MAX_SPIFFE_LENGTH = 2_048;
const DNS_NAME = /^(?=.{1,253}$)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
/** Printable ASCII: whatever else a CN may hold has look-alikes. */
const COMMON_NAME = /^[\x21-\x7e](?:[\x20-\x7e]{0,62}[\x21-\x7e])?$/;

/** One entry of Node's text form; a value with anything unusual in it comes as a JSON string. */
const SAN_ENTRY = /(?:^|, )([A-Za-z0-9 ]+):("(?:[^"\\]|\\.)*"|[^,"]*)/gy;

/** Errors: CALLER_UNKNOWN, with what is wrong. */
export function parseCallerIdentity(
  certificate: NamedCertificate,
  kind: TlsListenerConfig['callerName'],
): CallerIdentity {
  const names = namesOf(certificate, kind);
  const [name] = names;
  if (name === undefined) throw new KeyturnError('CALLER_UNKNOWN', `the client certificate has no ${LABELS[kind]}`);
  if (names.length > 1)
    throw new KeyturnError(
      'CALLER_UNKNOWN',
      `the client certificate has ${names.length} names of type ${LABELS[kind]}, and must have one`,
    );
  if (!isWellFormed(name, kind))
    throw new KeyturnError('CALLER_UNKNOWN', `the client certificate's ${LABELS[kind]} is malformed`);
  return { kind, name };
}

const LABELS = { spiffe: 'SPIFFE ID (SAN URI)', dns: 'SAN DNS name', cn: 'common name' } as const;

function namesOf(
  { subject, subjectaltname = '' }: NamedCertificate,
  kind: TlsListenerConfig['callerName'],
): readonly string[] {
  if (kind === 'cn') return typeof subject?.CN === 'string' ? [subject.CN] : (subject?.CN ?? []);
  const entries = parseAlternativeNames(subjectaltname);
  if (kind === 'dns') return entries.filter(({ type }) => type === 'DNS').map(({ value }) => value.toLowerCase());
  // X509-SVID, section 2: exactly one URI in all, not only of SPIFFE's scheme.
  return entries.filter(({ type }) => type === 'URI').map(({ value }) => value);
}

function parseAlternativeNames(text: string): { readonly type: string; readonly value: string }[] {
  const entries: { type: string; value: string }[] = [];
  let end = 0;
  for (const match of text.matchAll(SAN_ENTRY)) {
    const [whole, type = '', value = ''] = match;
    entries.push({ type, value });
    end += whole.length;
  }
  if (end !== text.length)
    throw new KeyturnError('CALLER_UNKNOWN', "the client certificate's alternative names are unreadable");
  return entries;
}

function isWellFormed(name: string, kind: TlsListenerConfig['callerName']): boolean {
  if (kind === 'spiffe')
    return name.length <= MAX_SPIFFE_LENGTH && SPIFFE_ID.test(name) && !/\/\.{1,2}(?:\/|$)/.test(name);
  return kind === 'dns' ? DNS_NAME.test(name) : COMMON_NAME.test(name);
}
