/**
 * The use case SignJwt: caller → grant → claim rules → ACTIVE version → header made here → signing input → token →
 * verified signature → JWT. Whatever the caller sends, only what its grant allows is signed, and only as a JWT.
 */
import { type ClaimRules, decideClaims } from '../access/claim-rules.ts';
import { type AccessPolicy, requireGrant } from '../access/policy.ts';
import type { Clock } from '../base/clock.ts';
import { formatDuration } from '../base/duration.ts';
import { KeyturnError, toKeyturnError } from '../base/errors.ts';
import { type CallerName, type CkaId, type Kid, parseSigningKeyName, type SigningKeyName } from '../base/ids.ts';
import type { Reason } from '../base/reasons.ts';
import type { Hsm } from '../hsm/hsm.ts';
import { type Claims, type DaemonClaims, parseClaims, withTimes } from '../jose/claims.ts';
import { toCompactJwt, toSigningInput } from '../jose/compact.ts';
import type { SignedJwt, SignJwtCommand } from './application.ts';
import type { AuditTrail, PendingEntry } from './audit-trail.ts';
import type { Signer } from './signers.ts';

export const DEFAULT_TYP = 'JWT';

/** A version can fall while it signs, the clock be set, or the JWT's own lifetime end; that of its successor, too. */
export const MAX_ATTEMPTS = 3;
/** Shortest and coarsest lifetime: `exp` and `iat` are whole seconds. */
const SECOND_MS = 1_000;

export interface SignJwtLimits {
  readonly maxClaimsBytes: number;
  readonly maxClaimsDepth: number;
  readonly maxRequestMs: number;
}

export interface SignJwtPorts {
  readonly hsm: Hsm;
  readonly clock: Clock;
  readonly limits: SignJwtLimits;
  readonly accessPolicy: () => AccessPolicy;
  /** The version that signs now. Errors: SIGNING_KEY_NOT_FOUND, NO_ACTIVE_VERSION. */
  readonly requireSigner: (name: SigningKeyName) => Signer;
  /** Rule 8: the wall clock's time, judged at this very reading (Unix ms). Errors: CLOCK_UNTRUSTED. */
  readonly requireTrustedTime: () => number;
  /** False when a version is compromised by now. */
  readonly isStanding: (name: SigningKeyName, kid: Kid) => boolean;
  /** Whether this signature is one of the sample; always, unless the configuration says otherwise. */
  readonly mustVerify: () => boolean;
  /** The version made a signature that verified. */
  readonly proven: (name: SigningKeyName, ckaId: CkaId) => void;
  /** What the key set of the signing key promises: an `nbf` lies so far back that no clock within it is behind it. */
  readonly verifierSkewMs: (name: SigningKeyName) => number;
  /** A fresh `jti`: at least 128 random bits. */
  readonly newJti: () => string;
  /** Undefined where the audit log is off. */
  readonly audit: AuditTrail | undefined;
}

export async function signJwt(ports: SignJwtPorts, caller: CallerName, command: SignJwtCommand): Promise<SignedJwt> {
  const { clock, limits } = ports;
  const name = parseSigningKeyName(command.signingKey);
  const rules = requireGrant(ports.accessPolicy(), caller, name);
  const claims = parseClaims(command.claims, { maxBytes: limits.maxClaimsBytes, maxDepth: limits.maxClaimsDepth });
  const typ = command.typ === '' ? DEFAULT_TYP : command.typ;
  const decision = decideClaims(rules, claims, typ);
  if (!decision.allowed) {
    throw new KeyturnError(
      decision.reason,
      decision.message,
      decision.field === undefined ? {} : { field: decision.field },
    );
  }

  const capMs = clock.monotonicMs() + limits.maxRequestMs;
  const deadlineMs = Math.min(command.deadlineMs ?? capMs, capMs);
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt += 1) {
    ports.audit?.requireWritable();
    const startedAtMs = ports.requireTrustedTime();
    const startedMonotonicMs = clock.monotonicMs();
    const iatSeconds = Math.floor(startedAtMs / SECOND_MS);
    const signer = ports.requireSigner(name);
    const expSeconds = iatSeconds + decideLifetimeMs(command.lifetimeMs, rules, signer) / SECOND_MS;
    requireBelowCeiling(name, expSeconds * SECOND_MS, signer);
    const times: DaemonClaims = {
      iatSeconds,
      expSeconds,
      ...(signer.addNbf ? { nbfSeconds: iatSeconds - Math.ceil(ports.verifierSkewMs(name) / SECOND_MS) } : {}),
      ...(signer.addJti ? { jti: ports.newJti() } : {}),
    };
    const signingInput = toSigningInput(signer.headerFor(typ), withTimes(claims, times));
    const { ckaId, algorithm, publicKey, kid } = signer;
    const expiresMonotonicMs = startedMonotonicMs + expSeconds * SECOND_MS - startedAtMs;
    const jti = times.jti ?? jtiOf(claims);
    const entry = ports.audit?.dispatched({
      caller,
      signingKey: name,
      kid,
      alg: algorithm,
      signingInput,
      jti,
      expSeconds,
    });
    try {
      const mustVerify = ports.mustVerify();
      const signature = await ports.hsm.sign({
        ckaId,
        algorithm,
        signingInput,
        publicKey,
        // A signature of an expired JWT is worth nothing: the token isn't troubled with it.
        deadlineMs: Math.min(deadlineMs, expiresMonotonicMs),
        caller,
        mustVerify,
        isCanary: false,
      });
      if (mustVerify) ports.proven(name, ckaId);
      // No JWT leaves before its entry is durable.
      await entry;
      const mayStillLeave = (): boolean => {
        const obstacle = findObstacle(ports, { name, kid, startedAtMs, startedMonotonicMs, expiresMonotonicMs });
        if (obstacle !== undefined) takeBack(ports, entry, obstacle);
        return obstacle === undefined;
      };
      if (!mayStillLeave()) continue;
      const jwt = toCompactJwt(signingInput, signature);
      return { jwt, kid, expireTimeMs: expSeconds * SECOND_MS, mayStillLeave };
    } catch (thrown) {
      takeBack(ports, entry, toKeyturnError(thrown).reason);
      // By a clock that stepped, signing periods would seem to be over.
      ports.requireTrustedTime();
      const hasExpired = clock.monotonicMs() >= expiresMonotonicMs;
      // The version's private key may have been destroyed while the request waited: its successor has the word.
      if (attempt === MAX_ATTEMPTS || !(hasExpired || ports.requireSigner(name).kid !== kid)) throw thrown;
    }
  }
  throw overtaken(name);
}

