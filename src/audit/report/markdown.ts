/** The compliance report as a page for an auditor who never saw keyturn: every term is said in a line. Pure. */
import { formatDuration } from '../../base/duration.ts';
import type { AttributeReading } from '../../lifecycle/model.ts';
import type {
  Birth,
  ComplianceReport,
  Coverage,
  Ending,
  Happening,
  PolicySpan,
  Punctuality,
  SigningKeySection,
  Turn,
} from './report.ts';

const ABSENT = '–';

const TERMS: readonly (readonly [term: string, meaning: string])[] = [
  ['JWT', 'a JSON Web Token (RFC 7519): what keyturn signs; it ends at its `exp`'],
  ['token', 'the hardware security module (PKCS#11) that holds the private keys; they never leave it'],
  ['signing key', 'a name that callers sign with; its key versions take turns'],
  ['key version', 'one key pair in the token; `kid` is the name of its public half (RFC 7638)'],
  [
    'signing period',
    'how long a version signs before the next one is due; the longest: after it, nothing more is signed with it',
  ],
  ['rotation', 'the next version begins to sign; the one before stays published until its last JWT has ended'],
  ['compromised', 'declared known to somebody else: withdrawn from verifiers at once, and never used again'],
  ['checkpoint', 'an entry in which a key in the token signs for everything that is before it in the log'],
  ['head', 'sequence and hash of the latest entry: together they stand for the whole log up to it'],
];

const PUNCTUALITY: Readonly<Record<Punctuality, string>> = {
  onTime: 'on time',
  late: '**late**',
  tooLate: '**after the longest signing period**',
  overdue: '**still due**',
};

const CAUSES: Readonly<Record<Turn['cause'], string>> = {
  first: 'first version',
  rotation: 'rotation',
  takeover: 'a standby took over',
  reactivation: 'an earlier version came back by command',
  rollback: 'a rotation was undone by command',
  unretirement: 'the signing key was taken back into service',
  halt: 'signing was stopped by command',
  compromise: 'declared compromised, and nothing could take over',
  due: 'rotation',
};

export function toMarkdown(report: ComplianceReport): string {
  const sections = [
    [`# Compliance report: ${day(report.period.fromMs)} to ${day(report.period.toMs)}`, '', ...toSummary(report)],
    ['## Whether this log is whole and unchanged', '', ...toCoverage(report.coverage)],
    ['## Terms', '', ...TERMS.map(([term, meaning]) => `- **${term}**: ${meaning}.`)],
    ['## Signing keys and their policies', '', ...report.signingKeys.flatMap(toSigningKey)],
    ['## Rotations', '', ...toTurns(report.turns)],
    ['## Keys that were made', '', ...toBirths(report.births)],
    ['## Keys that ended', '', ...toEndings(report.endings)],
    ['## Who did what', '', ...toCommands(report)],
    ['## Two-person control', '', ...toApprovals(report)],
    ['## Changes of the access policy', '', ...toHappenings(report.accessPolicies, 'It did not change.')],
    ['## Refused calls', '', ...toRefusals(report)],
    ['## JWTs', '', ...toJwts(report)],
    ['## Gaps', '', ...toHappenings(report.gaps, 'None: every entry is there, and the daemon ran throughout.')],
    ['## The clock', '', ...toHappenings(report.clock, 'It was never in doubt.')],
    ['## Anomalies', '', ...toHappenings(report.anomalies, 'None.')],
    ...(report.omitted === 0
      ? []
      : [
          [
            '## Left out',
            '',
            `${report.omitted} rows beyond the limit of a table are left out; ask for a shorter period.`,
          ],
        ]),
  ];
  return `${sections.map((lines) => lines.join('\n').trimEnd()).join('\n\n')}\n`;
}

function toSummary({ coverage, turns, endings, births, anomalies, jwts, refusals }: ComplianceReport): string[] {
  const late = turns.filter(({ punctuality }) => punctuality !== 'onTime').length;
  const compromised = endings.filter((ending) => ending.compromised !== undefined).length;
  const doubtful = births.filter(({ doubts }) => doubts.length > 0).length;
  const signed = jwts.reduce((sum, { dispatched, failed }) => sum + dispatched - failed, 0);
  return table(
    ['question', 'answer'],
    [
      [
        'Is the log whole and unchanged?',
        coverage.isVerified ? 'yes, as far as said below' : `**no**: ${text(coverage.problem ?? '')}`,
      ],
      ['Were rotations on time?', late === 0 ? `all ${turns.length}` : `**${late} of ${turns.length} were not**`],
      [
        'Were all keys born in the token, unable to leave it?',
        doubtful === 0 ? `all ${births.length}` : `**${doubtful} of ${births.length} not proven**`,
      ],
      ['Keys declared compromised', String(compromised)],
      ['JWTs signed', String(signed)],
      ['Calls refused', String(refusals.reduce((sum, { count }) => sum + count, 0))],
      ['Anomalies', String(anomalies.length)],
    ],
  );
}

