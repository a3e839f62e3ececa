/**
 * The use case behind `keyturn recover`: a restored or a lost store is believed again, as an operator decides with the
 * plan before their eyes. Everything about it is one commit; what it makes due in the token the rotator does as ever.
 */
import { createHash } from 'node:crypto';
import { decideCloseAll } from '../access/approvals.ts';
import { KeyturnError } from '../base/errors.ts';
import { type CallerName, type CkaId, parsePublishedKid, type SigningKeyName } from '../base/ids.ts';
import { whenPropagated } from '../lifecycle/decide.ts';
import type { SigningKeyEvent } from '../lifecycle/events.ts';
import { unexplainedObjects } from '../lifecycle/fence.ts';
import { evolveSigningKey } from '../lifecycle/fold.ts';
import type { SigningKeyState } from '../lifecycle/signing-key-state.ts';
import { compareWithToken, type Finding } from '../lifecycle/reconcile.ts';
import {
  decideRecover,
  type FoundObject,
  type ImportVerdict,
  judgeImports,
  type Recovery,
  type RecoverCommand,
  requireKnownKids,
} from '../lifecycle/recover.ts';
import { activeVersion } from '../lifecycle/rules.ts';
import type { TokenEvent } from '../lifecycle/token-log.ts';
import { type AdministerPorts, decideApplication, parseReason } from './administer.ts';
import type { ProposedSigningKey, RecoverStoreCommand, RecoveredSigningKey, RecoveryView } from './application.ts';
import type { Change } from './folded-log.ts';
import { beginKeySets } from './reconciler.ts';
import { requireWanted, type Survey, surveyToken, toName, type UnknownObject, unknownObjects } from './survey-token.ts';

/** Kids that one command names, of each sort. */
const MAX_NAMED_KIDS = 256;
const ETAG_CHARACTERS = 22;
const FORGOTTEN = 'the store was recovered, and may have forgotten what became of it';

export interface RecoverPorts extends AdministerPorts {
  /** Takes over a comparison that was made here. */
  readonly setFindings: (findings: readonly Finding[]) => void;
  readonly isFenced: (name: SigningKeyName) => boolean;
}

/** What would be committed. */
interface Draft {
  readonly created: ReadonlyMap<SigningKeyName, readonly SigningKeyEvent[]>;
  readonly recoveries: ReadonlyMap<SigningKeyName, Recovery>;
  /** Objects whose label names no signing key. */
  readonly strays: readonly Finding[];
  readonly imports: readonly ImportVerdict[];
}

export async function recover(
  ports: RecoverPorts,
  caller: CallerName,
  command: RecoverStoreCommand,
  check: (view: RecoveryView) => void = () => undefined,
): Promise<RecoveryView> {
  const reason = parseReason(command.reason);
  const decision: RecoverCommand = {
    caller,
    reason,
    compromised: parseKids(command.compromisedKids, 'compromised_kids'),
    kept: parseKids(command.keptKids, 'kept_kids'),
    longestJwtLifetimeMs: command.longestJwtLifetimeMs ?? 0,
    isTokenRestored: command.isTokenRestored,
  };
  const survey = await surveyToken(ports, command.signingKeys);
  const make = (): Draft => draft(ports, survey, decision, command.signingKeys);
  const planned = make();
  const view = toView(ports, planned);
  if (command.validateOnly) return view;
  if (reason === '') throw new KeyturnError('FIELD_INVALID', 'reason is required', { field: 'reason' });
  if (command.etag !== '' && command.etag !== view.etag) {
    throw new KeyturnError('ETAG_MISMATCH', 'the plan is another one by now: look at it again, and decide anew', {
      field: 'etag',
    });
  }
  await ports.ledger.transact(() => {
    const now = make();
    check(toView(ports, now));
    if (etagOf(now) !== view.etag)
      throw new KeyturnError('CONCURRENT_CHANGE', 'something changed meanwhile: look at the plan again');
    return toChanges(ports, now, decision);
  });
  const states = [...ports.ledger.signingKeys.values()];
  ports.setFindings(compareWithToken({ before: states, now: states, objects: survey.objects }));
  ports.rotator.retryNow();
  return view;
}

function parseKids(kids: readonly string[], field: string): RecoverCommand['kept'] {
  if (kids.length > MAX_NAMED_KIDS)
    throw new KeyturnError('FIELD_INVALID', `${field} must have at most ${MAX_NAMED_KIDS} kids`, { field });
  return new Set(kids.map((kid) => parsePublishedKid(kid, field)));
}

function draft(
  ports: RecoverPorts,
  survey: Survey,
  decision: RecoverCommand,
  wanted: readonly ProposedSigningKey[],
): Draft {
  const { ledger, surroundingsIn } = ports;
  const unknown = unknownObjects(ledger, survey.findings, survey.objects);
  const { created, states } = createMissing(ports, unknown, decision, wanted);
  const recoveries = new Map<SigningKeyName, Recovery>();
  const withKind = (kind: Finding['kind']): ReadonlySet<CkaId> =>
    new Set(survey.findings.filter((finding) => finding.kind === kind).map(({ ckaId }) => ckaId));
  const view = { missing: withKind('missing'), resurrected: withKind('resurrected') };
  for (const [name, state] of states) {
    const own = unknown.filter(({ signingKey }) => signingKey === name);
    const isConcerned = ledger.token.restoration !== undefined || own.length > 0 || ports.isFenced(name);
    if (!isConcerned) continue;
    const found = own.flatMap((object) => toFound(object, state, survey.proofs));
    recoveries.set(name, decideRecover(state, { ...view, found }, decision, surroundingsIn(state.keySet)));
  }
  const imports = [...ledger.keySets.values()].flatMap((keySet) => judgeImports(keySet, decision));
  requireKnownKids([...recoveries.values()], imports, view.missing, decision);
  const unexplained = unexplainedObjects({ findings: survey.findings, token: ledger.token });
  const strays = unexplained.filter(({ signingKey }) => toName(signingKey) === undefined);
  return { created, recoveries, strays, imports };
}