/** Whatever was signed had to be taken back, again and again. */
export function overtaken(name: string): KeyturnError {
  return new KeyturnError(
    'CONCURRENT_CHANGE',
    `a JWT of signing key ${name} was not signed before its version was declared compromised, the clock was set, or its lifetime was over, ${MAX_ATTEMPTS} times; try again`,
    { subject: name, retryAfterMs: SECOND_MS },
  );
}

interface Signing {
  readonly name: SigningKeyName;
  readonly kid: Kid;
  readonly startedAtMs: number;
  readonly startedMonotonicMs: number;
  readonly expiresMonotonicMs: number;
}

/** Why a JWT that was signed meanwhile must not leave. */
function findObstacle(
  ports: SignJwtPorts,
  { name, kid, startedAtMs, startedMonotonicMs, expiresMonotonicMs }: Signing,
): Reason | undefined {
  const { clock } = ports;
  // Declared compromised while the token signed: it is made anew with the successor.
  if (!ports.isStanding(name, kid)) return 'VERSION_UNUSABLE';
  const nowMs = clock.monotonicMs();
  // The clock was set while the token signed: `iat` and `exp` are by one that nobody believes any more.
  if (Math.abs(clock.wallMs() - startedAtMs - (nowMs - startedMonotonicMs)) > SECOND_MS) return 'CLOCK_UNTRUSTED';
  return nowMs >= expiresMonotonicMs ? 'DEADLINE_EXCEEDED' : undefined;
}

function takeBack({ audit }: SignJwtPorts, entry: PendingEntry | undefined, reason: Reason): void {
  if (entry !== undefined) audit?.failed(entry, reason);
}

/** The caller's own, where the daemon adds none. */
function jtiOf({ members }: Claims): string | undefined {
  const jti = members.get('jti');
  return typeof jti === 'string' ? jti : undefined;
}

function decideLifetimeMs(wantedMs: number | undefined, rules: ClaimRules, signer: Signer): number {
  const longestMs = Math.min(rules.maxLifetimeMs, signer.maxJwtLifetimeMs);
  const lifetimeMs = wantedMs ?? Math.floor(longestMs / SECOND_MS) * SECOND_MS;
  if (lifetimeMs < SECOND_MS || lifetimeMs % SECOND_MS !== 0) {
    throw new KeyturnError('FIELD_INVALID', 'lifetime must be a whole number of seconds, at least 1', {
      field: 'lifetime',
    });
  }
  if (lifetimeMs > longestMs) {
    const limit =
      rules.maxLifetimeMs < signer.maxJwtLifetimeMs ? "the caller's grant" : "the signing key's lifecycle policy";
    throw new KeyturnError(
      'LIFETIME_NOT_PERMITTED',
      `lifetime must be at most ${formatDuration(longestMs)}, as ${limit} says`,
      { field: 'lifetime' },
    );
  }
  return lifetimeMs;
}

/** Rule 3: the ceiling is raised long before it is reached; below it only when the store has been failing for a while. */
function requireBelowCeiling(name: SigningKeyName, expMs: number, signer: Signer): void {
  if (expMs <= signer.expCeilingMs) return;
  throw new KeyturnError(
    'STORE_UNAVAILABLE',
    `no JWT of signing key ${name} may expire that late before the store has recorded it; check the disk that holds the store`,
    {
      subject: name,
      retryAfterMs: SECOND_MS,
    },
  );
}
