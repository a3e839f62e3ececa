/**
 * `keyturn doctor`: what is wrong, and what to do about it. Reads and asks; changes nothing, and uses the PIN only with
 * `--token`.
 */
import type { Config } from '../config/config.ts';
import { isSwitchedOn, JSON_OPTION, type CommandContext, type CommandSpec, type Options } from './command.ts';
import { findConfigFile, USUAL_CONFIG_FILES } from './config-file.ts';
import { inspectConfig } from './config-problems.ts';
import { checkCertificates } from './doctor-certificates.ts';
import { checkDaemon } from './doctor-daemon.ts';
import { checkClock, checkModuleFile, checkNode } from './doctor-machine.ts';
import { describeCapabilities, type TokenTrial, tryToken } from './doctor-token.ts';
import { EXIT } from './exit-code.ts';
import { fail, ok, type Finding } from './findings.ts';
import { formatTable } from './table.ts';

export const doctorCommand: CommandSpec = {
  name: 'doctor',
  summary: 'look for what could be wrong, and say what to do about it',
  options: [
    { flags: '--token', description: 'log in to the token, and try every algorithm with throw-away keys' },
    JSON_OPTION,
  ],
  async run(context, { options }) {
    const { findings: examined, config } = await examine(context, options);
    const isTried = isSwitchedOn(options, 'token') && config !== undefined;
    const trial = isTried ? await tryToken(context, options, config) : NO_TRIAL;
    const findings = [...examined, ...trial.findings];
    const failures = findings.filter(({ status }) => status === 'fail').length;
    report(context, options, { findings, capabilities: trial.capabilities }, failures);
    return failures === 0 ? EXIT.ok : EXIT.refused;
  },
};

const NO_TRIAL: TokenTrial = { findings: [], capabilities: [] };

interface Examination {
  readonly findings: readonly Finding[];
  /** Undefined when the token can't be tried with it. */
  readonly config: Config | undefined;
}

async function examine(context: CommandContext, options: Options): Promise<Examination> {
  const nowMs = context.clock.wallMs();
  const node = checkNode(process.versions.node);
  const file = findConfigFile(context, options);
  if (file === undefined) {
    const missing = fail(
      'configuration',
      `none of ${USUAL_CONFIG_FILES.join(', ')}`,
      'make one with `keyturn init`, or name it with --config',
    );
    return { findings: [node, checkClock([], nowMs), missing], config: undefined };
  }
  const { config, problems } = await inspectConfig(file);
  const configuration =
    problems.length === 0
      ? [ok('configuration', `${file} and the files it names are good`)]
      : problems.map(({ path, message }) =>
          fail('configuration', path === '' ? message : `${path}: ${message}`, `correct it in ${file}`),
        );
  if (config === undefined) return { findings: [node, checkClock([file], nowMs), ...configuration], config };
  // What the configuration's check found isn't told twice.
  const isGood = (place: string): boolean => !problems.some(({ path }) => path.startsWith(place));
  const tls = config.grpcListeners.filter((listener) => listener.kind === 'tls');
  const findings = [
    node,
    checkClock([file, config.storeFile], nowMs),
    ...configuration,
    ...(isGood('token.module') ? [checkModuleFile(config)] : []),
    ...(isGood('grpc.tls') ? tls.flatMap((listener) => checkCertificates(listener, nowMs)) : []),
    ...(await checkDaemon(context, options, config)),
  ];
  return { findings, config: isGood('token') ? config : undefined };
}

function report(
  context: CommandContext,
  options: Options,
  { findings, capabilities }: TokenTrial,
  failures: number,
): void {
  const { terminal } = context;
  if (isSwitchedOn(options, 'json')) {
    const tried = isSwitchedOn(options, 'token') ? { capabilities } : {};
    terminal.printJson({ ok: failures === 0, checks: findings, ...tried });
    return;
  }
  const [, ...lines] = formatTable(
    ['', '', ''],
    findings.map(({ status, name, message }) => [status, name, message]),
  );
  for (const [index, line] of lines.entries()) {
    terminal.print(line);
    const hint = findings[index]?.hint;
    if (hint !== undefined) terminal.print(`      hint: ${hint}`);
  }
  if (capabilities.length > 0) for (const line of ['', ...describeCapabilities(capabilities)]) terminal.print(line);
  if (failures > 0) terminal.error(failures === 1 ? '1 check failed' : `${failures} checks failed`);
}