/** An intent whose object proves nothing is abandoned as ever. */
function toFound(
  object: UnknownObject,
  { intents }: SigningKeyState,
  proofs: Survey['proofs'],
): readonly FoundObject[] {
  const { ckaId, ckaLabel, version } = object;
  const proof = proofs.get(ckaId) ?? { objection: 'nobody has looked at it yet' };
  const isIntended = intents.some((intent) => intent.ckaId === ckaId);
  return isIntended && 'objection' in proof ? [] : [{ ckaId, ckaLabel, version, proof }];
}

/** Every signing key, those included that are made for what the token holds of them. */
function createMissing(
  { ledger, surroundingsIn }: RecoverPorts,
  unknown: readonly UnknownObject[],
  { caller, reason }: RecoverCommand,
  wanted: readonly ProposedSigningKey[],
): Pick<Draft, 'created'> & { readonly states: ReadonlyMap<SigningKeyName, SigningKeyState> } {
  const states = new Map(ledger.signingKeys);
  const created = new Map<SigningKeyName, readonly SigningKeyEvent[]>();
  for (const name of unknown.flatMap(({ signingKey }) => toName(signingKey) ?? [])) {
    if (states.has(name)) continue;
    const command = { ...requireWanted(wanted, name), reason };
    const events = decideApplication(states, { caller, command, surroundingsIn });
    const state = events.reduce<SigningKeyState | undefined>(evolveSigningKey, undefined);
    if (state !== undefined) states.set(name, state);
    created.set(name, events);
  }
  return { states, created };
}

function toChanges(
  { ledger, clock }: RecoverPorts,
  { created, recoveries, strays, imports }: Draft,
  { caller, reason }: RecoverCommand,
): readonly Change[] {
  const atMs = clock.wallMs();
  const ignored = [...recoveries.values()].flatMap(({ verdicts }) => verdicts.filter(({ fate }) => fate === 'ignored'));
  const decided = [...ignored, ...strays].map(
    ({ ckaId, ckaLabel }): TokenEvent => ({ type: 'OBJECT_IGNORED', atMs, ckaId, ckaLabel, caller, reason }),
  );
  return [
    ...[...recoveries].map(
      ([name, { events }]): Change => ({
        to: 'signingKey',
        name,
        events: [...(created.get(name) ?? []), ...events],
      }),
    ),
    ...beginKeySets(ledger, atMs),
    ...imports
      .filter(({ isCompromised }) => isCompromised)
      .map(
        ({ keySet, kid }): Change => ({
          to: 'keySet',
          name: keySet,
          events: [{ type: 'PUBLIC_KEY_REMOVED', atMs, kid, compromised: true, caller, reason }],
        }),
      ),
    { to: 'token', events: [...decided, { type: 'STORE_RECOVERED', atMs, caller, reason }] },
    { to: 'approvals', events: decideCloseAll(ledger.approvals, { atMs, caller, reason: FORGOTTEN }) },
  ];
}

function toView(ports: RecoverPorts, plan: Draft): RecoveryView {
  const { created, recoveries, strays, imports } = plan;
  return {
    restoration: ports.ledger.token.restoration,
    signingKeys: [...recoveries].map(([name, { after }]) => toSigningKey(ports, after, created.has(name))),
    versions: [
      ...[...recoveries].flatMap(([signingKey, { verdicts }]) => verdicts.map((each) => ({ signingKey, ...each }))),
      ...strays.map(toStray),
    ],
    imports,
    etag: etagOf(plan),
  };
}

function toSigningKey(ports: RecoverPorts, after: SigningKeyState, isCreated: boolean): RecoveredSigningKey {
  const around = ports.surroundingsIn(after.keySet);
  const active = activeVersion(after);
  const isWaiting = active === undefined && !after.isHalted && after.retirement === undefined;
  return {
    name: after.name,
    keySet: after.keySet,
    isCreated,
    activeVersion: active?.number,
    readyAtMs: isWaiting ? whenPropagated(after, around, 1).allowedAtMs : undefined,
  };
}

function toStray({ ckaId, ckaLabel }: Finding): RecoveryView['versions'][number] {
  return {
    signingKey: undefined,
    version: undefined,
    kid: undefined,
    ckaId,
    ckaLabel,
    fate: 'ignored',
    why: 'its label names no signing key',
    recordedState: undefined,
    state: undefined,
    isPublished: false,
    publishedUntilMs: undefined,
  };
}

/** The same plan has the same one, whenever it is made. */
function etagOf({ created, recoveries, strays, imports }: Draft): string {
  const plan = [
    [...created.keys()],
    [...recoveries].map(([name, { verdicts }]) => [name, verdicts.map(({ ckaId, kid, fate }) => [ckaId, kid, fate])]),
    strays.map(({ ckaId }) => ckaId),
    imports.map(({ keySet, kid, isCompromised }) => [keySet, kid, isCompromised]),
  ];
  return createHash('sha256').update(JSON.stringify(plan)).digest('base64url').slice(0, ETAG_CHARACTERS);
}
