/** A signing key as callers describe it. */
import type { ProposedSigningKey } from '../../app/application.ts';
import type { LifecyclePolicy__Output } from '../../gen/keyturn/v1/LifecyclePolicy.ts';
import type { SigningKey__Output } from '../../gen/keyturn/v1/SigningKey.ts';
import type { PolicyInput } from '../../lifecycle/policy.ts';
import { parseDurationMs } from './values.ts';

export function toProposed({
  name,
  keySet,
  algorithm,
  rsaBits,
  lifecyclePolicy,
}: SigningKey__Output): ProposedSigningKey {
  return { name, keySet, algorithm, rsaBits, lifecyclePolicy: parseLifecyclePolicy(lifecyclePolicy) };
}

/** What is absent stays absent: the use case knows the defaults. A `standbys` of 0 is absent. */
function parseLifecyclePolicy(policy: LifecyclePolicy__Output | null): PolicyInput {
  if (policy === null) return {};
  const path = 'signing_key.lifecycle_policy';
  return {
    signingPeriodMs: parseDurationMs(policy.signingPeriod, `${path}.signing_period`),
    maxSigningPeriodMs: parseDurationMs(policy.maxSigningPeriod, `${path}.max_signing_period`),
    maxJwtLifetimeMs: parseDurationMs(policy.maxJwtLifetime, `${path}.max_jwt_lifetime`),
    rollbackWindowMs: parseDurationMs(policy.rollbackWindow, `${path}.rollback_window`),
    standbys: policy.standbys === 0 ? undefined : policy.standbys,
    addJti: policy.addJti,
    addNbf: policy.addNbf,
  };
}
