/**
 * `keyturn audit forward`: entries to a syslog server as they are written, until it is interrupted. A process beside the
 * daemon that reads its files: it can't hold up signing, and what the server doesn't take waits in the log.
 */
import { hostname } from 'node:os';
import path from 'node:path';
import { formatHead, type Head, hashLine } from '../audit/chain.ts';
import { KeyturnError } from '../base/errors.ts';
import { directoryOf, DIRECTORY_ARGUMENT } from './audit-log.ts';
import { readNamedFile } from './argument-input.ts';
import { type CommandContext, type CommandSpec, isSwitchedOn, type Options, textOption } from './command.ts';
import { EXIT } from './exit-code.ts';

/** Of a busy log the position is written so often; after a crash, entries since then are sent again. */
const POSITION_STEP_MS = 1_000;

export const auditForwardCommand: CommandSpec = {
  name: 'audit forward',
  summary: 'send entries to a syslog server as they are written, and go on where it was after a restart',
  arguments: [DIRECTORY_ARGUMENT],
  options: [
    { flags: '--to <target>', description: 'tls://HOST:PORT, tcp://HOST:PORT or unix:/PATH', required: true },
    { flags: '--position <file>', description: 'where it is written down how far it came', required: true },
    { flags: '--ca <file>', description: "CA certificate (PEM) that the server's certificate must chain to" },
    { flags: '--without-jwts', description: 'leave out what is about single JWTs: most of a log' },
  ],
  async run(context, input) {
    const { options } = input;
    const directory = directoryOf(context, input);
    const positionFile = path.resolve(context.workingDirectory, textOption(options, 'position') ?? '');
    const { readPosition, writePosition } = await import('../audit/sinks/forward-position.ts');
    const { isAboutJwt, toSyslogFrame } = await import('../audit/sinks/syslog-message.ts');
    const { followLines } = await import('../audit/files/follow-segments.ts');
    const { parseEntry } = await import('../audit/encoding.ts');
    const sender = await makeSender(context, options);
    const origin = { hostName: hostname(), processId: process.pid };
    const withoutJwts = isSwitchedOn(options, 'withoutJwts');
    let position = await readPosition(positionFile);
    let writtenAtMs = Number.NEGATIVE_INFINITY;
    for await (const bytes of followLines(directory, (position?.seq ?? 0) + 1)) {
      const { seq, kind } = parseEntry(bytes);
      const head = { seq, hash: hashLine(bytes) };
      if (isSent(position, head)) continue;
      warnOfGap(context, position, seq);
      const line = Buffer.from(bytes).toString('utf8');
      if (!withoutJwts || !isAboutJwt(line)) await sender.send(toSyslogFrame(line, origin));
      position = head;
      if (kind !== 'CHECKPOINT' && context.clock.monotonicMs() - writtenAtMs < POSITION_STEP_MS) continue;
      await writePosition(positionFile, head);
      writtenAtMs = context.clock.monotonicMs();
    }
    return EXIT.ok;
  },
};

async function makeSender(context: CommandContext, options: Options) {
  const { connectTo, parseSyslogTarget } = await import('../audit/sinks/syslog-target.ts');
  const { SyslogSender } = await import('../audit/sinks/syslog-sender.ts');
  const caFile = textOption(options, 'ca');
  const ca = caFile === undefined ? undefined : (await readNamedFile(context, caFile, '--ca')).toString('utf8');
  const target = parseSyslogTarget(textOption(options, 'to') ?? '', '--to', ca);
  return new SyslogSender({
    connect: (ready) => connectTo(target, ready),
    clock: context.clock,
    log: {
      info: (_, message) => {
        context.terminal.note(message);
      },
      warn: (fields, message) => {
        const problem = 'err' in fields && fields.err instanceof Error ? `: ${fields.err.message}` : '';
        context.terminal.note(`${message}${problem}`);
      },
    },
  });
}

/** Errors: AUDIT_LOG_DAMAGED when the entry at the position is not the one that was sent. */
function isSent(position: Head | undefined, head: Head): boolean {
  if (position === undefined || head.seq > position.seq) return false;
  if (head.seq < position.seq || head.hash === position.hash) return true;
  throw new KeyturnError(
    'AUDIT_LOG_DAMAGED',
    `entry ${head.seq} is not the one that was sent, ${formatHead(position)}: the log was changed, or another one is in its place`,
  );
}

function warnOfGap({ terminal }: CommandContext, position: Head | undefined, seq: number): void {
  const expected = (position?.seq ?? 0) + 1;
  if (seq > expected) terminal.note(`entries ${expected} to ${seq - 1} are gone, and were not sent`);
}
