/** docs/reference/cli.md against the command list, in both directions. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { GLOBAL_OPTIONS, type OptionSpec } from '../../src/commands/command.ts';
import { COMMANDS } from '../../src/commands/commands.ts';
import { USUAL_CONFIG_FILES } from '../../src/commands/config-file.ts';
import { EXIT } from '../../src/commands/exit-code.ts';

const DOCUMENT = readFileSync(path.resolve(import.meta.dirname, '../../docs/reference/cli.md'), 'utf8');

/** `command: option` lines, global options under `*`. */
function describedIn(document: string): string[] {
  const lines: string[] = [];
  let command = '';
  for (const line of document.split('\n')) {
    const heading = line.match(/^#{2,3} (.+)$/)?.[1];
    if (heading !== undefined) {
      command = heading === 'Global options' ? '*' : (heading.match(/^keyturn (.+)$/)?.[1] ?? '');
      if (command !== '' && command !== '*') lines.push(command);
    }
    const option = line.match(/^\| `((?:-\w, )?--[^`]+)` \|/)?.[1];
    if (option !== undefined) lines.push(`${command}: ${option}${line.includes('(required)') ? ' (required)' : ''}`);
  }
  return lines.toSorted();
}

function optionLines(command: string, options: readonly OptionSpec[]): string[] {
  return options.map(({ flags, required }) => `${command}: ${flags}${required === true ? ' (required)' : ''}`);
}

describe('docs/reference/cli.md', () => {
  it('has every command with every option, and no other', () => {
    const fromCode = [
      ...optionLines('*', GLOBAL_OPTIONS),
      ...COMMANDS.flatMap(({ name, options }) => [name, ...optionLines(name, options ?? [])]),
    ];
    expect(describedIn(DOCUMENT)).toEqual(fromCode.toSorted());
  });

  it('shows the arguments of the commands that have some', () => {
    const usages = COMMANDS.flatMap(({ name, arguments: specs = [] }) =>
      specs.length === 0 ? [] : [`\`${['keyturn', name, ...specs.map(({ syntax }) => syntax)].join(' ')}\``],
    );
    expect(usages.filter((usage) => !DOCUMENT.includes(usage))).toEqual([]);
  });

  it('lists the exit codes', () => {
    const codes = [...DOCUMENT.matchAll(/^\| (\d+) \|/gm)].map(([, code]) => Number(code));
    expect(codes).toEqual(Object.values(EXIT));
  });

  it('says where the configuration is looked for, in that order', () => {
    const named = USUAL_CONFIG_FILES.map((file) =>
      DOCUMENT.indexOf(file.startsWith('/') ? `\`${file}\`` : `\`./${file}\``),
    );
    expect(named.every((at) => at >= 0)).toBe(true);
    expect(named).toEqual(named.toSorted((a, b) => a - b));
  });

  it('would miss an option that is only in the code, and one that is only in the document', () => {
    expect(describedIn('### keyturn key rotate\n| `--planted` | x |')).toEqual(['key rotate', 'key rotate: --planted']);
    expect(describedIn(DOCUMENT.replace('| `--demo` |', '| demo |'))).not.toContain('init: --demo');
  });
});
