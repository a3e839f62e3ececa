/** ApprovalService over real connections, with the typed client at the other end. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { KeyturnError } from '../../src/base/errors.ts';
import { startTestServers, type TestServers } from '../fixtures/test-servers.ts';

let test: TestServers;
beforeAll(async () => {
  test = await startTestServers();
});
afterAll(() => test.dispose());
afterEach(() => {
  test.app.failure = undefined;
});

const jwk = { kty: 'EC', kid: 'old', x: 'ä' };
const expireTime = new Date('2026-06-30T00:00:00.250Z');

describe('ApprovalService', () => {
  it('passes on each command as it would come by itself, without what means nothing to a proposal', async () => {
    const asked = () => test.app.asked.at(-1)?.command;
    const scope = { version: { signingKey: 'access-tokens', version: 2 } };
    await test.admin.propose({ declareCompromised: { scope, reason: 'stolen', retain: true, validateOnly: true } });
    expect(asked()).toEqual({
      method: 'DeclareCompromised',
      command: { scope: { kind: 'version', signingKey: 'access-tokens', version: 2 }, retain: true, reason: 'stolen' },
    });
    await test.admin.propose({ importPublicKey: { jwk, proof: 'a.b.c', expireTime, reason: 'cut-over' } });
    expect(asked()).toEqual({
      method: 'ImportPublicKey',
      command: {
        keySet: '',
        jwk: JSON.stringify(jwk),
        proof: 'a.b.c',
        expiresAtMs: expireTime.getTime(),
        reason: 'cut-over',
      },
    });
    await test.admin.propose({ removePublicKey: { keySet: 'b2b', kid: 'o l d', compromised: true, reason: 'why' } });
    expect(asked()).toEqual({
      method: 'RemovePublicKey',
      command: { keySet: 'b2b', kid: 'o l d', compromised: true, reason: 'why' },
    });
    const ckaId = '0'.repeat(32);
    await test.admin.propose({ resolveObject: { ckaId, action: 'destroy', reason: 'known' } });
    expect(asked()).toEqual({ method: 'ResolveObject', command: { ckaId, action: 'destroy', reason: 'known' } });
    await test.admin.propose({ recover: { keptKids: ['k'], longestJwtLifetimeMs: 1_500, reason: 'why', etag: 'e' } });
    expect(asked()).toEqual({
      method: 'Recover',
      command: {
        signingKeys: [],
        compromisedKids: [],
        keptKids: ['k'],
        longestJwtLifetimeMs: 1_500,
        isTokenRestored: false,
        reason: 'why',
      },
    });
  });

  it('refuses a JWK that is no text: what is shown to approvers must be what is published', async () => {
    const command = { jwk: Buffer.from([0x7b, 0xff]), proof: '', expireTime, reason: 'why' };
    const refusal = test.admin.propose({ importPublicKey: command });
    await expect(refusal).rejects.toMatchObject({ reason: 'PUBLIC_KEY_INVALID' });
  });

  it('answers with everything that an approver must know', async () => {
    const { proposals, nextPageToken } = await test.admin.listProposals({ pageSize: 1 });
    expect(nextPageToken).toBe('next');
    expect(proposals).toEqual([
      {
        id: '00000000-0000-4000-8000-000000000001',
        method: 'DeclareCompromised',
        request: '{}',
        requestSha256: 'aa',
        effect: ['one', 'two'],
        effectSha256: 'bb',
        officers: 2,
        proposer: 'security-officer',
        reason: 'a laptop was stolen',
        proposeTime: new Date(1_700_000_000_123),
        expireTime: new Date(1_700_003_600_123),
        accessPolicySha256: 'cc',
        currentAccessPolicySha256: 'dd',
        approvals: [],
        state: 'OPEN',
        updateTime: new Date(1_700_000_000_123),
        remark: '',
      },
    ]);
  });

  it('passes on what was approved, and by whom', async () => {
    const wish = { id: 'x', requestSha256: 'aa', effectSha256: 'bb' };
    const { proposal } = await test.admin.approve(wish);
    expect(test.app.asked.at(-1)).toEqual({ caller: 'admin', command: { ...wish, reason: '' } });
    expect(proposal).toMatchObject({ state: 'EXECUTED', approvals: [{ caller: 'admin', accessPolicySha256: 'dd' }] });
    const cancelled = await test.admin.cancelProposal({ id: 'x', reason: 'no' });
    expect(cancelled.proposal).toMatchObject({ state: 'CANCELLED', remark: 'admin: no' });
  });

  it('never tries an approval again by itself', async () => {
    test.app.failure = new KeyturnError('STORE_UNAVAILABLE', 'planted');
    const before = test.app.asked.length;
    await expect(test.admin.approve({ id: 'x', requestSha256: '', effectSha256: '' })).rejects.toMatchObject({
      reason: 'STORE_UNAVAILABLE',
    });
    expect(test.app.asked).toHaveLength(before + 1);
  });
});
