/**
 * Which environment variables the configuration may give to the HSM workers. Modules need some (SOFTHSM2_CONF); others
 * would make the worker, which holds the login, run code that nobody chose, or would carry a secret in the open.
 */
import type { z } from 'zod';

const MAX_VARIABLES = 64;
const MAX_VALUE_BYTES = 4_096;

/** Lower case too: Luna's is ChrystokiConfigurationPath. */
const NAME = /^[A-Za-z][A-Za-z0-9_]{0,127}$/;
/** Read by Node, the dynamic linker, glibc, OpenSSL or a shell before any module is. */
const RUNS_CODE =
  /^(?:NODE_.*|NODE|UV_.*|LD_.*|DYLD_.*|GCONV_PATH|GLIBC_TUNABLES|MALLOC_.*|OPENSSL_.*|SSL_CERT_.*|BASH_ENV|ENV|PATH|SHELL|IFS|KEYTURN_.*)$/i;
/** Whoever may read /proc/PID/environ would have it, and so would every core dump. */
const HOLDS_SECRET = /(?:^|_)(?:PIN|PASSWORD|PASSWD|PASSPHRASE|SECRET)$/i;
/** The workers' folder isn't the configuration's, and the value reaches the module as it is. */
const NEEDS_ABSOLUTE_PATH: ReadonlySet<string> = new Set(['SOFTHSM2_CONF']);

/** Adds every finding to the context. */
export function parseWorkerEnvironment(environment: Readonly<Record<string, unknown>>, context: z.RefinementCtx): void {
  const entries = Object.entries(environment);
  if (entries.length > MAX_VARIABLES)
    context.addIssue({ code: 'custom', message: `must have at most ${MAX_VARIABLES} variables` });
  for (const [name, value] of entries) {
    const message = problemOfName(name) ?? problemOfValue(name, value);
    if (message !== undefined) context.addIssue({ code: 'custom', path: [name], message });
  }
}

function problemOfName(name: string): string | undefined {
  if (!NAME.test(name)) return 'must be a name of letters, digits and underscores, beginning with a letter';
  if (RUNS_CODE.test(name))
    return "is not allowed: it changes the worker process itself; make the module's libraries known with ldconfig";
  if (HOLDS_SECRET.test(name))
    return 'is not allowed: a secret must not be in an environment; the user PIN is in token.pinFile';
  return undefined;
}

function problemOfValue(name: string, value: unknown): string | undefined {
  if (typeof value !== 'string') return 'must be text; put it in quotes';
  if (/\p{Cc}/u.test(value) || Buffer.byteLength(value) > MAX_VALUE_BYTES) {
    return `must be one line of at most ${MAX_VALUE_BYTES} bytes`;
  }
  if (NEEDS_ABSOLUTE_PATH.has(name) && !value.startsWith('/'))
    return 'must be an absolute path: the module reads it as it is';
  if (/^\.{1,2}\//.test(value)) return 'must not be a relative path: the module reads it as it is';
  return undefined;
}
