import { describe, expect, it } from 'vitest';
import { parseCallerIdentity } from '../../src/server/caller-name.ts';

const refusal = (message: string): Error =>
  expect.objectContaining({ reason: 'CALLER_UNKNOWN', message: expect.stringContaining(message) as string }) as Error;

describe('a caller is named by', () => {
  it.each([
    [
      'spiffe',
      { subjectaltname: 'URI:spiffe://example.org/ns/a/sa/auth, DNS:a.example' },
      'spiffe://example.org/ns/a/sa/auth',
    ],
    ['dns', { subjectaltname: 'DNS:Auth.Internal, IP Address:10.0.0.1, URI:spiffe://x/y' }, 'auth.internal'],
    ['dns', { subjectaltname: 'email:"a\\"b, DNS:evil.example", DNS:auth.internal' }, 'auth.internal'],
    ['cn', { subject: { CN: 'auth service' }, subjectaltname: 'DNS:other.example' }, 'auth service'],
  ] as const)('its %s name in %o', (kind, certificate, name) => {
    expect(parseCallerIdentity(certificate, kind)).toEqual({ kind, name });
  });
});

describe('a certificate is refused', () => {
  it.each([
    ['dns', {}, 'no SAN DNS name'],
    ['dns', { subject: { CN: 'auth.internal' } }, 'no SAN DNS name'],
    ['dns', { subjectaltname: 'DNS:a.example, DNS:b.example' }, '2 names'],
    ['dns', { subjectaltname: 'DNS:*.example' }, 'malformed'],
    ['dns', { subjectaltname: 'DNS:"a.example\\u0000.evil"' }, 'malformed'],
    ['dns', { subjectaltname: 'DNS:a.example, DNS:"b' }, 'unreadable'],
    ['spiffe', { subjectaltname: 'URI:https://example.org/x' }, 'malformed'],
    ['spiffe', { subjectaltname: 'URI:spiffe://example.org/x, URI:https://example.org' }, '2 names'],
    ['spiffe', { subjectaltname: 'URI:spiffe://Example.org/x' }, 'malformed'],
    ['spiffe', { subjectaltname: 'URI:spiffe://example.org' }, 'malformed'],
    ['spiffe', { subjectaltname: 'URI:spiffe://example.org/a/../b' }, 'malformed'],
    ['spiffe', { subjectaltname: `URI:spiffe://example.org/${'a'.repeat(2_048)}` }, 'malformed'],
    ['cn', { subject: { CN: ['a', 'b'] } }, '2 names'],
    ['cn', { subject: { CN: 'аdmin' } }, 'malformed'],
    ['cn', { subject: {} }, 'no common name'],
  ] as const)('for %s names: %o', (kind, certificate, message) => {
    expect(() => parseCallerIdentity(certificate, kind)).toThrow(refusal(message));
  });
});
