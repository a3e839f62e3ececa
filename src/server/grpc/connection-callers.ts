/**
 * The caller of each TLS connection, parsed once, when the connection was accepted. grpc-js shows a call's connection
 * only as the peer certificate that it asks the socket for, call by call; so the socket answers with one object for
 * its whole life, and that object is the key.
 */
import type { TLSSocket } from 'node:tls';
import type { CallerIdentity } from '../../access/caller.ts';
import type { IdentifiableCall } from './call-policy.ts';

export class ConnectionCallers {
  readonly #byCertificate = new WeakMap<object, CallerIdentity>();

  remember(socket: TLSSocket, identity: CallerIdentity): void {
    const certificate = socket.getPeerCertificate();
    this.#byCertificate.set(certificate, identity);
    Object.defineProperty(socket, 'getPeerCertificate', { value: () => certificate });
  }

  find(call: IdentifiableCall): CallerIdentity | undefined {
    const certificate = call.getAuthContext().sslPeerCertificate;
    return certificate === undefined ? undefined : this.#byCertificate.get(certificate);
  }
}
