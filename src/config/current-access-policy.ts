/** The access policy in force. A new document takes its place whole, or not at all. */
import type { AccessPolicy } from '../access/policy.ts';
import { loadAccessPolicy } from './access-policy-document.ts';

export class CurrentAccessPolicy {
  readonly #file: string;
  readonly #listeners: ((policy: AccessPolicy) => void)[] = [];
  #policy: AccessPolicy;

  /** Errors: CONFIG_INVALID, a ConfigError with every problem. */
  static async load(file: string): Promise<CurrentAccessPolicy> {
    return new CurrentAccessPolicy(file, await loadAccessPolicy(file));
  }

  private constructor(file: string, policy: AccessPolicy) {
    this.#file = file;
    this.#policy = policy;
  }

  get policy(): AccessPolicy {
    return this.#policy;
  }

  /** Told the policy in force now, and each one that takes its place, as soon as it is in force. */
  onLoaded(listener: (policy: AccessPolicy) => void): void {
    this.#listeners.push(listener);
    listener(this.#policy);
  }

  /** Whether the document is another one. Errors: CONFIG_INVALID; then all is as it was. */
  async reload(): Promise<boolean> {
    const fresh = await loadAccessPolicy(this.#file);
    if (fresh.documentHash === this.#policy.documentHash) return false;
    this.#policy = fresh;
    for (const listener of this.#listeners) listener(fresh);
    return true;
  }
}
