import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../src/config/problems.ts';
import { parseSigningKeys } from '../../src/config/signing-keys-document.ts';
import {
  checkPolicyAgainstPromise,
  DEFAULT_PROMISE,
  impliedVersions,
  parsePolicy,
} from '../../src/lifecycle/policy.ts';
import { PRESET_NAMES, PRESETS } from '../../src/lifecycle/presets.ts';
import { COMFORTABLE_VERSIONS } from '../../src/lifecycle/moments.ts';
import { DAY, HOUR, MINUTE } from '../fixtures/lifecycle.ts';

function problemsOf(text: string): readonly string[] {
  try {
    parseSigningKeys(text);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(({ path, message }) => `${path}: ${message}`);
    throw error;
  }
  return [];
}

describe('a signing keys file', () => {
  it('gives signing keys in its order, with the values beside a preset over the preset', () => {
    const wanted = parseSigningKeys(`
version: 1
signingKeys:
  refresh-tokens: { algorithm: PS256, rsaBits: 4096, keySet: partners, lifecyclePolicy: { preset: refresh-tokens } }
  access-tokens:
    algorithm: ES256
    lifecyclePolicy: { preset: access-tokens, maxJwtLifetime: 5m, standbys: 1, addJti: false, addNbf: true }
  bare: { algorithm: EdDSA }
`);
    expect(wanted).toEqual([
      {
        name: 'refresh-tokens',
        keySet: 'partners',
        algorithm: 'PS256',
        rsaBits: 4_096,
        lifecyclePolicy: PRESETS['refresh-tokens'],
      },
      {
        name: 'access-tokens',
        keySet: undefined,
        algorithm: 'ES256',
        rsaBits: undefined,
        lifecyclePolicy: {
          ...PRESETS['access-tokens'],
          maxJwtLifetimeMs: 5 * MINUTE,
          standbys: 1,
          addJti: false,
          addNbf: true,
        },
      },
      { name: 'bare', keySet: undefined, algorithm: 'EdDSA', rsaBits: undefined, lifecyclePolicy: {} },
    ]);
  });

  it('tells every problem at once, with its place', () => {
    expect(
      problemsOf(`
version: 2
signingKeys:
  Bad_Name: { algorithm: ES256 }
  a: { algorithm: HS256, size: 3 }
  b: { algorithm: ES256, rsaBits: 2048 }
  c: { algorithm: ES256, lifecyclePolicy: { preset: none, signingPeriod: weekly } }
  d: { algorithm: ES256, lifecyclePolicy: { signingPeriod: 500ms, maxJwtLifetime: 400d } }
  e: { algorithm: ES256, lifecyclePolicy: { signingPeriod: 7d, maxSigningPeriod: 1d } }
  f: { algorithm: RS256, rsaBits: 3000 }
  g: {}
`),
    ).toEqual([
      'version: must be 1',
      expect.stringMatching(/^signingKeys\.a\.algorithm: must be one of RS256, /),
      'signingKeys.a.size: is not an option here',
      'signingKeys.c.lifecyclePolicy.preset: must be access-tokens or id-tokens or refresh-tokens',
      'signingKeys.c.lifecyclePolicy.signingPeriod: must be a duration such as 90s, 15m, 1h or 30d',
      'signingKeys.g.algorithm: is missing',
      expect.stringMatching(/^signingKeys\.Bad_Name: a signing key name must be /),
      'signingKeys.b.rsaBits: must be absent for ES256',
      'signingKeys.d.lifecyclePolicy.signingPeriod: must be between 1 s and 3653 d',
      'signingKeys.d.lifecyclePolicy.maxJwtLifetime: must be between 1 s and 366 d',
      'signingKeys.e.lifecyclePolicy.maxSigningPeriod: max_signing_period 1 d must not be shorter than signing_period 7 d',
      'signingKeys.f.rsaBits: must be one of 2048, 3072, 4096',
    ]);
  });

  it('must say which signing keys it is about', () => {
    expect(problemsOf('version: 1')).toEqual(['signingKeys: is missing']);
    expect(problemsOf('')).not.toEqual([]);
    expect(problemsOf('version: 1\nsigningKeys: {}')).toEqual([]);
  });
});

describe('the presets', () => {
  it.each(PRESET_NAMES)('%s is safe with the default promise, and keeps a key set comfortable', (name) => {
    const policy = parsePolicy(PRESETS[name]);
    checkPolicyAgainstPromise(policy, DEFAULT_PROMISE);
    expect(impliedVersions(policy, DEFAULT_PROMISE, MINUTE)).toBeLessThanOrEqual(COMFORTABLE_VERSIONS);
  });

  it('differ by the lifetimes that they are for', () => {
    expect(PRESET_NAMES.map((name) => PRESETS[name].maxJwtLifetimeMs)).toEqual([15 * MINUTE, HOUR, 30 * DAY]);
  });
});
