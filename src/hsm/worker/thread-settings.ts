/** What the worker's main thread tells its threads, and what they tell back: one report for each order. */
export interface ThreadSettings {
  readonly moduleFile: string;
  readonly role: 'administration' | 'signing';
  /** The thread's end of its connection to the daemon. */
  readonly fd: number;
}

export type ThreadOrder =
  /** CK_SLOT_ID as the binding gives it: 8 bytes. */
  | { readonly kind: 'open'; readonly slot: Uint8Array }
  /** Closes the session and forgets every handle: the module is about to lose both. */
  | { readonly kind: 'pause' }
  | { readonly kind: 'close' };

export type ThreadReport =
  | { readonly kind: 'ready'; readonly duplicates: readonly string[] }
  | { readonly kind: 'failed'; readonly ckr: number; readonly functionName: string }
  | { readonly kind: 'paused' }
  | { readonly kind: 'closed' };
