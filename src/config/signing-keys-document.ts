/** The signing keys file (YAML): signing keys as they should be, for `keyturn apply`. All problems are told at once. */
import { z } from 'zod';
import { parseDuration } from '../base/duration.ts';
import { KeyturnError } from '../base/errors.ts';
import { type KeySetName, parseKeySetName, parseSigningKeyName, type SigningKeyName } from '../base/ids.ts';
import { type Algorithm, parseAlgorithm, parseKeySpec, RSA_BITS } from '../jose/algorithms.ts';
import { parsePolicy, type PolicyInput } from '../lifecycle/policy.ts';
import { PRESET_NAMES, PRESETS } from '../lifecycle/presets.ts';
import { ConfigError, type ConfigProblem, formatPath } from './problems.ts';
import { integer, member, toProblems } from './schema-parts.ts';
import { parseYaml, readDocumentFile } from './yaml-document.ts';

/** As many as one plan takes. */
const MAX_SIGNING_KEYS = 256;

export interface WantedSigningKey {
  readonly name: SigningKeyName;
  /** Absent: `default`, or the one that it has. */
  readonly keySet: KeySetName | undefined;
  readonly algorithm: Algorithm;
  readonly rsaBits: number | undefined;
  /** The preset's values under those that stand beside it. What is still absent gets the documented default. */
  readonly lifecyclePolicy: PolicyInput;
}

const duration = member(parseDuration).optional();

const policySchema = z.strictObject({
  preset: z.enum(PRESET_NAMES).optional(),
  signingPeriod: duration,
  maxSigningPeriod: duration,
  maxJwtLifetime: duration,
  rollbackWindow: duration,
  standbys: integer(1, 2).optional(),
  addJti: z.boolean().optional(),
  addNbf: z.boolean().optional(),
});

const signingKeySchema = z.strictObject({
  keySet: member(parseKeySetName).optional(),
  algorithm: member(parseAlgorithm),
  rsaBits: integer(Math.min(...RSA_BITS), Math.max(...RSA_BITS)).optional(),
  lifecyclePolicy: policySchema.optional(),
});

export const signingKeysSchema = z.strictObject({
  version: z.literal(1),
  signingKeys: z.record(z.string(), signingKeySchema),
});

/** Finds in anything what there is of signing keys: the checks across members go over a document that isn't whole, too. */
const looseSchema = z.object({ signingKeys: z.record(z.string(), z.unknown()).catch({}) }).catch({ signingKeys: {} });

/** Errors: CONFIG_INVALID, a ConfigError with every problem. */
export async function loadSigningKeys(file: string): Promise<readonly WantedSigningKey[]> {
  return parseSigningKeys(await readDocumentFile(file), file);
}

/** Errors: CONFIG_INVALID, a ConfigError with every problem. `file` is for its message only. */
export function parseSigningKeys(text: string, file = 'the signing keys file'): readonly WantedSigningKey[] {
  const { value, problems: yamlProblems } = parseYaml(text);
  if (yamlProblems.length > 0) throw new ConfigError(file, yamlProblems);
  const parsed = signingKeysSchema.safeParse(value, { reportInput: true });
  const problems = parsed.success ? [] : toProblems(parsed.error);
  const entries = Object.entries(looseSchema.parse(value).signingKeys);
  if (entries.length > MAX_SIGNING_KEYS)
    problems.push({ path: 'signingKeys', message: `must have at most ${MAX_SIGNING_KEYS} members` });
  const wanted = entries.flatMap(([name, entry]) => toWanted(name, signingKeySchema.safeParse(entry).data, problems));
  if (problems.length > 0) throw new ConfigError(file, problems);
  return wanted;
}

function toWanted(
  key: string,
  entry: z.infer<typeof signingKeySchema> | undefined,
  problems: ConfigProblem[],
): readonly WantedSigningKey[] {
  const path = ['signingKeys', key];
  const name = attempt(problems, path, () => parseSigningKeyName(key, 'a signing key name'));
  if (entry === undefined) return [];
  const { keySet, algorithm, rsaBits, lifecyclePolicy: { preset, ...own } = {} } = entry;
  attempt(problems, [...path, 'rsaBits'], () => parseKeySpec(algorithm, rsaBits));
  const lifecyclePolicy = withPreset(preset, own);
  problems.push(...findPolicyProblems(lifecyclePolicy, [...path, 'lifecyclePolicy']));
  return name === undefined ? [] : [{ name, keySet, algorithm, rsaBits, lifecyclePolicy }];
}

function withPreset(
  preset: z.infer<typeof policySchema>['preset'],
  own: Omit<z.infer<typeof policySchema>, 'preset'>,
): PolicyInput {
  const given: PolicyInput = {
    signingPeriodMs: own.signingPeriod,
    maxSigningPeriodMs: own.maxSigningPeriod,
    maxJwtLifetimeMs: own.maxJwtLifetime,
    rollbackWindowMs: own.rollbackWindow,
    standbys: own.standbys,
    addJti: own.addJti,
    addNbf: own.addNbf,
  };
  const base: PolicyInput = preset === undefined ? {} : PRESETS[preset];
  return { ...base, ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) };
}

/** Each member on its own first, so that all that are out of bounds are told; then what they are together. */
function findPolicyProblems(policy: PolicyInput, path: readonly string[]): readonly ConfigProblem[] {
  const alone = Object.entries(policy).flatMap(([field, value]) =>
    problemsOf({ [field]: value }, path).filter(({ isOutOfBounds }) => isOutOfBounds),
  );
  const found = alone.length > 0 ? alone : problemsOf(policy, path);
  return found.map(({ path: where, message }) => ({ path: where, message }));
}

function problemsOf(
  policy: PolicyInput,
  path: readonly string[],
): readonly (ConfigProblem & { readonly isOutOfBounds: boolean })[] {
  try {
    parsePolicy(policy);
    return [];
  } catch (error) {
    if (!(error instanceof KeyturnError)) throw error;
    const { field = '' } = error.details;
    const member = (field.split('.').at(-1) ?? '').replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
    const message = error.message.replace(`${field} `, '');
    return [{ path: formatPath([...path, member]), message, isOutOfBounds: error.reason === 'FIELD_INVALID' }];
  }
}

function attempt<T>(problems: ConfigProblem[], path: readonly string[], parse: () => T): T | undefined {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof KeyturnError)) throw error;
    problems.push({ path: formatPath(path), message: error.message.replace(/^rsa_bits /, '') });
    return undefined;
  }
}
