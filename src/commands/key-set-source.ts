/** Reads a JWKS from a URL or a file, as `verify` needs it. */
import { KeyturnError } from '../base/errors.ts';
import { readNamedFile } from './argument-input.ts';
import type { CommandContext } from './command.ts';

const FETCH_TIMEOUT_MS = 5_000;
const MAX_JWKS_BYTES = 1024 * 1024;

export async function readKeySet(context: CommandContext, source: string): Promise<unknown> {
  const bytes = /^https?:\/\//.test(source)
    ? await fetchKeySet(source)
    : await readNamedFile(context, source, '--jwks');
  if (bytes.length > MAX_JWKS_BYTES) {
    throw new KeyturnError('FIELD_INVALID', `--jwks must hold at most ${MAX_JWKS_BYTES} bytes`, { field: '--jwks' });
  }
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    throw new KeyturnError('FIELD_INVALID', `--jwks ${source} holds no JSON`, { field: '--jwks', cause: error });
  }
}

async function fetchKeySet(url: string): Promise<Buffer> {
  try {
    const response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(FETCH_TIMEOUT_MS) });
    if (!response.ok) throw new Error(`the server answered ${response.status}`);
    return await readBounded(response);
  } catch (error) {
    throw new KeyturnError('DAEMON_UNREACHABLE', `the key set at ${url} can't be fetched: ${causeText(error)}`, {
      cause: error,
    });
  }
}

async function readBounded(response: Response): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > MAX_JWKS_BYTES) throw new Error(`it has more than ${MAX_JWKS_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** fetch says only "fetch failed"; why is in its cause. */
export function causeText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message || String(error.cause) : error.message;
}