function toCoverage(coverage: Coverage): string[] {
  const { isVerified, problem, firstSequence, lastSequence, headHash, checkpoints, signedThrough, knownThrough } =
    coverage;
  const lines = [
    isVerified
      ? 'Each entry holds the hash of the one before it. All of them were checked, and none is missing, moved or changed.'
      : `**The log does not verify**: ${text(problem ?? '')}. What follows is what it says all the same.`,
    '',
    ...table(
      ['what', 'value'],
      [
        ['entries', `${firstSequence} to ${lastSequence}`],
        ['head', code(`${lastSequence}:${headHash}`)],
        ['checkpoints', String(checkpoints)],
        [
          'signed for up to entry',
          signedThrough === undefined ? `${ABSENT} (no public key was given)` : String(signedThrough),
        ],
        [
          'known from elsewhere up to entry',
          knownThrough === undefined ? `${ABSENT} (no head was given)` : String(knownThrough),
        ],
      ],
    ),
  ];
  const vouchedFor = Math.max(signedThrough ?? 0, knownThrough ?? 0);
  if (vouchedFor < lastSequence)
    lines.push(
      '',
      `Nothing outside the files vouches for the entries after ${vouchedFor}: whoever could write the files could have made them up.`,
    );
  if (knownThrough === undefined)
    lines.push('', 'Entries cut off at the end can only be found with a head from elsewhere (`--head`).');
  return lines;
}

function toSigningKey({ name, keySet, algorithm, createdMs, retiredMs, policies }: SigningKeySection): string[] {
  const facts = [
    algorithm === undefined ? 'made before the log begins' : `${algorithm}, in key set ${text(keySet ?? '')}`,
    ...(createdMs === undefined ? [] : [`made ${time(createdMs)}`]),
    ...(retiredMs === undefined ? [] : [`retired ${time(retiredMs)}`]),
  ];
  return [
    `### ${text(name)}`,
    '',
    `${facts.join('; ')}.`,
    '',
    ...(policies.length === 0
      ? ['The log does not say its policy: it begins later.']
      : table(
          [
            'policy since',
            'signing period',
            'longest',
            'JWT lifetime at most',
            'rollback window',
            'standbys',
            'by',
            'reason',
          ],
          policies.map(toPolicyRow),
        )),
    '',
  ];
}

function toPolicyRow({ sinceMs, policy, caller, reason }: PolicySpan): string[] {
  const { signingPeriodMs, maxSigningPeriodMs, maxJwtLifetimeMs, rollbackWindowMs, standbys } = policy;
  return [
    time(sinceMs),
    ...[signingPeriodMs, maxSigningPeriodMs, maxJwtLifetimeMs, rollbackWindowMs].map(formatDuration),
    String(standbys),
    text(caller),
    text(reason),
  ];
}

function toTurns(turns: readonly Turn[]): string[] {
  if (turns.length === 0) return ['None was due, and none was done.'];
  return [
    '`keyturn` as the caller is the daemon itself, by its schedule. It rotates up to a twentieth of the period early, so that not all keys turn at once.',
    '',
    ...table(
      ['signing key', 'version', 'signed since', 'due', 'done', 'verdict', 'why', 'by', 'reason'],
      turns.map((turn) => [
        text(turn.signingKey),
        `${turn.fromVersion ?? ABSENT} → ${turn.toVersion ?? ABSENT}`,
        time(turn.sinceMs),
        time(turn.dueMs),
        time(turn.doneMs),
        toVerdict(turn),
        CAUSES[turn.cause],
        text(turn.caller),
        text(turn.reason),
      ]),
    ),
  ];
}

function toVerdict({ cause, punctuality, lateMs }: Turn): string {
  if (punctuality !== 'onTime') return `${PUNCTUALITY[punctuality]}, by ${formatDuration(lateMs)}`;
  return cause === 'rotation' ? PUNCTUALITY.onTime : 'not due yet';
}

function toBirths(births: readonly Birth[]): string[] {
  if (births.length === 0) return ['None.'];
  const readings = (names: readonly string[], { record }: Birth): string =>
    names.map((name) => `${name.replace('CKA_', '')} ${shown(record.attributes[name])}`).join(', ');
  return [
    'What the token itself said of each private key right after making it. A key that is always sensitive and never extractable can’t have been outside; `LOCAL` says that this token made it (some tokens don’t tell).',
    '',
    ...table(
      ['signing key', 'version', 'kid', 'made', 'token', 'what the token says', 'proven'],
      births.map((birth) => [
        text(birth.signingKey),
        String(birth.version),
        code(birth.kid),
        time(birth.atMs) + (birth.isRecovered ? ' (found again)' : ''),
        text(
          `${birth.record.manufacturer} ${birth.record.model}, serial ${birth.record.tokenSerial}, firmware ${birth.record.firmwareVersion}`,
        ),
        readings(
          ['CKA_ALWAYS_SENSITIVE', 'CKA_NEVER_EXTRACTABLE', 'CKA_SENSITIVE', 'CKA_EXTRACTABLE', 'CKA_LOCAL'],
          birth,
        ),
        birth.doubts.length === 0 ? 'yes' : `**no**: ${birth.doubts.join(', ')}`,
      ]),
    ),
  ];
}

