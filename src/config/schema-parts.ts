/** What both schemas are made of: members with their bounds, and zod's findings in keyturn's words. */
import { z } from 'zod';
import { formatDuration, parseDuration } from '../base/duration.ts';
import { KeyturnError } from '../base/errors.ts';
import { type ConfigProblem, formatPath } from './problems.ts';

/** A member's form as an editor is told it, in JSON Schema: never stricter than its parser. */
export type Shape = Readonly<Record<string, string | number>>;

export const TEXT_SHAPE: Shape = { type: 'string', minLength: 1 };
/** A DNS label. */
export const NAME_SHAPE: Shape = { type: 'string', pattern: '^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$' };
const DURATION_SHAPE: Shape = { type: 'string', pattern: '^([0-9]+(ms|s|m|h|d))+$' };

/** A member that `parse` accepts, or refuses by throwing a KeyturnError whose message begins with the field's name. */
export function member<T>(parse: (value: unknown, field: string) => T, shape: Shape = {}) {
  return z
    .unknown()
    .transform((value, context): T => {
      if (value === undefined || value === null) return refuse(context, value, 'is missing');
      try {
        return parse(value, FIELD);
      } catch (error) {
        if (!(error instanceof KeyturnError)) throw error;
        return refuse(context, value, error.message.replace(`${FIELD} `, ''));
      }
    })
    .meta({ ...shape });
}

/** Stands for the member's name, whose path is told anyway. */
const FIELD = 'it';

function refuse(context: { issues: z.core.$ZodRawIssue[] }, input: unknown, message: string): never {
  context.issues.push({ code: 'custom', input, message });
  return z.NEVER;
}

export function invalid(message: string): KeyturnError {
  return new KeyturnError('FIELD_INVALID', message);
}

export function duration(minMs: number, maxMs: number) {
  return member((value, field) => {
    const durationMs = parseDuration(value, field);
    if (durationMs >= minMs && durationMs <= maxMs) return durationMs;
    throw invalid(`${field} must be from ${formatDuration(minMs)} to ${formatDuration(maxMs)}`);
  }, DURATION_SHAPE);
}

/** What is sent to others in whole seconds. */
export function wholeSeconds(minMs: number, maxMs: number) {
  return duration(minMs, maxMs).refine((durationMs) => durationMs % 1_000 === 0, {
    error: 'must be a whole number of seconds',
  });
}

export function integer(min: number, max: number) {
  return member(
    (value, field) => {
      if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value;
      throw invalid(`${field} must be a whole number from ${min} to ${max}`);
    },
    { type: 'integer', minimum: min, maximum: max },
  );
}

/** Text that isn't empty, of one line. */
export function text(maxBytes: number) {
  return member((value, field) => {
    if (typeof value !== 'string')
      throw invalid(`${field} must be text; put it in quotes if it looks like something else`);
    if (value === '') throw invalid(`${field} must not be empty`);
    if (!value.isWellFormed() || /\p{Cc}/u.test(value)) throw invalid(`${field} must not contain control characters`);
    if (Buffer.byteLength(value) > maxBytes) throw invalid(`${field} must have at most ${maxBytes} bytes`);
    return value;
  }, TEXT_SHAPE);
}

/** A list of different members. */
export function list<T>(item: z.ZodType<T>, min: number, max: number) {
  const sizes = min === 0 ? `must have at most ${max} members` : `must have from ${min} to ${max} members`;
  return z
    .array(item)
    .superRefine((items, context) => {
      if (items.length < min || items.length > max) context.addIssue({ code: 'custom', message: sizes });
      items.forEach((value, index) => {
        if (items.indexOf(value) < index)
          context.addIssue({ code: 'custom', path: [index], message: 'stands in the list twice' });
      });
    })
    .meta({ minItems: min, maxItems: max, uniqueItems: true });
}

/** Every finding; several for a member with several unknown names. */
export function toProblems(error: z.ZodError): ConfigProblem[] {
  return error.issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({ path: formatPath([...issue.path, key]), message: 'is not an option here' }));
    }
    if (issue.code === 'invalid_key') {
      return [{ path: formatPath(issue.path), message: issue.issues[0]?.message ?? 'is no usable name' }];
    }
    return [{ path: formatPath(issue.path), message: messageOf(issue) }];
  });
}

const EXPECTED: Readonly<Record<string, string>> = { object: 'a mapping', record: 'a mapping', array: 'a list' };

function messageOf(issue: z.core.$ZodIssue): string {
  if (issue.code === 'custom') return issue.message;
  if (issue.input === undefined || issue.input === null) return 'is missing';
  if (issue.code === 'invalid_type') return `must be ${EXPECTED[issue.expected] ?? issue.expected}`;
  if (issue.code === 'invalid_value') return `must be ${issue.values.map(String).join(' or ')}`;
  return issue.message;
}
