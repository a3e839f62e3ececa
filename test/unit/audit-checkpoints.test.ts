import { createPublicKey, type KeyObject } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { hashLine } from '../../src/audit/chain.ts';
import { findCheckpointProblem, type Statement, statementBytes, toCheckpoint } from '../../src/audit/checkpoints.ts';
import type { CheckpointContent } from '../../src/audit/entries.ts';
import type { Algorithm } from '../../src/jose/algorithms.ts';
import type { PublicKeyMembers } from '../../src/jose/jwk.ts';
import { toKid } from '../../src/jose/thumbprint.ts';
import { makeSoftwareKey, signInSoftware } from '../fixtures/software-keys.ts';

interface Key {
  readonly privateKey: KeyObject;
  readonly publicKey: PublicKeyMembers;
  readonly kid: ReturnType<typeof toKid>;
}

function makeKey(algorithm: Algorithm = 'ES256'): Key {
  const { privateKey } = makeSoftwareKey({ algorithm });
  const publicKey = createPublicKey(privateKey).export({ format: 'jwk' }) as PublicKeyMembers;
  return { privateKey, publicKey, kid: toKid(publicKey) };
}

const first = makeKey();
const second = makeKey();
const HEAD = { seq: 1_000, hash: hashLine('entry 1000') };

function sign({ privateKey }: Key, statement: Statement): Uint8Array {
  return signInSoftware('ES256', privateKey, statementBytes(statement));
}

function checkpointBy(key: Key, former?: Key): CheckpointContent {
  const { publicKey } = key;
  const statement = { head: HEAD, signedAtMs: 0, publicKey, ...(former && { formerKid: former.kid }) };
  return toCheckpoint(statement, sign(key, statement), former && sign(former, statement));
}

describe('a checkpoint', () => {
  it('is good by itself, and after one by the same key', () => {
    const checkpoint = checkpointBy(first);
    expect(checkpoint.kid).toBe(first.kid);
    expect(findCheckpointProblem(checkpoint)).toBeUndefined();
    expect(findCheckpointProblem(checkpoint, first)).toBeUndefined();
  });

  it('is bad when anything that was signed is changed', () => {
    const checkpoint = checkpointBy(second, first);
    for (const change of [
      { head: `999:${HEAD.hash}` },
      { head: `1000:${hashLine('another entry 1000')}` },
      { signedTime: '1970-01-01T00:00:00.001Z' },
      { formerKid: second.kid },
      { signature: checkpoint.signature.replace(/^./, (digit) => (digit === 'A' ? 'B' : 'A')) },
    ])
      expect(findCheckpointProblem({ ...checkpoint, ...change }), JSON.stringify(change)).toContain(
        'the signature is not by key',
      );
  });

  it('is bad with another key than its kid says, and with no point of the curve', () => {
    const checkpoint = checkpointBy(first);
    expect(findCheckpointProblem({ ...checkpoint, publicKey: second.publicKey })).toBe(
      'kid is not the thumbprint of publicKey',
    );
    const nowhere = {
      kty: 'EC',
      crv: 'P-256',
      x: first.publicKey.kty === 'EC' ? first.publicKey.x : '',
      y: 'AAAA',
    } as const;
    expect(findCheckpointProblem({ ...checkpoint, publicKey: nowhere, kid: toKid(nowhere) })).toContain(
      'the signature is not by key',
    );
    expect(findCheckpointProblem({ ...checkpoint, publicKey: makeKey('Ed25519').publicKey })).toBe(
      'publicKey must be a P-256 key',
    );
  });

  it('by a new key is believed only when the key before signed for it', () => {
    expect(findCheckpointProblem(checkpointBy(second, first), first)).toBeUndefined();
    expect(findCheckpointProblem(checkpointBy(second), first)).toContain('which did not sign for it');
    expect(findCheckpointProblem(checkpointBy(second, makeKey()), first)).toContain('and not key');
    const statement = { head: HEAD, signedAtMs: 0, publicKey: second.publicKey, formerKid: first.kid };
    const forged = toCheckpoint(statement, sign(second, statement), sign(second, statement));
    expect(findCheckpointProblem(forged, first)).toContain('formerSignature is not by key');
  });
});
