/** The probe port over real HTTP: it asks the daemon's own listener through the network stack, as a verifier does. */
import { get } from 'node:http';
import type { JwksProbe } from '../../app/jwks-probe.ts';
import { KeyturnError } from '../../base/errors.ts';
import { type KeySetName, type Kid, parsePublishedKid } from '../../base/ids.ts';

const TIMEOUT_MS = 2_000;
/** A key set of the largest allowed size is far below this. */
const MAX_BODY_BYTES = 256 * 1024;

export class HttpJwksProbe implements JwksProbe {
  /** Where the HTTP listener is, such as `http://127.0.0.1:8080`; known once it listens. */
  baseUrl: string | undefined;

  async fetchKids(keySet: KeySetName): Promise<ReadonlySet<Kid> | undefined> {
    if (this.baseUrl === undefined)
      throw new KeyturnError('ADDRESS_UNAVAILABLE', 'the HTTP server is not listening yet');
    const { status, body } = await fetchBody(`${this.baseUrl}/${keySet}/jwks.json`);
    if (status === 404) return undefined;
    if (status !== 200)
      throw new KeyturnError('ADDRESS_UNAVAILABLE', `the HTTP server answered its own probe with status ${status}`);
    return parseKids(body);
  }
}

function fetchBody(url: string): Promise<{ readonly status: number; readonly body: string }> {
  return new Promise((resolve, reject) => {
    const request = get(
      url,
      { agent: false, timeout: TIMEOUT_MS, headers: { 'user-agent': 'keyturn-probe' } },
      (response) => {
        const chunks: Buffer[] = [];
        let size = 0;
        response.on('data', (chunk: Buffer) => {
          size += chunk.length;
          if (size > MAX_BODY_BYTES) request.destroy(new Error('the answer is too large'));
          else chunks.push(chunk);
        });
        response.on('end', () => {
          resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') });
        });
        response.on('error', reject);
      },
    );
    request.on('timeout', () => request.destroy(new Error('no answer in time')));
    request.on('error', (cause) => {
      reject(
        new KeyturnError('ADDRESS_UNAVAILABLE', `the HTTP server did not answer its own probe: ${cause.message}`, {
          cause,
        }),
      );
    });
  });
}

function parseKids(body: string): ReadonlySet<Kid> {
  const document: unknown = JSON.parse(body);
  const keys = typeof document === 'object' && document !== null && 'keys' in document ? document.keys : undefined;
  if (!Array.isArray(keys))
    throw new KeyturnError('INTERNAL', 'the HTTP server answered its own probe with something that is not a JWKS');
  return new Set(
    keys.map((key: unknown) =>
      parsePublishedKid(typeof key === 'object' && key !== null && 'kid' in key ? key.kid : undefined),
    ),
  );
}
