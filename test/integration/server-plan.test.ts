/** Plan over gRPC, with the typed client at the other end. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServers, type TestServers } from '../fixtures/test-servers.ts';

let test: TestServers;
beforeAll(async () => {
  test = await startTestServers();
  await test.admin.applySigningKey({ name: 'access-tokens', algorithm: 'ES256' });
});
afterAll(() => test.dispose());

const signingKey = 'access-tokens';
const HOUR_MS = 3_600_000;
const START_MS = 1_700_000_000_123;
const at = (distanceMs: number): Date => new Date(START_MS + distanceMs);

describe('Plan', () => {
  it('passes on the signing key and the horizon, and answers with everything that the application says', async () => {
    const plan = await test.admin.plan({ signingKey, horizonMs: 48 * HOUR_MS });
    expect(test.app.asked.at(-1)).toMatchObject({
      caller: 'admin',
      command: { signingKey, proposed: [], horizonMs: 48 * HOUR_MS },
    });
    const told = { time: at(HOUR_MS), signingKey, publishedVersions: 1 };
    expect(plan).toEqual({
      startTime: at(0),
      moments: [
        { ...told, version: 2, fromState: 'PRE_ACTIVE', toState: 'ACTIVE', description: 'signs from here on' },
        { ...told, version: 4, fromState: undefined, toState: undefined, description: "can't be made yet" },
      ],
      explanations: [
        {
          signingKey,
          version: 1,
          state: 'ACTIVE',
          published: true,
          why: 'it signs',
          next: [
            { toState: 'SUSPENDED', time: at(HOUR_MS), command: undefined },
            { toState: 'COMPROMISED', time: undefined, command: 'declare-compromised' },
          ],
        },
      ],
      commands: [
        {
          signingKey,
          command: 'rotate',
          allowed: false,
          reason: 'LAST_STANDBY',
          message: 'wait',
          allowedTime: at(HOUR_MS),
        },
        {
          signingKey,
          command: 'suspend',
          allowed: true,
          reason: undefined,
          message: undefined,
          allowedTime: undefined,
        },
      ],
      keySets: [
        {
          keySet: 'default',
          peakPublishedVersions: 4,
          peakTime: at(HOUR_MS),
          maxPublishedVersions: 16,
          endTime: at(48 * HOUR_MS),
          complete: true,
        },
      ],
      remarks: ['the clock is odd'],
    });
  });

  it('passes on proposals as ApplySigningKey takes them', async () => {
    const proposed = [{ name: 'id-tokens', algorithm: 'ES256', lifecyclePolicy: { signingPeriodMs: 7 * HOUR_MS } }];
    await test.admin.plan({ proposed });
    expect(test.app.asked.at(-1)?.command).toMatchObject({
      signingKey: '',
      proposed: [
        {
          name: 'id-tokens',
          keySet: '',
          algorithm: 'ES256',
          rsaBits: 0,
          lifecyclePolicy: { signingPeriodMs: 7 * HOUR_MS, maxJwtLifetimeMs: undefined },
        },
      ],
      horizonMs: undefined,
    });
  });

  it('is open to auditors, and closed to signers', async () => {
    const auditor = test.connect(await test.authority.issueClient('auditor', { dnsNames: ['auditor.example'] }));
    expect((await auditor.plan({ signingKey })).moments).toHaveLength(2);
    await expect(test.signer.plan({ signingKey })).rejects.toMatchObject({ reason: 'METHOD_NOT_PERMITTED' });
  });
});
