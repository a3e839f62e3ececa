/** Yes, or no with a reason of the closed list, a message for people, and the request's field that it is about. */
import type { Reason } from '../base/reasons.ts';

export type Decision =
  | { readonly allowed: true }
  | { readonly allowed: false; readonly reason: Reason; readonly message: string; readonly field?: string };

export const ALLOWED: Decision = { allowed: true };

export function deny(reason: Reason, message: string, field?: string): Decision {
  return { allowed: false, reason, message, ...(field === undefined ? {} : { field }) };
}
