/** What the worker's main thread tells its threads, and what they tell back: one report for each order. */
export interface ThreadSettings {
  readonly role: 'administration' | 'signing';
  /** The thread's end of its connection to the daemon. */
  readonly fd: number;
}

/**
 * For a module of which each loading is a client of its own, with sessions and a login of its own (p11-kit's): the
 * thread can't use those of the main thread.
 */
export interface OwnLogin {
  readonly moduleParameters: string | undefined;
  /** The token's: the slot must be the same token for this client too, or the PIN would go to another. */
  readonly serial: string;
  /** The user PIN, which the token has taken already; wiped once it was used. */
  readonly pin: Uint8Array;
}

export type ThreadOrder =
  /** CK_SLOT_ID as the binding gives it: 8 bytes. */
  | {
      readonly kind: 'open';
      readonly moduleFile: string;
      readonly slot: Uint8Array;
      readonly ownLogin: OwnLogin | undefined;
    }
  /** Closes the session and forgets every handle: the module is about to lose both. */
  | { readonly kind: 'pause' }
  | { readonly kind: 'close' };

export type ThreadReport =
  | { readonly kind: 'ready'; readonly duplicates: readonly string[] }
  | { readonly kind: 'failed'; readonly ckr: number; readonly functionName: string }
  | { readonly kind: 'paused' }
  | { readonly kind: 'closed' };
