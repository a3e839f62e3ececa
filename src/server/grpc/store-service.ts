/** keyturn.v1.StoreService. */
import { createHash } from 'node:crypto';
import type { RecoveryView } from '../../app/application.ts';
import type { BackUpRequest__Output } from '../../gen/keyturn/v1/BackUpRequest.ts';
import type { BackUpResponse } from '../../gen/keyturn/v1/BackUpResponse.ts';
import type { RecoveredVersion } from '../../gen/keyturn/v1/RecoveredVersion.ts';
import type { RecoverRequest__Output } from '../../gen/keyturn/v1/RecoverRequest.ts';
import type { RecoverResponse } from '../../gen/keyturn/v1/RecoverResponse.ts';
import type { RecoveryFate } from '../../gen/keyturn/v1/RecoveryFate.ts';
import type { StoreServiceHandlers } from '../../gen/keyturn/v1/StoreService.ts';
import type { Fate } from '../../lifecycle/recover.ts';
import { toRecovery } from './command-input.ts';
import { serverStream } from './server-stream.ts';
import { type HandlerPorts, unary } from './unary.ts';
import { toOptionalTimestamp, toTimestamp } from './values.ts';
import { toState } from './views.ts';

export function createStoreService(ports: HandlerPorts): StoreServiceHandlers {
  return {
    BackUp: serverStream(ports, (_request: BackUpRequest__Output, { caller }) =>
      toBackUp(ports.app.backUpStore(caller)),
    ),

    Recover: unary(ports, async (request: RecoverRequest__Output, { caller }): Promise<RecoverResponse> => {
      const { validateOnly, etag } = request;
      const view = await ports.app.recover(caller, { ...toRecovery(request), validateOnly, etag });
      return toRecoverResponse(view);
    }),
  };
}

async function* toBackUp(chunks: AsyncIterable<Uint8Array>): AsyncIterable<BackUpResponse> {
  const digest = createHash('sha256');
  for await (const chunk of chunks) {
    digest.update(chunk);
    yield { chunk };
  }
  yield { sha256: digest.digest() };
}

function toRecoverResponse({ restoration, signingKeys, versions, imports, etag }: RecoveryView): RecoverResponse {
  return {
    restoreTime: toOptionalTimestamp(restoration?.atMs),
    knownUntilTime: toOptionalTimestamp(restoration?.knownUntilMs),
    signingKeys: signingKeys.map(({ isCreated, activeVersion = 0, readyAtMs, ...signingKey }) => {
      return { ...signingKey, created: isCreated, activeVersion, readyTime: toOptionalTimestamp(readyAtMs) };
    }),
    versions: versions.map(toRecoveredVersion),
    imports: imports.map(({ keySet, kid, isCompromised, expiresAtMs }) => {
      return { keySet, kid, compromised: isCompromised, expireTime: toTimestamp(expiresAtMs) };
    }),
    etag,
  };
}

const FATES = {
  stays: 'RECOVERY_FATE_STAYS',
  deactivated: 'RECOVERY_FATE_DEACTIVATED',
  withdrawn: 'RECOVERY_FATE_WITHDRAWN',
  compromised: 'RECOVERY_FATE_COMPROMISED',
  destroyedAgain: 'RECOVERY_FATE_DESTROYED_AGAIN',
  ignored: 'RECOVERY_FATE_IGNORED',
} as const satisfies Record<Fate, RecoveryFate>;

function toRecoveredVersion(verdict: RecoveryView['versions'][number]): RecoveredVersion {
  const { signingKey = '', version = 0, kid = '', ckaId, ckaLabel, fate, why, isPublished, publishedUntilMs } = verdict;
  return {
    signingKey,
    version,
    kid,
    ckaId,
    ckaLabel,
    fate: FATES[fate],
    why,
    recordedState: toState(verdict.recordedState),
    state: toState(verdict.state),
    published: isPublished,
    publishEndTime: toOptionalTimestamp(publishedUntilMs),
  };
}
