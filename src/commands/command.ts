/**
 * What a CLI command is: plain data plus a function. src/cli.ts turns the data into commander's tree and the reference
 * documentation is held against it, so no command knows commander, the process or its environment.
 */
import type { Clock } from '../base/clock.ts';
import type { Terminal } from './terminal.ts';

export interface OptionSpec {
  /** As shown and parsed: `--lifetime <duration>`; without a value it is a switch. */
  readonly flags: string;
  readonly description: string;
  readonly required?: boolean;
}

export interface ArgumentSpec {
  /** `<name>` when required, `[name]` when not. */
  readonly syntax: string;
  readonly description: string;
}

/** Parsed options by long name in camel case: a text, or true for a switch. */
export type Options = Readonly<Record<string, string | boolean | undefined>>;

export interface CommandContext {
  readonly terminal: Terminal;
  readonly clock: Clock;
  readonly workingDirectory: string;
  /** $KEYTURN_CONFIG. */
  readonly configFileVariable: string | undefined;
}

export interface CommandInput {
  readonly arguments: readonly string[];
  readonly options: Options;
}

export interface CommandSpec {
  /** The words after `keyturn`: `key rotate`. */
  readonly name: string;
  readonly summary: string;
  readonly arguments?: readonly ArgumentSpec[];
  readonly options?: readonly OptionSpec[];
  /** Resolves with the exit code; rejects with a KeyturnError. */
  run(context: CommandContext, input: CommandInput): Promise<number>;
}

export const JSON_OPTION: OptionSpec = { flags: '--json', description: 'print one JSON value for programs' };

/** Options that every command takes, before or after its name. */
export const GLOBAL_OPTIONS: readonly OptionSpec[] = [
  { flags: '--config <file>', description: 'the configuration file; it also tells where the daemon listens' },
  { flags: '--socket <path>', description: 'reach the daemon through this Unix socket' },
  { flags: '--address <host:port>', description: 'reach the daemon over mTLS' },
  { flags: '--as <caller>', description: 'be this caller, with the certificate that `init` made for it' },
  { flags: '--ca <file>', description: "CA certificate (PEM) that the daemon's certificate must chain to" },
  { flags: '--cert <file>', description: "the caller's certificate (PEM)" },
  { flags: '--key <file>', description: "the caller's private key (PEM)" },
  { flags: '--server-name <name>', description: "the name in the daemon's certificate, when it isn't the address" },
];

export function textOption(options: Options, name: string): string | undefined {
  const value = options[name];
  return typeof value === 'string' ? value : undefined;
}

export function isSwitchedOn(options: Options, name: string): boolean {
  return options[name] === true;
}