function shown(reading: AttributeReading | undefined): string {
  return reading === undefined ? 'not recorded' : String(reading);
}

function toEndings(endings: readonly Ending[]): string[] {
  if (endings.length === 0) return ['None.'];
  return table(
    [
      'signing key',
      'version',
      'kid',
      'end',
      'stopped signing',
      'withdrawn from verifiers',
      'private key destroyed',
      'by',
      'reason',
    ],
    endings.map((ending) => {
      const { compromised, stoppedSigningMs, withdrawnMs, privateKeyDestroyedMs, isRetained } = ending;
      return [
        text(ending.signingKey),
        String(ending.version),
        code(ending.kid),
        compromised === undefined ? 'in due course' : '**compromised**',
        time(stoppedSigningMs),
        after(withdrawnMs, compromised?.atMs),
        privateKeyDestroyedMs === undefined && isRetained
          ? 'kept as evidence'
          : after(privateKeyDestroyedMs, compromised?.atMs),
        text(compromised?.caller ?? ''),
        text(compromised?.reason ?? ''),
      ];
    }),
  );
}

/** With how long it took since the declaration. */
function after(atMs: number | undefined, sinceMs: number | undefined): string {
  if (atMs === undefined || sinceMs === undefined) return time(atMs);
  return `${time(atMs)} (after ${formatDuration(atMs - sinceMs)})`;
}

function toCommands({ commands }: ComplianceReport): string[] {
  if (commands.length === 0) return ['Nobody gave a command.'];
  return table(
    ['entry', 'time', 'caller', 'command', 'on', 'reason given', 'outcome'],
    commands.map(({ sequence, atMs, caller, method, subject, reason, outcome }) => [
      String(sequence),
      time(atMs),
      text(caller),
      text(method),
      text(subject),
      text(reason),
      text(outcome),
    ]),
  );
}

function toApprovals({ approvals }: ComplianceReport): string[] {
  if (approvals.length === 0) return ['Nothing was proposed.'];
  return table(
    [
      'proposal',
      'proposed',
      'by',
      'command',
      'what it does',
      'reason given',
      'officers needed',
      'approved by',
      'outcome',
    ],
    approvals.map(({ id, proposedMs, proposer, method, effect, reason, officers, approvers, outcome }) => [
      text(id),
      time(proposedMs),
      text(proposer),
      text(method),
      text(effect.join('; ')),
      text(reason),
      String(officers),
      text(approvers.join('; ')),
      text(outcome),
    ]),
  );
}

function toRefusals({ refusals }: ComplianceReport): string[] {
  if (refusals.length === 0) return ['None.'];
  return table(
    ['caller', 'call', 'refused because', 'count', 'first', 'last'],
    refusals.map(({ caller, method, reason, count, firstMs, lastMs }) => [
      text(caller),
      text(method),
      text(reason),
      String(count),
      time(firstMs),
      time(lastMs),
    ]),
  );
}

function toJwts({ jwts }: ComplianceReport): string[] {
  if (jwts.length === 0) return ['None was signed.'];
  return table(
    ['signing key', 'caller', 'kid', 'alg', 'signed', 'failed', 'longest lifetime', 'first', 'last'],
    jwts.map((row) => [
      text(row.signingKey),
      text(row.caller),
      code(row.kid),
      text(row.algorithm),
      String(row.dispatched - row.failed),
      String(row.failed),
      formatDuration(row.longestLifetimeMs),
      time(row.firstMs),
      time(row.lastMs),
    ]),
  );
}

function toHappenings(happenings: readonly Happening[], none: string): string[] {
  if (happenings.length === 0) return [none];
  return table(
    ['entry', 'time', 'what'],
    happenings.map(({ sequence, atMs, what }) => [sequence === 0 ? '' : String(sequence), time(atMs), text(what)]),
  );
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const toLine = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => (cell === '' ? ABSENT : cell)).join(' | ')} |`;
  return [toLine(header), toLine(header.map(() => '---')), ...rows.map(toLine)];
}

/** Words that somebody typed must stay words: no cell, no markup and no HTML of their own. */
function text(value: string): string {
  return value
    .replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')
    .replaceAll(/[\\`*{}[\]<>|#~]|(?<!\w)_|_(?!\w)/g, String.raw`\$&`)
    .trim();
}

/** Of kids and hashes, whose alphabet is known. */
function code(value: string): string {
  return /^[\w:+/=-]+$/.test(value) ? `\`${value}\`` : text(value);
}

function time(atMs: number | undefined): string {
  return atMs === undefined ? ABSENT : new Date(atMs).toISOString().replace(/\.\d{3}Z$/, 'Z');
}

function day(atMs: number): string {
  return time(atMs).replace('T00:00:00Z', '');
}
