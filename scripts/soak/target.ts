/** The token of a soak, with what can happen to it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeShimmedToken } from '../../test/fixtures/shimmed-token.ts';
import type { Prng } from '../../test/simulation/prng.ts';
import { endProcesses, setUpToken, type TestToken } from '../../test/tokens/set-up.ts';
import { moduleFaults, processFaults, type SoakFault } from './faults.ts';

const SIGNING_KEYS = [
  { name: 'soak-es256', algorithm: 'ES256' },
  { name: 'soak-es384', algorithm: 'ES384' },
  { name: 'soak-ed25519', algorithm: 'Ed25519' },
  { name: 'soak-rs256', algorithm: 'RS256', rsaBits: 2_048 },
  { name: 'soak-ps256', algorithm: 'PS256', rsaBits: 2_048 },
] as const;

export interface Target {
  /** Of SIGNING_KEYS, those that the token has. */
  readonly signingKeys: readonly (typeof SIGNING_KEYS)[number][];
  readonly config: TestToken['config'];
  readonly label: string;
  faults(prng: Prng): readonly SoakFault[];
  dispose(): Promise<void>;
}

/** `name`: `shim` for SoftHSM2 behind the fault shim, or a token of test/tokens that has processes of its own. */
export async function prepareTarget(name: string): Promise<Target> {
  if (name === 'shim') {
    const token = makeShimmedToken();
    const { config, shim } = token;
    const label = 'label' in config.selector ? config.selector.label : '';
    return {
      signingKeys: SIGNING_KEYS,
      config,
      label,
      faults: (prng) => moduleFaults(shim, prng),
      async dispose() {
        await Promise.resolve(token.dispose());
      },
    };
  }
  const dir = await mkdtemp(join(tmpdir(), `keyturn-${name}-`));
  const token = await setUpToken(name, dir);
  if (token.processes.length === 0) throw new RangeError(`--token ${name} has no process of its own`);
  return {
    // p11-kit's protocol doesn't carry CKM_EDDSA.
    signingKeys: SIGNING_KEYS.filter(({ algorithm }) => algorithm !== 'Ed25519'),
    config: token.config,
    label: token.label,
    faults: (prng) => processFaults(token, prng),
    async dispose() {
      await endProcesses((await setUpToken(token.name, dir)).processes);
      await rm(dir, { recursive: true, force: true });
    },
  };
}
