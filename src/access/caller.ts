/** Who calls, as the listener established it; parsed once per connection. */
export type CallerIdentity =
  /** A name of the client certificate: SAN URI `spiffe://…`, SAN DNS, or the subject's CN, as the listener is configured. */
  | { readonly kind: 'spiffe' | 'dns' | 'cn'; readonly name: string }
  /** The fixed caller of a Unix socket. */
  | { readonly kind: 'unix'; readonly name: string };

/** As in the access policy document: `dns:auth.internal`, `spiffe://…` is `spiffe:spiffe://…`, `unix:admin`. */
export function formatIdentity(identity: CallerIdentity): string {
  return `${identity.kind}:${identity.name}`;
}
