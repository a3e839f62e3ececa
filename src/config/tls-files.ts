/**
 * The files of a TLS listener, read together and held against each other: at the start, on SIGHUP, and for
 * `keyturn config check`. What comes out of here OpenSSL accepts.
 */
import { createHash, createPrivateKey, X509Certificate } from 'node:crypto';
import { closeSync, readFile } from 'node:fs';
import { readFile as readFileByName } from 'node:fs/promises';
import { promisify } from 'node:util';
import { KeyturnError } from '../base/errors.ts';
import { Secret } from '../base/secret.ts';
import type { TlsListenerConfig } from './config.ts';
import { ConfigError, type ConfigProblem } from './problems.ts';
import { parseRevocationLists, type RevocationList, subjectOf } from './revocation-lists.ts';
import { openSecretFile } from './secrets.ts';

/** All as PEM. */
export interface TlsFiles {
  readonly certificate: Buffer;
  readonly privateKey: Secret;
  readonly clientCa: Buffer;
  readonly revocationLists: readonly string[];
  readonly certificateNotAfterMs: number;
  /** When the first of the revocation lists is out of date: from then on nobody gets in. Undefined without lists. */
  readonly listsGoodUntilMs: number | undefined;
  /** Changes with whatever client certificates are judged by. */
  readonly trustHash: string;
}

const readDescriptor = promisify(readFile);
const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** Errors: a ConfigError with every problem. */
export async function loadTlsFiles(config: TlsListenerConfig, file: string): Promise<TlsFiles> {
  const problems: ConfigProblem[] = [];
  const attempt = async <T>(path: string, read: () => T | Promise<T>): Promise<T | undefined> => {
    try {
      return await read();
    } catch (error) {
      const reason = error instanceof KeyturnError ? { reason: error.reason } : {};
      problems.push({ path, message: error instanceof Error ? error.message : String(error), ...reason });
      return undefined;
    }
  };
  const certificate = await attempt('grpc.tls.certificate', () => readCertificates(config.certificateFile));
  const privateKey = await attempt('grpc.tls.privateKey', () => readSecret(config.privateKeyFile));
  const clientCa = await attempt('grpc.tls.clientCa', () => readAuthorities(config.clientCaFile));
  const lists: RevocationList[] = [];
  for (const [index, listFile] of config.revocationListFiles.entries()) {
    const found = await attempt(`grpc.tls.revocationLists[${index}]`, () => readRevocationLists(listFile));
    lists.push(...(found ?? []));
  }
  if (certificate !== undefined && privateKey !== undefined)
    await attempt('grpc.tls.privateKey', () => requireKeyOfCertificate(privateKey, certificate, config));
  if (clientCa !== undefined && problems.length === 0 && lists.length > 0)
    await attempt('grpc.tls.revocationLists', () => requireListOfEach(clientCa.certificates, lists));
  const [leaf] = certificate?.certificates ?? [];
  if (certificate === undefined || leaf === undefined || privateKey === undefined || clientCa === undefined)
    throw new ConfigError(file, problems);
  if (problems.length > 0) throw new ConfigError(file, problems);
  const revocationLists = lists.map(({ pem }) => pem);
  return {
    certificate: certificate.pem,
    privateKey,
    clientCa: clientCa.pem,
    revocationLists,
    certificateNotAfterMs: leaf.validToDate.getTime(),
    listsGoodUntilMs: lists.length === 0 ? undefined : Math.min(...lists.map(({ nextUpdateMs }) => nextUpdateMs)),
    trustHash: createHash('sha256').update(clientCa.pem).update(revocationLists.join('')).digest('hex'),
  };
}

interface Certificates {
  readonly pem: Buffer;
  readonly certificates: readonly X509Certificate[];
}

async function readCertificates(file: string): Promise<Certificates> {
  const pem = await readFileByName(file);
  try {
    const blocks = pem.toString('latin1').match(PEM_CERTIFICATE) ?? [];
    if (blocks.length === 0) throw new Error('no block');
    return { pem, certificates: blocks.map((block) => new X509Certificate(block)) };
  } catch (cause) {
    throw new Error(`${file} holds no certificate in PEM`, { cause });
  }
}

async function readAuthorities(file: string): Promise<Certificates> {
  const found = await readCertificates(file);
  if (!found.certificates.every(({ ca }) => ca))
    throw new Error(`${file} holds a certificate that is no CA's (basicConstraints CA:TRUE)`);
  return found;
}

/** The very file that was judged. */
async function readSecret(file: string): Promise<Secret> {
  const descriptor = openSecretFile(file);
  try {
    return new Secret(await readDescriptor(descriptor));
  } finally {
    closeSync(descriptor);
  }
}

async function readRevocationLists(file: string): Promise<readonly RevocationList[]> {
  const bytes = await readFileByName(file);
  try {
    return parseRevocationLists(bytes);
  } catch (error) {
    throw new Error(`${file} ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

function requireKeyOfCertificate(
  privateKey: Secret,
  { certificates: [leaf] }: Certificates,
  { certificateFile, privateKeyFile }: TlsListenerConfig,
): void {
  let isItsKey: boolean;
  try {
    isItsKey = leaf?.checkPrivateKey(createPrivateKey(privateKey.reveal())) === true;
  } catch {
    // OpenSSL's error could repeat what is in the file.
    throw new Error(`${privateKeyFile} holds no private key in PEM that needs no passphrase`);
  }
  if (!isItsKey) throw new Error(`${privateKeyFile} is not the private key of the certificate in ${certificateFile}`);
}

/** OpenSSL refuses every certificate of a CA whose list it lacks, once it has any list. */
function requireListOfEach(authorities: readonly X509Certificate[], lists: readonly RevocationList[]): void {
  for (const authority of authorities) {
    const subject = subjectOf(authority);
    if (lists.some(({ issuer }) => issuer.equals(subject))) continue;
    const name = authority.subject.replaceAll('\n', ', ');
    throw new Error(`has no list of the CA ${name}: all of its certificates would be refused`);
  }
}
