/** What the worker's main thread tells a new thread, and what the thread tells back. */
export interface ThreadSettings {
  readonly moduleFile: string;
  /** CK_SLOT_ID as the binding gives it: 8 bytes. */
  readonly slot: Uint8Array;
  readonly role: 'administration' | 'signing';
  /** The thread's end of its connection to the daemon. */
  readonly fd: number;
}

export type ThreadReport =
  | { readonly kind: 'ready'; readonly duplicates: readonly string[] }
  | { readonly kind: 'failed'; readonly ckr: number; readonly functionName: string }
  | { readonly kind: 'closed' };
