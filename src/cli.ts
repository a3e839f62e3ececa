#!/usr/bin/env node
/**
 * The CLI's entry: checks Node, builds commander's tree out of the command list, runs one command, sets the exit code.
 * No static import that runs: an old Node must get as far as the message below. The only reader of process.env.
 */
import type { Command } from 'commander';
import type { CommandContext, CommandSpec, OptionSpec } from './commands/command.ts';

const OLDEST_NODE = 24;
const EXIT_OLD_NODE = 78;
/** What a finished command may still hold open (a socket that closes late) delays the end by this at most. */
const LINGER_MS = 2_000;

const nodeMajor = Number(process.versions.node.split('.')[0]);
if (nodeMajor < OLDEST_NODE) {
  process.stderr.write(
    `error: keyturn needs Node ${OLDEST_NODE} or newer, and this is Node ${process.versions.node}\n` +
      'hint: scripts/keyturn in a clone of keyturn runs it with the Node that npm ci installs\n',
  );
  process.exitCode = EXIT_OLD_NODE;
} else {
  void main(process.argv.slice(2));
}

async function main(words: readonly string[]): Promise<void> {
  const { ignoreClosedPipes, processTerminal } = await import('./commands/terminal.ts');
  const { systemClock } = await import('./base/system-clock.ts');
  ignoreClosedPipes();
  const context: CommandContext = {
    terminal: processTerminal,
    clock: systemClock,
    workingDirectory: process.cwd(),
    configFileVariable: process.env['KEYTURN_CONFIG'],
  };
  const exitCode = await runCli(context, words);
  process.exitCode = exitCode;
  systemClock.after(LINGER_MS, () => process.exit(exitCode));
}

async function runCli(context: CommandContext, words: readonly string[]): Promise<number> {
  const { CommanderError } = await import('commander');
  const { EXIT, exitCodeOf } = await import('./commands/exit-code.ts');
  const { KeyturnError } = await import('./base/errors.ts');
  const { hintsFor } = await import('./commands/hints.ts');
  const run: { exitCode: number } = { exitCode: EXIT.ok };
  try {
    const program = await buildProgram(words, async (command, input) => {
      run.exitCode = await command.run(context, input);
    });
    await program.parseAsync(words, { from: 'user' });
    return run.exitCode;
  } catch (error) {
    // Commander has already said what is wrong; asking for help or the version is no error.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    if (error instanceof KeyturnError) {
      context.terminal.error(`${error.message} (${error.reason})`);
      for (const hint of hintsFor(error, context.clock.wallMs())) context.terminal.hint(hint);
      return exitCodeOf(error);
    }
    context.terminal.error(error instanceof Error ? (error.stack ?? error.message) : String(error));
    context.terminal.hint('this is a defect in keyturn: please report it with the lines above');
    return EXIT.internal;
  }
}

type Runner = (command: CommandSpec, input: Parameters<CommandSpec['run']>[1]) => Promise<void>;

async function buildProgram(words: readonly string[], run: Runner): Promise<Command> {
  const { Command: CommanderCommand } = await import('commander');
  const { COMMANDS, COMMAND_GROUPS } = await import('./commands/commands.ts');
  const { GLOBAL_OPTIONS } = await import('./commands/command.ts');
  const { readVersion } = await import('./commands/project-files.ts');

  const program = new CommanderCommand('keyturn')
    .description('sign JSON Web Tokens with keys that live in an HSM and never leave it')
    .helpOption('--help', 'print this help')
    .helpCommand(false)
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError('hint: add --help to see what is possible')
    .exitOverride();
  // Commander takes a root option wherever it stands; after a command `--version 3` means a key version.
  if (words.length < 2) program.version(readVersion(), '--version', 'print the version');
  for (const option of GLOBAL_OPTIONS) addOption(program, option);

  const groups = new Map<string, Command>();
  for (const command of COMMANDS) {
    const [first = '', second] = command.name.split(' ');
    if (second !== undefined && !groups.has(first)) {
      groups.set(
        first,
        program
          .command(first)
          .description(COMMAND_GROUPS.get(first) ?? '')
          .helpCommand(false),
      );
    }
    const parent = second === undefined ? program : (groups.get(first) ?? program);
    const node = parent.command(second ?? first).description(command.summary);
    for (const argument of command.arguments ?? []) node.argument(argument.syntax, argument.description);
    for (const option of command.options ?? []) addOption(node, option);
    node
      .allowExcessArguments(false)
      .action(() => run(command, { arguments: node.args, options: node.optsWithGlobals() }));
  }
  return program;
}

function addOption(command: Command, option: OptionSpec): void {
  if (option.required === true) command.requiredOption(option.flags, option.description);
  else command.option(option.flags, option.description);
}
