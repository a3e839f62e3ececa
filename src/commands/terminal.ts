/** Where a command writes: data to stdout, `error:`, `hint:` and progress to stderr. The only file that touches them. */
import { createInterface } from 'node:readline';
import { KeyturnError } from '../base/errors.ts';

/** More than this on stdin is no claims object, JWT or key set. */
const MAX_STDIN_BYTES = 1024 * 1024;

export interface Terminal {
  /** A line of data. */
  print(line: string): void;
  printJson(value: unknown): void;
  /** A line for people about what is going on. */
  note(line: string): void;
  error(message: string): void;
  hint(message: string): void;
  /** Whether somebody sits at stdin who can be asked. */
  isInteractive(): boolean;
  /** All of stdin; FIELD_INVALID over the limit. */
  readInput(): Promise<Buffer>;
  /** The next line that the user types; empty at the end of stdin. */
  readLine(): Promise<string>;
}

export const processTerminal: Terminal = {
  print: (line) => process.stdout.write(`${line}\n`),
  printJson: (value) => process.stdout.write(`${JSON.stringify(value, undefined, 2)}\n`),
  note: (line) => process.stderr.write(`${line}\n`),
  error: (message) => process.stderr.write(`error: ${message}\n`),
  hint: (message) => process.stderr.write(`hint: ${message}\n`),
  isInteractive: () => process.stdin.isTTY,
  readInput,
  readLine,
};

async function readInput(): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of process.stdin) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size > MAX_STDIN_BYTES)
      throw new KeyturnError('FIELD_INVALID', `stdin must hold at most ${MAX_STDIN_BYTES} bytes`);
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}

async function readLine(): Promise<string> {
  const lines = createInterface({ input: process.stdin });
  try {
    for await (const line of lines) return line.trim();
    return '';
  } finally {
    lines.close();
  }
}

/** `keyturn key list | head` closes our stdout early: that is no error. */
export function ignoreClosedPipes(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
    });
  }
}
