/** The drill of docs/operate/drill.md, typed as it stands there: each command prints what the document says. */
import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { builtFile } from '../fixtures/built.ts';

const DOCUMENT = path.resolve(import.meta.dirname, '../../docs/operate/drill.md');
/** Between what two commands print. */
const MARK = '@@@';
const LIMIT_SECONDS = 100;

interface Step {
  readonly command: string;
  /** Lines; `…` alone stands for any number of them, and within a line for anything. */
  readonly output: readonly string[];
}

function parseSteps(document: string): Step[] {
  const blocks = [...document.matchAll(/^```\n([\s\S]*?)^```$/gm)].map(([, text = '']) => text);
  return blocks
    .flatMap((text) => text.split(/^\$ /m).filter((part) => part.trim() !== ''))
    .map((part) => {
      const [command = '', ...output] = part.trimEnd().split('\n');
      return { command, output };
    });
}

/** What differs from run to run, and the widths of columns, made equal. */
function normalise(line: string): string {
  return line
    .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g, 'TIME')
    .replace(/\b(?:in )?\d+(?:\.\d+)? (?:d|h|min|s)(?: \d+ (?:h|min|s))?(?: ago)?\b/g, 'DURATION')
    .replaceAll('(now)', '(DURATION)')
    .replace(/(?<![\w-])[\w-]{43}(?![\w-])/g, 'KID')
    .replace(/\s+/g, ' ')
    .trim();
}

function toPattern(output: readonly string[]): RegExp {
  const lines = output.map((line) =>
    line.trim() === '…'
      ? '(?:.*\n)*'
      : `${normalise(line)
          .split('…')
          .map((text) => text.replace(/[$()*+.?[\\\]^{|}]/g, '\\$&'))
          .join('.*')}\n`,
  );
  return new RegExp(`^${lines.join('')}$`);
}

const homes: string[] = [];

afterAll(() => {
  for (const home of homes) rmSync(home, { recursive: true, force: true });
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}

/** Runs the commands in one shell, in an empty folder. Returns what each printed. */
async function type(commands: readonly string[]): Promise<string[]> {
  const home = mkdtempSync(path.join(tmpdir(), 'keyturn-drill-'));
  homes.push(home);
  const program = path.join(home, 'keyturn');
  writeFileSync(program, `#!/bin/sh\nexec '${process.execPath}' '${builtFile('cli.js')}' "$@"\n`);
  chmodSync(program, 0o755);
  const script = commands.flatMap((command) => [command, `echo '${MARK}'`]).join('\n');
  // Whatever goes wrong, its whole process group ends, the daemon too.
  const shell = spawn('timeout', [String(LIMIT_SECONDS), 'bash', '-c', `exec 2>&1\n${script}\nwait`], {
    cwd: home,
    env: { PATH: `${home}:${process.env['PATH'] ?? ''}`, HOME: home },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let printed = '';
  shell.stdout.setEncoding('utf8').on('data', (text: string) => (printed += text));
  await new Promise((resolve) => shell.once('close', resolve));
  return printed.split(`${MARK}\n`).slice(0, -1);
}

describe('the drill', () => {
  it('prints what the document says, command by command', { timeout: 120_000 }, async () => {
    const [grpcPort, httpPort] = [await freePort(), await freePort()];
    const steps = parseSteps(readFileSync(DOCUMENT, 'utf8'));
    const commands = steps.map(({ command }) =>
      command
        .replace('init ', `init --grpc-address 127.0.0.1:${grpcPort} --http-address 127.0.0.1:${httpPort} `)
        .replace('127.0.0.1:8080', `127.0.0.1:${httpPort}`),
    );
    const printed = await type(commands);
    expect(printed).toHaveLength(steps.length);
    steps.forEach(({ command, output }, index) => {
      const text = (printed[index] ?? '').split('\n').map(normalise).join('\n');
      expect(text, `$ ${command}`).toMatch(toPattern(output));
    });
  });

  it('would be found with a line that no command prints, or without one that it does', () => {
    expect('a\nb\n').toMatch(toPattern(['a', 'b']));
    expect('a\nx\ny\nb\n').toMatch(toPattern(['a', '…', 'b']));
    expect('version 1 expires before TIME (DURATION)\n').toMatch(
      toPattern(['version 1 expires before 2026-11-24T15:27:51Z (in 5 min 41 s)']),
    );
    expect('a\nb\n').not.toMatch(toPattern(['a']));
    expect('a\n').not.toMatch(toPattern(['a', 'b']));
  });
});
