import { describe, expect, it } from 'vitest';
import type { CommandContext } from '../../src/commands/command.ts';
import { confirmByName, requireConfirmable } from '../../src/commands/confirm.ts';
import { systemClock } from '../../src/base/system-clock.ts';

/** A terminal at which somebody types `line`; undefined: nobody sits there. */
function contextOf(line: string | undefined): { context: CommandContext; notes: string[] } {
  const notes: string[] = [];
  const terminal = {
    print: () => undefined,
    printJson: () => undefined,
    note: (text: string) => void notes.push(text),
    error: () => undefined,
    hint: () => undefined,
    isInteractive: () => line !== undefined,
    readInput: () => Promise.resolve(Buffer.alloc(0)),
    readLine: () => Promise.resolve(line ?? 'access-tokens'),
  };
  const context = { terminal, clock: systemClock, workingDirectory: '/', configFileVariable: undefined };
  return { context, notes };
}

describe('confirmation by name', () => {
  it('goes on when the name is typed back', async () => {
    const { context, notes } = contextOf('access-tokens');
    await confirmByName(context, {}, 'access-tokens');
    expect(notes).toEqual(['Type access-tokens to go on:']);
  });

  it.each(['', 'y', 'yes', 'access-token', 'ACCESS-TOKENS'])('stops at %j', async (line) => {
    await expect(confirmByName(contextOf(line).context, {}, 'access-tokens')).rejects.toMatchObject({
      reason: 'FIELD_INVALID',
      message: expect.stringMatching(/nothing was changed: type access-tokens, or give --yes/) as string,
    });
  });

  it('is not to be had from a pipe, whatever stands in it', async () => {
    const { context, notes } = contextOf(undefined);
    expect(() => requireConfirmable(context, {})).toThrow(/no terminal to ask at; give --yes/);
    await expect(confirmByName(context, {}, 'access-tokens')).rejects.toMatchObject({ reason: 'FIELD_INVALID' });
    expect(notes).toEqual([]);
  });

  it('asks nobody with --yes', async () => {
    const { context, notes } = contextOf(undefined);
    requireConfirmable(context, { yes: true });
    await confirmByName(context, { yes: true }, 'access-tokens');
    expect(notes).toEqual([]);
  });
});
