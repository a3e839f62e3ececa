/** What `keyturn doctor` finds: one line per check, with what to do about it. */

export interface Finding {
  readonly name: string;
  readonly status: 'ok' | 'warn' | 'fail';
  readonly message: string;
  readonly hint?: string;
}

export function ok(name: string, message: string): Finding {
  return { name, status: 'ok', message };
}

export function warn(name: string, message: string, hint: string): Finding {
  return { name, status: 'warn', message, hint };
}

export function fail(name: string, message: string, hint: string): Finding {
  return { name, status: 'fail', message, hint };
}
