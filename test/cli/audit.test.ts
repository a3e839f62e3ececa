/** The commands on an audit log's files, as an auditor would use them: a copy of the files, a key, a head, and nothing else. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  watch,
  writeFileSync,
} from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, describe, expect, it } from 'vitest';
import { formatHead } from '../../src/audit/chain.ts';
import { toCheckpointJwk } from '../../src/audit/checkpoint-key.ts';
import { segmentName } from '../../src/audit/segments.ts';
import { makeLog } from '../fixtures/audit-log.ts';
import { HAS_PYTHON_CRYPTOGRAPHY, runPython } from '../fixtures/python-program.ts';
import { runCli } from './run-cli.ts';

const cwd = mkdtempSync(path.join(tmpdir(), 'keyturn-audit-'));
const log = makeLog({ entries: 1_000, checkpointEvery: 50 });
const HEAD = formatHead(log.head);
const SEGMENT_ENTRIES = 400;

function writeLog(name: string, lines: readonly Uint8Array[]): string {
  const directory = path.join(cwd, name);
  mkdirSync(directory);
  for (let first = 0; first < lines.length; first += SEGMENT_ENTRIES) {
    const segment = lines
      .slice(first, first + SEGMENT_ENTRIES)
      .map((line) => `${Buffer.from(line).toString('utf8')}\n`);
    writeFileSync(path.join(directory, segmentName(first + 1)), segment.join(''));
  }
  return name;
}

const GOOD = writeLog('good', log.lines);
const EDITED = writeLog(
  'edited',
  log.lines.map((line, index) =>
    index === 699
      ? Buffer.from(
          Buffer.from(line)
            .toString('utf8')
            .replace(/"time":"2026/, '"time":"2027'),
        )
      : line,
  ),
);
const CUT = writeLog('cut', log.lines.slice(0, 950));
const TORN = writeLog('torn', log.lines);
appendFileSync(path.join(cwd, TORN, segmentName(801)), '{"seq":1001,"ti');
writeFileSync(path.join(cwd, 'audit.jwk'), JSON.stringify(toCheckpointJwk(log.key)));

afterAll(() => {
  rmSync(cwd, { recursive: true });
});

async function verifyJson(words: readonly string[]): Promise<{ readonly code: number; readonly json: unknown }> {
  const { code, stdout } = await runCli(['audit', 'verify', ...words, '--json'], { cwd });
  return { code, json: JSON.parse(stdout) };
}

describe('keyturn audit verify', () => {
  it('ends with 0 for a whole log, and says how far signatures and heads vouch for it', async () => {
    const { code, json } = await verifyJson([GOOD, '--key', 'audit.jwk', '--head', HEAD]);
    expect(code).toBe(0);
    expect(json).toEqual({
      verified: true,
      entries: 1_000,
      first: 1,
      head: HEAD,
      checkpoints: 20,
      signedThrough: 999,
      knownThrough: 1_000,
      notes: [],
    });
  });

  it('ends with 1 and names the first bad entry', async () => {
    const { code, stderr, stdout } = await runCli(['audit', 'verify', EDITED, '--key', 'audit.jwk', '--head', HEAD], {
      cwd,
    });
    expect(code).toBe(1);
    expect(stdout).toMatch(/^not verified\n/);
    expect(stderr).toContain('error: entry 700 is the first that is bad: ');
  });

  it('finds a truncation with the head, and without it says what nothing vouches for', async () => {
    const { code, json } = await verifyJson([CUT, '--key', 'audit.jwk', '--head', HEAD]);
    expect(code).toBe(1);
    expect(json).toMatchObject({ problem: { kind: 'truncated', sequence: 951 } });
    expect(await verifyJson([CUT, '--key', 'audit.jwk'])).toMatchObject({
      code: 0,
      json: { signedThrough: 949, notes: ['nothing from outside the files vouches for the entries from 950 on'] },
    });
  });

  it('takes a torn last line for what it is', async () => {
    expect(await verifyJson([TORN, '--head', HEAD])).toMatchObject({
      code: 0,
      json: { notes: ['the last line breaks off after 15 bytes: nobody was answered for it'] },
    });
  });

  it.each([
    ['a folder that isn’t there', ['nowhere']],
    ['a folder without a log', ['.']],
    ['a malformed head', [GOOD, '--head', '17']],
    ['a key file that is none', [GOOD, '--key', path.join(GOOD, segmentName(1))]],
  ])('ends with 2 for %s', async (_, words) => {
    expect((await runCli(['audit', 'verify', ...words], { cwd })).code).toBe(2);
  });
});

describe.runIf(HAS_PYTHON_CRYPTOGRAPHY)('a verifier in another language, with no code of ours', () => {
  it('comes to the same verdicts', async () => {
    const judge = async (...words: readonly string[]): Promise<unknown> =>
      (
        await runPython(
          'verify_audit.py',
          words.map((word) => (word.includes(':') ? word : path.join(cwd, word))),
          [],
        )
      )[0];
    expect(await judge(GOOD, 'audit.jwk', HEAD)).toEqual({
      verified: true,
      entries: 1_000,
      head: HEAD,
      checkpoints: 20,
      signedThrough: 999,
    });
    expect(await judge(EDITED, 'audit.jwk', HEAD)).toMatchObject({ verified: false, entry: 700 });
    expect(await judge(CUT, 'audit.jwk', HEAD)).toMatchObject({ verified: false, entry: 951 });
    expect(await judge(TORN)).toMatchObject({ verified: true, head: HEAD });
  });
});

describe('keyturn audit show, head and key', () => {
  it('prints the entries that were asked for, as lines of the log or for people', async () => {
    const words = ['audit', 'show', GOOD, '--kind', 'CALL', '--caller', 'operator', '--signing-key', 'access-tokens'];
    const { stdout } = await runCli([...words, '--to', '2026-01-31T12:00:00.030Z'], { cwd });
    expect(stdout.split('\n')).toEqual([
      expect.stringMatching(
        /^11 2026-01-31T12:00:00\.010Z CALL caller=operator method=\/keyturn\.v1\.KeyAdminService\/Rotate sha256=\S{43} signingKey=access-tokens comment="quarterly “drill”" outcome=OK$/,
      ),
      expect.stringMatching(/^22 /),
      '',
    ]);
    const lines = await runCli([...words, '--from', '2026-01-31T12:00:00.980Z', '--json'], { cwd });
    expect(lines.stdout).toBe(`${Buffer.from(log.lines[989] ?? '').toString('utf8')}\n`);
  });

  it('prints what verification needs to be kept elsewhere', async () => {
    expect((await runCli(['audit', 'head', TORN], { cwd })).stdout).toBe(`${HEAD}\n`);
    const { stdout } = await runCli(['audit', 'key', GOOD], { cwd });
    expect(JSON.parse(stdout)).toEqual(toCheckpointJwk(log.later));
  });
});

describe('keyturn audit tail', () => {
  it('follows the log from segment to segment', async () => {
    const directory = writeLog('followed', log.lines.slice(0, 2));
    const entry = path.resolve(import.meta.dirname, '../../src/cli.ts');
    const tail = spawn(process.execPath, [entry, 'audit', 'tail', directory, '--json'], {
      cwd,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = once(tail, 'exit');
    const lines = createInterface({ input: tail.stdout })[Symbol.asyncIterator]();
    const next = async (): Promise<unknown> => (await lines.next()).value;
    const textOf = (seq: number): string => Buffer.from(log.lines[seq - 1] ?? '').toString('utf8');
    expect([await next(), await next()]).toEqual([textOf(1), textOf(2)]);
    const first = path.join(cwd, directory, segmentName(1));
    appendFileSync(first, textOf(3).slice(0, 20));
    appendFileSync(first, `${textOf(3).slice(20)}\n`);
    expect(await next()).toBe(textOf(3));
    writeFileSync(path.join(cwd, directory, segmentName(4)), `${textOf(4)}\n`);
    expect(await next()).toBe(textOf(4));
    appendFileSync(path.join(cwd, directory, segmentName(4)), `${textOf(5)}\n`);
    expect(await next()).toBe(textOf(5));
    tail.kill('SIGINT');
    await ended;
  });
});

describe('keyturn audit forward', () => {
  it('sends each entry once, goes on where it was after a restart, and refuses a log that was changed', async () => {
    const directory = writeLog('forwarded', log.lines.slice(0, 50));
    const first = path.join(cwd, directory, segmentName(1));
    const received: string[] = [];
    let wake = (): void => undefined;
    const server = createServer((socket) => {
      socket.setEncoding('utf8').on('data', (text: string) => {
        received.push(...[...text.matchAll(/"seq":(\d+),/g)].map(([, seq = '']) => seq));
        wake();
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const until = async (count: number): Promise<void> => {
      while (received.length < count)
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    };
    const words = ['audit', 'forward', directory, '--to', `tcp://127.0.0.1:${port}`, '--position', 'position'];
    const start = (): ChildProcess =>
      spawn(process.execPath, [path.resolve(import.meta.dirname, '../../src/cli.ts'), ...words], {
        cwd,
        stdio: 'ignore',
      });
    const stop = async (child: ChildProcess): Promise<void> => {
      const ended = once(child, 'exit');
      child.kill();
      await ended;
    };
    const forwarder = start();
    // The last entry is a checkpoint: how far it came is written down with it.
    await until(50);
    const written = watch(cwd, { signal: AbortSignal.timeout(30_000) });
    while (
      !existsSync(path.join(cwd, 'position')) ||
      !readFileSync(path.join(cwd, 'position'), 'utf8').startsWith('50:')
    )
      await once(written, 'change');
    written.close();
    await stop(forwarder);
    appendFileSync(first, `${Buffer.from(log.lines[50] ?? '').toString('utf8')}\n`);
    const again = start();
    await until(51);
    expect(received).toEqual(Array.from({ length: 51 }, (_, index) => String(index + 1)));
    await stop(again);
    server.close();
    writeFileSync(path.join(cwd, 'position'), `7:${'x'.repeat(43)}\n`);
    const { code, stderr } = await runCli(words, { cwd });
    expect(code).toBe(1);
    expect(stderr).toContain('entry 7 is not the one that was sent');
  });
});

describe('keyturn audit report', () => {
  const PERIOD = ['--from', '2026-01-31T00:00:00Z', '--to', '2026-02-01T00:00:00Z'];

  it('is a page, or JSON, and ends with 1 when the log does not verify', async () => {
    const good = await runCli(['audit', 'report', GOOD, ...PERIOD, '--key', 'audit.jwk', '--head', HEAD], { cwd });
    expect(good.code).toBe(0);
    expect(good.stdout).toMatch(/^# Compliance report: 2026-01-31 to 2026-02-01\n/);
    expect(good.stdout).toContain('| known from elsewhere up to entry | 1000 |');
    const bad = await runCli(['audit', 'report', EDITED, ...PERIOD, '--json'], { cwd });
    expect(bad.code).toBe(1);
    expect(JSON.parse(bad.stdout)).toMatchObject({ coverage: { isVerified: false } });
  });

  it('wants a period that has a length', async () => {
    const words = ['audit', 'report', GOOD, '--from', '2026-02-01T00:00:00Z', '--to', '2026-02-01T00:00:00Z'];
    expect((await runCli(words, { cwd })).code).toBe(2);
  });
});
