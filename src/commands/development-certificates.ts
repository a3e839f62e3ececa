/**
 * A certificate authority and certificates for development: `keyturn init` and the tests make them. Pure of files.
 * The only importer of @peculiar/x509: Node reads X.509 certificates but makes none.
 */
import 'reflect-metadata';
import { randomBytes, webcrypto } from 'node:crypto';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';

const KEY_ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

/** RFC 5280, section 4.1.2.2: positive and at most 20 octets; 16 random ones never collide. */
const SERIAL_BYTES = 16;

export interface Validity {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** A certificate and its private key (PKCS#8), both in PEM. */
export interface CertifiedKey {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

export interface DevelopmentAuthority extends CertifiedKey {
  readonly subject: string;
  readonly keys: webcrypto.CryptoKeyPair;
}

export interface LeafRequest {
  readonly commonName: string;
  readonly usage: 'server' | 'client';
  readonly dnsNames?: readonly string[];
  readonly ipAddresses?: readonly string[];
  readonly uris?: readonly string[];
  readonly validity: Validity;
}

/** A self-signed CA that may issue leaf certificates only (path length 0). */
export async function createDevelopmentAuthority(
  commonName: string,
  validity: Validity,
): Promise<DevelopmentAuthority> {
  const keys = await generateKeys();
  const subject = `CN=${commonName}`;
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: randomSerial(),
    name: subject,
    ...validity,
    signingAlgorithm: KEY_ALGORITHM,
    keys,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return {
    subject,
    keys,
    certificatePem: withNewline(certificate.toString('pem')),
    privateKeyPem: await toPem(keys.privateKey),
  };
}

/** A leaf certificate of that CA with a key of its own. */
export async function issueCertificate(authority: DevelopmentAuthority, request: LeafRequest): Promise<CertifiedKey> {
  const keys = await generateKeys();
  const certificate = await X509CertificateGenerator.create({
    serialNumber: randomSerial(),
    subject: `CN=${request.commonName}`,
    issuer: authority.subject,
    ...request.validity,
    signingAlgorithm: KEY_ALGORITHM,
    publicKey: keys.publicKey,
    signingKey: authority.keys.privateKey,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([
        request.usage === 'server' ? ExtendedKeyUsage.serverAuth : ExtendedKeyUsage.clientAuth,
      ]),
      ...subjectAlternativeNames(request),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
      await AuthorityKeyIdentifierExtension.create(authority.keys.publicKey),
    ],
  });
  return { certificatePem: withNewline(certificate.toString('pem')), privateKeyPem: await toPem(keys.privateKey) };
}

function subjectAlternativeNames(request: LeafRequest): SubjectAlternativeNameExtension[] {
  const names = [
    ...(request.dnsNames ?? []).map((value) => ({ type: 'dns' as const, value })),
    ...(request.ipAddresses ?? []).map((value) => ({ type: 'ip' as const, value })),
    ...(request.uris ?? []).map((value) => ({ type: 'url' as const, value })),
  ];
  return names.length === 0 ? [] : [new SubjectAlternativeNameExtension(names)];
}

function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(KEY_ALGORITHM, true, ['sign', 'verify']);
}

function randomSerial(): string {
  const serial = randomBytes(SERIAL_BYTES);
  // Neither negative nor shortened by a leading zero octet.
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40;
  return serial.toString('hex');
}

async function toPem(privateKey: webcrypto.CryptoKey): Promise<string> {
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', privateKey)).toString('base64');
  const lines = pkcs8.match(/.{1,64}/g) ?? [];
  return `-----BEGIN PRIVATE KEY-----\n${lines.join('\n')}\n-----END PRIVATE KEY-----\n`;
}

function withNewline(pem: string): string {
  return pem.endsWith('\n') ? pem : `${pem}\n`;
}
