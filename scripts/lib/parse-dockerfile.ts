/** Dockerfile → instructions, as far as keyturn's own Dockerfile uses the language. Pure. */

export interface Instruction {
  readonly line: number;
  /** In capitals: `RUN`. */
  readonly keyword: string;
  /** The rest, line continuations joined. */
  readonly text: string;
}

export interface Stage {
  readonly name: string;
  readonly image: string;
  readonly instructions: readonly Instruction[];
}

export function parseInstructions(dockerfile: string): Instruction[] {
  const instructions: Instruction[] = [];
  let pending: { line: number; text: string } | undefined;
  for (const [index, raw] of dockerfile.split('\n').entries()) {
    const isComment = raw.trimStart().startsWith('#');
    if (isComment || (raw.trim() === '' && pending === undefined)) continue;
    pending =
      pending === undefined
        ? { line: index + 1, text: raw.trim() }
        : { ...pending, text: `${pending.text} ${raw.trim()}` };
    if (pending.text.endsWith('\\')) {
      pending = { ...pending, text: pending.text.slice(0, -1).trimEnd() };
      continue;
    }
    instructions.push(toInstruction(pending.line, pending.text));
    pending = undefined;
  }
  return instructions;
}

/** Stages with the global ARGs filled into their image names. */
export function parseStages(dockerfile: string): Stage[] {
  const globalArguments = new Map<string, string>();
  const stages: { name: string; image: string; instructions: Instruction[] }[] = [];
  for (const instruction of parseInstructions(dockerfile)) {
    const current = stages.at(-1);
    if (instruction.keyword === 'FROM') {
      const [image = '', name] = instruction.text.split(/\s+as\s+/i);
      stages.push({ name: name ?? String(stages.length), image: fillIn(image, globalArguments), instructions: [] });
    } else if (current !== undefined) {
      current.instructions.push(instruction);
    } else if (instruction.keyword === 'ARG') {
      const [name = '', value = ''] = instruction.text.split('=');
      globalArguments.set(name, value);
    } else {
      throw new Error(`line ${instruction.line}: ${instruction.keyword} before the first FROM`);
    }
  }
  return stages;
}

function toInstruction(line: number, text: string): Instruction {
  const [, keyword = '', rest = ''] = text.match(/^([A-Za-z]+)\s+(.*)$/s) ?? [];
  if (keyword === '') throw new Error(`line ${line}: not an instruction: ${text}`);
  return { line, keyword: keyword.toUpperCase(), text: rest };
}

function fillIn(text: string, values: ReadonlyMap<string, string>): string {
  return text.replace(/\$\{(\w+)\}/g, (whole, name: string) => values.get(name) ?? whole);
}
