/**
 * Certificate revocation lists (RFC 5280, section 5): enough of them to know whose they are and how long they are good.
 * What they revoke and whether their signature holds, OpenSSL judges at every handshake.
 */
import type { X509Certificate } from 'node:crypto';
import { type Element, elementsOf, TAG, toUnixMs } from './der.ts';

export interface RevocationList {
  /** One list: OpenSSL reads no second one from the same text. */
  readonly pem: string;
  /** DER of the issuer's name. */
  readonly issuer: Buffer;
  readonly nextUpdateMs: number;
}

const PEM_LIST = /-----BEGIN X509 CRL-----([A-Za-z0-9+/=\s]+)-----END X509 CRL-----/g;
const PEM_LINE = /.{1,64}/g;

/** The lists in a file: any number in PEM, or one in DER, as CAs publish them. Errors: an Error that says what is wrong. */
export function parseRevocationLists(file: Buffer): readonly RevocationList[] {
  const blocks =
    file[0] === TAG.sequence
      ? [file]
      : [...file.toString('latin1').matchAll(PEM_LIST)].map(([, base64 = '']) => Buffer.from(base64, 'base64'));
  if (blocks.length === 0) throw new Error('holds no certificate revocation list in PEM or DER');
  return blocks.map(parseList);
}

function parseList(der: Buffer): RevocationList {
  const { issuer, nextUpdateMs } = readFields(der);
  if (nextUpdateMs === undefined) {
    throw new Error('holds a certificate revocation list without nextUpdate: nobody could see that it is out of date');
  }
  const lines = der.toString('base64').match(PEM_LINE) ?? [];
  return {
    pem: `-----BEGIN X509 CRL-----\n${lines.join('\n')}\n-----END X509 CRL-----\n`,
    issuer: issuer.bytes,
    nextUpdateMs,
  };
}

/** CertificateList ::= SEQUENCE { tbsCertList { version?, signature, issuer, thisUpdate, nextUpdate?, … }, … } */
function readFields(der: Buffer): { readonly issuer: Element; readonly nextUpdateMs: number | undefined } {
  try {
    const fields = fieldsOfSigned(der);
    const [, issuer, , nextUpdate] = fields[0]?.tag === TAG.integer ? fields.slice(1) : fields;
    if (issuer === undefined) throw new RangeError('too short');
    const isTime = nextUpdate?.tag === TAG.utcTime || nextUpdate?.tag === TAG.generalizedTime;
    return { issuer, nextUpdateMs: isTime ? toUnixMs(nextUpdate) : undefined };
  } catch (cause) {
    throw new Error('holds a certificate revocation list that is malformed', { cause });
  }
}

/** DER of the certificate's own name: Certificate { tbsCertificate { version?, serial, signature, issuer, validity, subject, … }, … } */
export function subjectOf({ raw }: X509Certificate): Buffer {
  const fields = fieldsOfSigned(raw);
  const subject = (fields[0]?.tag === TAG.version ? fields.slice(1) : fields)[4];
  if (subject === undefined) throw new RangeError('a certificate without a subject');
  return subject.bytes;
}

/** Of what is signed in a certificate or a list. */
function fieldsOfSigned(der: Buffer): Element[] {
  const [whole] = elementsOf(der);
  const [signed] = elementsOf(whole?.content ?? Buffer.alloc(0));
  return elementsOf(signed?.content ?? Buffer.alloc(0));
}
